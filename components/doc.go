// Package components holds the reusable Pulumi components of the trade pipeline. Each is usable on its own: typed
// arguments with documented defaults, an error that names every bad argument, all children parented, and every taggable
// child tagged through the component's provider (its default tags), plus a Name tag where AWS's console shows one.
//
// Physical names are explicit, so policies, alarms and operators can name a resource before it exists. The components
// check them against AWS's limits before anything is created.
package components

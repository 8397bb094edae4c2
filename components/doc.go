// Package components holds the reusable Pulumi components of the trade pipeline. Each is usable on its own: typed
// arguments with their defaults beside them, an error that names every argument that is wrong, all children parented,
// and every taggable child tagged through the provider that the component is given (its default tags) and by its own
// Name tag where AWS's console shows one.
//
// Physical names are explicit, so that policies, alarms and operators can name a resource before it exists. The
// components check them against AWS's limits before anything is created.
package components

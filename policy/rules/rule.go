// Package rules holds the pack's rules, one file per family. A rule reads the resources of any program: it knows AWS's
// types and their properties, and nothing about the program that declares them.
package rules

import (
	"fmt"
	"slices"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/property"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi/policyx"
)

// Levels of enforcement. policyx treats a rule without one as advisory, so each rule sets its own.
const (
	Mandatory = policyx.EnforcementLevelMandatory // stops the update
	Off       = policyx.EnforcementLevelDisabled  // until configuration turns it on
)

// Rule is one rule. It has exactly one of Check, CheckStack and Remediate.
type Rule struct {
	Name     string // stable: configurations and exemptions refer to it
	Family   string
	Why      string // what goes wrong if it is broken; a sentence
	Controls []string
	Level    policyx.EnforcementLevel
	Types    []string // of the resources that it judges
	Options  []Option // besides those that every rule has

	// Check judges a resource by the inputs that the program sends to the provider.
	Check func(*Resource)
	// CheckStack judges the stack as it is at the end of a preview or an update.
	CheckStack func(*Stack)
	// Remediate returns the inputs as they should be, and whether that changes them.
	Remediate func(*Resource) (property.Map, bool)
}

// All lists every rule, by family.
func All() []Rule {
	return slices.Concat(tagRules, encryptionRules, secretRules, networkRules, identityRules, accessRules, resilienceRules,
		computeRules, provenanceRules)
}

// Concerns reports whether the rule judges resources of a type. The rule's types may end in *.
func (r Rule) Concerns(resourceType string) bool {
	return slices.ContainsFunc(r.Types, func(pattern string) bool { return matches(pattern, resourceType) })
}

// violation returns what a rule reports: the property, what is wrong with it, and how to fix it.
func (r Rule) violation(property, problem, fix string) string {
	return fmt.Sprintf("%s %s. %s [%s]", property, problem, fix, strings.Join(r.Controls, ", "))
}

// Ours is the control of a rule that has no number from AWS, CIS or Checkov.
const Ours = "ours"

// Package rules holds the rules of the pack, one file a family. A rule reads the resources of any program: it knows
// AWS's types and their properties, and nothing of the program that declares them.
package rules

import (
	"fmt"
	"slices"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/property"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi/policyx"
)

// Levels of enforcement. policyx takes a rule that sets none for an advisory one, so each rule sets its own.
const (
	Mandatory = policyx.EnforcementLevelMandatory // stops the update
	Off       = policyx.EnforcementLevelDisabled  // until a configuration switches it on
)

// Rule is one rule. It has exactly one of Check, CheckStack and Remediate.
type Rule struct {
	Name     string // stable: configurations and exemptions name it
	Family   string
	Why      string // what goes wrong where it is broken; a sentence
	Controls []string
	Level    policyx.EnforcementLevel
	Types    []string // of the resources that it judges
	Options  []Option // beside those that every rule has

	// Check judges a resource by the inputs that the program sends to the provider.
	Check func(*Resource)
	// CheckStack judges the stack as it is at the end of a preview or an update.
	CheckStack func(*Stack)
	// Remediate returns the inputs as they should be, and whether they differ.
	Remediate func(*Resource) (property.Map, bool)
}

// All lists every rule, by family.
func All() []Rule {
	return slices.Concat(tagRules, encryptionRules, secretRules, networkRules, identityRules, resilienceRules,
		computeRules, provenanceRules)
}

// Concerns tells whether the rule judges resources of a type. A type of the rule may end in *.
func (r Rule) Concerns(resourceType string) bool {
	return slices.ContainsFunc(r.Types, func(pattern string) bool { return matches(pattern, resourceType) })
}

// violation is what a rule reports: the property, what is wrong with it, and sentences on how to mend it.
func (r Rule) violation(property, problem, mend string) string {
	return fmt.Sprintf("%s %s. %s [%s]", property, problem, mend, strings.Join(r.Controls, ", "))
}

// Ours is the control of a rule that neither AWS nor CIS nor Checkov numbers.
const Ours = "ours"

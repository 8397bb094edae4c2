package engine

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	pulumiengine "github.com/pulumi/pulumi/pkg/v3/engine"
	"github.com/pulumi/pulumi/sdk/v3/go/common/apitype"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
)

// Verdict is what the policies say about a preview or an update.
type Verdict struct {
	Passed     []string    `json:"passed,omitempty"` // names of the policies that judged something and found no fault
	Violations []Violation `json:"violations,omitempty"`
	Remediated []string    `json:"remediated,omitempty"` // names of the policies that fixed a resource, once per resource
}

// Violation is one resource that breaks one policy.
type Violation struct {
	Pack    string `json:"pack"`
	Version string `json:"version"` // of the pack
	Policy  string `json:"policy"`
	Level   string `json:"level"` // advisory, mandatory or remediate
	URN     string `json:"urn"`   // the stack's, if a policy judges the whole stack
	Message string `json:"message"`
}

// Violated returns the names of the broken policies.
func (v *Verdict) Violated() []string {
	var names []string
	for _, violation := range v.Violations {
		names = append(names, violation.Policy)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// Summary says in a few words how the policies were kept, such as "44 passed". It is empty if none judged.
func (v *Verdict) Summary() string {
	violated := len(v.Violated())
	switch {
	case violated > 0:
		return fmt.Sprintf("%d passed, %d violated", len(v.Passed), violated)
	case len(v.Passed) > 0:
		return fmt.Sprintf("%d passed", len(v.Passed))
	default:
		return ""
	}
}

func (v *Verdict) read(told any) {
	switch told := told.(type) {
	case pulumiengine.PolicyViolationEventPayload:
		v.Violations = append(v.Violations, Violation{
			Pack: told.PolicyPackName, Version: told.PolicyPackVersion, Policy: told.PolicyName, Level: string(told.EnforcementLevel),
			URN: string(told.ResourceURN), Message: plainText(told.Message),
		})
	case pulumiengine.PolicyRemediationEventPayload:
		v.Remediated = append(v.Remediated, told.PolicyName)
	case pulumiengine.PolicyAnalyzeSummaryEventPayload:
		v.Passed = append(v.Passed, told.Passed...)
	case pulumiengine.PolicyAnalyzeStackSummaryEventPayload:
		v.Passed = append(v.Passed, told.Passed...)
	}
}

// sort orders the verdict once it is complete. A policy passes if it does so for every resource.
func (v *Verdict) sort() {
	slices.SortFunc(v.Violations, func(a, b Violation) int {
		return cmp.Or(cmp.Compare(a.Policy, b.Policy), cmp.Compare(a.URN, b.URN), cmp.Compare(a.Message, b.Message))
	})
	slices.Sort(v.Remediated)
	slices.Sort(v.Passed)
	violated := v.Violated()
	v.Passed = slices.DeleteFunc(slices.Compact(v.Passed), func(name string) bool { return slices.Contains(violated, name) })
}

// Stopping returns the violations that keep the engine from starting or continuing.
func (v *Verdict) Stopping() []Violation {
	return slices.DeleteFunc(slices.Clone(v.Violations), func(violation Violation) bool {
		return violation.Level == string(apitype.Advisory)
	})
}

// Tell writes violations for a reader: each policy, below it each resource that breaks it, and below that why and how.
func Tell(violations []Violation) string {
	var b strings.Builder
	var last Violation
	why := ""
	for _, violation := range violations {
		if violation.Policy != last.Policy {
			fmt.Fprintf(&b, "policy %s is broken (%s)\n", violation.Policy, violation.Level)
			last = Violation{}
		}
		if violation.URN != last.URN || last.Policy == "" {
			fmt.Fprintf(&b, "  %s\n", violation.where())
			why = ""
		}
		for line := range strings.Lines(violation.Message) {
			if line != why { // a policy's reason precedes each of its faults
				fmt.Fprintf(&b, "    %s\n", strings.TrimSuffix(line, "\n"))
			}
		}
		why, _, _ = strings.Cut(violation.Message, "\n")
		why += "\n"
		last = violation
	}
	return strings.TrimSuffix(b.String(), "\n")
}

func (v Violation) where() string {
	urn := resource.URN(v.URN)
	if !urn.IsValid() || urn.Type() == resource.RootStackType {
		return "the stack"
	}
	return fmt.Sprintf("%s %q", urn.Type(), urn.Name())
}

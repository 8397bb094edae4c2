package engine

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/apitype"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
)

// Verdict is what the policies say of a preview or an update.
type Verdict struct {
	Passed     []string    `json:"passed,omitempty"` // names of the policies that judged something and found no fault
	Violations []Violation `json:"violations,omitempty"`
}

// Violation is one resource that breaks one policy.
type Violation struct {
	Pack    string `json:"pack"`
	Policy  string `json:"policy"`
	Level   string `json:"level"` // advisory, mandatory or remediate
	URN     string `json:"urn"`   // of the stack where a policy judges the whole
	Message string `json:"message"`
}

// Violated are the names of the policies that were broken.
func (v *Verdict) Violated() []string {
	var names []string
	for _, violation := range v.Violations {
		names = append(names, violation.Policy)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// Summary says in a few words how the policies were kept, such as "44 passed". It is empty where none judged.
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

func (v *Verdict) read(event apitype.EngineEvent) {
	switch {
	case event.PolicyEvent != nil:
		policy := event.PolicyEvent
		v.Violations = append(v.Violations, Violation{
			Pack: policy.PolicyPackName, Policy: policy.PolicyName, Level: policy.EnforcementLevel,
			URN: policy.ResourceURN, Message: PlainText(policy.Message),
		})
	case event.PolicyAnalyzeSummaryEvent != nil:
		v.Passed = append(v.Passed, event.PolicyAnalyzeSummaryEvent.Passed...)
	case event.PolicyAnalyzeStackSummaryEvent != nil:
		v.Passed = append(v.Passed, event.PolicyAnalyzeStackSummaryEvent.Passed...)
	}
}

// sort orders the verdict once all of it is told. A policy passes if it does so for every resource.
func (v *Verdict) sort() {
	slices.SortFunc(v.Violations, func(a, b Violation) int {
		return cmp.Or(cmp.Compare(a.Policy, b.Policy), cmp.Compare(a.URN, b.URN), cmp.Compare(a.Message, b.Message))
	})
	slices.Sort(v.Passed)
	violated := v.Violated()
	v.Passed = slices.DeleteFunc(slices.Compact(v.Passed), func(name string) bool { return slices.Contains(violated, name) })
}

// Stopping are the violations for which the engine does nothing, or goes no further.
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
			if line != why { // a policy's reason stands before each of its faults
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

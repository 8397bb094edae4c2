package rules

import (
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/property"
)

// Violation is a rule's finding about a resource.
type Violation struct {
	Message string
	URN     string
}

// Judge runs the rule on one resource. config has the options that a firm has set, as decoded JSON; anything missing
// has its default. today decides which exemptions still apply. Rules on stacks, or on other types, find nothing here.
func (r Rule) Judge(declared Declared, config map[string]any, today time.Time) []Violation {
	if r.Check == nil || !r.Concerns(declared.Type) {
		return nil
	}
	var found []Violation
	r.Check(r.resource(declared, config, today, &found))
	return found
}

// JudgeStack runs a stack rule on all resources of a stack.
func (r Rule) JudgeStack(all []Declared, config map[string]any, today time.Time) []Violation {
	if r.CheckStack == nil {
		return nil
	}
	var found []Violation
	stack := &Stack{settings: settings{rule: r, given: config, today: today}}
	for _, declared := range all {
		stack.Resources = append(stack.Resources, r.resource(declared, config, today, &found))
	}
	r.CheckStack(stack)
	return found
}

// Mend runs a remediation on one resource, and reports whether it changed anything.
func (r Rule) Mend(declared Declared, config map[string]any, today time.Time) (property.Map, bool) {
	if r.Remediate == nil || !r.Concerns(declared.Type) {
		return declared.Properties, false
	}
	judged := r.resource(declared, config, today, nil)
	if exempted, _ := judged.settings.exempt(declared.URN); exempted {
		return declared.Properties, false
	}
	return r.Remediate(judged)
}

func (r Rule) resource(declared Declared, config map[string]any, today time.Time, found *[]Violation) *Resource {
	return &Resource{
		Declared: declared,
		settings: settings{rule: r, given: config, today: today},
		report: func(message, urn string) {
			*found = append(*found, Violation{Message: message, URN: urn})
		},
	}
}

package rules

import (
	"slices"

	"trade-processing/policy/value"
)

// Stack is all resources of a stack in the hands of one rule.
type Stack struct {
	Resources []*Resource
	settings  settings
}

// Setting reads an option of the rule.
func (s *Stack) Setting(name string) value.Value { return s.settings.option(name) }

// Of lists the resources of some types.
func (s *Stack) Of(types ...string) []*Resource {
	var all []*Resource
	for _, r := range s.Resources {
		if slices.Contains(types, r.Type) {
			all = append(all, r)
		}
	}
	return all
}

// reference is a property that names another resource.
type reference struct{ Type, Path string }

// referred tells whether any resource's property of the list names this one. Where a property isn't known yet, it may.
func (s *Stack) referred(to *Resource, by ...reference) answer {
	answers := no
	for _, reference := range by {
		for _, r := range s.Of(reference.Type) {
			answers = max(answers, r.refers(reference.Path, to))
		}
	}
	return answers
}

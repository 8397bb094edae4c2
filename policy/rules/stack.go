package rules

import (
	"slices"

	"trade-processing/policy/value"
)

// Stack is all resources of a stack as one rule sees them.
type Stack struct {
	Resources []*Resource
	settings  settings
	mentions  map[any]*mentions // by what is looked for, made when first needed
}

// Setting reads one of the rule's options.
func (s *Stack) Setting(name string) value.Value { return s.settings.option(name) }

// Of returns the resources of some types.
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

// referred reports whether any of the listed properties names this resource. A property that isn't known yet may.
func (s *Stack) referred(to *Resource, by ...reference) answer {
	answers := no
	for _, reference := range by {
		answers = max(answers, s.mentioned(to, reference, func(all []mention) []mention {
			for _, r := range s.Of(reference.Type) {
				property, given := r.follow(reference.Path)
				all = append(all, mention{r, property, given})
			}
			return all
		}))
	}
	return answers
}

// mentioned reports whether what is looked for names a resource; find finds it all, once.
func (s *Stack) mentioned(to *Resource, what any, find func([]mention) []mention) answer {
	if s.mentions == nil {
		s.mentions = map[any]*mentions{}
	}
	if s.mentions[what] == nil {
		s.mentions[what] = newMentions(find(nil))
	}
	return s.mentions[what].name(to)
}

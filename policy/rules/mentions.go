package rules

import (
	"strings"

	"trade-processing/policy/value"
)

// mention is a value, somewhere inside a property, that may name another resource.
type mention struct {
	by       *Resource
	property string
	given    value.Value
}

// mentions are values of one kind, found by what they may name: a rule that looked at each of them for each resource would take
// four times as long for a stack of twice the size.
type mentions struct {
	all     []mention
	endings map[string][]mention // by the ending of a text; empty: not known yet
	made    map[string][]mention // by the URN that the property was made from
}

// ending returns what is behind the last : or /. A resource is only named by what ends as one of its names does.
func ending(text string) string { return text[strings.LastIndexAny(text, ":/")+1:] }

func newMentions(all []mention) *mentions {
	m := &mentions{all: all, endings: map[string][]mention{}, made: map[string][]mention{}}
	for _, one := range all {
		for _, element := range one.given.Each() {
			end := ending(element.Text())
			m.endings[end] = append(m.endings[end], one)
		}
		for _, source := range one.by.PropertyDependencies[one.property] {
			m.made[source] = append(m.made[source], one)
		}
	}
	return m
}

// name reports whether any of them names a resource.
func (m *mentions) name(to *Resource) answer {
	answers := no
	look := func(some []mention) {
		for _, one := range some {
			answers = max(answers, one.by.refersBy(one.property, one.given, to))
		}
	}
	if to.unnamed() { // anything may be its name
		look(m.all)
		return answers
	}
	look(m.made[to.URN])
	look(m.endings[""])
	for _, own := range to.names() {
		look(m.endings[ending(own.Text())])
	}
	return answers
}

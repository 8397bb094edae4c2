package asl

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"
)

// maxName is the longest name of a state, in characters.
const maxName = 80

// Check lists every problem with the machine in one error: names that lead nowhere, states that no path reaches, states
// that neither end nor have a next state, missing timeouts, retriers and catchers out of range, a name used twice, and
// a timeout that a path could exceed.
func (m Machine) Check() error {
	var found []string
	found = append(found, timeout("the machine", m.TimeoutSeconds)...)
	found = append(found, checkStates("the machine", m.StartAt, m.States)...)
	found = append(found, repeatedNames(m.States)...)
	if len(found) == 0 {
		longest, err := m.Longest()
		switch {
		case err != nil:
			found = append(found, err.Error())
		case longest > m.TimeoutSeconds:
			found = append(found, fmt.Sprintf("TimeoutSeconds is %d, but a path takes up to %d: "+
				"nothing catches an execution that is cut off", m.TimeoutSeconds, longest))
		}
	}
	if len(found) > 0 {
		return errors.New("state machine: " + strings.Join(found, "; "))
	}
	return nil
}

func checkStates(where, start string, states States) []string {
	var found []string
	if _, exists := states[start]; !exists {
		return []string{fmt.Sprintf("%s starts at %q, which is not one of its states", where, start)}
	}
	reached := map[string]bool{}
	var visit func(name string)
	visit = func(name string) {
		if reached[name] {
			return
		}
		reached[name] = true
		for _, next := range states[name].leadsTo() {
			if _, exists := states[next]; !exists {
				found = append(found, fmt.Sprintf("%s leads to %q, which is not a state next to it", name, next))
				continue
			}
			visit(next)
		}
	}
	visit(start)
	for _, name := range slices.Sorted(maps.Keys(states)) {
		if !reached[name] {
			found = append(found, fmt.Sprintf("no path reaches %s", name))
		}
		if utf8.RuneCountInString(name) > maxName {
			found = append(found, fmt.Sprintf("the name %s is longer than %d characters", name, maxName))
		}
		found = append(found, states[name].problems(name)...)
	}
	return found
}

// repeatedNames finds repeated names: they must be unique within the whole machine, including its branches.
func repeatedNames(states States) []string {
	count := map[string]int{}
	var walk func(States)
	walk = func(states States) {
		for name, state := range states {
			count[name]++
			if parallel, nested := state.(Parallel); nested {
				for _, branch := range parallel.Branches {
					walk(branch.States)
				}
			}
		}
	}
	walk(states)
	var found []string
	for _, name := range slices.Sorted(maps.Keys(count)) {
		if count[name] > 1 {
			found = append(found, fmt.Sprintf("the name %s is used %d times", name, count[name]))
		}
	}
	return found
}

func (t Task) leadsTo() []string {
	var next []string
	if t.Next != "" {
		next = append(next, t.Next)
	}
	for _, catcher := range t.Catch {
		next = append(next, catcher.Next)
	}
	return next
}

func (t Task) problems(name string) []string {
	found := ending(name, t.Next, t.End)
	if t.Resource == "" {
		found = append(found, name+" has no Resource")
	}
	found = append(found, timeout(name, t.TimeoutSeconds)...)
	for i, retrier := range t.Retry {
		for _, problem := range retrier.problems(i == len(t.Retry)-1) {
			found = append(found, name+": "+problem)
		}
	}
	for i, catcher := range t.Catch {
		for _, problem := range errorNames("catcher", catcher.ErrorEquals, i == len(t.Catch)-1) {
			found = append(found, name+": "+problem)
		}
	}
	return found
}

func (p Parallel) leadsTo() []string {
	if p.Next == "" {
		return nil
	}
	return []string{p.Next}
}

func (p Parallel) problems(name string) []string {
	found := ending(name, p.Next, p.End)
	if len(p.Branches) == 0 {
		found = append(found, name+" has no branches")
	}
	for i, branch := range p.Branches {
		found = append(found, checkStates(fmt.Sprintf("branch %d of %s", i, name), branch.StartAt, branch.States)...)
	}
	return found
}

func (f Fail) leadsTo() []string        { return nil }
func (f Fail) problems(string) []string { return nil }
func (f Fail) span() (span, error)      { return span{never, 0}, nil }

func timeout(name string, seconds int) []string {
	switch {
	case seconds <= 0:
		return []string{name + " has no TimeoutSeconds"}
	case seconds > maxNumber:
		return []string{fmt.Sprintf("%s has TimeoutSeconds %d, but the most are %d", name, seconds, maxNumber)}
	}
	return nil
}

func ending(name, next string, end bool) []string {
	if (next == "") == end {
		return nil
	}
	return []string{name + " must either end or have a next state"}
}

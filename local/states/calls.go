package states

import "slices"

// Call is what a Task state calls, as the definition has it.
type Call struct {
	State    string
	Resource string
	// Parameters are the names of the call's parameters, in order. Of a state without Parameters, which passes its input
	// on, none is known.
	Parameters []string
}

// Calls lists the calls of all Task states, branches included, in order of the states' names: whoever serves them can
// refuse a parameter before a trade meets it.
func (m *Machine) Calls() []Call {
	calls := m.graph.calls()
	slices.SortFunc(calls, func(a, b Call) int {
		if a.State < b.State {
			return -1
		}
		return 1 // no two states have one name
	})
	return calls
}

func (g graph) calls() []Call {
	var calls []Call
	for _, s := range g.states {
		if s.kind == "Task" {
			calls = append(calls, Call{State: s.name, Resource: s.resource, Parameters: parameterNames(s.parameters)})
		}
		for _, branch := range s.branches {
			calls = append(calls, branch.calls()...)
		}
	}
	return calls
}

func parameterNames(parameters template) []string {
	var names []string
	switch parameters := parameters.(type) {
	case object:
		for _, m := range parameters {
			names = append(names, m.name)
		}
	case constant:
		if data, isObject := parameters.data.(map[string]any); isObject {
			for name := range data {
				names = append(names, name)
			}
		}
	}
	slices.Sort(names)
	return names
}

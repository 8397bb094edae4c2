package states

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/go-viper/mapstructure/v2"

	"trade-processing/local/jsonvalue"
)

// Machine is a compiled state machine. It keeps no state of its executions and is safe for concurrent use.
type Machine struct {
	graph   graph
	timeout time.Duration
}

// graph is a machine's or a branch's states.
type graph struct {
	start  *state
	states map[string]*state
}

// The limits of Step Functions.
// https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html
const (
	maxDefinition = 1 << 20 // bytes
	maxName       = 80      // characters of a state's name

	// maxSeconds is the longest time that a definition can give in seconds, a little over three years; what has no
	// TimeoutSeconds has that.
	// https://docs.aws.amazon.com/step-functions/latest/dg/state-task.html
	maxSeconds = 99999999
)

// Compile reads a definition. resources are the integrations that a Task may name, such as
// arn:aws:states:::lambda:invoke. The error lists everything that is unknown or wrong, each with the state and the
// field.
func Compile(definition []byte, resources []string) (*Machine, error) {
	c := &compiler{resources: resources, seen: map[string]bool{}}
	m := c.machine(definition)
	if err := errors.Join(c.problems...); err != nil {
		return nil, err
	}
	return m, nil
}

type compiler struct {
	resources []string
	seen      map[string]bool // names of states in the whole machine
	problems  []error
}

// problem records in one line what is wrong at a place, such as state "Record": Retry[0].
func (c *compiler) problem(at, format string, args ...any) {
	message := at + ": " + fmt.Sprintf(format, args...)
	c.problems = append(c.problems, errors.New(strings.Join(strings.Fields(message), " ")))
}

// read fills the struct that target points to, whose fields are named exactly like the members. An absent member leaves
// its field unchanged, null makes it zero, and unknown members are refused.
func (c *compiler) read(at string, members, target any) bool {
	decoder, err := mapstructure.NewDecoder(&mapstructure.DecoderConfig{
		Result: target, RootName: "fields", ErrorUnused: true, ZeroFields: true,
		MatchName: func(key, field string) bool { return key == field },
	})
	if err == nil {
		err = decoder.Decode(members)
	}
	if err != nil {
		text := err.Error()
		if _, problems, several := strings.Cut(text, "\n\n"); several {
			text = strings.ReplaceAll(problems, "\n", "; ")
		}
		c.problem(at, "%s", strings.ReplaceAll(text, "'fields.", "'"))
	}
	return err == nil
}

type machineFields struct {
	Comment        string
	StartAt        string
	States         map[string]any
	TimeoutSeconds int
}

func (c *compiler) machine(definition []byte) *Machine {
	const at = "state machine"
	if n := len(definition); n > maxDefinition {
		c.problem(at, "the definition has %d bytes; Step Functions takes at most %d", n, maxDefinition)
		return nil
	}
	members, err := jsonvalue.DecodeDefinition(definition)
	if err != nil {
		c.problem(at, "%v", err)
		return nil
	}
	read := machineFields{TimeoutSeconds: maxSeconds}
	if !c.read(at, members, &read) {
		return nil
	}
	return &Machine{graph: c.graph(at, read.StartAt, read.States), timeout: c.timeout(at, read.TimeoutSeconds)}
}

func (c *compiler) timeout(at string, seconds int) time.Duration {
	if seconds < 1 || seconds > maxSeconds {
		c.problem(at, "TimeoutSeconds is %d; it is from 1 to %d", seconds, maxSeconds)
	}
	return time.Duration(seconds) * time.Second
}

// graph compiles the states of a machine or of a branch.
func (c *compiler) graph(at, start string, members map[string]any) graph {
	before := len(c.problems)
	g := graph{states: make(map[string]*state, len(members))}
	names := slices.Sorted(maps.Keys(members)) // so that problems always come in the same order
	for _, name := range names {
		if c.seen[name] {
			c.problem(placeOf(name), "the name is used twice in the machine")
		}
		c.seen[name] = true
		if n := utf8.RuneCountInString(name); n > maxName {
			c.problem(placeOf(name), "the name has %d characters; it may have %d", n, maxName)
		}
		g.states[name] = c.state(name, members[name])
	}
	for _, name := range names {
		for _, target := range g.states[name].targets() {
			if g.states[target] == nil {
				c.problem(placeOf(name), "leads to %q, which is not a state next to it", target)
			}
		}
	}
	if g.start = g.states[start]; g.start == nil {
		c.problem(at, "StartAt %q is not a state", start)
	}
	if len(c.problems) == before {
		c.reach(g, names) // in a broken graph it would only repeat known problems
	}
	return g
}

func placeOf(state string) string { return fmt.Sprintf("state %q", state) }

// reach checks that every state, and an end, can be reached from the start.
func (c *compiler) reach(g graph, names []string) {
	reached := map[string]bool{g.start.name: true}
	ends := false
	for queue := []*state{g.start}; len(queue) > 0; queue = queue[1:] {
		ends = ends || queue[0].next == ""
		for _, target := range queue[0].targets() {
			if !reached[target] {
				reached[target] = true
				queue = append(queue, g.states[target])
			}
		}
	}
	for _, name := range names {
		if !reached[name] {
			c.problem(placeOf(name), "is never reached")
		}
	}
	if !ends {
		c.problem(placeOf(g.start.name), "no state after it ends the machine")
	}
}

// Call is what a Task state calls, as the definition has it.
type Call struct {
	State      string
	Resource   string
	Parameters []string // their names, in order
}

// Calls lists the calls of all Task states, including branches, in order of the states' names, so that unsupported
// parameters can be refused before a trade runs into them.
func (m *Machine) Calls() []Call {
	return slices.SortedFunc(slices.Values(m.graph.calls()), func(a, b Call) int { return strings.Compare(a.State, b.State) })
}

func (g graph) calls() []Call {
	var calls []Call
	for _, s := range g.states {
		if s.kind == "Task" {
			calls = append(calls, Call{State: s.name, Resource: s.resource, Parameters: s.given})
		}
		for _, branch := range s.branches {
			calls = append(calls, branch.calls()...)
		}
	}
	return calls
}

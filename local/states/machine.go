package states

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// Machine is a compiled state machine. It keeps nothing of its executions and is safe for concurrent use.
type Machine struct {
	graph   graph
	timeout time.Duration // 0: none
}

// graph is a machine's or a branch's states.
type graph struct {
	start  *state
	states map[string]*state
}

// What Step Functions takes at most.
// https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html
const (
	maxDefinition = 1 << 20 // bytes
	maxName       = 80      // characters of a state's name
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

// problem notes in one line what is wrong at a place, such as state "Record": Retry[0].
func (c *compiler) problem(at, format string, args ...any) {
	message := at + ": " + fmt.Sprintf(format, args...)
	c.problems = append(c.problems, errors.New(strings.NewReplacer("\n", `\n`, "\r", `\r`).Replace(message)))
}

type machineFields struct {
	Comment        *string
	QueryLanguage  string
	Version        string
	StartAt        string
	States         json.RawMessage
	TimeoutSeconds *int
}

func (c *compiler) machine(definition []byte) *Machine {
	const at = "state machine"
	if n := len(definition); n > maxDefinition {
		c.problem(at, "the definition has %d bytes; Step Functions takes at most %d", n, maxDefinition)
		return nil
	}
	if !c.wellFormed(at, definition) {
		return nil
	}
	members := c.members(at, definition)
	if members == nil {
		return nil
	}
	var read machineFields
	c.read(at, members, &read)
	if read.QueryLanguage != "" && read.QueryLanguage != "JSONPath" {
		c.problem(at, "QueryLanguage %s is not known here; only JSONPath is", read.QueryLanguage)
	}
	if read.Version != "" && read.Version != "1.0" {
		c.problem(at, "Version %s is not known here; only 1.0 is", read.Version)
	}
	return &Machine{
		graph:   c.graph(at, read.StartAt, read.States),
		timeout: c.seconds(at, "TimeoutSeconds", read.TimeoutSeconds, 1),
	}
}

// graph compiles the states of a machine or of a branch.
func (c *compiler) graph(at, start string, text json.RawMessage) graph {
	var texts map[string]json.RawMessage
	if text != nil && json.Unmarshal(text, &texts) != nil {
		c.problem(at, "States is %s; it is an object", excerpt(text))
		return graph{}
	}
	if len(texts) == 0 {
		c.problem(at, "has no States")
		return graph{}
	}
	before := len(c.problems)
	g := graph{states: make(map[string]*state, len(texts))}
	names := slices.Sorted(maps.Keys(texts)) // so that problems come in the same order every time
	for _, name := range names {
		if c.seen[name] {
			c.problem(placeOf(name), "the name is used twice in the machine")
		}
		c.seen[name] = true
		if n := utf8.RuneCountInString(name); n > maxName {
			c.problem(placeOf(name), "the name has %d characters; it may have %d", n, maxName)
		}
		g.states[name] = c.state(name, texts[name])
	}
	for _, name := range names {
		for _, target := range g.states[name].targets() {
			if g.states[target] == nil {
				c.problem(placeOf(name), "leads to %q, which is no state beside it", target)
			}
		}
	}
	if g.start = g.states[start]; g.start == nil {
		c.problem(at, "StartAt %q is no state", start)
	}
	if len(c.problems) == before {
		c.reach(g, names) // in a broken graph it would only repeat what is known
	}
	return g
}

func placeOf(state string) string { return fmt.Sprintf("state %q", state) }

// reach checks that every state is reached from the start, and that an end is.
func (c *compiler) reach(g graph, names []string) {
	reached := map[string]bool{g.start.name: true}
	ends := false
	for queue := []*state{g.start}; len(queue) > 0; queue = queue[1:] {
		ends = ends || queue[0].ends
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

package states

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// state is one compiled state.
type state struct {
	name string
	kind string
	next string // empty: the state ends the machine or the branch

	entered, exited string // types of events

	parameters template // nil: the input
	selector   template // nil: the result
	resultPath *path    // nil: null, which drops the result
	outputPath *path

	resource   string   // of a Task
	given      []string // the names of its parameters
	timeout    time.Duration
	retriers   []retrier
	catchers   []catcher
	branches   []graph  // of a Parallel
	errorName  template // of a Fail; nil: none
	errorCause template
}

// targets returns the names of the states that may come next.
func (s *state) targets() []string {
	var targets []string
	if s.next != "" {
		targets = append(targets, s.next)
	}
	for _, c := range s.catchers {
		targets = append(targets, c.next)
	}
	return targets
}

// The fields of each type of state.
// https://states-language.net/spec.html#state-type-table
type (
	commonFields struct {
		Type, Comment string
		Next          string
		End           bool
	}
	resultFields struct {
		ResultSelector         map[string]any
		ResultPath, OutputPath any // a path, or null
	}
	taskFields struct {
		commonFields   `mapstructure:",squash"`
		resultFields   `mapstructure:",squash"`
		Resource       string
		Parameters     map[string]any
		TimeoutSeconds int
		Retry, Catch   []map[string]any
	}
	parallelFields struct {
		commonFields `mapstructure:",squash"`
		resultFields `mapstructure:",squash"`
		Branches     []struct {
			StartAt string
			States  map[string]any
		}
	}
	failFields struct {
		Type, Comment        string
		ErrorPath, CausePath string
	}
)

func (c *compiler) state(name string, value any) *state {
	at, s := placeOf(name), &state{name: name}
	members, _ := value.(map[string]any)
	s.kind, _ = members["Type"].(string)
	s.entered, s.exited = s.kind+"StateEntered", s.kind+"StateExited"
	switch s.kind {
	case "Task":
		c.task(at, s, members)
	case "Parallel":
		c.parallel(at, s, members)
	case "Fail":
		c.fail(at, s, members)
	default:
		c.problem(at, "Type %v is not supported here", members["Type"])
	}
	return s
}

func (c *compiler) task(at string, s *state, members map[string]any) {
	read := taskFields{resultFields: wholeResult(), TimeoutSeconds: maxSeconds}
	if !c.read(at, members, &read) {
		return
	}
	c.lead(at, s, read.commonFields)
	c.result(at, s, read.resultFields)
	if s.resource = read.Resource; !slices.Contains(c.resources, s.resource) {
		c.problem(at, "Resource %q is not supported here", s.resource)
	}
	s.timeout = c.timeout(at, read.TimeoutSeconds)
	if read.Parameters != nil {
		s.parameters = c.template(at+": Parameters", read.Parameters)
	}
	for _, name := range slices.Sorted(maps.Keys(read.Parameters)) {
		s.given = append(s.given, strings.TrimSuffix(name, dynamic))
	}
	for i, members := range read.Retry {
		c.retrier(fmt.Sprintf("%s: Retry[%d]", at, i), s, members, i == len(read.Retry)-1)
	}
	for i, members := range read.Catch {
		c.catcher(fmt.Sprintf("%s: Catch[%d]", at, i), s, members, i == len(read.Catch)-1)
	}
}

func (c *compiler) parallel(at string, s *state, members map[string]any) {
	read := parallelFields{resultFields: wholeResult()}
	if !c.read(at, members, &read) {
		return
	}
	c.lead(at, s, read.commonFields)
	c.result(at, s, read.resultFields)
	if len(read.Branches) == 0 {
		c.problem(at, "has no Branches")
	}
	for i, branch := range read.Branches {
		s.branches = append(s.branches, c.graph(fmt.Sprintf("%s: Branches[%d]", at, i), branch.StartAt, branch.States))
	}
}

func (c *compiler) fail(at string, s *state, members map[string]any) {
	var read failFields
	if !c.read(at, members, &read) {
		return
	}
	if read.ErrorPath != "" {
		s.errorName = c.expression(at+": ErrorPath", read.ErrorPath)
	}
	if read.CausePath != "" {
		s.errorCause = c.expression(at+": CausePath", read.CausePath)
	}
}

// lead determines what comes after a state.
func (c *compiler) lead(at string, s *state, read commonFields) {
	s.next = read.Next
	if read.End == (read.Next != "") {
		c.problem(at, "needs either Next or End")
	}
}

// wholeResult returns the fields of a state that doesn't shape its result: it is the output.
func wholeResult() resultFields { return resultFields{ResultPath: "$", OutputPath: "$"} }

// result compiles what shapes a state's result into its output.
func (c *compiler) result(at string, s *state, read resultFields) {
	if read.ResultSelector != nil {
		s.selector = c.template(at+": ResultSelector", read.ResultSelector)
	}
	s.resultPath = c.resultPath(at, read.ResultPath)
	text, _ := read.OutputPath.(string)
	s.outputPath = c.path(at+": OutputPath", text)
}

// resultPath compiles a path to write to: only members of the input. Nil is null, which drops the result.
func (c *compiler) resultPath(at string, value any) *path {
	if value == nil {
		return nil
	}
	text, _ := value.(string)
	p := c.path(at+": ResultPath", text)
	if p.field != nil || slices.ContainsFunc(p.steps, func(s step) bool { return s.array }) {
		c.problem(at, "ResultPath: path %q can't be written to; it has members of the input only", text)
	}
	return p
}

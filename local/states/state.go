package states

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"
)

// state is one compiled state.
type state struct {
	name string
	kind string
	next string
	ends bool // the machine or the branch, so that next is empty

	inputPath  *path // nil: null, which gives an empty object
	outputPath *path
	resultPath *path // nil: null, which drops the result
	parameters template
	selector   template

	result        Data // of a Pass
	hasResult     bool
	resource      string // of a Task
	timeout       time.Duration
	branches      []graph
	choices       []choice
	defaultChoice string
	fail          failState
	wait          waitState

	retriers []retrier
	catchers []catcher
}

// targets are the names of the states that may come next.
func (s *state) targets() []string {
	var targets []string
	for _, target := range []string{s.next, s.defaultChoice} {
		if target != "" {
			targets = append(targets, target)
		}
	}
	for _, c := range s.catchers {
		targets = append(targets, c.next)
	}
	for _, c := range s.choices {
		targets = append(targets, c.next)
	}
	return targets
}

// stateFields are the fields of every kind of state that is known here. Which kind may have which is said by allowed.
type stateFields struct {
	Type    string
	Comment *string
	Next    string
	End     bool

	InputPath, OutputPath, ResultPath json.RawMessage
	Parameters, ResultSelector        json.RawMessage
	Result                            json.RawMessage

	Resource       string
	TimeoutSeconds *int
	Retry, Catch   []json.RawMessage
	Branches       []json.RawMessage

	Choices []json.RawMessage
	Default string

	Error, Cause         *string
	ErrorPath, CausePath string

	Seconds                               *int
	SecondsPath, Timestamp, TimestampPath string
}

// allowed are the fields of each type of state, beside Type and Comment.
// https://states-language.net/spec.html#state-type-table
var allowed = map[string][]string{
	"Task": {"Next", "End", "InputPath", "OutputPath", "ResultPath", "Parameters", "ResultSelector", "Resource",
		"TimeoutSeconds", "Retry", "Catch"},
	"Parallel": {"Next", "End", "InputPath", "OutputPath", "ResultPath", "Parameters", "ResultSelector", "Branches",
		"Retry", "Catch"},
	"Pass":    {"Next", "End", "InputPath", "OutputPath", "ResultPath", "Parameters", "Result"},
	"Choice":  {"InputPath", "OutputPath", "Choices", "Default"},
	"Wait":    {"Next", "End", "InputPath", "OutputPath", "Seconds", "SecondsPath", "Timestamp", "TimestampPath"},
	"Succeed": {"InputPath", "OutputPath"},
	"Fail":    {"Error", "Cause", "ErrorPath", "CausePath"},
}

func (c *compiler) state(name string, text json.RawMessage) *state {
	at, s := placeOf(name), &state{name: name}
	members := c.members(at, text)
	if members == nil {
		return s
	}
	if s.kind = c.kindOf(at, members); s.kind == "" {
		return s
	}
	known := allowed[s.kind]
	for _, field := range slices.Sorted(maps.Keys(members)) {
		if field != "Type" && field != "Comment" && !slices.Contains(known, field) {
			c.problem(at, "field %s is not known here for a state of type %s", field, s.kind)
			delete(members, field)
		}
	}
	var read stateFields
	c.read(at, members, &read)

	s.next = read.Next
	s.ends = read.End || s.kind == "Succeed" || s.kind == "Fail"
	if slices.Contains(known, "Next") && s.ends == (s.next != "") {
		c.problem(at, "needs either Next or End")
	}
	c.dataFlow(at, s, read)
	switch s.kind {
	case "Task":
		c.task(at, s, read)
	case "Parallel":
		c.parallel(at, s, read)
	case "Choice":
		c.choices(at, s, read)
	case "Fail":
		c.failState(at, s, read)
	case "Wait":
		c.waitState(at, s, read)
	}
	c.retriers(at, s, read.Retry)
	c.catchers(at, s, read.Catch)
	return s
}

// kindOf gives the type of a state, or nothing when it is not known here.
func (c *compiler) kindOf(at string, members map[string]json.RawMessage) string {
	text, given := members["Type"]
	if !given {
		c.problem(at, "has no Type")
		return ""
	}
	var kind string
	if json.Unmarshal(text, &kind) != nil || allowed[kind] == nil {
		c.problem(at, "Type %s is not known here", excerpt(text))
		return ""
	}
	return kind
}

// dataFlow compiles the paths and templates that shape input and output.
func (c *compiler) dataFlow(at string, s *state, read stateFields) {
	s.inputPath = c.path(at, "InputPath", read.InputPath, compilePath)
	s.outputPath = c.path(at, "OutputPath", read.OutputPath, compilePath)
	s.resultPath = c.path(at, "ResultPath", read.ResultPath, compileResultPath)
	s.parameters = c.template(at, "Parameters", read.Parameters)
	s.selector = c.template(at, "ResultSelector", read.ResultSelector)
	if read.Result != nil {
		s.result = decoded(read.Result)
		s.hasResult = true
	}
}

// whole is the path of all there is.
var whole = &path{text: "$"}

// path compiles an optional path: absent is $, and null is nil.
func (c *compiler) path(at, field string, text json.RawMessage, compile func(string) (*path, error)) *path {
	switch string(text) {
	case "":
		return whole
	case "null":
		return nil
	}
	var read string
	if json.Unmarshal(text, &read) != nil {
		c.problem(at, "%s is %s; it is a path or null", field, excerpt(text))
		return nil
	}
	p, err := compile(read)
	if err != nil {
		c.problem(at, "%s: %v", field, err)
	}
	return p
}

func (c *compiler) task(at string, s *state, read stateFields) {
	s.resource = read.Resource
	if read.Resource == "" {
		c.problem(at, "has no Resource")
	} else if !slices.Contains(c.resources, read.Resource) {
		c.problem(at, "Resource %q is not known here", read.Resource)
	}
	s.timeout = maxSeconds * time.Second
	if read.TimeoutSeconds != nil {
		s.timeout = c.seconds(at, "TimeoutSeconds", read.TimeoutSeconds, 1)
	}
}

type branchFields struct {
	Comment *string
	StartAt string
	States  json.RawMessage
}

func (c *compiler) parallel(at string, s *state, read stateFields) {
	if len(read.Branches) == 0 {
		c.problem(at, "has no Branches")
	}
	for i, text := range read.Branches {
		at := fmt.Sprintf("%s: Branches[%d]", at, i)
		if members := c.members(at, text); members != nil {
			var branch branchFields
			c.read(at, members, &branch)
			s.branches = append(s.branches, c.graph(at, branch.StartAt, branch.States))
		}
	}
}

type failState struct {
	name, cause         string
	namePath, causePath template
}

func (c *compiler) failState(at string, s *state, read stateFields) {
	for _, half := range []struct {
		field, path string
		plain       *string
		into        *string
		dynamic     *template
	}{
		{"Error", read.ErrorPath, read.Error, &s.fail.name, &s.fail.namePath},
		{"Cause", read.CausePath, read.Cause, &s.fail.cause, &s.fail.causePath},
	} {
		if half.plain != nil {
			*half.into = *half.plain
		}
		if half.path == "" {
			continue
		}
		if half.plain != nil {
			c.problem(at, "%sPath stands beside %s; keep one", half.field, half.field)
		}
		compiled := c.expression(at+": "+half.field+"Path", half.path)
		if f, isCall := compiled.(*call); isCall && f != nil && !intrinsics[f.name].text {
			c.problem(at, "%sPath: %s gives no text", half.field, f.name)
		}
		*half.dynamic = compiled
	}
}

type waitState struct {
	seconds       time.Duration
	until         time.Time
	secondsPath   *path
	timestampPath *path
}

func (c *compiler) waitState(at string, s *state, read stateFields) {
	given := 0
	if read.Seconds != nil {
		given++
		s.wait.seconds = c.seconds(at, "Seconds", read.Seconds, 0)
	}
	if read.Timestamp != "" {
		given++
		until, ok := timestamp(read.Timestamp)
		if !ok {
			c.problem(at, "Timestamp %q is not of the form 2026-03-02T14:30:00Z", read.Timestamp)
		}
		s.wait.until = until
	}
	for _, dynamic := range []struct {
		field, text string
		into        **path
	}{
		{"SecondsPath", read.SecondsPath, &s.wait.secondsPath},
		{"TimestampPath", read.TimestampPath, &s.wait.timestampPath},
	} {
		if dynamic.text == "" {
			continue
		}
		given++
		p, err := compilePath(dynamic.text)
		if err != nil {
			c.problem(at, "%s: %v", dynamic.field, err)
		}
		*dynamic.into = p
	}
	if given != 1 {
		c.problem(at, "needs exactly one of Seconds, SecondsPath, Timestamp and TimestampPath")
	}
}

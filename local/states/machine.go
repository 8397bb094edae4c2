package states

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"
)

// Machine is a compiled state machine. It keeps nothing of its executions and
// is safe for concurrent use.
type Machine struct {
	graph   graph
	timeout time.Duration // 0: none
}

// graph is a machine's or a branch's states.
type graph struct {
	start  *state
	states map[string]*state
}

// state is one compiled state.
type state struct {
	name string
	kind string
	next string // empty at the end
	end  bool

	inputPath     *path // nil: null, which gives an empty object
	outputPath    *path
	resultPath    *path // nil: null, which drops the result
	parameters    template
	selector      template
	result        Data
	hasResult     bool
	resource      string
	timeout       time.Duration
	branches      []graph
	retriers      []retrier
	catchers      []catcher
	choices       []choice
	defaultChoice string
	fail          failState
	wait          waitState
}

type retrier struct {
	errors   []string
	interval time.Duration
	rate     float64
	attempts int
	cap      time.Duration // 0: none
	jitter   bool
}

type catcher struct {
	errors     []string
	resultPath *path
	next       string
}

type failState struct {
	name, cause         string
	namePath, causePath template
}

type waitState struct {
	seconds       time.Duration
	until         time.Time
	secondsPath   *path
	timestampPath *path
}

// Compile reads a definition. resources are the integrations that a Task may
// name, such as arn:aws:states:::lambda:invoke. The error lists everything
// that is unknown or wrong, each with the state and the field.
func Compile(definition []byte, resources []string) (*Machine, error) {
	var read struct {
		Comment        string
		QueryLanguage  string
		Version        string
		StartAt        string
		States         map[string]json.RawMessage
		TimeoutSeconds *int
	}
	c := &compiler{resources: resources, seen: map[string]bool{}}
	if err := strict(definition, &read); err != nil {
		return nil, fmt.Errorf("state machine: %w", err)
	}
	if read.QueryLanguage != "" && read.QueryLanguage != "JSONPath" {
		c.problem("", "QueryLanguage %s is not known here; only JSONPath is", read.QueryLanguage)
	}
	if read.Version != "" && read.Version != "1.0" {
		c.problem("", "Version %s is not known here; only 1.0 is", read.Version)
	}
	m := &Machine{graph: c.graph("", read.StartAt, read.States), timeout: c.seconds("", "TimeoutSeconds", read.TimeoutSeconds)}
	if err := errors.Join(c.problems...); err != nil {
		return nil, err
	}
	return m, nil
}

type compiler struct {
	resources []string
	seen      map[string]bool
	problems  []error
}

func (c *compiler) problem(state, format string, args ...any) {
	where := "state machine: "
	if state != "" {
		where = fmt.Sprintf("state %q: ", state)
	}
	c.problems = append(c.problems, fmt.Errorf("%s%s", where, fmt.Sprintf(format, args...)))
}

// strict reads JSON and refuses what the target has no field for.
func strict(text []byte, target any) error {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	return decoder.Decode(target)
}

// graph compiles the states of a machine or of a branch, and checks that every
// state is reached and that an end is.
func (c *compiler) graph(where, start string, texts map[string]json.RawMessage) graph {
	g := graph{states: make(map[string]*state, len(texts))}
	if len(texts) == 0 {
		c.problem(where, "has no States")
		return g
	}
	names := make([]string, 0, len(texts))
	for name := range texts {
		names = append(names, name)
	}
	slices.Sort(names) // so that problems come in the same order every time
	for _, name := range names {
		if c.seen[name] {
			c.problem(name, "the name is used twice in the machine")
		}
		c.seen[name] = true
		g.states[name] = c.state(name, texts[name])
	}
	g.start = g.states[start]
	if g.start == nil {
		c.problem(where, "StartAt %q is no state", start)
		return g
	}
	c.follow(g, start, names)
	return g
}

// follow walks the transitions from the start.
func (c *compiler) follow(g graph, start string, names []string) {
	reached := map[string]bool{}
	ends := false
	for queue := []string{start}; len(queue) > 0; queue = queue[1:] {
		name := queue[0]
		if reached[name] {
			continue
		}
		reached[name] = true
		s := g.states[name]
		ends = ends || s.end
		for _, target := range s.targets() {
			if g.states[target] == nil {
				c.problem(name, "leads to %q, which is no state beside it", target)
				continue
			}
			queue = append(queue, target)
		}
	}
	for _, name := range names {
		if !reached[name] {
			c.problem(name, "is never reached")
		}
	}
	if !ends {
		c.problem(start, "no state after it ends the machine")
	}
}

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

// fields are the fields of every kind of state that is known here. Which kind
// may have which is checked by allowed.
type fields struct {
	Type, Comment string
	Next          string
	End           bool

	InputPath, OutputPath, ResultPath json.RawMessage
	Parameters, ResultSelector        json.RawMessage
	Result                            json.RawMessage

	Resource       string
	TimeoutSeconds *int
	Retry          []retryFields
	Catch          []catchFields
	Branches       []struct {
		Comment, StartAt string
		States           map[string]json.RawMessage
	}

	Choices []json.RawMessage
	Default string

	Error, Cause         string
	ErrorPath, CausePath string

	Seconds                    *int
	SecondsPath, TimestampPath string
	Timestamp                  string
}

type retryFields struct {
	Comment         string
	ErrorEquals     []string
	IntervalSeconds *int
	BackoffRate     *float64
	MaxAttempts     *int
	MaxDelaySeconds *int
	JitterStrategy  string
}

type catchFields struct {
	Comment     string
	ErrorEquals []string
	ResultPath  json.RawMessage
	Next        string
}

// allowed are the fields of each type, beside Type and Comment.
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
	s := &state{name: name}
	var present map[string]json.RawMessage
	var read fields
	if err := json.Unmarshal(text, &present); err != nil {
		c.problem(name, "%v", err)
		return s
	}
	known, ok := allowed[typeOf(present)]
	if !ok {
		c.problem(name, "Type %s is not known here", typeOf(present))
		return s
	}
	before := len(c.problems)
	for _, field := range sortedKeys(present) {
		if field != "Type" && field != "Comment" && !slices.Contains(known, field) {
			c.problem(name, "field %s is not known here for a state of type %s", field, typeOf(present))
		}
	}
	if len(c.problems) > before {
		return s
	}
	if err := strict(text, &read); err != nil {
		c.problem(name, "%v", err)
		return s
	}
	s.kind, s.next = read.Type, read.Next
	s.end = read.End || read.Type == "Succeed" || read.Type == "Fail"
	if mayContinue := slices.Contains(known, "Next"); mayContinue && s.end == (s.next != "") {
		c.problem(name, "needs either Next or End")
	}
	c.dataFlow(s, read)
	switch read.Type {
	case "Task":
		c.task(s, read)
	case "Parallel":
		for i, branch := range read.Branches {
			s.branches = append(s.branches, c.graph(fmt.Sprintf("%s, branch %d", name, i), branch.StartAt, branch.States))
		}
		if len(read.Branches) == 0 {
			c.problem(name, "has no Branches")
		}
	case "Choice":
		c.choices(s, read)
	case "Fail":
		c.failState(s, read)
	case "Wait":
		c.waitState(s, read)
	}
	c.retriers(s, read.Retry)
	c.catchers(s, read.Catch)
	return s
}

func typeOf(present map[string]json.RawMessage) string {
	var name string
	if json.Unmarshal(present["Type"], &name) != nil || name == "" {
		return "(none)"
	}
	return name
}

func sortedKeys(m map[string]json.RawMessage) []string {
	keys := make([]string, 0, len(m))
	for key := range m {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}

// dataFlow compiles the paths and templates that shape input and output.
func (c *compiler) dataFlow(s *state, read fields) {
	s.inputPath = c.path(s.name, "InputPath", read.InputPath, compilePath)
	s.outputPath = c.path(s.name, "OutputPath", read.OutputPath, compilePath)
	s.resultPath = c.path(s.name, "ResultPath", read.ResultPath, compileResultPath)
	s.parameters = c.template(s.name, "Parameters", read.Parameters)
	s.selector = c.template(s.name, "ResultSelector", read.ResultSelector)
	if read.Result != nil {
		result, err := Decode(read.Result)
		if err != nil {
			c.problem(s.name, "Result: %v", err)
		}
		s.result, s.hasResult = result, true
	}
}

// path compiles an optional path: absent is $, and null is nil.
func (c *compiler) path(state, field string, text json.RawMessage, compile func(string) (path, error)) *path {
	if text == nil {
		return &path{text: "$"}
	}
	if string(text) == "null" {
		return nil
	}
	var read string
	if err := json.Unmarshal(text, &read); err != nil {
		c.problem(state, "%s is neither a path nor null", field)
		return nil
	}
	p, err := compile(read)
	if err != nil {
		c.problem(state, "%s: %v", field, err)
	}
	return &p
}

func (c *compiler) template(state, field string, text json.RawMessage) template {
	if text == nil {
		return nil
	}
	t, err := compileTemplate(text)
	if err != nil {
		c.problem(state, "%s: %v", field, err)
	}
	return t
}

func (c *compiler) seconds(state, field string, n *int) time.Duration {
	if n == nil {
		return 0
	}
	if *n < 1 {
		c.problem(state, "%s is %d; it is 1 or more", field, *n)
	}
	return time.Duration(*n) * time.Second
}

// defaultTaskTimeout is what a Task without TimeoutSeconds has on AWS: a
// little over three years.
const defaultTaskTimeout = 99999999 * time.Second

func (c *compiler) task(s *state, read fields) {
	s.resource = read.Resource
	if !slices.Contains(c.resources, read.Resource) {
		c.problem(s.name, "Resource %q is not known here", read.Resource)
	}
	s.timeout = defaultTaskTimeout
	if read.TimeoutSeconds != nil {
		s.timeout = c.seconds(s.name, "TimeoutSeconds", read.TimeoutSeconds)
	}
}

func (c *compiler) retriers(s *state, read []retryFields) {
	for i, r := range read {
		compiled := retrier{errors: r.ErrorEquals, interval: time.Second, rate: 2, attempts: 3}
		field := fmt.Sprintf("Retry[%d]", i)
		c.errorNames(s.name, field, r.ErrorEquals, i == len(read)-1)
		if r.IntervalSeconds != nil {
			compiled.interval = c.seconds(s.name, field+".IntervalSeconds", r.IntervalSeconds)
		}
		if r.MaxAttempts != nil {
			compiled.attempts = *r.MaxAttempts
			if compiled.attempts < 0 {
				c.problem(s.name, "%s.MaxAttempts is %d; it is 0 or more", field, compiled.attempts)
			}
		}
		if r.BackoffRate != nil {
			compiled.rate = *r.BackoffRate
			if compiled.rate < 1 {
				c.problem(s.name, "%s.BackoffRate is %v; it is 1.0 or more", field, compiled.rate)
			}
		}
		compiled.cap = c.seconds(s.name, field+".MaxDelaySeconds", r.MaxDelaySeconds)
		if compiled.cap != 0 && compiled.cap <= compiled.interval {
			c.problem(s.name, "%s.MaxDelaySeconds is not more than IntervalSeconds", field)
		}
		switch r.JitterStrategy {
		case "FULL":
			compiled.jitter = true
		case "", "NONE":
		default:
			c.problem(s.name, "%s.JitterStrategy %s is not known here", field, r.JitterStrategy)
		}
		s.retriers = append(s.retriers, compiled)
	}
}

func (c *compiler) catchers(s *state, read []catchFields) {
	for i, r := range read {
		field := fmt.Sprintf("Catch[%d]", i)
		c.errorNames(s.name, field, r.ErrorEquals, i == len(read)-1)
		s.catchers = append(s.catchers, catcher{
			errors: r.ErrorEquals, next: r.Next,
			resultPath: c.path(s.name, field+".ResultPath", r.ResultPath, compileResultPath),
		})
	}
}

// errorNames checks a list of errors: States.ALL stands alone and last.
func (c *compiler) errorNames(state, field string, names []string, last bool) {
	if len(names) == 0 {
		c.problem(state, "%s has no ErrorEquals", field)
	}
	if slices.Contains(names, AllErrors) && (len(names) > 1 || !last) {
		c.problem(state, "%s: States.ALL stands alone, in the last of the list", field)
	}
}

func (c *compiler) failState(s *state, read fields) {
	s.fail = failState{name: read.Error, cause: read.Cause}
	for _, dynamic := range []struct {
		field, text, plain string
		into               *template
	}{
		{"ErrorPath", read.ErrorPath, read.Error, &s.fail.namePath},
		{"CausePath", read.CausePath, read.Cause, &s.fail.causePath},
	} {
		if dynamic.text == "" {
			continue
		}
		if dynamic.plain != "" {
			c.problem(s.name, "%s stands beside its plain field; keep one", dynamic.field)
		}
		compiled, err := compileExpression(dynamic.text)
		if err != nil {
			c.problem(s.name, "%s: %v", dynamic.field, err)
		}
		*dynamic.into = compiled
	}
}

func (c *compiler) waitState(s *state, read fields) {
	given := 0
	if read.Seconds != nil {
		given++
		s.wait.seconds = time.Duration(*read.Seconds) * time.Second
	}
	if read.Timestamp != "" {
		given++
		at, err := time.Parse(time.RFC3339, read.Timestamp)
		if err != nil {
			c.problem(s.name, "Timestamp: %v", err)
		}
		s.wait.until = at
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
			c.problem(s.name, "%s: %v", dynamic.field, err)
		}
		*dynamic.into = &p
	}
	if given != 1 {
		c.problem(s.name, "needs exactly one of Seconds, SecondsPath, Timestamp and TimestampPath")
	}
}

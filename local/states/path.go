package states

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"strconv"
	"strings"
)

// path is a compiled reference path: $ or $$ and then members and indexes. Filters, slices, wildcards and descents are
// refused: they don't have a single result, which every use in a task pipeline needs.
type path struct {
	text  string
	field func(scope) Data // of the context object, if the path begins with $$; nil: it begins at the input
	steps []step
}

// step is a member's name, or an index if array is set.
type step struct {
	name  string
	index int
	array bool
}

// stepForm is .name, ['name'] or [index].
var stepForm = regexp.MustCompile(`^(?:\.([\p{L}\p{Nd}_-]+)|\['([^'\\]+)'\]|\[(\d{1,9})\])`)

// path compiles a path.
func (c *compiler) path(at, text string) *path {
	p := &path{text: text}
	if err := p.compile(); err != nil {
		c.problem(at, "path %q: %v", text, err)
	}
	return p
}

func (p *path) compile() error {
	rest, found := strings.CutPrefix(p.text, "$")
	if !found {
		return errors.New("it does not begin with $")
	}
	rest, context := strings.CutPrefix(rest, "$")
	for rest != "" {
		found := stepForm.FindStringSubmatch(rest)
		if found == nil {
			return fmt.Errorf("%q is not supported here; a step is .name, ['name'] or [index]", rest)
		}
		rest = rest[len(found[0]):]
		index, err := strconv.Atoi(found[3])
		p.steps = append(p.steps, step{name: found[1] + found[2], index: index, array: err == nil})
	}
	if !context {
		return nil
	}
	if len(p.steps) >= 2 {
		p.field = contextFields[p.steps[0].name+"."+p.steps[1].name]
	}
	if p.field == nil {
		return errors.New("the context object's field is not supported here")
	}
	p.steps = p.steps[2:]
	return nil
}

// contextFields are the context object's fields that executions have.
// https://docs.aws.amazon.com/step-functions/latest/dg/input-output-contextobject.html
var contextFields = map[string]func(scope) Data{
	"Execution.Id":        func(s scope) Data { return s.run.execution.ID },
	"Execution.Input":     func(s scope) Data { return s.run.execution.Input },
	"Execution.Name":      func(s scope) Data { return s.run.execution.Name },
	"Execution.RoleArn":   func(s scope) Data { return s.run.execution.RoleARN },
	"Execution.StartTime": func(s scope) Data { return s.run.started.UTC().Format(timeLayout) },
	"State.EnteredTime":   func(s scope) Data { return s.visit.Entered.UTC().Format(timeLayout) },
	"State.Name":          func(s scope) Data { return s.visit.State },
	"State.RetryCount":    func(s scope) Data { return json.Number(strconv.Itoa(s.visit.Retries)) },
	"StateMachine.Id":     func(s scope) Data { return s.run.execution.MachineID },
	"StateMachine.Name":   func(s scope) Data { return s.run.execution.MachineName },
}

// timeLayout is how the context object writes times, in UTC.
const timeLayout = "2006-01-02T15:04:05.000Z"

// scope is what a template or a path can reach.
type scope struct {
	input Data
	run   *run
	visit *Visit
}

// fill returns the value at the path. For a path in a template that leads nowhere, AWS documents
// States.ParameterPathFailure, but in fact raises States.Runtime there as everywhere else, which nothing catches.
func (p *path) fill(s scope) (Data, error) {
	data := s.input
	if p.field != nil {
		data = p.field(s)
	}
	for _, step := range p.steps {
		var found bool
		if data, found = step.of(data); !found {
			return nil, fail(RuntimeError, "the path %s leads to nothing", p.text)
		}
	}
	return data, nil
}

func (s step) of(data Data) (Data, bool) {
	switch value := open(data).(type) {
	case map[string]any:
		member, found := value[s.name]
		return member, found && !s.array
	case Object:
		member, found := value.Get(s.name)
		return member, found && !s.array
	case []any:
		if s.array && s.index < len(value) {
			return value[s.index], true
		}
	}
	return nil, false
}

// set returns data with the value at the path, creating new objects along the way. A missing member is created; as in
// Step Functions, anything on the way that isn't an object is an error.
func (p *path) set(data, value Data) (Data, error) { return p.setAt(data, p.steps, value) }

func (p *path) setAt(data Data, steps []step, value Data) (Data, error) {
	if len(steps) == 0 {
		return value, nil
	}
	object := map[string]any{}
	switch found := open(data).(type) {
	case nil:
	case map[string]any:
		object = maps.Clone(found)
	case Object:
		for _, m := range found {
			object[m.Name] = m.Value
		}
	default:
		return nil, fail(ResultPathMatchFailure, "ResultPath %s leads through something that is not an object", p.text)
	}
	inner, err := p.setAt(object[steps[0].name], steps[1:], value)
	if err != nil {
		return nil, err
	}
	object[steps[0].name] = inner
	return object, nil
}

package states

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// path is a compiled reference path: $ or $$ and then members and indexes.
// Filters, slices, wildcards and descents are refused: they have no single
// result, which is what every use in a task pipeline needs.
type path struct {
	text    string
	context bool // begins with $$
	steps   []step
}

// step is a member's name, or an index where name is empty and index is set.
type step struct {
	name  string
	index int
	array bool
}

// contextFields are the parts of the context object that executions have.
// https://docs.aws.amazon.com/step-functions/latest/dg/input-output-contextobject.html
var contextFields = map[string][]string{
	"Execution":    {"Id", "Input", "Name", "RoleArn", "StartTime"},
	"State":        {"EnteredTime", "Name", "RetryCount"},
	"StateMachine": {"Id", "Name"},
}

func compilePath(text string) (path, error) {
	p := path{text: text}
	rest, found := strings.CutPrefix(text, "$")
	if !found {
		return p, fmt.Errorf("path %q does not begin with $", text)
	}
	if after, context := strings.CutPrefix(rest, "$"); context {
		rest, p.context = after, true
	}
	for rest != "" {
		next, left, err := cutStep(rest)
		if err != nil {
			return p, fmt.Errorf("path %q: %w", text, err)
		}
		p.steps = append(p.steps, next)
		rest = left
	}
	if p.context {
		return p, p.checkContext()
	}
	return p, nil
}

// cutStep reads .name, ['name'] or [index] from the front of a path.
func cutStep(rest string) (step, string, error) {
	switch {
	case strings.HasPrefix(rest, ".."):
		return step{}, "", fmt.Errorf("descent .. is not known here")
	case rest[0] == '.':
		end := strings.IndexAny(rest[1:], ".[")
		if end < 0 {
			end = len(rest) - 1
		}
		name := rest[1 : 1+end]
		if name == "" || name == "*" || strings.ContainsAny(name, "()?@ ") {
			return step{}, "", fmt.Errorf("%q is no member's name", name)
		}
		return step{name: name}, rest[1+end:], nil
	case strings.HasPrefix(rest, "['"):
		name, left, found := strings.Cut(rest[2:], "']")
		if !found || name == "" {
			return step{}, "", fmt.Errorf("%q is not closed by ']", rest)
		}
		return step{name: name}, left, nil
	case rest[0] == '[':
		digits, left, found := strings.Cut(rest[1:], "]")
		index, err := strconv.Atoi(digits)
		if !found || err != nil || index < 0 {
			return step{}, "", fmt.Errorf("[%s] is not known here; an index is a number", digits)
		}
		return step{index: index, array: true}, left, nil
	default:
		return step{}, "", fmt.Errorf("%q is neither .name nor [index]", rest)
	}
}

func (p path) checkContext() error {
	if len(p.steps) == 0 {
		return nil
	}
	fields, known := contextFields[p.steps[0].name]
	if !known {
		return fmt.Errorf("path %q: the context object's %s is not known here", p.text, p.steps[0].name)
	}
	if len(p.steps) > 1 && !slices.Contains(fields, p.steps[1].name) {
		return fmt.Errorf("path %q: the context object's %s.%s is not known here", p.text, p.steps[0].name, p.steps[1].name)
	}
	return nil
}

// get follows the path from data.
func (p path) get(data Data) (Data, bool) {
	for _, s := range p.steps {
		switch value := open(data).(type) {
		case map[string]any:
			member, found := value[s.name]
			if !found || s.array {
				return nil, false
			}
			data = member
		case []any:
			if !s.array || s.index >= len(value) {
				return nil, false
			}
			data = value[s.index]
		default:
			return nil, false
		}
	}
	return data, true
}

// set returns data with the value at the path, in new objects along the way.
// A member that isn't there is made; something else than an object on the way
// is an error, as it is to Step Functions.
func (p path) set(data, value Data) (Data, error) {
	return setAt(data, p.steps, value, p.text)
}

func setAt(data Data, steps []step, value Data, text string) (Data, error) {
	if len(steps) == 0 {
		return value, nil
	}
	object := map[string]any{}
	switch found := open(data).(type) {
	case nil:
	case map[string]any:
		object = maps.Clone(found)
	default:
		return nil, &Failure{Name: ResultPathMatchFailure, Cause: fmt.Sprintf("ResultPath %s leads through %s, which is no object", text, AppendJSON(nil, found))}
	}
	inner, err := setAt(object[steps[0].name], steps[1:], value, text)
	if err != nil {
		return nil, err
	}
	object[steps[0].name] = inner
	return object, nil
}

func sortedNames(object map[string]any) []string {
	return slices.Sorted(maps.Keys(object))
}

// compileResultPath compiles a path that is written to: members only.
func compileResultPath(text string) (path, error) {
	p, err := compilePath(text)
	if err != nil {
		return p, err
	}
	if p.context || slices.ContainsFunc(p.steps, func(s step) bool { return s.array }) {
		return p, fmt.Errorf("path %q can't be written to", text)
	}
	return p, nil
}

// number reads data as a number for comparison.
func number(data Data) (float64, bool) {
	n, ok := open(data).(json.Number)
	if !ok {
		return 0, false
	}
	f, err := n.Float64()
	return f, err == nil
}

package states

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// path is a compiled reference path: $ or $$ and then members and indexes. Filters, slices, wildcards and descents are
// refused: they have no single result, which is what every use in a task pipeline needs.
type path struct {
	text    string
	context bool // begins with $$
	steps   []step
}

// step is a member's name, or an index where array is set.
type step struct {
	name  string
	index int
	array bool
}

func compilePath(text string) (*path, error) {
	p := &path{text: text}
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
		if name == "" || strings.ContainsFunc(name, notInName) {
			return step{}, "", fmt.Errorf("%q is no plain name; other names stand in ['']", name)
		}
		return step{name: name}, rest[1+end:], nil
	case strings.HasPrefix(rest, "['"):
		name, left, found := strings.Cut(rest[2:], "']")
		if !found {
			return step{}, "", fmt.Errorf("%q is not closed by ']", rest)
		}
		if name == "" || strings.ContainsAny(name, `'\`) {
			return step{}, "", fmt.Errorf("['%s'] is not known here; one name stands in it, without quotes and backslashes", name)
		}
		return step{name: name}, left, nil
	case rest[0] == '[':
		digits, left, found := strings.Cut(rest[1:], "]")
		if !found {
			return step{}, "", fmt.Errorf("%q is not closed by ]", rest)
		}
		index, err := strconv.ParseUint(digits, 10, 31)
		if err != nil {
			return step{}, "", fmt.Errorf("[%s] is not known here; there are [number] and ['name']", digits)
		}
		return step{index: int(index), array: true}, left, nil
	default:
		return step{}, "", fmt.Errorf("%q is neither .name nor [index]", rest)
	}
}

func notInName(r rune) bool {
	return !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != '_' && r != '-'
}

func (p *path) checkContext() error {
	if len(p.steps) == 0 {
		return nil
	}
	fields, known := contextFields[p.steps[0].name]
	if !known || len(p.steps) > 1 && !slices.Contains(fields, p.steps[1].name) {
		return fmt.Errorf("path %q: the context object's field is not known here", p.text)
	}
	return nil
}

// fill gives what the path leads to. AWS documents States.ParameterPathFailure for a path in a template that leads
// nowhere, and in fact raises States.Runtime there as everywhere else, which nothing catches.
func (p *path) fill(s scope) (Data, error) {
	value, found := p.get(s)
	if !found {
		return nil, fail(RuntimeError, "the path %s leads to nothing", p.text)
	}
	return value, nil
}

// get follows the path from the input or the context object.
func (p *path) get(s scope) (Data, bool) {
	switch {
	case !p.context:
		return follow(s.input, p.steps)
	case len(p.steps) == 0:
		return s.contextObject(), true
	case len(p.steps) == 1:
		return s.contextPart(p.steps[0].name), true
	default:
		return follow(s.contextField(p.steps[0].name, p.steps[1].name), p.steps[2:])
	}
}

func follow(data Data, steps []step) (Data, bool) {
	for _, s := range steps {
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

// compileResultPath compiles a path that is written to: members only.
func compileResultPath(text string) (*path, error) {
	p, err := compilePath(text)
	if err != nil {
		return p, err
	}
	if p.context || slices.ContainsFunc(p.steps, func(s step) bool { return s.array }) {
		return p, fmt.Errorf("path %q can't be written to; it has members of the input only", text)
	}
	return p, nil
}

// set returns data with the value at the path, in new objects along the way. A member that isn't there is made;
// something else than an object on the way is an error, as it is to Step Functions.
func (p *path) set(data, value Data) (Data, error) {
	return p.setAt(data, p.steps, value)
}

func (p *path) setAt(data Data, steps []step, value Data) (Data, error) {
	if len(steps) == 0 {
		return value, nil
	}
	object := map[string]any{}
	switch found := open(data).(type) {
	case nil:
	case map[string]any:
		object = maps.Clone(found)
	default:
		return nil, fail(ResultPathMatchFailure, "ResultPath %s leads through %s", p.text, kindOf(found))
	}
	inner, err := p.setAt(object[steps[0].name], steps[1:], value)
	if err != nil {
		return nil, err
	}
	object[steps[0].name] = inner
	return object, nil
}

// kindOf names the type of opened data.
func kindOf(data Data) string {
	switch data.(type) {
	case nil:
		return "null"
	case bool:
		return "a boolean"
	case string:
		return "a text"
	case json.Number:
		return "a number"
	case []any:
		return "an array"
	default:
		return "an object"
	}
}

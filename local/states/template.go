package states

import (
	"encoding/json"
	"fmt"
	"strings"
)

// template is a compiled payload template: Parameters or ResultSelector, in
// which a member whose name ends in .$ takes its value from a path or an
// intrinsic function.
type template interface {
	fill(scope) (Data, error)
}

// scope is what a template or a path can reach.
type scope struct {
	input   Data
	context func() Data
	random  func() float64
}

type (
	constant struct{ data Data }
	object   struct {
		members map[string]template
	}
	array []template
)

func (c constant) fill(scope) (Data, error) { return c.data, nil }

func (o object) fill(s scope) (Data, error) {
	filled := make(map[string]any, len(o.members))
	for name, member := range o.members {
		value, err := member.fill(s)
		if err != nil {
			return nil, err
		}
		filled[name] = value
	}
	return filled, nil
}

func (a array) fill(s scope) (Data, error) {
	filled := make([]any, len(a))
	for i, element := range a {
		value, err := element.fill(s)
		if err != nil {
			return nil, err
		}
		filled[i] = value
	}
	return filled, nil
}

func (p path) fill(s scope) (Data, error) {
	from := s.input
	if p.context {
		from = s.context()
	}
	value, found := p.get(from)
	if !found {
		return nil, fail(ParameterPathFailure, "the path %s is not there", p.text)
	}
	return value, nil
}

func compileTemplate(text json.RawMessage) (template, error) {
	data, err := Decode(text)
	if err != nil {
		return nil, err
	}
	if _, isObject := data.(map[string]any); !isObject {
		return nil, fmt.Errorf("a payload template is an object")
	}
	return compileNode(data)
}

func compileNode(data Data) (template, error) {
	switch data := data.(type) {
	case map[string]any:
		compiled := object{members: make(map[string]template, len(data))}
		fixed := true
		for name, value := range data {
			plain, dynamic := strings.CutSuffix(name, ".$")
			if _, twice := compiled.members[plain]; twice {
				return nil, fmt.Errorf("%s is given twice", plain)
			}
			member, err := compileMember(value, dynamic)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
			if _, isConstant := member.(constant); !isConstant {
				fixed = false
			}
			compiled.members[plain] = member
		}
		if fixed {
			return constant{data}, nil
		}
		return compiled, nil
	case []any:
		elements := make(array, len(data))
		for i, value := range data {
			element, err := compileNode(value)
			if err != nil {
				return nil, fmt.Errorf("[%d]: %w", i, err)
			}
			elements[i] = element
		}
		return elements, nil
	default:
		return constant{data}, nil
	}
}

func compileMember(value Data, dynamic bool) (template, error) {
	if !dynamic {
		return compileNode(value)
	}
	text, ok := value.(string)
	if !ok {
		return nil, fmt.Errorf("a name that ends in .$ has a path or an intrinsic function")
	}
	return compileExpression(text)
}

// compileExpression compiles a path or an intrinsic function.
func compileExpression(text string) (template, error) {
	if strings.HasPrefix(text, "$") {
		return compilePath(text)
	}
	return compileIntrinsic(text)
}

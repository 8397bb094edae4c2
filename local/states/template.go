package states

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// template is a compiled payload template: Parameters or ResultSelector, in which a member whose name ends in .$ takes
// its value from a path or an intrinsic function. The error of fill is a *Failure.
type template interface {
	fill(scope) (Data, error)
}

type (
	constant struct{ data Data }
	object   []member
	array    []template
)

type member struct {
	name  string
	value template
}

func (c constant) fill(scope) (Data, error) { return c.data, nil }

func (o object) fill(s scope) (Data, error) {
	filled := make(map[string]any, len(o))
	for _, m := range o {
		value, err := m.value.fill(s)
		if err != nil {
			return nil, err
		}
		filled[m.name] = value
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

func (c *compiler) template(at, field string, text json.RawMessage) template {
	if text == nil {
		return nil
	}
	data := decoded(text)
	if _, isObject := data.(map[string]any); !isObject {
		c.problem(at, "%s is %s; a payload template is an object", field, excerpt(text))
		return nil
	}
	return c.node(at+": "+field, data)
}

// node compiles a value of a template. What holds nothing dynamic is constant.
func (c *compiler) node(at string, data Data) template {
	switch data := data.(type) {
	case map[string]any:
		return c.object(at, data)
	case []any:
		elements, fixed := make(array, len(data)), true
		for i, value := range data {
			elements[i] = c.node(fmt.Sprintf("%s[%d]", at, i), value)
			fixed = fixed && isConstant(elements[i])
		}
		if !fixed {
			return elements
		}
	}
	return constant{data}
}

func (c *compiler) object(at string, data map[string]any) template {
	members, fixed := make(object, 0, len(data)), true
	for _, name := range slices.Sorted(maps.Keys(data)) {
		at := at + "." + name
		plain, dynamic := strings.CutSuffix(name, ".$")
		if !dynamic {
			value := c.node(at, data[name])
			members, fixed = append(members, member{name, value}), fixed && isConstant(value)
			continue
		}
		fixed = false
		text, isText := data[name].(string)
		if _, twice := data[plain]; twice {
			c.problem(at, "%s is given too; keep one", plain)
		}
		switch {
		case plain == "":
			c.problem(at, "a name is missing before .$")
		case !isText:
			c.problem(at, "a name that ends in .$ has a path or an intrinsic function")
		default:
			members = append(members, member{plain, c.expression(at, text)})
		}
	}
	if fixed {
		return constant{data}
	}
	return members
}

func isConstant(t template) bool {
	_, constant := t.(constant)
	return constant
}

// expression compiles a path or an intrinsic function.
func (c *compiler) expression(at, text string) template {
	if strings.HasPrefix(text, "$") {
		p, err := compilePath(text)
		if err != nil {
			c.problem(at, "%v", err)
		}
		return p
	}
	compiled, err := compileIntrinsic(text)
	if err != nil {
		c.problem(at, "%v", err)
	}
	return compiled
}

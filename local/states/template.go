package states

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// dynamic ends the names of members whose value comes from a path or an intrinsic function.
const dynamic = ".$"

// template is a compiled payload template, path or intrinsic function. The error of fill is a *Failure.
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
	filled := make(Object, 0, len(o))
	for _, m := range o {
		value, err := m.fill(s)
		if err != nil {
			return nil, err
		}
		filled = append(filled, Member{m.name, value})
	}
	return filled, nil
}

// fill writes an object within an object at once: it is nearly always a payload, which a function gets as text.
func (m member) fill(s scope) (Data, error) {
	within, ok := m.value.(object)
	if !ok {
		return m.value.fill(s)
	}
	filled, err := within.fill(s)
	if err != nil {
		return nil, err
	}
	return Written(Text(filled)), nil
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

// template compiles a value of Parameters or ResultSelector.
func (c *compiler) template(at string, data Data) template {
	switch data := data.(type) {
	case map[string]any:
		return c.object(at, data)
	case []any:
		elements := make(array, len(data))
		for i, value := range data {
			elements[i] = c.template(fmt.Sprintf("%s[%d]", at, i), value)
		}
		return elements
	default:
		return constant{data}
	}
}

func (c *compiler) object(at string, data map[string]any) template {
	members := make(object, 0, len(data))
	for _, name := range slices.Sorted(maps.Keys(data)) {
		at := at + "." + name
		plain, isDynamic := strings.CutSuffix(name, dynamic)
		if !isDynamic {
			members = append(members, member{name, c.template(at, data[name])})
			continue
		}
		if _, twice := data[plain]; twice {
			c.problem(at, "%s is given too; keep one", plain)
		}
		text, isText := data[name].(string)
		if plain == "" || !isText {
			c.problem(at, "a name that ends in .$ has something before it, and a path or an intrinsic function behind")
			continue
		}
		members = append(members, member{plain, c.expression(at, text)})
	}
	slices.SortFunc(members, func(a, b member) int { return strings.Compare(a.name, b.name) }) // as AppendJSON writes them
	return members
}

// expression compiles a path or an intrinsic function.
func (c *compiler) expression(at, text string) template {
	if !strings.HasPrefix(text, "States.") {
		return c.path(at, text)
	}
	found := jsonToString.FindStringSubmatch(text)
	if found == nil {
		c.problem(at, "%q is not supported here; the only intrinsic function is States.JsonToString(path)", text)
		return constant{}
	}
	return asText{c.path(at, found[1])}
}

// asText is the intrinsic function States.JsonToString, which writes no white space between values: LocalStack's
// test_json_to_string.
// https://docs.aws.amazon.com/step-functions/latest/dg/intrinsic-functions.html
type asText struct{ of template }

var jsonToString = regexp.MustCompile(`^States\.JsonToString\(\s*([^\s()]+)\s*\)$`)

func (a asText) fill(s scope) (Data, error) {
	value, err := a.of.fill(s)
	if err != nil {
		return nil, err
	}
	var compact bytes.Buffer
	err = json.Compact(&compact, AppendJSON(nil, value))
	return compact.String(), err
}

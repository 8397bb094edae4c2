package pattern

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"trade-processing/local/jsonvalue"
)

// maxCharacters is the longest pattern that a rule can have; without a raised quota it is 2,048.
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html
const maxCharacters = 4096

// Compile reads an event pattern. The error lists every problem with the pattern, each with the path of its field.
func Compile(pattern []byte) (*Pattern, error) {
	var c compiler
	switch {
	case !utf8.Valid(pattern):
		c.refuse(nil, errors.New("not valid UTF-8"))
	case utf8.RuneCount(pattern) > maxCharacters:
		c.refuse(nil, fmt.Errorf("it has %d characters, and EventBridge takes at most %d", utf8.RuneCount(pattern), maxCharacters))
	}
	if len(c.problems) > 0 {
		return nil, errors.Join(c.problems...)
	}
	value, err := jsonvalue.DecodeDefinition(pattern)
	members, isObject := value.(map[string]any)
	switch {
	case err != nil:
		c.refuse(nil, err)
		return nil, errors.Join(c.problems...)
	case !isObject:
		c.refuse(nil, fmt.Errorf("must be an object, not %s", kind(value)))
		return nil, errors.Join(c.problems...)
	}
	root := c.object(nil, members)
	if len(c.problems) > 0 {
		return nil, errors.Join(c.problems...)
	}
	return &Pattern{root: root}, nil
}

type compiler struct {
	problems []error
}

func (c *compiler) refuse(path []string, problem error) {
	where := "event pattern: "
	if len(path) > 0 {
		where += strings.Join(path, ".") + ": "
	}
	c.problems = append(c.problems, fmt.Errorf(where+"%w", problem))
}

// object compiles the pattern of an object. AWS's matcher goes through the fields in name order, and which absence
// counts for which element of an array depends on that.
func (c *compiler) object(path []string, members map[string]any) *object {
	o := &object{depth: len(path)}
	if len(members) == 0 {
		c.refuse(path, errors.New("an empty object selects nothing; leave the field out"))
	}
	for _, name := range slices.Sorted(maps.Keys(members)) {
		at := append(path[:len(path):len(path)], name)
		if name == "$or" {
			c.refuse(at, errors.New("not supported here; declare a rule for each alternative"))
			continue
		}
		if strings.Contains(name, ".") {
			at[len(at)-1] = strconv.Quote(name)
			c.refuse(at, errors.New("a name with a dot; AWS's matcher takes it for the path of a nested field"))
			continue
		}
		switch value := members[name].(type) {
		case map[string]any:
			child := c.object(at, value)
			o.absent = o.absent || child.absent
			o.fields = append(o.fields, field{name: name, object: child})
		case []any:
			l := c.leaf(at, value)
			o.absent = o.absent || l.absent
			o.fields = append(o.fields, field{name: name, leaf: l})
		default:
			c.refuse(at, fmt.Errorf("must be an object or an array, not %s", kind(value)))
		}
	}
	return o
}

func (c *compiler) leaf(path []string, alternatives []any) *leaf {
	l := &leaf{path: path, exact: map[string]bool{}}
	if len(alternatives) == 0 {
		c.refuse(path, errors.New("an empty array selects nothing; leave the field out"))
	}
	var patterns [][][]int
	for _, alternative := range alternatives {
		switch value := alternative.(type) {
		case string:
			// An address may be written in several ways; AWS's matcher compares addresses, not their text.
			if address, err := netip.ParseAddr(value); err == nil && address.Is6() && address.Zone() == "" {
				l.matchers = append(l.matchers, within(netip.PrefixFrom(address, 128)))
				continue
			}
			l.exact[value] = true
		case json.Number:
			// One that can't be compared may still match as written, for instance an account number.
			if m, err := parseMicros(value); err != nil {
				l.matchers = append(l.matchers, literal{value})
			} else {
				l.matchers = append(l.matchers, numeric{m, m})
			}
		case bool, nil:
			l.matchers = append(l.matchers, literal{value})
		case map[string]any:
			m, err := operator(value)
			switch {
			case err != nil:
				c.refuse(path, err)
			case m == nil:
				l.absent = true
			default:
				l.matchers = append(l.matchers, m)
				patterns = append(patterns, wildcards(value))
			}
		default:
			c.refuse(path, fmt.Errorf("the array may hold strings, numbers, true, false, null and operators, but holds %s", kind(value)))
		}
	}
	if complexity(patterns) > maxComplexity {
		c.refuse(path, errors.New("too complex for EventBridge; use fewer wildcards, or fewer repeated characters behind one"))
	}
	return l
}

// kind names a JSON value's type for an error.
func kind(value any) string {
	switch value.(type) {
	case map[string]any:
		return "an object"
	case []any:
		return "an array"
	case string:
		return "a string"
	case json.Number:
		return "a number"
	case bool:
		return "a boolean"
	default:
		return "null"
	}
}

// Package pattern matches events against EventBridge's event patterns
// (https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-event-patterns.html).
//
// A pattern is compiled once and then matched many times. An operator that
// this package does not know is refused by name and path when it is compiled.
package pattern

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
)

// Pattern is a compiled event pattern. It is safe for concurrent use.
type Pattern struct{ root node }

// node is a condition on an object: all fields must match, and for each $or at
// least one alternative.
type node struct {
	fields []field
	or     [][]node
}

// field is a member's name with what is asked of it: a nested node, or a list
// of tests of which one must hold.
type field struct {
	name  string
	inner *node
	tests []test
}

// Compile reads a pattern. The error names each problem with its path.
func Compile(text []byte) (*Pattern, error) {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	var read any
	if err := decoder.Decode(&read); err != nil {
		return nil, fmt.Errorf("event pattern: %w", err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("event pattern: there is more behind the object")
	}
	object, ok := read.(map[string]any)
	if !ok || len(object) == 0 {
		return nil, errors.New("event pattern: it is an object with at least one field")
	}
	c := &compiler{}
	root := c.object("", object)
	if err := errors.Join(c.problems...); err != nil {
		return nil, err
	}
	return &Pattern{root: root}, nil
}

// Match tells whether an event has what the pattern asks for. Numbers of the
// event are json.Number.
func (p *Pattern) Match(event map[string]any) bool { return p.root.match(event) }

func (n *node) match(object map[string]any) bool {
	for _, f := range n.fields {
		value, present := object[f.name]
		if f.inner != nil {
			if !f.inner.matchAny(value) {
				return false
			}
			continue
		}
		if !matchTests(f.tests, value, present) {
			return false
		}
	}
	for _, alternatives := range n.or {
		if !slices.ContainsFunc(alternatives, func(one node) bool { return one.match(object) }) {
			return false
		}
	}
	return true
}

// matchAny matches an object, or any object of an array. A missing object
// still matches where the pattern asks for nothing but absence.
func (n *node) matchAny(value any) bool {
	switch value := value.(type) {
	case map[string]any:
		return n.match(value)
	case []any:
		return slices.ContainsFunc(value, n.matchAny)
	default:
		return n.match(nil)
	}
}

// matchTests tells whether a value, or any element of an array, passes any of
// the tests.
func matchTests(tests []test, value any, present bool) bool {
	if list, ok := value.([]any); ok {
		for _, element := range list {
			if matchTests(tests, element, true) {
				return true
			}
		}
		return len(list) == 0 && matchTests(tests, nil, false)
	}
	if _, nested := value.(map[string]any); nested {
		present = false // exists asks for leaves only
	}
	return slices.ContainsFunc(tests, func(t test) bool { return t(value, present) })
}

type compiler struct{ problems []error }

func (c *compiler) problem(path, format string, args ...any) {
	c.problems = append(c.problems, fmt.Errorf("event pattern: %s: %s", path, fmt.Sprintf(format, args...)))
}

func (c *compiler) object(path string, object map[string]any) node {
	var n node
	for _, name := range sortedNames(object) {
		at := name
		if path != "" {
			at = path + "." + name
		}
		if name == "$or" {
			n.or = append(n.or, c.alternatives(at, path, object[name]))
			continue
		}
		switch value := object[name].(type) {
		case map[string]any:
			if len(value) == 0 {
				c.problem(at, "an empty object matches nothing; ask for a field in it")
			}
			inner := c.object(at, value)
			n.fields = append(n.fields, field{name: name, inner: &inner})
		case []any:
			if len(value) == 0 {
				c.problem(at, "an empty list matches nothing; name a value")
			}
			n.fields = append(n.fields, field{name: name, tests: c.tests(at, value)})
		default:
			c.problem(at, "a value stands in a list: [%v]", value)
		}
	}
	return n
}

func (c *compiler) alternatives(at, path string, value any) []node {
	list, ok := value.([]any)
	if !ok || len(list) < 2 {
		c.problem(at, "has a list of two or more patterns")
		return nil
	}
	var nodes []node
	for i, element := range list {
		object, ok := element.(map[string]any)
		if !ok || len(object) == 0 {
			c.problem(fmt.Sprintf("%s[%d]", at, i), "is an object with at least one field")
			continue
		}
		nodes = append(nodes, c.object(path, object))
	}
	return nodes
}

func sortedNames(object map[string]any) []string {
	names := make([]string, 0, len(object))
	for name := range object {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

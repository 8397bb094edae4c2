package pattern

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// maxCharacters is the longest pattern that a rule can have; without a raised quota it is 2,048.
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html
const maxCharacters = 4096

// maxCombinations is how many patterns without $or a pattern with $or may stand for.
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html
const maxCombinations = 1000

const or = "$or"

// reserved are names that AWS's matcher takes for operators inside an $or, and so refuses as names of fields there.
var reserved = []string{
	"exactly", "equals-ignore-case", "prefix", "suffix", "anything-but", "exists", "wildcard", "numeric", "cidr",
	"=", "<", "<=", ">", ">=", "regex", "not-wildcard", "not-equals-ignore-case",
	"date-after", "date-on-or-after", "date-before", "date-on-or-before", "in-date-range",
	"ip-address-in-range", "ip-address-not-in-range",
}

// Compile reads an event pattern. The error holds every problem of the pattern, each with the path of the field that
// has it.
func Compile(pattern []byte) (*Pattern, error) {
	var c compiler
	switch {
	case !utf8.Valid(pattern):
		c.refuse(nil, "not valid UTF-8")
	case utf8.RuneCount(pattern) > maxCharacters:
		c.refuse(nil, "it has %d characters, and EventBridge takes at most %d", utf8.RuneCount(pattern), maxCharacters)
	}
	if len(c.problems) > 0 {
		return nil, errors.Join(c.problems...)
	}
	value, err := parse(pattern)
	if err != nil {
		c.refuse(nil, "%w", err)
		return nil, errors.Join(c.problems...)
	}
	object, ok := value.(members)
	if !ok {
		c.refuse(nil, "must be an object, not %s", kind(value))
		return nil, errors.Join(c.problems...)
	}
	root, _ := c.object(nil, object, false)
	if n := root.combinations(); n > maxCombinations {
		c.refuse(nil, "its %s make %d combinations, and EventBridge takes at most %d", or, n, maxCombinations)
	}
	if len(c.problems) > 0 {
		return nil, errors.Join(c.problems...)
	}
	return &Pattern{root: root}, nil
}

// combinations is how many patterns without $or the object's stands for.
func (o *object) combinations() int {
	product := 1
	times := func(n int) { product = min(product*n, math.MaxInt32) }
	for _, f := range o.fields {
		if f.object != nil {
			times(f.object.combinations())
		}
	}
	for _, alternatives := range o.choices {
		sum := 0
		for _, alternative := range alternatives {
			sum += alternative.combinations()
		}
		times(sum)
	}
	return product
}

type compiler struct {
	problems []error
}

func (c *compiler) refuse(path []string, format string, args ...any) {
	where := "event pattern: "
	if len(path) > 0 {
		where += strings.Join(path, ".") + ": "
	}
	c.problems = append(c.problems, fmt.Errorf(where+"%w", fmt.Errorf(format, args...)))
}

// object compiles the pattern of an object, and gives the paths of its leaves: no path may stand in a pattern twice,
// once beside an $or and once in it.
func (c *compiler) object(path []string, from members, insideOr bool) (*object, map[string]bool) {
	o := &object{depth: len(path)}
	leaves := map[string]bool{}
	if len(from) == 0 {
		c.refuse(path, "an empty object selects nothing; leave the field out")
	}
	seen := map[string]bool{}
	for _, m := range from {
		at := append(path[:len(path):len(path)], m.name)
		if seen[m.name] {
			c.refuse(at, "stands twice")
			continue
		}
		seen[m.name] = true
		if strings.Contains(m.name, ".") {
			at[len(at)-1] = strconv.Quote(m.name)
			c.refuse(at, "a name with a dot; AWS's matcher takes it for the path of a nested field")
			continue
		}
		var inner map[string]bool
		switch value := m.value.(type) {
		case members:
			if insideOr && slices.Contains(reserved, m.name) {
				c.refuse(at, "%q is an operator's name, which no field inside %s may have", m.name, or)
				continue
			}
			var child *object
			child, inner = c.object(at, value, insideOr)
			o.absent = o.absent || child.absent
			o.fields = append(o.fields, field{name: m.name, object: child})
		case []any:
			if m.name == or {
				var alternatives []*object
				alternatives, inner = c.alternatives(path, value)
				o.choices = append(o.choices, alternatives)
				o.absent = o.absent || slices.ContainsFunc(alternatives, func(a *object) bool { return a.absent })
				break
			}
			if insideOr && slices.Contains(reserved, m.name) {
				c.refuse(at, "%q is an operator's name, which no field inside %s may have", m.name, or)
				continue
			}
			l := c.leaf(at, value)
			o.absent = o.absent || l.absent
			o.fields = append(o.fields, field{name: m.name, leaf: l})
			inner = map[string]bool{strings.Join(at, "."): true}
		default:
			c.refuse(at, "must be an object or an array, not %s", kind(value))
		}
		for leaf := range inner {
			if leaves[leaf] {
				c.refuse(nil, "%s: stands twice, beside an %s and inside it", leaf, or)
			}
			leaves[leaf] = true
		}
	}
	// AWS's matcher goes through the fields by their names, and which absence counts for which element of an array depends
	// on that.
	slices.SortFunc(o.fields, func(a, b field) int { return cmp.Compare(a.name, b.name) })
	return o, leaves
}

// alternatives compiles an $or, whose objects continue the path they stand at.
func (c *compiler) alternatives(path []string, from []any) ([]*object, map[string]bool) {
	at := append(path[:len(path):len(path)], or)
	if len(from) < 2 {
		c.refuse(at, "must be an array of at least two objects")
	}
	var alternatives []*object
	leaves := map[string]bool{}
	for _, alternative := range from {
		from, ok := alternative.(members)
		if !ok {
			c.refuse(at, "must be an array of objects, and holds %s", kind(alternative))
			continue
		}
		o, inner := c.object(path, from, true)
		alternatives = append(alternatives, o)
		for leaf := range inner {
			leaves[leaf] = true
		}
	}
	return alternatives, leaves
}

func (c *compiler) leaf(path []string, alternatives []any) *leaf {
	l := &leaf{path: path, exact: map[string]bool{}}
	if len(alternatives) == 0 {
		c.refuse(path, "an empty array selects nothing; leave the field out")
	}
	for _, alternative := range alternatives {
		switch value := alternative.(type) {
		case string:
			// An address may be written in several ways, and AWS's matcher compares addresses, not their spelling.
			if address, err := netip.ParseAddr(value); err == nil && address.Is6() && address.Zone() == "" {
				l.matchers = append(l.matchers, within(netip.PrefixFrom(address, 128)))
				continue
			}
			l.exact[value] = true
		case json.Number:
			// One that can't be compared may still be found as it is written: an account's number, for one.
			if m, err := parseMicros(string(value)); err != nil {
				l.matchers = append(l.matchers, literal{value})
			} else {
				l.matchers = append(l.matchers, numeric{m, m})
			}
		case bool, nil:
			l.matchers = append(l.matchers, literal{value})
		case members:
			c.operator(path, l, value)
		default:
			c.refuse(path, "the array must hold strings, numbers, true, false, null and operators, and holds %s", kind(value))
		}
	}
	return l
}

// kind names a JSON value's type for an error.
func kind(value any) string {
	switch value.(type) {
	case members:
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

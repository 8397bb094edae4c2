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

// maxCharacters is the longest pattern that a rule can have; without a raised
// quota it is 2,048.
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html
const maxCharacters = 4096

// maxCombinations is how many patterns without $or a pattern with $or may stand
// for.
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html
const maxCombinations = 1000

const or = "$or"

// reserved are names that AWS's matcher takes for operators inside an $or, and
// so refuses as names of fields there.
var reserved = []string{
	"exactly", "equals-ignore-case", "prefix", "suffix", "anything-but", "exists", "wildcard", "numeric", "cidr",
	"=", "<", "<=", ">", ">=", "regex", "not-wildcard", "not-equals-ignore-case",
	"date-after", "date-on-or-after", "date-before", "date-on-or-before", "in-date-range",
	"ip-address-in-range", "ip-address-not-in-range",
}

// Compile reads an event pattern. The error holds every problem of the
// pattern, each with the path of the field that has it.
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

// object compiles the pattern of an object, and gives the paths of its leaves:
// no path may stand in a pattern twice, once beside an $or and once in it.
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
	// AWS's matcher goes through the fields by their names, and which absence
	// counts for which element of an array depends on that.
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
			// An address may be written in several ways, and AWS's matcher
			// compares addresses, not their spelling.
			if address, err := netip.ParseAddr(value); err == nil && address.Is6() && address.Zone() == "" {
				l.matchers = append(l.matchers, within(netip.PrefixFrom(address, 128)))
				continue
			}
			l.exact[value] = true
		case json.Number:
			// One that can't be compared may still be found as it is written:
			// an account's number, for one.
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

// only gives the single member of an operator's object.
func (c *compiler) only(path []string, of string, object members) (member, bool) {
	if len(object) == 1 {
		return object[0], true
	}
	names := make([]string, len(object))
	for i, m := range object {
		names[i] = fmt.Sprintf("%q", m.name)
	}
	c.refuse(path, "%s must have one key, and has %d: [%s]", of, len(object), strings.Join(names, " "))
	return member{}, false
}

func (c *compiler) operator(path []string, l *leaf, object members) {
	op, ok := c.only(path, "an operator", object)
	if !ok {
		return
	}
	switch op.name {
	case "exists":
		exists, ok := op.value.(bool)
		switch {
		case !ok:
			c.refuse(path, "exists must be true or false, not %s", kind(op.value))
		case exists:
			l.matchers = append(l.matchers, present{})
		default:
			l.absent = true
		}
	case "numeric":
		if m, ok := c.numeric(path, op.value); ok {
			l.matchers = append(l.matchers, m)
		}
	case "anything-but":
		if m := c.anythingBut(path, op.value); len(m) > 0 {
			l.matchers = append(l.matchers, m)
		}
	case "cidr":
		value, ok := c.text(path, "cidr", op.value)
		if !ok {
			return
		}
		block, err := netip.ParsePrefix(value)
		if err != nil {
			c.refuse(path, "cidr: %q is no block of addresses such as 10.0.0.0/24", value)
			return
		}
		l.matchers = append(l.matchers, within(block))
	case "prefix", "suffix":
		m := c.affix(path, op)
		if m != nil {
			l.matchers = append(l.matchers, m)
		}
	case "equals-ignore-case", "wildcard":
		if value, ok := c.text(path, op.name, op.value); ok {
			if m := c.condition(path, op.name, value); m != nil {
				l.matchers = append(l.matchers, m)
			}
		}
	default:
		c.refuse(path, "operator %q is not known", op.name)
	}
}

// affix compiles a prefix or suffix, which is a string or, without regard to
// case, an object with the operator equals-ignore-case.
func (c *compiler) affix(path []string, op member) matcher {
	object, nested := op.value.(members)
	if !nested {
		value, ok := c.text(path, op.name, op.value)
		if !ok {
			return nil
		}
		return c.condition(path, op.name, value)
	}
	inner, ok := c.only(path, op.name, object)
	if !ok {
		return nil
	}
	if inner.name != "equals-ignore-case" {
		c.refuse(path, "%s: operator %q is not known", op.name, inner.name)
		return nil
	}
	value, ok := c.text(path, op.name+": equals-ignore-case", inner.value)
	switch {
	case !ok:
		return nil
	case op.name == "prefix":
		return hasPrefixIgnoreCase(value)
	default:
		return hasSuffixIgnoreCase(value)
	}
}

// condition compiles the operators that take one string.
func (c *compiler) condition(path []string, operator, value string) matcher {
	switch operator {
	case "prefix":
		return hasPrefix(value)
	case "suffix":
		return hasSuffix(value)
	case "equals-ignore-case":
		return equalsIgnoreCase(value)
	default: // wildcard
		pieces, err := splitWildcard(value)
		if err != nil {
			c.refuse(path, "wildcard: %w", err)
			return nil
		}
		return wildcard(pieces)
	}
}

// anythingBut compiles the negation of one value, of a list of strings or of
// numbers, or of an operator on strings that takes one or a list of them.
func (c *compiler) anythingBut(path []string, value any) anythingBut {
	const name = "anything-but"
	if object, ok := value.(members); ok {
		op, ok := c.only(path, name, object)
		if !ok {
			return nil
		}
		switch op.name {
		case "prefix", "suffix", "equals-ignore-case", "wildcard":
		default:
			c.refuse(path, "%s: operator %q is not known", name, op.name)
			return nil
		}
		var not anythingBut
		for _, element := range c.list(path, name+": "+op.name, op.value) {
			text, ok := c.text(path, name+": "+op.name, element)
			switch {
			case !ok:
			case text == "" && (op.name == "prefix" || op.name == "suffix"):
				c.refuse(path, "%s: %s: an empty string excludes everything", name, op.name)
			default:
				if m := c.condition(path, op.name, text); m != nil {
					not = append(not, m)
				}
			}
		}
		return not
	}

	var not anythingBut
	var strings, numbers bool
	for _, element := range c.list(path, name, value) {
		switch element := element.(type) {
		case string:
			strings = true
			not = append(not, equals(element))
		case json.Number:
			numbers = true
			if m := c.number(path, element); m != nil {
				not = append(not, numeric{*m, *m})
			}
		default:
			c.refuse(path, "%s takes strings and numbers, not %s", name, kind(element))
		}
	}
	if strings && numbers {
		c.refuse(path, "%s: a list holds either strings or numbers, not both", name)
	}
	return not
}

// list gives a value as a list of one, and a list as it is.
func (c *compiler) list(path []string, of string, value any) []any {
	list, ok := value.([]any)
	if !ok {
		return []any{value}
	}
	if len(list) == 0 {
		c.refuse(path, "%s: an empty list excludes nothing", of)
	}
	return list
}

// numeric compiles ["=", n], one bound, or a lower and an upper bound in this
// order.
func (c *compiler) numeric(path []string, value any) (numeric, bool) {
	terms, ok := value.([]any)
	if !ok {
		c.refuse(path, "numeric must be an array such as [\">\", 0, \"<=\", 5], not %s", kind(value))
		return numeric{}, false
	}
	if len(terms) != 2 && len(terms) != 4 {
		c.refuse(path, "numeric must be one or two comparisons of an operator and a number each, and has %d terms", len(terms))
		return numeric{}, false
	}
	r := numeric{-unbounded, unbounded}
	for i := 0; i < len(terms); i += 2 {
		operator, ok := terms[i].(string)
		if !ok {
			c.refuse(path, "numeric: %s stands where an operator must", kind(terms[i]))
			return numeric{}, false
		}
		literal, ok := terms[i+1].(json.Number)
		if !ok {
			c.refuse(path, "numeric: %s stands where a number must", kind(terms[i+1]))
			return numeric{}, false
		}
		bound := c.number(path, literal)
		if bound == nil {
			return numeric{}, false
		}
		lower := operator == ">" || operator == ">="
		switch {
		case !lower && operator != "=" && operator != "<" && operator != "<=":
			c.refuse(path, "numeric: operator %q is not known", operator)
			return numeric{}, false
		case len(terms) == 4 && lower != (i == 0), len(terms) == 4 && operator == "=":
			c.refuse(path, "numeric: a range is a lower bound (>, >=) followed by an upper bound (<, <=)")
			return numeric{}, false
		}
		switch operator {
		case "=":
			r = numeric{*bound, *bound}
		case ">":
			r.from = *bound + 1
		case ">=":
			r.from = *bound
		case "<":
			r.to = *bound - 1
		case "<=":
			r.to = *bound
		}
	}
	if r.from > r.to {
		c.refuse(path, "numeric: no number lies between the bounds")
		return numeric{}, false
	}
	return r, true
}

func (c *compiler) number(path []string, literal json.Number) *micros {
	m, err := parseMicros(string(literal))
	if err != nil {
		c.refuse(path, "%s: %w", literal, err)
		return nil
	}
	return &m
}

func (c *compiler) text(path []string, operator string, value any) (string, bool) {
	s, ok := value.(string)
	if !ok {
		c.refuse(path, "%s must be a string, not %s", operator, kind(value))
	}
	return s, ok
}

// splitWildcard gives the literal pieces between the asterisks. A backslash
// before an asterisk or a backslash takes its meaning away.
func splitWildcard(s string) ([]string, error) {
	var pieces []string
	var piece strings.Builder
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '*':
			if i+1 < len(s) && s[i+1] == '*' {
				return nil, fmt.Errorf("%q has two asterisks in a row", s)
			}
			pieces = append(pieces, piece.String())
			piece.Reset()
		case '\\':
			if i++; i == len(s) || s[i] != '*' && s[i] != '\\' {
				return nil, fmt.Errorf(`%q has a backslash that stands before neither * nor \`, s)
			}
			piece.WriteByte(s[i])
		default:
			piece.WriteByte(s[i])
		}
	}
	return append(pieces, piece.String()), nil
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

package pattern

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"strings"
)

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

// affix compiles a prefix or suffix, which is a string or, without regard to case, an object with the operator
// equals-ignore-case.
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

// anythingBut compiles the negation of one value, of a list of strings or of numbers, or of an operator on strings that
// takes one or a list of them.
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

// numeric compiles ["=", n], one bound, or a lower and an upper bound in this order.
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

// splitWildcard gives the literal pieces between the asterisks. A backslash before an asterisk or a backslash takes its
// meaning away.
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

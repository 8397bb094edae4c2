package pattern

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
)

// operator compiles an operator's object. A nil matcher is {"exists": false}.
func operator(object map[string]any) (matcher, error) {
	name, value, err := only("an operator", object)
	if err != nil {
		return nil, err
	}
	switch name {
	case "exists":
		exists, ok := value.(bool)
		switch {
		case !ok:
			return nil, fmt.Errorf("exists must be true or false, not %s", kind(value))
		case exists:
			return present{}, nil
		}
		return nil, nil
	case "numeric":
		return compileNumeric(value)
	case "anything-but":
		return compileAnythingBut(value)
	case "prefix", "suffix": // which take another operator instead of a string
		if object, nested := value.(map[string]any); nested {
			inner, operand, err := only(name, object)
			if err != nil {
				return nil, err
			}
			if inner != ignoreCase {
				return nil, fmt.Errorf("%s: operator %q is not known", name, inner)
			}
			name, value = name+": "+inner, operand
		}
	}
	return condition(name, value)
}

// only returns the single member of an operator's object.
func only(of string, object map[string]any) (name string, value any, err error) {
	names := slices.Sorted(maps.Keys(object))
	if len(names) != 1 {
		return "", nil, fmt.Errorf("%s must have one key, but has %d: %q", of, len(names), names)
	}
	return names[0], object[names[0]], nil
}

const ignoreCase = "equals-ignore-case"

// conditions are the operators that take one string.
var conditions = map[string]func(string) (text, error){
	"prefix":                always(hasPrefix),
	"prefix: " + ignoreCase: always(hasPrefixIgnoreCase),
	"suffix":                always(hasSuffix),
	"suffix: " + ignoreCase: always(hasSuffixIgnoreCase),
	ignoreCase:              always(equalsIgnoreCase),
	"wildcard":              compileWildcard,
	"cidr":                  compileCIDR,
}

// always compiles a condition that accepts any string.
func always(of func(string) text) func(string) (text, error) {
	return func(s string) (text, error) { return of(s), nil }
}

func condition(name string, value any) (matcher, error) {
	compile, known := conditions[name]
	if !known {
		return nil, fmt.Errorf("operator %q is not known", name)
	}
	s, ok := value.(string)
	if !ok {
		return nil, fmt.Errorf("%s must be a string, not %s", name, kind(value))
	}
	m, err := compile(s)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return m, nil
}

func compileCIDR(s string) (text, error) {
	block, err := netip.ParsePrefix(s)
	switch {
	case err != nil || block.Addr().Is4In6(): // AWS's matcher takes neither for an address
		return nil, fmt.Errorf("%q is not an address block such as 10.0.0.0/24", s)
	case block.IsSingleIP(): // which it refuses: CIDR.java of event-ruler
		return nil, fmt.Errorf("%q is a single address; write it as a string", s)
	}
	return within(block), nil
}

// compileAnythingBut compiles the negation of one value, of a list of strings or of numbers, or of an operator on
// strings that takes one or a list of them.
func compileAnythingBut(value any) (matcher, error) {
	const name = "anything-but"
	exclude := excludeValue
	if object, ok := value.(map[string]any); ok {
		negated, operand, err := only(name, object)
		if err != nil {
			return nil, err
		}
		value = operand
		exclude = func(element any) (matcher, error) { return excludeCondition(negated, element) }
	}
	list, ok := value.([]any)
	switch {
	case !ok:
		list = []any{value}
	case len(list) == 0:
		return nil, fmt.Errorf("%s: an empty list excludes nothing", name)
	}
	var not anythingBut
	for _, element := range list {
		if kind(element) != kind(list[0]) {
			return nil, fmt.Errorf("%s: a list holds either strings or numbers, not both", name)
		}
		m, err := exclude(element)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		not = append(not, m)
	}
	return not, nil
}

func excludeValue(value any) (matcher, error) {
	switch value := value.(type) {
	case string:
		return equals(value), nil
	case json.Number:
		m, err := parseMicros(value)
		return numeric{m, m}, err
	}
	return nil, fmt.Errorf("it takes strings and numbers, not %s", kind(value))
}

func excludeCondition(name string, value any) (matcher, error) {
	affix := name == "prefix" || name == "suffix"
	switch {
	case !affix && name != ignoreCase && name != "wildcard":
		return nil, fmt.Errorf("operator %q is not known", name)
	case affix && value == "":
		return nil, fmt.Errorf("%s: an empty string excludes everything", name)
	}
	return condition(name, value)
}

// compileNumeric compiles ["=", n], one bound, or a lower and an upper bound in this order.
func compileNumeric(value any) (matcher, error) {
	terms, ok := value.([]any)
	if !ok || len(terms) != 2 && len(terms) != 4 {
		return nil, errors.New(`numeric must be an array of one or two comparisons, such as [">", 0, "<=", 5]`)
	}
	r := numeric{-unbounded, unbounded}
	var operators []string
	var bounds []micros
	for comparison := range slices.Chunk(terms, 2) {
		operator, _ := comparison[0].(string)
		literal, ok := comparison[1].(json.Number)
		if !ok {
			return nil, fmt.Errorf("numeric: %s where a number must be", kind(comparison[1]))
		}
		bound, err := parseMicros(literal)
		if err != nil {
			return nil, fmt.Errorf("numeric: %w", err)
		}
		switch operator {
		case "=":
			r = numeric{bound, bound}
		case ">":
			r.from = bound + 1
		case ">=":
			r.from = bound
		case "<":
			r.to = bound - 1
		case "<=":
			r.to = bound
		default:
			return nil, fmt.Errorf("numeric: operator %v is not known", comparison[0])
		}
		operators, bounds = append(operators, operator), append(bounds, bound)
	}
	if len(operators) == 2 && !(operators[0][0] == '>' && operators[1][0] == '<') {
		return nil, errors.New("numeric: a range is a lower bound (>, >=) followed by an upper bound (<, <=)")
	}
	if len(bounds) == 2 && bounds[0] >= bounds[1] { // even between >= 5 and <= 5: Range.java of event-ruler
		return nil, errors.New("numeric: the lower bound must be less than the upper one")
	}
	return r, nil
}

func compileWildcard(s string) (text, error) {
	pieces, err := wildcardPieces(s)
	if err != nil {
		return nil, err
	}
	return wildcard(pieces), nil
}

// wildcardPieces cuts a string into the literal pieces between its asterisks. A backslash escapes an asterisk or a
// backslash.
func wildcardPieces(s string) ([]string, error) {
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
				return nil, fmt.Errorf(`%q has a backslash before neither * nor \`, s)
			}
			piece.WriteByte(s[i])
		default:
			piece.WriteByte(s[i])
		}
	}
	return append(pieces, piece.String()), nil
}

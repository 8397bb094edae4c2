package pattern

import (
	"encoding/json"
	"fmt"
	"math"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// test is one condition on a leaf; present tells whether it is there.
type test func(value any, present bool) bool

// onText makes a test of a condition on texts.
func onText(holds func(string) bool) test {
	return func(value any, _ bool) bool {
		text, ok := value.(string)
		return ok && holds(text)
	}
}

func (c *compiler) tests(path string, list []any) []test {
	var tests []test
	for _, element := range list {
		if compiled := c.test(path, element); compiled != nil {
			tests = append(tests, compiled)
		}
	}
	return tests
}

func (c *compiler) test(path string, element any) test {
	operation, ok := element.(map[string]any)
	if !ok {
		return c.equals(path, element)
	}
	if len(operation) != 1 {
		c.problem(path, "an operator is an object with one member; this has %s", strings.Join(sortedNames(operation), ", "))
		return nil
	}
	name := sortedNames(operation)[0]
	compile, known := operators[name]
	if !known {
		c.problem(path, "operator %q is not known here", name)
		return nil
	}
	compiled, err := compile(c, path, operation[name])
	if err != nil {
		c.problem(path, "%s: %v", name, err)
		return nil
	}
	return compiled
}

// operators are the comparison operators of event patterns.
var operators map[string]func(*compiler, string, any) (test, error)

func init() { // some operators hold others, which a plain initialiser can't express
	operators = map[string]func(*compiler, string, any) (test, error){
		"anything-but":       anythingBut,
		"cidr":               cidr,
		"equals-ignore-case": textOperator(func(want string) test { return onText(func(s string) bool { return strings.EqualFold(s, want) }) }),
		"exists":             exists,
		"numeric":            numeric,
		"prefix":             affix(strings.HasPrefix, func(s string, n int) string { return s[:n] }),
		"suffix":             affix(strings.HasSuffix, func(s string, n int) string { return s[len(s)-n:] }),
		"wildcard":           wildcard,
	}
}

// equals compares with a text, a number by its value, true, false or null.
func (c *compiler) equals(path string, want any) test {
	switch want := want.(type) {
	case string:
		return onText(func(s string) bool { return s == want })
	case json.Number:
		n, err := limited(want)
		if err != nil {
			c.problem(path, "%v", err)
			return nil
		}
		return onNumber(func(f float64) bool { return f == n })
	case bool:
		return func(value any, _ bool) bool { b, ok := value.(bool); return ok && b == want }
	case nil:
		return func(value any, present bool) bool { return present && value == nil }
	default:
		c.problem(path, "a list in a list is not known here")
		return nil
	}
}

func onNumber(holds func(float64) bool) test {
	return func(value any, _ bool) bool {
		number, ok := value.(json.Number)
		if !ok {
			return false
		}
		f, err := number.Float64()
		return err == nil && holds(f)
	}
}

// limited reads a number of a pattern, which EventBridge takes between -5e9
// and 5e9.
func limited(number json.Number) (float64, error) {
	f, err := strconv.ParseFloat(string(number), 64)
	if err != nil || math.Abs(f) > 5e9 {
		return 0, fmt.Errorf("%s is out of EventBridge's range of ±5,000,000,000", number)
	}
	return f, nil
}

func textOperator(compile func(string) test) func(*compiler, string, any) (test, error) {
	return func(_ *compiler, _ string, operand any) (test, error) {
		text, ok := operand.(string)
		if !ok || text == "" {
			return nil, fmt.Errorf("it has a text")
		}
		return compile(text), nil
	}
}

// affix is prefix or suffix: of a text, or regardless of case of the text in
// {"equals-ignore-case": …}.
func affix(has func(s, affix string) bool, cut func(string, int) string) func(*compiler, string, any) (test, error) {
	return func(_ *compiler, _ string, operand any) (test, error) {
		switch operand := operand.(type) {
		case string:
			if operand != "" {
				return onText(func(s string) bool { return has(s, operand) }), nil
			}
		case map[string]any:
			if want, ok := operand["equals-ignore-case"].(string); ok && len(operand) == 1 && want != "" {
				return onText(func(s string) bool {
					return len(s) >= len(want) && strings.EqualFold(cut(s, len(want)), want)
				}), nil
			}
		}
		return nil, fmt.Errorf("it has a text, or {\"equals-ignore-case\": text}")
	}
}

func exists(_ *compiler, _ string, operand any) (test, error) {
	want, ok := operand.(bool)
	if !ok {
		return nil, fmt.Errorf("it has true or false")
	}
	return func(_ any, present bool) bool { return present == want }, nil
}

// anythingBut holds for a leaf that is there and passes none of the tests that
// its operand stands for.
func anythingBut(c *compiler, path string, operand any) (test, error) {
	list, isList := operand.([]any)
	if !isList {
		list = []any{operand}
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("it names at least one value")
	}
	var refused []test
	for _, element := range list {
		switch element := element.(type) {
		case string, json.Number:
			refused = append(refused, c.test(path, element))
		case map[string]any:
			tests, err := c.anythingButOperator(path, element)
			if err != nil {
				return nil, err
			}
			refused = append(refused, tests...)
		default:
			return nil, fmt.Errorf("%v is not known here", element)
		}
	}
	return func(value any, present bool) bool {
		return present && !slices.ContainsFunc(refused, func(t test) bool { return t != nil && t(value, true) })
	}, nil
}

// anythingButOperator compiles {"prefix": "a"} or {"prefix": ["a", "b"]}.
func (c *compiler) anythingButOperator(path string, operation map[string]any) ([]test, error) {
	var tests []test
	for name, operand := range operation {
		if !slices.Contains([]string{"prefix", "suffix", "equals-ignore-case", "wildcard"}, name) {
			return nil, fmt.Errorf("operator %q is not known here", name)
		}
		values, isList := operand.([]any)
		if !isList {
			values = []any{operand}
		}
		for _, value := range values {
			compiled, err := operators[name](c, path, value)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
			tests = append(tests, compiled)
		}
	}
	if len(operation) != 1 {
		return nil, fmt.Errorf("it has one operator")
	}
	return tests, nil
}

// numeric is a comparison, or two that bound a range: [">", 0, "<=", 5].
func numeric(_ *compiler, _ string, operand any) (test, error) {
	list, ok := operand.([]any)
	if !ok || len(list) != 2 && len(list) != 4 {
		return nil, fmt.Errorf("it has a list of one or two comparisons, such as [\">\", 0, \"<=\", 5]")
	}
	var comparisons []func(float64) bool
	for i := 0; i < len(list); i += 2 {
		operator, _ := list[i].(string)
		number, isNumber := list[i+1].(json.Number)
		if !isNumber {
			return nil, fmt.Errorf("%v is no number", list[i+1])
		}
		bound, err := limited(number)
		if err != nil {
			return nil, err
		}
		compare, known := map[string]func(float64) bool{
			"=":  func(f float64) bool { return f == bound },
			"<":  func(f float64) bool { return f < bound },
			"<=": func(f float64) bool { return f <= bound },
			">":  func(f float64) bool { return f > bound },
			">=": func(f float64) bool { return f >= bound },
		}[operator]
		if !known {
			return nil, fmt.Errorf("comparison %q is not known here", list[i])
		}
		comparisons = append(comparisons, compare)
	}
	return onNumber(func(f float64) bool {
		return !slices.ContainsFunc(comparisons, func(holds func(float64) bool) bool { return !holds(f) })
	}), nil
}

func cidr(_ *compiler, _ string, operand any) (test, error) {
	text, _ := operand.(string)
	network, err := netip.ParsePrefix(text)
	if err != nil {
		return nil, fmt.Errorf("it has a range of addresses, such as 10.0.0.0/24")
	}
	return onText(func(s string) bool {
		address, err := netip.ParseAddr(s)
		return err == nil && network.Contains(address)
	}), nil
}

// wildcard matches * as any text; \* and \\ are the characters themselves.
func wildcard(_ *compiler, _ string, operand any) (test, error) {
	text, ok := operand.(string)
	if !ok || text == "" {
		return nil, fmt.Errorf("it has a text")
	}
	parts, err := splitWildcard(text)
	if err != nil {
		return nil, err
	}
	return onText(func(s string) bool { return matchParts(parts, s) }), nil
}

// splitWildcard cuts a pattern at its stars.
func splitWildcard(pattern string) ([]string, error) {
	var parts []string
	var b strings.Builder
	for i := 0; i < len(pattern); i++ {
		switch c := pattern[i]; {
		case c == '\\' && i+1 < len(pattern) && (pattern[i+1] == '*' || pattern[i+1] == '\\'):
			i++
			b.WriteByte(pattern[i])
		case c == '\\':
			return nil, fmt.Errorf("a \\ stands before * or \\")
		case c == '*' && i+1 < len(pattern) && pattern[i+1] == '*':
			return nil, fmt.Errorf("two * beside one another")
		case c == '*':
			parts = append(parts, b.String())
			b.Reset()
		default:
			b.WriteByte(c)
		}
	}
	return append(parts, b.String()), nil
}

// matchParts tells whether the parts stand in a text in their order, the first
// at its beginning and the last at its end.
func matchParts(parts []string, s string) bool {
	if len(parts) == 1 {
		return s == parts[0]
	}
	first, last := parts[0], parts[len(parts)-1]
	if len(s) < len(first)+len(last) || !strings.HasPrefix(s, first) || !strings.HasSuffix(s, last) {
		return false
	}
	s = s[len(first) : len(s)-len(last)]
	for _, part := range parts[1 : len(parts)-1] {
		at := strings.Index(s, part)
		if at < 0 {
			return false
		}
		s = s[at+len(part):]
	}
	return true
}

package states

import (
	"encoding/json"
	"fmt"
	"strings"
)

// operators compile the comparisons of what a path leads to.
// https://states-language.net/spec.html#choice-state
var operators = func() map[string]func(*path, json.RawMessage) (test, error) {
	all := map[string]func(*path, json.RawMessage) (test, error){"IsPresent": compileIsPresent, "StringMatches": compileMatches}
	for kind, ask := range kinds {
		all["Is"+kind] = func(from *path, operand json.RawMessage) (test, error) { return compileIs(from, ask, operand) }
	}
	for kind, compare := range comparers {
		for order, holds := range orders {
			if kind == "Boolean" && order != "Equals" {
				continue
			}
			all[kind+order] = func(from *path, operand json.RawMessage) (test, error) {
				return compileComparison(from, compare, holds, operand)
			}
			all[kind+order+"Path"] = func(from *path, operand json.RawMessage) (test, error) {
				text, _ := decoded(operand).(string)
				other, err := compilePath(text)
				return compareWith(from, compare, holds, other), err
			}
		}
	}
	return all
}()

func compileComparison(from *path, compare comparer, holds func(int) bool, operand json.RawMessage) (test, error) {
	wanted := decoded(operand)
	if _, fits := compare(wanted, wanted); !fits {
		return nil, fmt.Errorf("can't compare with %s", excerpt(operand))
	}
	return compareWith(from, compare, holds, constant{wanted}), nil
}

func compareWith(from *path, compare comparer, holds func(int) bool, other template) test {
	return func(s scope) (bool, error) {
		value, err := from.fill(s)
		if err != nil {
			return false, err
		}
		want, err := other.fill(s)
		if err != nil {
			return false, err
		}
		order, comparable := compare(open(value), open(want))
		return comparable && holds(order), nil
	}
}

func compileIsPresent(from *path, operand json.RawMessage) (test, error) {
	want, err := answer(operand)
	return func(s scope) (bool, error) {
		_, found := from.get(s)
		return found == want, nil
	}, err
}

// compileIs compiles IsNull and the like: the answer must be what the rule wants.
func compileIs(from *path, ask func(Data) bool, operand json.RawMessage) (test, error) {
	want, err := answer(operand)
	return func(s scope) (bool, error) {
		value, err := from.fill(s)
		return err == nil && ask(open(value)) == want, err
	}, err
}

func answer(operand json.RawMessage) (bool, error) {
	want, isBool := decoded(operand).(bool)
	if !isBool {
		return false, fmt.Errorf("is %s; it is true or false", excerpt(operand))
	}
	return want, nil
}

// kinds are the endings of operators that ask for a type.
var kinds = map[string]func(Data) bool{
	"Null":      func(d Data) bool { return d == nil },
	"String":    func(d Data) bool { _, ok := d.(string); return ok },
	"Numeric":   func(d Data) bool { _, ok := d.(json.Number); return ok },
	"Boolean":   func(d Data) bool { _, ok := d.(bool); return ok },
	"Timestamp": func(d Data) bool { _, ok := timestamp(d); return ok },
}

// orders are the endings of comparison operators, with what they hold for.
var orders = map[string]func(int) bool{
	"Equals":            func(c int) bool { return c == 0 },
	"LessThan":          func(c int) bool { return c < 0 },
	"LessThanEquals":    func(c int) bool { return c <= 0 },
	"GreaterThan":       func(c int) bool { return c > 0 },
	"GreaterThanEquals": func(c int) bool { return c >= 0 },
}

// comparer compares two values of one type; false when one is of another.
type comparer func(a, b Data) (int, bool)

// comparers are the beginnings of comparison operators.
var comparers = map[string]comparer{
	"String": func(a, b Data) (int, bool) {
		x, xok := a.(string)
		y, yok := b.(string)
		return strings.Compare(x, y), xok && yok
	},
	"Numeric": func(a, b Data) (int, bool) {
		x, xok := number(a)
		y, yok := number(b)
		switch {
		case x < y:
			return -1, xok && yok
		case x > y:
			return 1, xok && yok
		}
		return 0, xok && yok
	},
	"Boolean": func(a, b Data) (int, bool) {
		x, xok := a.(bool)
		y, yok := b.(bool)
		if x == y {
			return 0, xok && yok
		}
		return 1, xok && yok
	},
	"Timestamp": func(a, b Data) (int, bool) {
		x, xok := timestamp(a)
		y, yok := timestamp(b)
		return x.Compare(y), xok && yok
	},
}

// number reads data as a double, which is what rules compare.
func number(data Data) (float64, bool) {
	n, ok := data.(json.Number)
	if !ok {
		return 0, false
	}
	f, err := n.Float64()
	return f, err == nil
}

// compileMatches compiles StringMatches.
func compileMatches(from *path, operand json.RawMessage) (test, error) {
	pattern, isText := decoded(operand).(string)
	if !isText {
		return nil, fmt.Errorf("is %s; it is a text", excerpt(operand))
	}
	pieces, err := splitPattern(pattern)
	if err != nil {
		return nil, err
	}
	return func(s scope) (bool, error) {
		value, err := from.fill(s)
		text, isText := open(value).(string)
		return err == nil && isText && fits(pieces, text), err
	}, nil
}

// splitPattern gives the literal pieces of a pattern in which * stands for any text, and \* and \\ for themselves.
func splitPattern(pattern string) ([]string, error) {
	pieces := []string{""}
	last := &pieces[0]
	for i := 0; i < len(pattern); i++ {
		switch pattern[i] {
		case '*':
			pieces = append(pieces, "")
			last = &pieces[len(pieces)-1]
		case '\\':
			if i++; i == len(pattern) || pattern[i] != '*' && pattern[i] != '\\' {
				return nil, fmt.Errorf(`%q has a backslash that stands before neither * nor \`, pattern)
			}
			*last += string(pattern[i])
		default:
			*last += pattern[i : i+1]
		}
	}
	return pieces, nil
}

// fits tells whether the pieces stand in the text in their order: the first at the start, the last at the end, the
// others as early as they come, so that nothing is tried twice.
func fits(pieces []string, text string) bool {
	first, last := pieces[0], pieces[len(pieces)-1]
	if len(pieces) == 1 {
		return text == first
	}
	if len(text) < len(first)+len(last) || !strings.HasPrefix(text, first) || !strings.HasSuffix(text, last) {
		return false
	}
	text = text[len(first) : len(text)-len(last)]
	for _, piece := range pieces[1 : len(pieces)-1] {
		_, after, found := strings.Cut(text, piece)
		if !found {
			return false
		}
		text = after
	}
	return true
}

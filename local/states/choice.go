package states

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// choice is one rule of a Choice state.
type choice struct {
	test test
	next string
}

// test is a compiled condition.
type test func(scope) (bool, error)

func (c *compiler) choices(s *state, read fields) {
	s.defaultChoice = read.Default
	if len(read.Choices) == 0 {
		c.problem(s.name, "has no Choices")
	}
	for i, text := range read.Choices {
		var rule map[string]json.RawMessage
		if err := json.Unmarshal(text, &rule); err != nil {
			c.problem(s.name, "Choices[%d]: %v", i, err)
			continue
		}
		var next string
		if err := json.Unmarshal(rule["Next"], &next); err != nil || next == "" {
			c.problem(s.name, "Choices[%d] has no Next", i)
		}
		delete(rule, "Next")
		compiled, err := compileTest(rule)
		if err != nil {
			c.problem(s.name, "Choices[%d]: %v", i, err)
		}
		s.choices = append(s.choices, choice{test: compiled, next: next})
	}
}

// compileTest compiles a condition: And, Or, Not, or a variable and one
// operator.
func compileTest(rule map[string]json.RawMessage) (test, error) {
	delete(rule, "Comment")
	var variable string
	if text, compares := rule["Variable"]; compares {
		if err := json.Unmarshal(text, &variable); err != nil {
			return nil, fmt.Errorf("Variable is no path")
		}
		delete(rule, "Variable")
	}
	if len(rule) != 1 {
		return nil, fmt.Errorf("needs exactly one operator, and has %s", strings.Join(sortedKeys(rule), ", "))
	}
	operator := sortedKeys(rule)[0]
	operand := rule[operator]
	switch operator {
	case "And", "Or":
		return compileList(operator == "And", operand)
	case "Not":
		var inner map[string]json.RawMessage
		if err := json.Unmarshal(operand, &inner); err != nil {
			return nil, fmt.Errorf("Not: %w", err)
		}
		negated, err := compileTest(inner)
		if err != nil {
			return nil, fmt.Errorf("Not: %w", err)
		}
		return func(s scope) (bool, error) {
			holds, err := negated(s)
			return !holds, err
		}, nil
	}
	from, err := compilePath(variable)
	if err != nil {
		return nil, fmt.Errorf("Variable: %w", err)
	}
	if kind, asks := strings.CutPrefix(operator, "Is"); asks {
		return compileIs(operator, kind, from, operand)
	}
	return compileComparison(operator, from, operand)
}

// compileList compiles And, for which every test must hold, and Or.
func compileList(all bool, operand json.RawMessage) (test, error) {
	var rules []map[string]json.RawMessage
	if err := json.Unmarshal(operand, &rules); err != nil || len(rules) == 0 {
		return nil, fmt.Errorf("And and Or have a list of rules")
	}
	tests := make([]test, len(rules))
	for i, rule := range rules {
		compiled, err := compileTest(rule)
		if err != nil {
			return nil, err
		}
		tests[i] = compiled
	}
	return func(s scope) (bool, error) {
		for _, one := range tests {
			holds, err := one(s)
			if err != nil || holds != all {
				return holds, err
			}
		}
		return all, nil
	}, nil
}

// compileIs compiles IsNull, IsPresent and the like: the answer must be what
// the rule wants.
func compileIs(operator, kind string, from path, operand json.RawMessage) (test, error) {
	var want bool
	if err := json.Unmarshal(operand, &want); err != nil {
		return nil, fmt.Errorf("%s has true or false", operator)
	}
	ask, known := map[string]func(Data) bool{
		"Null":      func(d Data) bool { return d == nil },
		"String":    func(d Data) bool { _, ok := d.(string); return ok },
		"Numeric":   func(d Data) bool { _, ok := d.(json.Number); return ok },
		"Boolean":   func(d Data) bool { _, ok := d.(bool); return ok },
		"Timestamp": func(d Data) bool { _, ok := timestamp(d); return ok },
	}[kind]
	switch {
	case kind == "Present":
		return func(s scope) (bool, error) {
			_, found := from.get(s.root(from))
			return found == want, nil
		}, nil
	case !known:
		return nil, fmt.Errorf("operator %s is not known here", operator)
	}
	return func(s scope) (bool, error) {
		value, err := from.fill(s)
		return err == nil && ask(open(value)) == want, err
	}, nil
}

func (s scope) root(p path) Data {
	if p.context {
		return s.context()
	}
	return s.input
}

// orders are the endings of comparison operators, with what they hold for.
var orders = map[string]func(int) bool{
	"Equals":            func(c int) bool { return c == 0 },
	"LessThan":          func(c int) bool { return c < 0 },
	"LessThanEquals":    func(c int) bool { return c <= 0 },
	"GreaterThan":       func(c int) bool { return c > 0 },
	"GreaterThanEquals": func(c int) bool { return c >= 0 },
}

// comparers compare two values of one type; false when one is of another.
var comparers = map[string]func(a, b Data) (int, bool){
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

func timestamp(data Data) (time.Time, bool) {
	text, ok := data.(string)
	if !ok {
		return time.Time{}, false
	}
	at, err := time.Parse(time.RFC3339, text)
	return at, err == nil
}

// compileComparison compiles StringEquals, NumericLessThanPath and the like.
func compileComparison(operator string, from path, operand json.RawMessage) (test, error) {
	plain, byPath := strings.CutSuffix(operator, "Path")
	var wanted template
	data, err := Decode(operand)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", operator, err)
	}
	if wanted = (constant{data}); byPath {
		text, _ := data.(string)
		if wanted, err = compilePath(text); err != nil {
			return nil, fmt.Errorf("%s: %w", operator, err)
		}
	}
	if operator == "StringMatches" {
		pattern, ok := data.(string)
		if !ok {
			return nil, fmt.Errorf("StringMatches has a text")
		}
		return func(s scope) (bool, error) {
			value, err := from.fill(s)
			text, isText := open(value).(string)
			return err == nil && isText && wildcard(pattern, text), err
		}, nil
	}
	for kind, compare := range comparers {
		order, found := strings.CutPrefix(plain, kind)
		holds, known := orders[order]
		if !found || !known || kind == "Boolean" && order != "Equals" {
			continue
		}
		if _, fits := compare(data, data); !byPath && !fits {
			return nil, fmt.Errorf("%s can't compare with %s", operator, operand)
		}
		return func(s scope) (bool, error) {
			value, err := from.fill(s)
			if err != nil {
				return false, err
			}
			want, err := wanted.fill(s)
			if err != nil {
				return false, err
			}
			order, comparable := compare(open(value), open(want))
			return comparable && holds(order), nil
		}, nil
	}
	return nil, fmt.Errorf("operator %s is not known here", operator)
}

// wildcard matches a text against a pattern in which * stands for any text and
// \ takes the meaning from what follows.
func wildcard(pattern, text string) bool {
	for pattern != "" {
		switch {
		case pattern[0] == '*':
			for i := 0; i <= len(text); i++ {
				if wildcard(pattern[1:], text[i:]) {
					return true
				}
			}
			return false
		case pattern[0] == '\\' && len(pattern) > 1:
			pattern = pattern[1:]
		}
		if text == "" || text[0] != pattern[0] {
			return false
		}
		pattern, text = pattern[1:], text[1:]
	}
	return text == ""
}

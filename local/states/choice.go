package states

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// choice is one rule of a Choice state.
type choice struct {
	test test
	next string
}

// test is a compiled condition. Its error is a *Failure.
type test func(scope) (bool, error)

func (c *compiler) choices(at string, s *state, read stateFields) {
	s.defaultChoice = read.Default
	if len(read.Choices) == 0 {
		c.problem(at, "has no Choices")
	}
	for i, text := range read.Choices {
		at := fmt.Sprintf("%s: Choices[%d]", at, i)
		rule := c.members(at, text)
		if rule == nil {
			continue
		}
		var next string
		if json.Unmarshal(rule["Next"], &next) != nil || next == "" {
			c.problem(at, "has no Next")
			continue
		}
		delete(rule, "Next")
		s.choices = append(s.choices, choice{test: c.test(at, rule), next: next})
	}
}

// test compiles a condition: And, Or, Not, or a Variable and one operator.
func (c *compiler) test(at string, rule map[string]json.RawMessage) test {
	if comment, given := rule["Comment"]; given && json.Unmarshal(comment, new(string)) != nil {
		c.problem(at, "Comment is %s; it is a text", excerpt(comment))
	}
	variable, compares := rule["Variable"]
	delete(rule, "Variable")
	delete(rule, "Comment")
	names := slices.Sorted(maps.Keys(rule))
	if len(names) != 1 {
		c.problem(at, "needs exactly one operator, and has [%s]", strings.Join(names, " "))
		return nil
	}
	operator, operand := names[0], rule[names[0]]
	at += ": " + operator
	if operator == "And" || operator == "Or" || operator == "Not" {
		if compares {
			c.problem(at, "takes no Variable")
		}
		return c.combination(at, operator, operand)
	}
	compileOperator, known := operators[operator]
	if !known {
		c.problem(at, "the operator is not known here")
		return nil
	}
	var text string
	if !compares || json.Unmarshal(variable, &text) != nil {
		c.problem(at, "needs a path as Variable")
		return nil
	}
	from, err := compilePath(text)
	if err != nil {
		c.problem(at, "Variable: %v", err)
	}
	compiled, err := compileOperator(from, operand)
	if err != nil {
		c.problem(at, "%v", err)
	}
	return compiled
}

func (c *compiler) combination(at, operator string, operand json.RawMessage) test {
	if operator == "Not" {
		rule := c.members(at, operand)
		if rule == nil {
			return nil
		}
		negated := c.test(at, rule)
		return func(s scope) (bool, error) {
			holds, err := negated(s)
			return !holds, err
		}
	}
	var texts []json.RawMessage
	if json.Unmarshal(operand, &texts) != nil || len(texts) == 0 {
		c.problem(at, "is %s; it is a list of one or more rules", excerpt(operand))
	}
	var tests []test
	for i, text := range texts {
		at := fmt.Sprintf("%s[%d]", at, i)
		if rule := c.members(at, text); rule != nil {
			tests = append(tests, c.test(at, rule))
		}
	}
	all := operator == "And"
	return func(s scope) (bool, error) {
		for _, one := range tests {
			holds, err := one(s)
			if err != nil || holds != all {
				return holds, err
			}
		}
		return all, nil
	}
}

// choose gives the state that the first rule which holds leads to.
func (s *state) choose(in scope) (string, error) {
	for _, c := range s.choices {
		holds, err := c.test(in)
		if err != nil {
			return "", err
		}
		if holds {
			return c.next, nil
		}
	}
	if s.defaultChoice == "" {
		return "", fail(NoChoiceMatched, "no rule of state %s matched, and it has no Default", s.name)
	}
	return s.defaultChoice, nil
}

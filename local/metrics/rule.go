package metrics

import (
	"fmt"
	"strings"
)

// A rule is a parsed AlarmRule of a composite alarm: it tells from the states
// of other alarms whether the composite is in ALARM.
type rule func(state func(alarm string) State) bool

// parseRule reads ALARM(name), OK(name) and INSUFFICIENT_DATA(name) with AND,
// OR, NOT, TRUE, FALSE and parentheses. A name may be quoted, or be an alarm's
// ARN. It returns the names of the alarms that the rule depends on.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutCompositeAlarm.html
func parseRule(text string) (rule, []string, error) {
	p := &ruleParser{text: text, rest: text}
	r, err := p.chain("OR", func() (rule, error) { return p.chain("AND", p.negation) })
	if err == nil && p.skip() != "" {
		err = p.unexpected()
	}
	return r, p.alarms, err
}

// maxRule is the longest rule, in bytes.
const maxRule = 10240

type ruleParser struct {
	text, rest string
	alarms     []string
	depth      int
}

func (p *ruleParser) skip() string {
	p.rest = strings.TrimLeft(p.rest, " \t\r\n")
	return p.rest
}

func (p *ruleParser) unexpected() error {
	const enough = 20
	at := p.skip()
	if at == "" {
		return fmt.Errorf("alarm rule %q ends too soon", p.text)
	}
	return fmt.Errorf("alarm rule %q: %q is out of place", p.text, at[:min(enough, len(at))])
}

// word takes a keyword that ends where a letter can't follow.
func (p *ruleParser) word(word string) bool {
	rest, found := strings.CutPrefix(p.skip(), word)
	if !found || rest != "" && (isIDStart(rest[0]) || isDigit(rest[0])) {
		return false
	}
	p.rest = rest
	return true
}

func (p *ruleParser) mark(mark string) bool {
	rest, found := strings.CutPrefix(p.skip(), mark)
	if found {
		p.rest = rest
	}
	return found
}

func (p *ruleParser) chain(operator string, operand func() (rule, error)) (rule, error) {
	left, err := operand()
	for err == nil && p.word(operator) {
		var right rule
		right, err = operand()
		a, b := left, right
		if operator == "AND" {
			left = func(state func(string) State) bool { return a(state) && b(state) }
		} else {
			left = func(state func(string) State) bool { return a(state) || b(state) }
		}
	}
	return left, err
}

func (p *ruleParser) negation() (rule, error) {
	if p.depth++; p.depth > maxMathDepth {
		return nil, fmt.Errorf("alarm rule %.40q… nests deeper than %d", p.text, maxMathDepth)
	}
	defer func() { p.depth-- }()
	if p.word("NOT") {
		negated, err := p.negation()
		return func(state func(string) State) bool { return !negated(state) }, err
	}
	if p.mark("(") {
		inner, err := p.chain("OR", func() (rule, error) { return p.chain("AND", p.negation) })
		if err == nil && !p.mark(")") {
			err = p.unexpected()
		}
		return inner, err
	}
	switch {
	case p.word("TRUE"):
		return func(func(string) State) bool { return true }, nil
	case p.word("FALSE"):
		return func(func(string) State) bool { return false }, nil
	}
	for _, wanted := range []State{InsufficientData, Alarming, OK} {
		if p.word(string(wanted)) {
			name, err := p.alarm()
			return func(state func(string) State) bool { return state(name) == wanted }, err
		}
	}
	return nil, p.unexpected()
}

// alarm reads ( name ), ( "name" ) or ( arn:…:alarm:name ).
func (p *ruleParser) alarm() (string, error) {
	if !p.mark("(") {
		return "", p.unexpected()
	}
	var name string
	if p.mark(`"`) {
		quoted, rest, closed := strings.Cut(p.rest, `"`)
		if !closed {
			return "", fmt.Errorf("alarm rule %q: a quote is not closed", p.text)
		}
		name, p.rest = quoted, rest
	} else {
		end := strings.IndexByte(p.rest, ')')
		if end < 0 {
			return "", fmt.Errorf("alarm rule %q: a parenthesis is not closed", p.text)
		}
		name, p.rest = strings.TrimSpace(p.rest[:end]), p.rest[end:]
	}
	if !p.mark(")") {
		return "", p.unexpected()
	}
	if strings.HasPrefix(name, "arn:") {
		_, name, _ = strings.Cut(name, ":alarm:")
	}
	if name == "" {
		return "", fmt.Errorf("alarm rule %q names no alarm", p.text)
	}
	p.alarms = append(p.alarms, name)
	return name, nil
}

package metrics

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// A point is the value of one period; ok is false where it is missing.
type point struct {
	value float64
	ok    bool
}

// points are the values of consecutive periods, the oldest first.
type points []point

// A term is a parsed piece of a metric math expression, evaluated over the
// points of the metrics that it names. All series have the same length.
type term func(series map[string]points, length int) points

// parseExpression reads the part of CloudWatch's metric math that alarms on
// rates and ratios need: numbers, ids, + - * / ^, comparisons, AND, OR, NOT,
// parentheses, and the functions ABS, CEIL, FLOOR, FILL, IF, SUM, AVG, MIN and
// MAX. Any other function is refused by name. It returns the ids that the
// expression uses.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html
func parseExpression(text string) (term, []string, error) {
	p := &mathParser{text: text}
	if err := p.tokenize(); err != nil {
		return nil, nil, err
	}
	t, err := p.binary(0)
	if err != nil {
		return nil, nil, err
	}
	if p.at < len(p.tokens) {
		return nil, nil, p.unexpected()
	}
	return t, p.ids, nil
}

type mathParser struct {
	text   string
	tokens []string
	at     int
	ids    []string
	depth  int
}

// maxMathDepth bounds how deep parentheses and functions may nest.
const maxMathDepth = 100

func (p *mathParser) tokenize() error {
	for i := 0; i < len(p.text); {
		c := p.text[i]
		start := i
		switch {
		case c == ' ' || c == '\t' || c == '\n' || c == '\r':
			i++
			continue
		case isDigit(c) || c == '.':
			for i < len(p.text) && (isDigit(p.text[i]) || p.text[i] == '.') {
				i++
			}
		case isIDStart(c):
			for i < len(p.text) && (isIDStart(p.text[i]) || isDigit(p.text[i])) {
				i++
			}
		case slices.Contains([]string{"==", "!=", "<=", ">=", "&&", "||"}, p.text[i:min(i+2, len(p.text))]):
			i += 2
		case strings.IndexByte("+-*/^()[],<>", c) >= 0:
			i++
		default:
			return fmt.Errorf("metric math %q: %q is not supported", p.text, string(c))
		}
		p.tokens = append(p.tokens, p.text[start:i])
	}
	return nil
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func isIDStart(c byte) bool { return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_' }

func (p *mathParser) peek() string {
	if p.at < len(p.tokens) {
		return p.tokens[p.at]
	}
	return ""
}

func (p *mathParser) accept(token string) bool {
	if !strings.EqualFold(p.peek(), token) {
		return false
	}
	p.at++
	return true
}

func (p *mathParser) expect(token string) error {
	if !p.accept(token) {
		return p.unexpected()
	}
	return nil
}

func (p *mathParser) unexpected() error {
	if p.at < len(p.tokens) {
		return fmt.Errorf("metric math %q: %q is out of place", p.text, p.tokens[p.at])
	}
	return fmt.Errorf("metric math %q: it ends too soon", p.text)
}

// levels are the binary operators, those that bind least first.
var levels = [...][]string{
	{"OR", "||"}, {"AND", "&&"}, {"==", "!=", "<", "<=", ">", ">="}, {"+", "-"}, {"*", "/"}, {"^"},
}

func (p *mathParser) binary(level int) (term, error) {
	if level == len(levels) {
		return p.unary()
	}
	left, err := p.binary(level + 1)
	if err != nil {
		return nil, err
	}
	for {
		operator := strings.ToUpper(p.peek())
		if operator == "" || !slices.Contains(levels[level], operator) {
			return left, nil
		}
		p.at++
		right, err := p.binary(level + 1)
		if err != nil {
			return nil, err
		}
		left = combine(operator, left, right)
	}
}

func (p *mathParser) unary() (term, error) {
	if p.depth++; p.depth > maxMathDepth {
		return nil, fmt.Errorf("metric math %.40q…: it nests deeper than %d", p.text, maxMathDepth)
	}
	defer func() { p.depth-- }()
	switch {
	case p.accept("-"):
		operand, err := p.unary()
		return each(operand, func(v float64) float64 { return -v }), err
	case p.accept("NOT"):
		operand, err := p.unary()
		return each(operand, func(v float64) float64 { return calculate("==", v, 0) }), err
	case p.accept("("):
		inner, err := p.binary(0)
		if err != nil {
			return nil, err
		}
		return inner, p.expect(")")
	}
	token := p.peek()
	switch {
	case token == "":
		return nil, p.unexpected()
	case isDigit(token[0]) || token[0] == '.':
		value, err := strconv.ParseFloat(token, 64)
		if err != nil {
			return nil, p.unexpected()
		}
		p.at++
		return constant(value), nil
	case !isIDStart(token[0]):
		return nil, p.unexpected()
	}
	p.at++
	if p.peek() == "(" {
		return p.function(token)
	}
	// An id starts with a lower-case letter; CloudWatch's keywords do not.
	if token[0] < 'a' {
		p.at--
		return nil, p.unexpected()
	}
	p.ids = append(p.ids, token)
	return func(series map[string]points, _ int) points { return series[token] }, nil
}

func (p *mathParser) function(name string) (term, error) {
	p.at++ // the parenthesis that made it a function
	switch strings.ToUpper(name) {
	case "ABS", "CEIL", "FLOOR":
		operand, err := p.binary(0)
		if err != nil {
			return nil, err
		}
		apply := map[string]func(float64) float64{"ABS": math.Abs, "CEIL": math.Ceil, "FLOOR": math.Floor}[strings.ToUpper(name)]
		return each(operand, apply), p.expect(")")
	case "FILL":
		return p.fill()
	case "IF":
		return p.choice()
	case "SUM", "AVG", "MIN", "MAX":
		return p.aggregate(strings.ToUpper(name))
	}
	return nil, fmt.Errorf("metric math %q: the function %s is not supported", p.text, name)
}

// fill = FILL ( metric , value | REPEAT )
func (p *mathParser) fill() (term, error) {
	operand, err := p.binary(0)
	if err != nil {
		return nil, err
	}
	if err := p.expect(","); err != nil {
		return nil, err
	}
	if p.accept("REPEAT") {
		return repeatLast(operand), p.expect(")")
	}
	if p.accept("LINEAR") {
		return nil, fmt.Errorf("metric math %q: FILL with LINEAR is not supported", p.text)
	}
	filler, err := p.binary(0)
	if err != nil {
		return nil, err
	}
	filled := func(series map[string]points, length int) points {
		result := slices.Clone(operand(series, length))
		with := filler(series, length)
		for i := range result {
			if !result[i].ok {
				result[i] = with[i]
			}
		}
		return result
	}
	return filled, p.expect(")")
}

// choice = IF ( condition , value [ , value ] )
func (p *mathParser) choice() (term, error) {
	terms, err := p.list(")")
	if err != nil {
		return nil, err
	}
	if len(terms) != 2 && len(terms) != 3 {
		return nil, fmt.Errorf("metric math %q: IF takes two or three operands, not %d", p.text, len(terms))
	}
	return func(series map[string]points, length int) points {
		condition, then := terms[0](series, length), terms[1](series, length)
		otherwise := make(points, length)
		if len(terms) == 3 {
			otherwise = terms[2](series, length)
		}
		result := make(points, length)
		for i := range result {
			switch {
			case !condition[i].ok:
			case condition[i].value != 0:
				result[i] = then[i]
			default:
				result[i] = otherwise[i]
			}
		}
		return result
	}, nil
}

// aggregate = SUM ( [ metric , … ] ) and the like: over the metrics that have a
// value in a period.
func (p *mathParser) aggregate(name string) (term, error) {
	if err := p.expect("["); err != nil {
		return nil, fmt.Errorf("%w: %s of a single series is not supported, only of a list such as [m1, m2]", err, name)
	}
	terms, err := p.list("]")
	if err != nil {
		return nil, err
	}
	return func(series map[string]points, length int) points {
		operands := make([]points, len(terms))
		for i, t := range terms {
			operands[i] = t(series, length)
		}
		result := make(points, length)
		for i := range result {
			var values []float64
			for _, operand := range operands {
				if operand[i].ok {
					values = append(values, operand[i].value)
				}
			}
			if len(values) > 0 {
				result[i] = point{aggregated(name, values), true}
			}
		}
		return result
	}, p.expect(")")
}

// list reads operands up to and with a closing token.
func (p *mathParser) list(closing string) ([]term, error) {
	var terms []term
	for {
		t, err := p.binary(0)
		if err != nil {
			return nil, err
		}
		terms = append(terms, t)
		if p.accept(closing) {
			return terms, nil
		}
		if err := p.expect(","); err != nil {
			return nil, err
		}
	}
}

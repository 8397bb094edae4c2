package table

import (
	"strings"
)

// maxExpression is the longest text of an expression, in bytes.
const maxExpression = 4 << 10

// A node is one operator, function or operand of a parsed expression.
type node struct {
	op    string  // an operator, a function name, or one of the operands below
	args  []*node // operands, in the order of the text
	path  []step  // of opPath
	value string  // of opValue, such as ":v"
}

// Operands, beside the function size.
const (
	opPath  = "path"
	opValue = "value"
)

// arity holds the functions of a condition and their number of operands.
func arity(function string) (int, bool) {
	switch function {
	case "attribute_exists", "attribute_not_exists", "size":
		return 1, true
	case "attribute_type", "begins_with", "contains":
		return 2, true
	}
	return 0, false
}

// isCondition tells a node that is true or false from an operand.
func (n *node) isCondition() bool {
	return n.op != opPath && n.op != opValue && n.op != "size"
}

// parseCondition parses a condition, filter or key condition expression.
func parseCondition(text string) (*node, error) {
	p, err := newParser(text)
	if err != nil {
		return nil, err
	}
	root, err := p.disjunction()
	if err != nil {
		return nil, err
	}
	if p.peek().kind != tokenEnd {
		return nil, p.unexpected()
	}
	if root.op == "size" {
		return nil, misused(root)
	}
	if !root.isCondition() {
		return nil, p.unexpected()
	}
	return root, nil
}

type parser struct {
	text   string
	tokens []token
	at     int
}

func newParser(text string) (*parser, error) {
	if strings.TrimSpace(text) == "" {
		return nil, complain("The expression can not be empty;")
	}
	if len(text) > maxExpression {
		return nil, complain("Expression size has exceeded the maximum allowed size; expression size: %d", len(text))
	}
	tokens, err := tokenize(text)
	if err != nil {
		return nil, err
	}
	return &parser{text: text, tokens: tokens}, nil
}

func (p *parser) peek() token { return p.tokens[p.at] }

func (p *parser) take() token {
	t := p.tokens[p.at]
	if t.kind != tokenEnd {
		p.at++
	}
	return t
}

// accept takes the next token if it is text.
func (p *parser) accept(text string) bool {
	if !p.peek().is(text) {
		return false
	}
	p.at++
	return true
}

func (p *parser) expect(text string) error {
	if !p.accept(text) {
		return p.unexpected()
	}
	return nil
}

func (p *parser) unexpected() error {
	t := p.peek()
	return syntaxError(p.text, t.text, t.start)
}

// disjunction = conjunction { OR conjunction }
func (p *parser) disjunction() (*node, error) {
	return p.chain("OR", p.conjunction)
}

// conjunction = negation { AND negation }
func (p *parser) conjunction() (*node, error) {
	return p.chain("AND", p.negation)
}

func (p *parser) chain(operator string, operand func() (*node, error)) (*node, error) {
	first, err := operand()
	if err != nil || !p.peek().is(operator) {
		return first, err
	}
	chain := &node{op: operator, args: []*node{first}}
	for p.accept(operator) {
		next, err := operand()
		if err != nil {
			return nil, err
		}
		chain.args = append(chain.args, next)
	}
	return chain, p.conditions(chain.args)
}

// conditions refuses an operand where a condition must stand.
func (p *parser) conditions(nodes []*node) error {
	for _, n := range nodes {
		if n.op == "size" {
			return misused(n)
		}
		if !n.isCondition() {
			return p.unexpected()
		}
	}
	return nil
}

// negation = [ NOT ] comparison
func (p *parser) negation() (*node, error) {
	negations := 0
	for p.accept("NOT") {
		negations++
	}
	n, err := p.comparison()
	if err != nil {
		return nil, err
	}
	for range negations {
		if err := p.conditions([]*node{n}); err != nil {
			return nil, err
		}
		n = &node{op: "NOT", args: []*node{n}}
	}
	return n, nil
}

// comparison = operand [ comparator operand | BETWEEN operand AND operand | IN ( operand, … ) ]
func (p *parser) comparison() (*node, error) {
	left, err := p.primary()
	if err != nil {
		return nil, err
	}
	t := p.peek()
	var n *node
	switch {
	case t.kind == tokenOperator:
		p.at++
		n = &node{op: t.text, args: []*node{left}}
		err = p.operand(n)
	case t.is("BETWEEN"):
		p.at++
		n = &node{op: "BETWEEN", args: []*node{left}}
		if err = p.operand(n); err == nil {
			if err = p.expect("AND"); err == nil {
				err = p.operand(n)
			}
		}
	case t.is("IN"):
		p.at++
		n = &node{op: "IN", args: []*node{left}}
		if err = p.expect("("); err == nil {
			err = p.operands(n)
		}
	default:
		return left, nil
	}
	if err != nil {
		return nil, err
	}
	return n, p.plainOperands(n)
}

// plainOperands refuses a condition where an operand must stand.
func (p *parser) plainOperands(n *node) error {
	for _, arg := range n.args {
		if _, function := arity(arg.op); function && arg.isCondition() {
			return misused(arg)
		}
		if arg.isCondition() {
			return p.unexpected()
		}
	}
	return nil
}

func (p *parser) operand(n *node) error {
	arg, err := p.primary()
	n.args = append(n.args, arg)
	return err
}

// operands reads a list up to and with its closing parenthesis.
func (p *parser) operands(n *node) error {
	for {
		if err := p.operand(n); err != nil {
			return err
		}
		if p.accept(")") {
			return nil
		}
		if err := p.expect(","); err != nil {
			return err
		}
	}
}

// primary = ( disjunction ) | function ( operand, … ) | :value | path
func (p *parser) primary() (*node, error) {
	t := p.peek()
	switch {
	case t.is("("):
		return p.parenthesis()
	case t.kind == tokenValue:
		p.at++
		return &node{op: opValue, value: t.text}, nil
	case t.kind == tokenWord && p.tokens[p.at+1].is("("):
		return p.function()
	default:
		return p.documentPath()
	}
}

func (p *parser) parenthesis() (*node, error) {
	p.at++
	doubled := p.peek().is("(")
	inner := p.at
	n, err := p.disjunction()
	if err != nil {
		return nil, err
	}
	closed := p.at
	if err := p.expect(")"); err != nil {
		return nil, err
	}
	// ((a = b)) is refused, (a = b) AND ((c = d) OR …) is not: the inner pair is superfluous only where it closes right
	// before the outer one.
	if doubled && p.closes(inner) == closed-1 {
		return nil, complain("The expression has redundant parentheses;")
	}
	return n, nil
}

// closes finds the parenthesis that closes the one at open.
func (p *parser) closes(open int) int {
	depth := 0
	for i := open; i < len(p.tokens); i++ {
		switch {
		case p.tokens[i].is("("):
			depth++
		case p.tokens[i].is(")"):
			if depth--; depth == 0 {
				return i
			}
		}
	}
	return -1
}

func (p *parser) function() (*node, error) {
	n := &node{op: p.take().text}
	p.at++ // the parenthesis that made it a function
	if err := p.operands(n); err != nil {
		return nil, err
	}
	want, known := arity(n.op)
	if !known {
		return nil, complain("Invalid function name; function: %s", n.op)
	}
	if err := p.plainOperands(n); err != nil {
		return nil, err
	}
	if len(n.args) != want {
		return nil, complain("Incorrect number of operands for operator or function; operator or function: %s, number of operands: %d", n.op, len(n.args))
	}
	if strings.HasPrefix(n.op, "attribute_") && n.args[0].op != opPath {
		return nil, complain("Operator or function requires a document path; operator or function: %s", n.op)
	}
	return n, nil
}

// misused names a function that stands where it can't.
func misused(n *node) error {
	return complain("The function is not allowed to be used this way in an expression; function: %s", n.op)
}

package table

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"

	"trade-processing/local/awsapi"
)

// Limits of expressions.
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html#limits-expression-parameters
const (
	maxExpression  = 4 << 10 // bytes
	maxOperators   = 300     // comparisons, functions, AND and NOT
	maxPlaceholder = 255     // bytes of a #name or :value
)

// An expression is a condition, key condition or filter: terms that must all hold.
type expression []term

// A term compares a top-level attribute with values.
type term struct {
	negated bool
	op      string // a comparator, BETWEEN or a function
	name    string // of the attribute
	values  []raw
}

// functions are those that a term may call, and how many values each takes after the attribute.
var functions = map[string]int{"attribute_exists": 0, "attribute_not_exists": 0, "begins_with": 1}

// unserved are the words of DynamoDB's expressions that no pipeline's query or condition uses.
var unserved = []string{"OR", "IN", "attribute_type", "contains", "size"}

// An expressionReader reads the expressions of one request, with its ExpressionAttributeNames and -Values, and notes
// which ones an expression uses: DynamoDB refuses the others.
type expressionReader struct {
	operation string
	keys      []string // the attributes of the table's key and of the index's
	names     map[string]string
	values    map[string]raw
	used      map[string]bool
}

// readExpressions checks the placeholders of a request and encodes the values. Without the parameter's expression, there
// must be none.
func readExpressions(
	operation string, keys []string, names map[string]string, values map[string]types.AttributeValue, parameter string, text *string,
) (*expressionReader, error) {
	switch {
	case names != nil && text == nil:
		return nil, awsapi.Validation("ExpressionAttributeNames can only be specified when using expressions")
	case values != nil && text == nil:
		return nil, awsapi.Validation("ExpressionAttributeValues can only be specified when using expressions: %s is null", parameter)
	case names != nil && len(names) == 0:
		return nil, awsapi.Validation("ExpressionAttributeNames must not be empty")
	case values != nil && len(values) == 0:
		return nil, awsapi.Validation("ExpressionAttributeValues must not be empty")
	}
	r := &expressionReader{operation: operation, keys: keys, names: names, values: make(map[string]raw, len(values)), used: map[string]bool{}}
	for placeholder, name := range names {
		if err := checkPlaceholder(placeholder, '#'); err != nil {
			return nil, awsapi.Validation("ExpressionAttributeNames contains invalid key: %v", err)
		}
		switch {
		case name == "":
			return nil, awsapi.Validation("ExpressionAttributeNames contains invalid value: Empty attribute name for key %s", placeholder)
		case len(name) > maxName:
			return nil, awsapi.Validation("ExpressionAttributeNames contains invalid value: Attribute name is too large, must be less than 65536 bytes for key %s", placeholder)
		}
	}
	for placeholder, value := range values {
		if err := checkPlaceholder(placeholder, ':'); err != nil {
			return nil, awsapi.Validation("ExpressionAttributeValues contains invalid key: %v", err)
		}
		var e encoder
		err := e.value(value, 0)
		if refusal, ok := errors.AsType[smithy.APIError](err); ok {
			return nil, awsapi.Validation("ExpressionAttributeValues contains invalid value: %s for key %s", refusal.ErrorMessage(), placeholder)
		}
		if err != nil {
			return nil, err
		}
		r.values[placeholder] = raw(e.buf)
	}
	return r, nil
}

func checkPlaceholder(placeholder string, mark byte) error {
	switch {
	case placeholder == "" || placeholder[0] != mark || !isWord(placeholder[1:]):
		return fmt.Errorf("Syntax error; key: %q", placeholder)
	case len(placeholder) > maxPlaceholder:
		return fmt.Errorf("The expression attribute map contains a key that is too long; size of key: %d", len(placeholder))
	}
	return nil
}

// read reads the expression of a parameter, such as FilterExpression; nil if there is none.
func (r *expressionReader) read(parameter string, text *string) (expression, error) {
	if text == nil {
		return nil, nil
	}
	if len(*text) > maxExpression {
		return nil, awsapi.Validation("Invalid %s: Expression size has exceeded the maximum allowed size; expression size: %d", parameter, len(*text))
	}
	p := &expressionParser{expressionReader: r, tokens: strings.Fields(spaced.Replace(*text))}
	read, err := p.expression()
	if err == nil && p.operators > maxOperators {
		err = fmt.Errorf("The expression contains too many operators; operator count: %d", p.operators)
	}
	if _, unsupported := errors.AsType[*awsapi.Unsupported](err); err != nil && !unsupported {
		err = awsapi.Validation("Invalid %s: %v", parameter, err)
	}
	return read, err
}

// unused refuses placeholders that no expression of the request uses.
func (r *expressionReader) unused() error {
	if len(r.used) == len(r.names)+len(r.values) {
		return nil
	}
	for _, name := range slices.Sorted(maps.Keys(r.names)) {
		if !r.used[name] {
			return awsapi.Validation("Value provided in ExpressionAttributeNames unused in expressions: keys: {%s}", name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(r.values)) {
		if !r.used[name] {
			return awsapi.Validation("Value provided in ExpressionAttributeValues unused in expressions: keys: {%s}", name)
		}
	}
	return nil
}

// An expressionParser reads one expression:
//
//	expression = term { AND term }
//	term       = NOT term | ( term ) | function ( name [ , value ] ) | name comparator value | name BETWEEN value AND value
type expressionParser struct {
	*expressionReader
	tokens    []string
	operators int
}

// spaced separates marks, so an expression splits into tokens at spaces.
var spaced = strings.NewReplacer("<>", " <> ", "<=", " <= ", ">=", " >= ", "<", " < ", ">", " > ", "=", " = ", "(", " ( ", ")", " ) ", ",", " , ")

var comparators = []string{"=", "<>", "<", "<=", ">", ">=", "BETWEEN"}

// isName reports whether a token is a name that needs no placeholder; a #name and a :value begin with their mark.
func isName(token string) bool { return isWord(token) && (token[0] < '0' || token[0] > '9') }

func isWord(token string) bool {
	const characters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_"
	return token != "" && strings.Trim(token, characters) == ""
}

func (p *expressionParser) peek() string {
	if len(p.tokens) == 0 {
		return "<EOF>"
	}
	return p.tokens[0]
}

// accept takes the next token if it is one of these, keywords in any case.
func (p *expressionParser) accept(wanted ...string) (string, bool) {
	for _, token := range wanted {
		if strings.EqualFold(p.peek(), token) {
			p.tokens = p.tokens[1:]
			return token, true
		}
	}
	return "", false
}

func (p *expressionParser) expect(token string) error {
	if _, found := p.accept(token); !found {
		return p.unexpected()
	}
	return nil
}

// unexpected returns the service's syntax error, or names what isn't supported here.
func (p *expressionParser) unexpected() error {
	token := p.peek()
	if slices.ContainsFunc(unserved, func(word string) bool { return strings.EqualFold(word, token) }) {
		return &awsapi.Unsupported{Operation: p.operation, Feature: token + " in an expression"}
	}
	return fmt.Errorf("Syntax error; token: %q", token)
}

func (p *expressionParser) expression() (expression, error) {
	if len(p.tokens) == 0 {
		return nil, errors.New("The expression can not be empty;")
	}
	var read expression
	for {
		t, err := p.term()
		if err != nil {
			return nil, err
		}
		if read = append(read, t); len(p.tokens) == 0 {
			return read, nil
		}
		if err := p.expect("AND"); err != nil {
			return nil, err
		}
		p.operators++
	}
}

func (p *expressionParser) term() (term, error) {
	if _, negated := p.accept("NOT"); negated {
		p.operators++
		t, err := p.term()
		t.negated = !t.negated
		return t, err
	}
	if _, opened := p.accept("("); opened {
		redundant := p.peek() == "("
		t, err := p.term()
		switch {
		case err != nil:
			return t, err
		case strings.EqualFold(p.peek(), "AND"):
			return t, &awsapi.Unsupported{Operation: p.operation, Feature: "AND in parentheses"}
		case redundant:
			return t, errors.New("The expression has redundant parentheses;")
		}
		return t, p.expect(")")
	}
	p.operators++
	if len(p.tokens) > 1 && p.tokens[1] == "(" && isName(p.peek()) {
		return p.function()
	}
	name, err := p.name()
	if err != nil {
		return term{}, err
	}
	t := term{name: name}
	var found bool
	if t.op, found = p.accept(comparators...); !found {
		return t, p.unexpected()
	}
	if err := p.value(&t); err != nil {
		return t, err
	}
	if t.op == "BETWEEN" {
		if err := p.expect("AND"); err != nil {
			return t, err
		}
		if err := p.value(&t); err != nil {
			return t, err
		}
	}
	return t, t.check()
}

func (p *expressionParser) function() (term, error) {
	t := term{op: p.peek()}
	values, known := functions[t.op]
	if !known {
		if slices.Contains(unserved, t.op) {
			return t, p.unexpected()
		}
		return t, fmt.Errorf("Invalid function name; function: %s", t.op)
	}
	p.tokens = p.tokens[2:] // with its parenthesis
	var err error
	if t.name, err = p.name(); err != nil {
		return t, err
	}
	for range values {
		if err := p.expect(","); err != nil {
			return t, err
		}
		if err := p.value(&t); err != nil {
			return t, err
		}
	}
	if err := p.expect(")"); err != nil {
		return t, err
	}
	return t, t.check()
}

// name reads the name of a top-level attribute.
func (p *expressionParser) name() (string, error) {
	token := p.peek()
	switch {
	case strings.ContainsAny(token, ".["):
		first := token[:strings.IndexAny(token, ".[")]
		if name, defined := p.names[first]; defined {
			first = name
		}
		if slices.Contains(p.keys, first) {
			return "", fmt.Errorf("Key attributes must be scalars; list random access '[]' and map lookup '.' are not allowed: Key: %s", first)
		}
		return "", &awsapi.Unsupported{Operation: p.operation, Feature: "the document path " + token}
	case token[0] == '#' && isWord(token[1:]):
		name, defined := p.names[token]
		if !defined {
			return "", fmt.Errorf("An expression attribute name used in the document path is not defined; attribute name: %s", token)
		}
		p.used[token] = true
		p.tokens = p.tokens[1:]
		return name, nil
	case !isName(token) || slices.Contains([]string{"AND", "OR", "NOT", "IN", "BETWEEN"}, strings.ToUpper(token)):
		return "", p.unexpected()
	case reserved(token):
		return "", fmt.Errorf("Attribute name is a reserved keyword; reserved keyword: %s", token)
	}
	p.tokens = p.tokens[1:]
	return token, nil
}

// value reads a :value for a term.
func (p *expressionParser) value(t *term) error {
	token := p.peek()
	if token[0] != ':' || !isWord(token[1:]) {
		if token[0] == '#' || isName(token) {
			return &awsapi.Unsupported{Operation: p.operation, Feature: "the operand " + token + ", which is not a :value"}
		}
		return p.unexpected()
	}
	value, defined := p.values[token]
	if !defined {
		return fmt.Errorf("An expression attribute value used in expression is not defined; attribute value: %s", token)
	}
	p.used[token] = true
	p.tokens = p.tokens[1:]
	t.values = append(t.values, value)
	return nil
}

// check refuses values that no attribute could be compared with.
func (t term) check() error {
	allowed := "SNB"
	switch t.op {
	case "=", "<>":
		return nil
	case "begins_with":
		allowed = "SB"
	}
	for _, value := range t.values {
		if !strings.ContainsRune(allowed, rune(value[0])) {
			return fmt.Errorf("Incorrect operand type for operator or function; operator or function: %s, operand type: %s", t.op, value.typeName())
		}
	}
	if t.op != "BETWEEN" {
		return nil
	}
	low, high := t.values[0], t.values[1]
	order, same := low.order(high)
	bounds := fmt.Sprintf("lower bound operand: AttributeValue: {%s:%s}, upper bound operand: AttributeValue: {%s:%s}",
		low.typeName(), low.text(), high.typeName(), high.text())
	switch {
	case !same:
		return fmt.Errorf("The BETWEEN operator requires same data type for lower and upper bounds; %s", bounds)
	case order > 0:
		return fmt.Errorf("The BETWEEN operator requires upper bound to be greater than or equal to lower bound; %s", bounds)
	}
	return nil
}

// holds evaluates the expression on an encoded item; nil means no item at all.
func (e expression) holds(r *record) bool {
	for _, t := range e {
		var value raw
		if r != nil {
			value = attribute(r.body, t.name)
		}
		if t.holds(value) == t.negated {
			return false
		}
	}
	return true
}

func (t term) holds(value raw) bool {
	switch t.op {
	case "attribute_exists":
		return value != ""
	case "attribute_not_exists":
		return value == ""
	case "begins_with":
		prefix := t.values[0]
		return value != "" && value[0] == prefix[0] && strings.HasPrefix(value.text(), prefix.text())
	case "=":
		return value == t.values[0]
	case "<>": // true if the attribute is missing, unlike every other comparison
		return value != t.values[0]
	}
	order, comparable := value.order(t.values[0])
	if !comparable {
		return false
	}
	switch t.op {
	case "<":
		return order < 0
	case "<=":
		return order <= 0
	case ">":
		return order > 0
	case ">=":
		return order >= 0
	default: // BETWEEN
		upper, _ := value.order(t.values[1])
		return order >= 0 && upper <= 0
	}
}

package table

import (
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// placeholders are a request's ExpressionAttributeNames and -Values, with a note of those that an expression used:
// DynamoDB refuses the others.
type placeholders struct {
	names      map[string]string
	values     map[string]raw
	usedNames  map[string]bool
	usedValues map[string]bool
}

// newPlaceholders checks and encodes the values.
func newPlaceholders(names map[string]string, values map[string]types.AttributeValue) (*placeholders, error) {
	p := &placeholders{names: names, usedNames: map[string]bool{}, usedValues: map[string]bool{}}
	if len(values) > 0 {
		p.values = make(map[string]raw, len(values))
	}
	for name, value := range values {
		var e encoder
		if err := e.value(value, 1); err != nil {
			return nil, err
		}
		p.values[name] = raw(e.buf)
	}
	return p, nil
}

// unused refuses placeholders that no expression of the request named.
func (p *placeholders) unused(anyExpression bool) error {
	for _, kind := range []struct {
		parameter string
		given     []string
		used      map[string]bool
	}{
		{"ExpressionAttributeNames", slices.Sorted(maps.Keys(p.names)), p.usedNames},
		{"ExpressionAttributeValues", slices.Sorted(maps.Keys(p.values)), p.usedValues},
	} {
		if len(kind.given) > 0 && !anyExpression {
			return validation("%s can only be specified when using expressions", kind.parameter)
		}
		left := slices.DeleteFunc(kind.given, func(name string) bool { return kind.used[name] })
		if len(left) > 0 {
			return validation("Value provided in %s unused in expressions: keys: {%s}", kind.parameter, strings.Join(left, ", "))
		}
	}
	return nil
}

// bind joins a parsed expression with the request's placeholders and checks what depends on them: that they are
// defined, and the types of values.
func (p *placeholders) bind(root *node) (*condition, error) {
	c := &condition{root: root, names: p.names, values: p.values}
	if err := p.define(root); err != nil {
		return nil, err
	}
	return c, c.check(root)
}

func (p *placeholders) define(n *node) error {
	for _, s := range n.path {
		if strings.HasPrefix(s.name, "#") {
			if _, defined := p.names[s.name]; !defined {
				return complain("An expression attribute name used in the document path is not defined; attribute name: %s", s.name)
			}
			p.usedNames[s.name] = true
		}
	}
	if n.op == opValue {
		if _, defined := p.values[n.value]; !defined {
			return complain("An expression attribute value used in expression is not defined; attribute value: %s", n.value)
		}
		p.usedValues[n.value] = true
	}
	for _, arg := range n.args {
		if err := p.define(arg); err != nil {
			return err
		}
	}
	return nil
}

package table

import (
	"slices"
	"strconv"
	"strings"
)

// A condition is a parsed expression with a request's own names and values.
type condition struct {
	root   *node
	names  map[string]string
	values map[string]raw
	// visible names the attributes that the condition may see, as in an index that doesn't project all; nil is all of
	// them.
	visible projection
}

// check refuses operands that no item could make sense of.
func (c *condition) check(n *node) error {
	for _, arg := range n.args {
		if err := c.check(arg); err != nil {
			return err
		}
	}
	switch n.op {
	case "=", "<>", "IN":
		return c.distinct(n)
	case "<", "<=", ">", ">=":
		if err := c.distinct(n); err != nil {
			return err
		}
		return c.typed(n, n.args, "S", "N", "B")
	case "BETWEEN":
		if err := c.typed(n, n.args, "S", "N", "B"); err != nil {
			return err
		}
		return c.bounds(n)
	case "begins_with":
		if err := c.distinct(n); err != nil {
			return err
		}
		return c.typed(n, n.args, "S", "B")
	case "contains":
		return c.distinct(n)
	case "size":
		return c.typed(n, n.args, "S", "B", "SS", "NS", "BS", "L", "M")
	case "attribute_type":
		return c.attributeType(n)
	}
	return nil
}

// distinct refuses an operand that is compared with itself.
func (c *condition) distinct(n *node) error {
	first := n.args[0]
	if first.op != opPath {
		return nil
	}
	path := c.resolve(first.path)
	for _, arg := range n.args[1:] {
		if arg.op == opPath && slices.Equal(path, c.resolve(arg.path)) {
			return complain("The first operand must be distinct from the remaining operands for this operator or function; "+
				"operator: %s, first operand: %s", n.op, pathText(path))
		}
	}
	return nil
}

// typed refuses values of other types than an operator takes.
func (c *condition) typed(n *node, args []*node, allowed ...string) error {
	for _, arg := range args {
		if arg.op != opValue {
			continue
		}
		if name := c.values[arg.value].typeName(); !slices.Contains(allowed, name) {
			return complain("Incorrect operand type for operator or function; operator or function: %s, operand type: %s", n.op, name)
		}
	}
	return nil
}

func (c *condition) bounds(n *node) error {
	low, high := n.args[1], n.args[2]
	if low.op != opValue || high.op != opValue {
		return nil
	}
	a, b := c.values[low.value], c.values[high.value]
	order, same := a.order(b)
	switch {
	case !same:
		return complain("The BETWEEN operator requires same data type for lower and upper bounds; "+
			"lower bound operand: AttributeValue: {%s:%s}, upper bound operand: AttributeValue: {%s:%s}",
			a.typeName(), a.text(), b.typeName(), b.text())
	case order > 0:
		return complain("The BETWEEN operator requires upper bound to be greater than or equal to lower bound; "+
			"lower bound operand: AttributeValue: {%s:%s}, upper bound operand: AttributeValue: {%s:%s}",
			a.typeName(), a.text(), b.typeName(), b.text())
	}
	return nil
}

func (c *condition) attributeType(n *node) error {
	if n.args[1].op != opValue {
		return complain("Incorrect operand type for operator or function; operator or function: attribute_type, " +
			"operand type: {NS,SS,L,BS,N,M,B,BOOL,NULL,S}")
	}
	if err := c.typed(n, n.args[1:], "S"); err != nil {
		return err
	}
	name := c.values[n.args[1].value].text()
	if !slices.Contains([]string{"S", "N", "B", "NULL", "SS", "BOOL", "L", "BS", "NS", "M"}, name) {
		return complain("Invalid attribute type name found; type: %s, valid types: {B,NULL,SS,BOOL,L,BS,N,NS,S,M}", name)
	}
	return nil
}

// holds evaluates the condition on an encoded item; "" is no item at all.
func (c *condition) holds(body string) bool {
	return c.eval(c.root, body)
}

func (c *condition) eval(n *node, body string) bool {
	switch n.op {
	case "AND":
		for _, arg := range n.args {
			if !c.eval(arg, body) {
				return false
			}
		}
		return true
	case "OR":
		for _, arg := range n.args {
			if c.eval(arg, body) {
				return true
			}
		}
		return false
	case "NOT":
		return !c.eval(n.args[0], body)
	}
	first := c.operand(n.args[0], body)
	switch n.op {
	case "attribute_exists":
		return first != ""
	case "attribute_not_exists":
		return first == ""
	case "attribute_type":
		return first != "" && first.typeName() == c.operand(n.args[1], body).text()
	case "contains":
		return first.contains(c.operand(n.args[1], body))
	case "begins_with":
		prefix := c.operand(n.args[1], body)
		return first != "" && prefix != "" && first[0] == prefix[0] && first[0] != kindNumber && first.isScalar() &&
			strings.HasPrefix(first.text(), prefix.text())
	case "IN":
		return first != "" && slices.ContainsFunc(n.args[1:], func(arg *node) bool { return c.operand(arg, body) == first })
	case "BETWEEN":
		low, comparable := first.order(c.operand(n.args[1], body))
		high, also := first.order(c.operand(n.args[2], body))
		return comparable && also && low >= 0 && high <= 0
	}
	second := c.operand(n.args[1], body)
	switch n.op {
	case "=":
		return first != "" && first == second
	case "<>":
		// True where either side is missing, unlike every other comparison.
		return first == "" || first != second
	}
	order, comparable := first.order(second)
	if !comparable {
		return false
	}
	switch n.op {
	case "<":
		return order < 0
	case "<=":
		return order <= 0
	case ">":
		return order > 0
	default: // ">=", the last of the comparators
		return order >= 0
	}
}

// operand finds the value of a path, a placeholder or size(…).
func (c *condition) operand(n *node, body string) raw {
	switch n.op {
	case opValue:
		return c.values[n.value]
	case "size":
		size, ok := c.operand(n.args[0], body).size()
		if !ok {
			return ""
		}
		e := encoder{buf: []byte{kindNumber}}
		e.text(strconv.Itoa(size))
		return raw(e.buf)
	default:
		if body == "" {
			return ""
		}
		path := c.resolve(n.path)
		if c.visible != nil && !c.visible[path[0].name] {
			return ""
		}
		d := decoder{rest: body}
		return d.member(path[0].name).at(path[1:])
	}
}

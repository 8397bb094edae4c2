package table

import "slices"

// A keyRange is the part of the table or an index that a key condition asks for: keys of one partition, from low up to
// but without high, where "" is no bound.
type keyRange struct{ partition, low, high string }

// keyRange reads a key condition: equality of the hash key, and at most one condition on the range key.
func (c *condition) keyRange(def *Definition, hash, rangeKey string) (keyRange, error) {
	conditions := []*node{c.root}
	if c.root.op == "AND" {
		conditions = c.root.args
	}
	var onHash, onRange *node
	for _, n := range conditions {
		switch n.op {
		case "=", "<", "<=", ">", ">=", "BETWEEN", "begins_with":
		default:
			return keyRange{}, validation("Invalid operator used in KeyConditionExpression: %s", n.op)
		}
		if n.args[0].op != opPath || slices.ContainsFunc(n.args[1:], func(arg *node) bool { return arg.op != opValue }) {
			return keyRange{}, validation("Invalid KeyConditionExpression: a condition must compare a key with a value")
		}
		path := c.resolve(n.args[0].path)
		switch name := path[0].name; {
		case len(path) > 1:
			return keyRange{}, validation("Invalid KeyConditionExpression: KeyConditionExpressions cannot have conditions on nested attributes")
		case name == hash && onHash == nil:
			onHash = n
		case name == rangeKey && name != "" && onRange == nil:
			onRange = n
		case name == hash || name == rangeKey:
			return keyRange{}, validation("Invalid KeyConditionExpression: KeyConditionExpressions must only contain one condition per key")
		case onHash == nil && !slices.ContainsFunc(conditions, func(n *node) bool { return c.subject(n) == hash }):
			return keyRange{}, validation("Query condition missed key schema element: %s", hash)
		default:
			return keyRange{}, validation("Query key condition not supported")
		}
	}
	switch {
	case onHash == nil:
		return keyRange{}, validation("Query condition missed key schema element: %s", hash)
	case onHash.op != "=":
		return keyRange{}, validation("Query key condition not supported")
	}
	partition, err := c.keyBytes(def, hash, onHash.args[1])
	if err != nil {
		return keyRange{}, err
	}
	if onRange == nil {
		return keyRange{partition, partition, successor(partition)}, nil
	}
	return c.within(def, partition, rangeKey, onRange)
}

// subject is the attribute that a condition is about.
func (c *condition) subject(n *node) string {
	if len(n.args) == 0 || n.args[0].op != opPath {
		return ""
	}
	return c.resolve(n.args[0].path)[0].name
}

// within narrows a partition by the condition on the range key. Encoded keys are never prefixes of one another, so that
// the successor of a key bounds exactly that key.
func (c *condition) within(def *Definition, partition, rangeKey string, n *node) (keyRange, error) {
	bound, err := c.keyBytes(def, rangeKey, n.args[1])
	if err != nil {
		return keyRange{}, err
	}
	key := partition + bound
	end := successor(partition)
	switch n.op {
	case "=":
		return keyRange{partition, key, successor(key)}, nil
	case "<":
		return keyRange{partition, partition, key}, nil
	case "<=":
		return keyRange{partition, partition, successor(key)}, nil
	case ">":
		return keyRange{partition, successor(key), end}, nil
	case ">=":
		return keyRange{partition, key, end}, nil
	case "BETWEEN":
		upper, err := c.keyBytes(def, rangeKey, n.args[2])
		if err != nil {
			return keyRange{}, err
		}
		return keyRange{partition, key, successor(partition + upper)}, nil
	default: // "begins_with", the last that keyRange lets pass
		prefix := partition + string(appendKeyPrefix(nil, c.values[n.args[1].value].text()))
		return keyRange{partition, prefix, successor(prefix)}, nil
	}
}

// keyBytes encodes the value that a key is compared with.
func (c *condition) keyBytes(def *Definition, name string, value *node) (string, error) {
	v := c.values[value.value]
	if v.typeName() != string(def.Attributes[name]) {
		return "", validation("One or more parameter values were invalid: Condition parameter type does not match schema type")
	}
	if noun := emptyNoun(v); noun != "" {
		return "", validation("One or more parameter values are not valid. "+
			"The AttributeValue for a key attribute cannot contain an empty %s value. Key: %s", noun, name)
	}
	return string(appendKeyValue(nil, v)), nil
}

// mentions finds a path of the condition that starts with one of the names.
func (c *condition) mentions(n *node, names []string) (string, bool) {
	if n.op == opPath {
		name := c.resolve(n.path)[0].name
		return name, slices.Contains(names, name)
	}
	for _, arg := range n.args {
		if name, found := c.mentions(arg, names); found {
			return name, true
		}
	}
	return "", false
}

// contains tells whether a key lies in the range.
func (k keyRange) contains(key string) bool {
	return key >= k.low && (k.high == "" || key < k.high)
}

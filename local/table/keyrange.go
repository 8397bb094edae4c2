package table

import (
	"slices"

	"trade-processing/local/awsapi"
)

// A keyRange is the part of the table or an index that a key condition selects: keys of one partition, from low to
// high, excluding high; "" means no bound.
type keyRange struct{ low, high string }

// contains reports whether a key lies in the range.
func (k keyRange) contains(key string) bool { return key >= k.low && (k.high == "" || key < k.high) }

// keyRange reads a key condition: equality of the hash key, and at most one condition on the range key.
func (e expression) keyRange(def *Definition, keys []string) (keyRange, error) {
	var on [2]*term // the hash key, the range key
	for _, t := range e {
		place := slices.Index(keys, t.name)
		switch {
		case t.negated || t.op == "<>" || len(t.values) == 0:
			return keyRange{}, awsapi.Validation("Invalid operator used in KeyConditionExpression: %s", t.op)
		case place < 0 && !slices.ContainsFunc(e, func(t term) bool { return t.name == keys[0] }):
			return keyRange{}, awsapi.Validation("Query condition missed key schema element: %s", keys[0])
		case place < 0:
			return keyRange{}, awsapi.Validation("Query key condition not supported")
		case on[place] != nil:
			return keyRange{}, awsapi.Validation("Invalid KeyConditionExpression: KeyConditionExpressions must only contain one condition per key")
		}
		for _, value := range t.values {
			if value.typeName() != string(def.Attributes[t.name]) {
				return keyRange{}, awsapi.Validation("One or more parameter values were invalid: Condition parameter type does not match schema type")
			}
			if noun := emptyNoun(value); noun != "" {
				return keyRange{}, awsapi.Validation("One or more parameter values are not valid. "+
					"The AttributeValue for a key attribute cannot contain an empty %s value. Key: %s", noun, t.name)
			}
		}
		on[place] = &t
	}
	switch {
	case on[0] == nil:
		return keyRange{}, awsapi.Validation("Query condition missed key schema element: %s", keys[0])
	case on[0].op != "=":
		return keyRange{}, awsapi.Validation("Query key condition not supported")
	}
	partition := string(appendKeyValue(nil, on[0].values[0]))
	if on[1] == nil {
		return keyRange{partition, successor(partition)}, nil
	}
	return on[1].within(partition), nil
}

// within narrows a partition by the condition on the range key. Encoded keys are never prefixes of each other, so a
// key's successor bounds exactly that key.
func (t *term) within(partition string) keyRange {
	key := string(appendKeyValue([]byte(partition), t.values[0]))
	end := successor(partition)
	switch t.op {
	case "=":
		return keyRange{key, successor(key)}
	case "<":
		return keyRange{partition, key}
	case "<=":
		return keyRange{partition, successor(key)}
	case ">":
		return keyRange{successor(key), end}
	case ">=":
		return keyRange{key, end}
	case "BETWEEN":
		return keyRange{key, successor(string(appendKeyValue([]byte(partition), t.values[1])))}
	default: // begins_with
		prefix := string(appendKeyPrefix([]byte(partition), t.values[0].text()))
		return keyRange{prefix, successor(prefix)}
	}
}

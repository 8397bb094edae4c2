package table

import (
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// A feature is a member of an input that this table does not serve.
type feature struct {
	name string
	used bool
}

// unsupported refuses the first member that is used: an input field that were ignored would make a request mean
// something else than on AWS.
func unsupported(operation string, features ...feature) error {
	for _, f := range features {
		if f.used {
			return &UnsupportedError{Operation: operation, Feature: f.name}
		}
	}
	return nil
}

// absent names a required member that is missing.
func absent(member string, isAbsent bool) string {
	if isAbsent {
		return member
	}
	return ""
}

func capacityWanted(c types.ReturnConsumedCapacity) bool {
	return c != "" && c != types.ReturnConsumedCapacityNone
}

// A projection is what of an item an operation answers; nil is everything.
type projection map[string]bool

// projection reads a ProjectionExpression. Paths into attributes are not supported: they would have to rebuild maps and
// lists around what they keep.
func (p *placeholders) projection(operation string, expression *string) (projection, error) {
	if expression == nil {
		return nil, nil
	}
	paths, err := parseProjection(*expression)
	if err != nil {
		return nil, validation("Invalid ProjectionExpression: %v", err)
	}
	kept := make(projection, len(paths))
	for _, path := range paths {
		c, err := p.bind(path)
		if err != nil {
			return nil, validation("Invalid ProjectionExpression: %v", err)
		}
		if len(path.path) > 1 {
			return nil, &UnsupportedError{Operation: operation, Feature: "the document path " + pathText(c.resolve(path.path)) + " in a ProjectionExpression"}
		}
		name := c.resolve(path.path)[0].name
		if kept[name] {
			return nil, validation("Invalid ProjectionExpression: Two document paths overlap with each other; "+
				"must remove or rewrite one of these paths; path one: [%s], path two: [%s]", name, name)
		}
		kept[name] = true
	}
	return kept, nil
}

// keyRecord makes the record that stands for a key: of GetItem or of a page's start. It has exactly the table's key
// attributes and those in also.
func (t *Table) keyRecord(key map[string]types.AttributeValue, also ...string) (*record, error) {
	const mismatch = "The provided key element does not match the schema"
	def := t.definition()
	want := slices.Compact(slices.Sorted(slices.Values(slices.Concat(def.keys(), also))))
	if len(key) != len(want) {
		return nil, validation(mismatch)
	}
	e := t.encoders.get()
	defer t.encoders.put(e)
	if err := e.attributes(key, 1); err != nil {
		return nil, err
	}
	body := string(e.buf)
	for _, name := range want {
		value := attribute(body, name)
		if value == "" || value.typeName() != string(def.Attributes[name]) {
			return nil, validation(mismatch)
		}
	}
	return keyed(def, body, e)
}

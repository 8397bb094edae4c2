// Package states runs a Step Functions state machine from its own definition, as the Amazon States Language defines it
// (https://states-language.net/spec.html), with JSONPath as the query language.
//
// It supports the states and fields that package asl can express: Task, Parallel and Fail. Anything else in a
// definition is refused by name when it is compiled, so a machine never behaves differently here from on AWS.
package states

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"sync"

	"trade-processing/local/jsonvalue"
)

// Data is decoded JSON: nil, bool, string, json.Number, []any, map[string]any, an Object, and *Document for a part that
// is still text. Data is never changed; a state that adds to its input creates a new object.
type Data = any

// Object is an object with few members, in the order of their names: parameters, or an answer. It takes a third of a
// map's memory.
type Object []Member

// Member is a member of an object.
type Member struct {
	Name  string
	Value Data
}

// Get returns a member's value, and whether there is such a member.
func (o Object) Get(name string) (Data, bool) {
	for _, m := range o {
		if m.Name == name {
			return m.Value, true
		}
	}
	return nil, false
}

// ObjectOf returns data as an Object, if it is one or a map.
func ObjectOf(data Data) (Object, bool) {
	switch data := data.(type) {
	case Object:
		return data, true
	case map[string]any:
		members := make(Object, 0, len(data))
		for name, value := range data {
			members = append(members, Member{name, value})
		}
		slices.SortFunc(members, func(a, b Member) int { return strings.Compare(a.Name, b.Name) })
		return members, true
	}
	return nil, false
}

// Document is JSON that stays text until a path looks inside, so an event reaches every task byte for byte and without
// the cost of parsing it.
type Document struct {
	text []byte
	once sync.Once
	data Data
}

// NewDocument checks that text is one JSON value and takes ownership of it.
func NewDocument(text []byte) (*Document, error) {
	if !json.Valid(text) {
		return nil, errors.New("not JSON")
	}
	return Written(text), nil
}

// Written turns what its writer knows to be one JSON value into a document.
func Written(text []byte) *Document { return &Document{text: text} }

// JSON returns the document's text. Don't change it.
func (d *Document) JSON() []byte { return d.text }

// Data returns the document's value.
func (d *Document) Data() Data {
	d.once.Do(func() { d.data, _ = jsonvalue.Decode(d.text) }) // the text was found valid
	return d.data
}

// open returns the value of data, parsing a document.
func open(data Data) Data {
	if d, ok := data.(*Document); ok {
		return d.Data()
	}
	return data
}

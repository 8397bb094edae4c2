// Package states runs a Step Functions state machine from its own definition, as the Amazon States Language defines it
// (https://states-language.net/spec.html), with JSONPath as the query language.
//
// It knows the states and fields that package asl can express: Task, Parallel and Fail. Anything else in a definition
// is refused by name when the definition is compiled, so that a machine never runs here in another way than it does on
// AWS.
package states

import (
	"encoding/json"
	"errors"
	"sync"

	"trade-processing/local/jsonvalue"
)

// Data are decoded JSON: nil, bool, string, json.Number, []any, map[string]any, and *Document for a part that is still
// text. Data are never changed once made; a state that adds to its input makes a new object.
type Data = any

// Document is JSON that stays text until a path looks inside, so that an event reaches every task byte for byte and
// without the cost of reading it.
type Document struct {
	text []byte
	once sync.Once
	data Data
}

// NewDocument checks that text is one JSON value and takes it over.
func NewDocument(text []byte) (*Document, error) {
	if !json.Valid(text) {
		return nil, errors.New("not JSON")
	}
	return Written(text), nil
}

// Written makes a document of what its writer knows to be one JSON value.
func Written(text []byte) *Document { return &Document{text: text} }

// JSON is the text of the document. It must not be changed.
func (d *Document) JSON() []byte { return d.text }

// Data is the document's value.
func (d *Document) Data() Data {
	d.once.Do(func() { d.data, _ = jsonvalue.Decode(d.text) }) // the text was found valid
	return d.data
}

// open gives the value of data, reading a document.
func open(data Data) Data {
	if d, ok := data.(*Document); ok {
		return d.Data()
	}
	return data
}

// Package states runs a Step Functions state machine from its own definition, as the Amazon States Language defines it
// (https://states-language.net/spec.html), with JSONPath as the query language.
//
// It knows the states and fields that a pipeline of tasks needs. Anything else in a definition is refused by name when
// the definition is compiled, so that a machine never runs here in another way than it does on AWS.
package states

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"
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
	return &Document{text: text}, nil
}

// Written makes a document of what its writer knows to be one JSON value.
func Written(text []byte) *Document { return &Document{text: text} }

// JSON is the text of the document. It must not be changed.
func (d *Document) JSON() []byte { return d.text }

// Data is the document's value.
func (d *Document) Data() Data {
	d.once.Do(func() {
		// The text was found valid; numbers keep their literals.
		d.data, _ = Decode(d.text)
	})
	return d.data
}

// Decode reads one JSON value, keeping numbers as they are written.
func Decode(text []byte) (Data, error) {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	var data Data
	if err := decoder.Decode(&data); err != nil {
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return nil, fmt.Errorf("reading JSON: %w", err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("reading JSON: there is more behind the value")
	}
	return data, nil
}

// open gives the value of data, reading a document.
func open(data Data) Data {
	if d, ok := data.(*Document); ok {
		return d.Data()
	}
	return data
}

// Plain reads every document in data.
func Plain(data Data) Data {
	switch data := open(data).(type) {
	case map[string]any:
		plain := make(map[string]any, len(data))
		for name, value := range data {
			plain[name] = Plain(value)
		}
		return plain
	case []any:
		plain := make([]any, len(data))
		for i, value := range data {
			plain[i] = Plain(value)
		}
		return plain
	default:
		return data
	}
}

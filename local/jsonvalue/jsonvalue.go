// Package jsonvalue reads JSON as AWS does: numbers as written, one value and nothing after it.
package jsonvalue

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// Decode reads one JSON value: nil, bool, string, json.Number, []any or map[string]any.
func Decode(text []byte) (any, error) {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return nil, fmt.Errorf("reading JSON: %w", err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("reading JSON: there is more behind the value")
	}
	return value, nil
}

// DecodeDefinition is Decode for what defines a resource: a repeated name in an object is an error, whereas a decoder
// would silently drop all but the last.
func DecodeDefinition(text []byte) (any, error) {
	value, err := Decode(text)
	if err != nil {
		return nil, err
	}
	var repeated []error
	for _, name := range repeatedNames(json.NewDecoder(bytes.NewReader(text)), "") {
		repeated = append(repeated, fmt.Errorf("%s is listed twice", name))
	}
	return value, errors.Join(repeated...)
}

// repeatedNames reads one value and returns the paths of repeated names. The text is known to be JSON.
func repeatedNames(decoder *json.Decoder, at string) []string {
	token, _ := decoder.Token()
	var repeated []string
	switch token {
	case json.Delim('{'):
		seen := map[string]bool{}
		for decoder.More() {
			token, _ := decoder.Token()
			name, _ := token.(string)
			inner := name
			if at != "" {
				inner = at + "." + name
			}
			if seen[name] {
				repeated = append(repeated, inner)
			}
			seen[name] = true
			repeated = append(repeated, repeatedNames(decoder, inner)...)
		}
	case json.Delim('['):
		for i := 0; decoder.More(); i++ {
			repeated = append(repeated, repeatedNames(decoder, fmt.Sprintf("%s[%d]", at, i))...)
		}
	default:
		return nil
	}
	_, _ = decoder.Token() // the closing bracket
	return repeated
}

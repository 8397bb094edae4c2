package pattern

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// members is a JSON object with its names in the order in which they were written, and those that stand twice still
// there to be refused.
type members []member

type member struct {
	name  string
	value any // members, []any, string, json.Number, bool or nil
}

func parse(text []byte) (any, error) {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	value, err := parseValue(decoder)
	if err != nil {
		return nil, fmt.Errorf("not valid JSON: %w", err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("not valid JSON: something follows after the pattern")
	}
	return value, nil
}

// parseValue recurses as deep as the text nests; Compile has bounded its size.
func parseValue(decoder *json.Decoder) (any, error) {
	token, err := next(decoder)
	if err != nil {
		return nil, err
	}
	switch token {
	case json.Delim('{'):
		object := members{}
		for decoder.More() {
			name, err := next(decoder)
			if err != nil {
				return nil, err
			}
			value, err := parseValue(decoder)
			if err != nil {
				return nil, err
			}
			// The decoder lets nothing but a string pass as a name.
			object = append(object, member{name.(string), value})
		}
		_, err := next(decoder)
		return object, err
	case json.Delim('['):
		array := []any{}
		for decoder.More() {
			value, err := parseValue(decoder)
			if err != nil {
				return nil, err
			}
			array = append(array, value)
		}
		_, err := next(decoder)
		return array, err
	}
	return token, nil
}

// next reads a token inside a value, where the text must not end.
func next(decoder *json.Decoder) (json.Token, error) {
	token, err := decoder.Token()
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return token, err
}

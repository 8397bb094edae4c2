package jsontext

import (
	"encoding/json"
	"errors"
	"iter"
	"unicode/utf8"
)

// The functions below take apart JSON that json.Valid has found valid. Decoding with encoding/json instead would read
// every level of an event again, and copy its trade.

// Members yields the names of an object's members in their order, and the values as written; nothing of any other value.
func Members(object []byte) iter.Seq2[[]byte, []byte] {
	return func(yield func([]byte, []byte) bool) {
		at := start(object, 0)
		if object[at] != '{' {
			return
		}
		for at = start(object, at+1); object[at] != '}'; {
			after := end(object, at)
			name := object[at+1 : after-1]
			if literal := object[at:after]; !plain(literal) {
				text, _ := Text(literal) // any string can be read
				name = []byte(text)
			}
			at = start(object, start(object, after)+1) // what follows the colon
			after = end(object, at)
			if !yield(name, object[at:after]) {
				return
			}
			at = next(object, after)
		}
	}
}

// Elements yields the elements of an array in their order, as written; nothing of any other value.
func Elements(array []byte) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		at := start(array, 0)
		if array[at] != '[' {
			return
		}
		for at = start(array, at+1); array[at] != ']'; {
			after := end(array, at)
			if !yield(array[at:after]) {
				return
			}
			at = next(array, after)
		}
	}
}

// Text reads a string as encoding/json does. Null is the empty string; any other value is an error.
func Text(value []byte) (string, error) {
	switch {
	case value[0] == '"' && plain(value):
		return string(value[1 : len(value)-1]), nil
	case value[0] == '"':
		var text string
		err := json.Unmarshal(value, &text)
		return text, err
	case value[0] == 'n':
		return "", nil
	}
	return "", errors.New("it is not a string")
}

// plain reports whether a string literal's characters are what it says: it escapes none, and is UTF-8.
func plain(literal []byte) bool {
	for _, c := range literal {
		if c == '\\' {
			return false
		}
	}
	return utf8.Valid(literal)
}

// start returns where the next value, or mark, begins.
func start(text []byte, at int) int {
	for text[at] == ' ' || text[at] == '\n' || text[at] == '\r' || text[at] == '\t' {
		at++
	}
	return at
}

// next returns where the next member or element begins after one, or the closing bracket.
func next(text []byte, after int) int {
	at := start(text, after)
	if text[at] == ',' {
		at = start(text, at+1)
	}
	return at
}

// end returns where the value ends that begins at a place.
func end(text []byte, at int) int {
	for depth := 0; at < len(text); at++ {
		switch text[at] {
		case '"':
			for at++; text[at] != '"'; at++ {
				if text[at] == '\\' {
					at++
				}
			}
			if depth == 0 {
				return at + 1
			}
		case '{', '[':
			depth++
		case '}', ']':
			if depth == 0 { // of what a number or a literal is in
				return at
			}
			if depth--; depth == 0 {
				return at + 1
			}
		case ',', ' ', '\n', '\r', '\t':
			if depth == 0 {
				return at
			}
		}
	}
	return at
}

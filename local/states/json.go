package states

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"unicode/utf8"
)

// AppendJSON appends data as JSON, documents and numbers as they stand. The members of an object come in order of their
// names. It panics on what is no Data; the results of tasks were checked.
func AppendJSON(b []byte, data Data) []byte {
	switch data := data.(type) {
	case nil:
		return append(b, "null"...)
	case bool:
		return strconv.AppendBool(b, data)
	case string:
		return appendText(b, data)
	case json.Number:
		return append(b, data...)
	case *Document:
		return append(b, data.text...)
	case []any:
		b = append(b, '[')
		for i, element := range data {
			if i > 0 {
				b = append(b, ',')
			}
			b = AppendJSON(b, element)
		}
		return append(b, ']')
	case map[string]any:
		var few [8]string // most objects need no more, and no allocation then
		names := few[:0]
		for name := range data {
			names = append(names, name)
		}
		slices.Sort(names)
		b = append(b, '{')
		for i, name := range names {
			if i > 0 {
				b = append(b, ',')
			}
			b = append(appendText(b, name), ':')
			b = AppendJSON(b, data[name])
		}
		return append(b, '}')
	default:
		panic(noData(data))
	}
}

func noData(data any) error { return fmt.Errorf("%T is no JSON data", data) }

// appendText writes a text as JSON. Unlike json.Marshal it leaves <, > and & as they are, and needs no allocation.
func appendText(b []byte, text string) []byte {
	b = append(b, '"')
	start := 0
	for i := 0; i < len(text); {
		width := 1
		var escaped string
		switch c := text[i]; {
		case c >= utf8.RuneSelf:
			var r rune
			if r, width = utf8.DecodeRuneInString(text[i:]); r == utf8.RuneError && width == 1 {
				escaped = string(utf8.RuneError) // JSON is UTF-8
			}
		case c == '"':
			escaped = `\"`
		case c == '\\':
			escaped = `\\`
		case c < ' ':
			escaped = controls[c]
		}
		if escaped != "" {
			b = append(append(b, text[start:i]...), escaped...)
			start = i + width
		}
		i += width
	}
	return append(append(b, text[start:]...), '"')
}

// controls are the control characters as JSON writes them.
var controls = func() (texts [' ']string) {
	for c := range texts {
		texts[c] = fmt.Sprintf(`\u%04x`, c)
	}
	texts['\b'], texts['\f'], texts['\n'], texts['\r'], texts['\t'] = `\b`, `\f`, `\n`, `\r`, `\t`
	return texts
}()

// size is how many bytes AppendJSON writes, found without writing them. What is no Data is an error.
func size(data Data) (int, error) {
	switch data := data.(type) {
	case nil:
		return len("null"), nil
	case bool:
		if data {
			return len("true"), nil
		}
		return len("false"), nil
	case string:
		return textSize(data), nil
	case json.Number:
		return len(data), nil
	case *Document:
		return len(data.text), nil
	case []any:
		total := 2 + max(0, len(data)-1)
		for _, element := range data {
			n, err := size(element)
			if err != nil {
				return 0, err
			}
			total += n
		}
		return total, nil
	case map[string]any:
		total := 2 + max(0, len(data)-1)
		for name, value := range data {
			n, err := size(value)
			if err != nil {
				return 0, err
			}
			total += textSize(name) + 1 + n
		}
		return total, nil
	default:
		return 0, noData(data)
	}
}

func textSize(text string) int {
	n := len(`""`) + len(text)
	for i := 0; i < len(text); {
		width := 1
		switch c := text[i]; {
		case c >= utf8.RuneSelf:
			var r rune
			if r, width = utf8.DecodeRuneInString(text[i:]); r == utf8.RuneError && width == 1 {
				n += len(string(utf8.RuneError)) - 1
			}
		case c == '"' || c == '\\':
			n++
		case c < ' ':
			n += len(controls[c]) - 1
		}
		i += width
	}
	return n
}

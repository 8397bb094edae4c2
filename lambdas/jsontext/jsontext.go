// Package jsontext takes JSON apart and writes its strings, for code that handles JSON byte by byte.
package jsontext

import "unicode/utf8"

// AppendString appends a JSON string, escaped in the one way that RFC 8785 prescribes: \" \\ \b \t \n \f \r, \u00xx for
// the other control characters, and nothing else. A byte that is not UTF-8 becomes U+FFFD.
//
// encoding/json doesn't help: it escapes U+2028, U+2029 and, by default, < > &, and it allocates.
func AppendString(b []byte, text string) []byte {
	if !utf8.ValidString(text) {
		text = string([]rune(text))
	}
	const hexadecimal = "0123456789abcdef"
	b = append(b, '"')
	start := 0
	for i := range len(text) {
		c := text[i]
		if c >= ' ' && c != '"' && c != '\\' {
			continue
		}
		b = append(b, text[start:i]...)
		start = i + 1
		switch c {
		case '"', '\\':
			b = append(b, '\\', c)
		case '\b':
			b = append(b, '\\', 'b')
		case '\t':
			b = append(b, '\\', 't')
		case '\n':
			b = append(b, '\\', 'n')
		case '\f':
			b = append(b, '\\', 'f')
		case '\r':
			b = append(b, '\\', 'r')
		default:
			b = append(b, '\\', 'u', '0', '0', hexadecimal[c>>4], hexadecimal[c&0xf])
		}
	}
	b = append(b, text[start:]...)
	return append(b, '"')
}

package feed

import (
	"bytes"
	"encoding/json"
	"errors"
	"iter"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// cursor cuts values out of JSON text without decoding them. The text must have passed json.Valid: the cursor relies on
// closed brackets and quotes.
type cursor struct {
	text []byte
	at   int
}

// peek returns the first byte of the next token.
func (c *cursor) peek() byte {
	for {
		switch b := c.text[c.at]; b {
		case ' ', '\t', '\r', '\n':
			c.at++
		default:
			return b
		}
	}
}

// members yields the quoted name of each member of the object at the cursor. The loop body reads the member's value, or
// returns.
func (c *cursor) members() iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		c.peek()
		c.at++ // {
		for c.peek() != '}' {
			name := c.value()
			c.peek()
			c.at++ // :
			if !yield(name) {
				return
			}
			if c.peek() == ',' {
				c.at++
			}
		}
	}
}

// value returns the next value verbatim, and moves past it.
func (c *cursor) value() []byte {
	first := c.peek()
	start := c.at
	switch first {
	case '"':
		c.at = endOfString(c.text, c.at)
	case '{', '[':
		c.at = endOfNest(c.text, c.at)
	default:
		for c.at < len(c.text) && strings.IndexByte(",]} \t\r\n", c.text[c.at]) < 0 {
			c.at++
		}
	}
	return c.text[start:c.at]
}

// endOfString returns the index after the string that starts at i. An unclosed string ends with the text.
func endOfString(text []byte, i int) int {
	for i++; i < len(text); i++ {
		switch text[i] {
		case '"':
			return i + 1
		case '\\':
			i++
		}
	}
	return len(text)
}

// endOfNest returns the index after the object or array that starts at i.
func endOfNest(text []byte, i int) int {
	depth := 0
	for i < len(text) {
		switch text[i] {
		case '"':
			i = endOfString(text, i)
			continue
		case '{', '[':
			depth++
		case '}', ']':
			depth--
			if depth == 0 {
				return i + 1
			}
		}
		i++
	}
	return len(text)
}

// nesting returns how many levels of objects and arrays the text has. It is called before the JSON is checked, because
// encoding/json gives up at 10,000 levels with just a syntax error. For text that isn't JSON it returns some number,
// and never fails.
func nesting(text []byte) int {
	depth, deepest := 0, 0
	for i := 0; i < len(text); {
		switch text[i] {
		case '"':
			i = endOfString(text, i)
			continue
		case '{', '[':
			depth++
			deepest = max(deepest, depth)
		case '}', ']':
			depth--
		}
		i++
	}
	return deepest
}

// errLoneSurrogate is reported rather than replaced with U+FFFD, as encoding/json does: what isn't Unicode can't be
// passed on unchanged.
var errLoneSurrogate = errors.New(`half of a surrogate pair (such as \ud800 alone) is not Unicode text`)

// unquote returns the text of a JSON string.
func unquote(quoted []byte) (string, error) {
	inner := quoted[1 : len(quoted)-1]
	if bytes.IndexByte(inner, '\\') < 0 {
		return string(inner), nil
	}
	if loneSurrogate(inner) {
		return "", errLoneSurrogate
	}
	var s string
	if err := json.Unmarshal(quoted, &s); err != nil {
		return "", err
	}
	return s, nil
}

// loneSurrogate reports whether the inside of a JSON string escapes half of a surrogate pair.
func loneSurrogate(inner []byte) bool {
	for i := bytes.IndexByte(inner, '\\'); i >= 0 && i < len(inner); i++ {
		if inner[i] != '\\' {
			continue
		}
		i++
		if inner[i] != 'u' {
			continue
		}
		first := codeUnit(inner[i+1:])
		i += 4
		if !utf16.IsSurrogate(first) {
			continue
		}
		rest := inner[i+1:]
		if !bytes.HasPrefix(rest, []byte(`\u`)) || utf16.DecodeRune(first, codeUnit(rest[2:])) == utf8.RuneError {
			return true
		}
		i += 6
	}
	return false
}

// codeUnit reads the four hexadecimal digits of an escape, which json.Valid has checked.
func codeUnit(digits []byte) rune {
	n, err := strconv.ParseUint(string(digits[:4]), 16, 16)
	if err != nil {
		return utf8.RuneError
	}
	return rune(n)
}

// invalidUTF8 returns the index of the first byte that isn't UTF-8, or -1.
func invalidUTF8(text []byte) int {
	if utf8.Valid(text) {
		return -1
	}
	for i := 0; ; {
		r, size := utf8.DecodeRune(text[i:])
		if r == utf8.RuneError && size <= 1 {
			return i
		}
		i += size
	}
}

// excerptLength is how many characters of a refused line are shown.
const excerptLength = 80

// excerpt returns the beginning of a line for a message. Unprintable characters are replaced, so no escape sequence of
// the input reaches the reader's terminal.
func excerpt(line []byte) string {
	var b strings.Builder
	n := 0
	for _, r := range string(line[:min(len(line), 4*excerptLength)]) {
		if n == excerptLength {
			return b.String() + "…"
		}
		if !strconv.IsPrint(r) {
			r = utf8.RuneError
		}
		b.WriteRune(r)
		n++
	}
	return b.String()
}

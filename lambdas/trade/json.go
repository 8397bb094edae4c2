package trade

import (
	"cmp"
	"encoding/json"
	"errors"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

const (
	// MaxLevels is how deep objects and arrays may be nested; the detail itself is level 1.
	MaxLevels = 32

	// MaxBytes is how many bytes a detail may have in its canonical form. The received bytes don't count, because every
	// service on the way may escape characters differently.
	MaxBytes = 64 << 10

	// maxRawBytes bounds the work before the canonical form is known: it is MaxBytes with every character escaped as
	// \u00XX.
	maxRawBytes = 6 * MaxBytes
)

// kind is the type of a JSON value. Its zero value is the type of an absent field.
type kind uint8

const (
	absent kind = iota
	null
	boolean
	number
	text
	array
	object
)

func (k kind) String() string {
	return [...]string{"absent", "null", "a boolean", "a number", "a string", "an array", "an object"}[k]
}

// value is a JSON value that keeps what encoding/json would lose: how numbers were written.
type value struct {
	kind kind
	// text is a string's characters without escapes, or the literal of a number or boolean.
	text string
	// children are an object's members sorted by name, or an array's elements, whose names are empty.
	children []member
}

type member struct {
	name  string
	value value
}

// member finds a member of an object by its name.
func (v value) member(name string) (value, bool) {
	for _, m := range v.children {
		if m.name == name {
			return m.value, true
		}
	}
	return value{}, false
}

// parseJSON reads one JSON value in one walk. It refuses what encoding/json accepts: invalid UTF-8, half surrogate pairs,
// names listed twice in one object, and more than MaxLevels of nesting. Of text that is no JSON either, encoding/json says
// why.
func parseJSON(data []byte) (value, error) {
	switch {
	case len(data) == 0:
		return value{}, malformed("the event has no detail")
	case len(data) > maxRawBytes:
		return value{}, malformed("the detail has %d bytes, but only %d are allowed", len(data), MaxBytes)
	case !utf8.Valid(data):
		return value{}, malformed("the detail is not valid UTF-8")
	}
	w := walker{data: string(data)}
	w.space()
	v, err := w.value(1)
	if err == nil && w.at < len(data) {
		err = errSyntax
	}
	if err != nil {
		var raw json.RawMessage
		if syntax := json.Unmarshal(data, &raw); syntax != nil {
			err = malformed("the detail is not valid JSON: %s", syntax)
		}
	}
	return v, err
}

// errSyntax means that the text is no JSON.
var errSyntax = errors.New("not JSON")

// walker takes JSON apart. All strings share the memory of data.
type walker struct {
	data string
	at   int
}

// peek returns the next byte; 0, which JSON has nowhere, at the end.
func (w *walker) peek() byte {
	if w.at == len(w.data) {
		return 0
	}
	return w.data[w.at]
}

// accept passes over a mark, if it comes next.
func (w *walker) accept(mark byte) bool {
	if w.peek() != mark {
		return false
	}
	w.at++
	return true
}

// digits passes over digits, and reports whether there are any.
func (w *walker) digits() bool {
	before := w.at
	for isDigit(w.peek()) {
		w.at++
	}
	return w.at > before
}

func (w *walker) space() {
	for c := w.peek(); c == ' ' || c == '\n' || c == '\r' || c == '\t'; c = w.peek() {
		w.at++
	}
}

// value reads the value at the walker's position, and the white space after it.
func (w *walker) value(level int) (v value, err error) {
	switch w.peek() {
	case '{':
		v, err = w.container(object, '}', level)
	case '[':
		v, err = w.container(array, ']', level)
	case '"':
		v.kind = text
		v.text, err = w.string()
	case 'n':
		v, err = w.word("null", value{kind: null})
	case 't':
		v, err = w.word("true", value{kind: boolean, text: "true"})
	case 'f':
		v, err = w.word("false", value{kind: boolean, text: "false"})
	default:
		v, err = w.number()
	}
	w.space()
	return v, err
}

func (w *walker) word(word string, meaning value) (value, error) {
	if !strings.HasPrefix(w.data[w.at:], word) {
		return value{}, errSyntax
	}
	w.at += len(word)
	return meaning, nil
}

func (w *walker) number() (value, error) {
	start := w.at
	w.accept('-')
	valid := w.accept('0') || w.digits()
	if w.accept('.') {
		valid = w.digits() && valid
	}
	if w.accept('e') || w.accept('E') {
		_ = w.accept('+') || w.accept('-')
		valid = w.digits() && valid
	}
	if !valid {
		return value{}, errSyntax
	}
	return value{kind: number, text: w.data[start:w.at]}, nil
}

// container reads an object or an array. Objects come out sorted by name: repeated names are then neighbours, and the
// canonical form needs no sorting.
func (w *walker) container(k kind, closing byte, level int) (value, error) {
	if level > MaxLevels {
		return value{}, malformed("the detail is nested deeper than %d levels (at byte %d)", MaxLevels, w.at)
	}
	var room [16]member // enough for most, so that only what is kept is allocated
	children := room[:0]
	w.at++
	w.space()
	for more := w.peek() != closing; more; {
		var m member
		var err error
		if k == object {
			if m.name, err = w.string(); err != nil {
				return value{}, err
			}
			if w.space(); !w.accept(':') {
				return value{}, errSyntax
			}
			w.space()
		}
		if m.value, err = w.value(level + 1); err != nil {
			return value{}, err
		}
		children = append(children, m)
		if more = w.accept(','); more {
			w.space()
		}
	}
	if !w.accept(closing) {
		return value{}, errSyntax
	}
	v := value{kind: k, children: make([]member, len(children))}
	copy(v.children, children)
	if k == object {
		slices.SortFunc(v.children, func(a, b member) int { return compareUTF16(a.name, b.name) })
		for i := 1; i < len(v.children); i++ {
			if name := v.children[i].name; name == v.children[i-1].name {
				return value{}, malformed("the detail has the name %s twice in one object", quote(name))
			}
		}
	}
	return v, nil
}

// compareUTF16 orders names by their UTF-16 code units, as RFC 8785 does. UTF-8 bytes have the same order, except that
// characters above U+FFFF (first byte 0xF0 and up) come before U+E000 to U+FFFF (first byte 0xEE or 0xEF).
func compareUTF16(a, b string) int {
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			order := cmp.Compare(a[i], b[i])
			if min(a[i], b[i]) >= 0xEE && max(a[i], b[i]) >= 0xF0 && min(a[i], b[i]) < 0xF0 {
				return -order
			}
			return order
		}
	}
	return cmp.Compare(len(a), len(b))
}

// string reads a string literal. One without escapes, the usual case, needs no copy.
func (w *walker) string() (string, error) {
	start := w.at
	if !w.accept('"') {
		return "", errSyntax
	}
	escaped := false
	for w.peek() != '"' {
		if w.peek() == '\\' {
			escaped = true
			w.at++
		}
		if w.peek() < ' ' {
			return "", errSyntax
		}
		w.at++
	}
	w.at++
	literal := w.data[start:w.at]
	if !escaped {
		return literal[1 : len(literal)-1], nil
	}
	var s string
	if json.Unmarshal([]byte(literal), &s) != nil {
		return "", errSyntax
	}
	if hasHalfPair(literal) {
		return "", malformed("the detail has half a surrogate pair, which is not a character, in the string at byte %d", start)
	}
	return s, nil
}

// hasHalfPair reports whether a string literal escapes a surrogate without its partner. encoding/json would turn all of
// them into U+FFFD, so different trades would get the same digest.
func hasHalfPair(literal string) bool {
	for i := 0; i < len(literal); i++ {
		if literal[i] != '\\' {
			continue
		}
		i++
		if literal[i] != 'u' {
			continue
		}
		unit := codeUnit(literal[i+1 : i+5])
		i += 4
		if !utf16.IsSurrogate(unit) {
			continue
		}
		if len(literal) < i+7 || literal[i+1:i+3] != `\u` ||
			utf16.DecodeRune(unit, codeUnit(literal[i+3:i+7])) == unicode.ReplacementChar {
			return true
		}
		i += 6
	}
	return false
}

// codeUnit reads the four hexadecimal digits of a \u escape.
func codeUnit(digits string) rune {
	unit, _ := strconv.ParseUint(digits, 16, 16) // encoding/json has checked the digits
	return rune(unit)
}

// Package trade is the domain: what a trade is, when it is valid, and the one form of it that is recorded.
//
// A trade arrives as the JSON detail of an EventBridge event. Parse reads it exactly: numbers stay the literals that
// were sent and never become binary floats, unknown fields stay, and anything ambiguous (a name twice in one object,
// half a surrogate pair) is refused. Rules says what is wrong with a trade, Canonical and Digest what it is.
package trade

import (
	"fmt"
	"strings"
	"time"
)

// MaxIDLength is how many characters a tradeId may have.
const MaxIDLength = 64

// Trade is one trade as its source sent it. It is immutable and safe for concurrent use.
type Trade struct {
	// ID is the tradeId: 1 to 64 of A-Z a-z 0-9 . _ : -
	ID string

	detail value
}

// Parse reads the detail of an EventBridge event: a JSON object (RFC 8259) in UTF-8 with a usable tradeId, no name
// twice in one object, at most MaxLevels of nesting and MaxBytes in its canonical form. Anything else is a
// *MalformedError. Rules, not Parse, checks the trade's fields.
func Parse(detail []byte) (*Trade, error) {
	root, err := parseJSON(detail)
	if err != nil {
		return nil, err
	}
	if root.kind != object {
		return nil, malformed("the detail is %s, but a trade is a JSON object", root.kind)
	}
	t := &Trade{detail: root}
	if len(detail) > MaxBytes/5 { // the canonical form is less than 5 times as long: 1e20 becomes 21 characters
		if size := len(t.Canonical()); size > MaxBytes {
			return nil, malformed("the detail has %d bytes without insignificant white space, but only %d are allowed", size, MaxBytes)
		}
	}
	id, present := root.member("tradeId")
	switch {
	case !present || id.kind == null:
		return nil, malformed("the detail has no tradeId")
	case id.kind != text:
		return nil, malformed("tradeId is %s, but must be a string", id.kind)
	case !usableID(id.text):
		return nil, malformed("tradeId %s is not 1 to %d of A-Z a-z 0-9 . _ : -", quote(id.text), MaxIDLength)
	}
	t.ID = id.text
	return t, nil
}

func usableID(id string) bool {
	if id == "" || len(id) > MaxIDLength {
		return false
	}
	for i := range len(id) {
		if c := id[i]; !isAlphanumeric(c) && !strings.ContainsRune("._:-", rune(c)) {
			return false
		}
	}
	return true
}

func isAlphanumeric(c byte) bool { return isUpper(c) || isDigit(c) || 'a' <= c && c <= 'z' }
func isUpper(c byte) bool        { return 'A' <= c && c <= 'Z' }
func isDigit(c byte) bool        { return '0' <= c && c <= '9' }

// Text returns the value of a string field of the detail, and whether there is one. It doesn't say whether that string
// is valid: the text of an invalid field is still what was sent.
func (t *Trade) Text(field string) (string, bool) {
	v, _ := t.detail.member(field)
	if v.kind != text {
		return "", false
	}
	return v.text, true
}

// Amount returns the value of a decimal field, a JSON number or a string, and whether it can be read (see
// ParseDecimal). The spelling is the canonical form's: a string exactly as sent, a number by its value.
func (t *Trade) Amount(field string) (spelling string, d Decimal, readable bool) {
	v, _ := t.detail.member(field)
	if v.kind != text && v.kind != number {
		return "", Decimal{}, false
	}
	d, err := ParseDecimal(v.text)
	if v.kind == number {
		return string(appendNumber(nil, v.text)), d, err == nil
	}
	return v.text, d, err == nil
}

// ExecutedAt returns the time of execution, and whether the trade has one that can be read.
func (t *Trade) ExecutedAt() (time.Time, bool) { return t.time("executedAt") }

func (t *Trade) time(field string) (time.Time, bool) {
	literal, present := t.Text(field)
	if !present {
		return time.Time{}, false
	}
	at, err := ParseTime(literal)
	return at, err == nil
}

// MalformedError says why a detail can't be identified as a trade at all. Sending it again doesn't help.
type MalformedError struct {
	Reason string
}

func (e *MalformedError) Error() string { return "malformed trade: " + e.Reason }

// ErrorType returns the error's name as Step Functions sees it.
func (*MalformedError) ErrorType() string { return "MalformedTrade" }

func malformed(format string, args ...any) error {
	return &MalformedError{Reason: fmt.Sprintf(format, args...)}
}

// quote formats an outside value for a message: on one line, and short whatever its length.
func quote(s string) string {
	const most = 64
	if len(s) <= most {
		return fmt.Sprintf("%q", s)
	}
	return fmt.Sprintf("%q... (%d bytes)", strings.ToValidUTF8(s[:most], ""), len(s))
}

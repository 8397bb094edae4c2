package pattern

import (
	"encoding/json"
	"fmt"
	"math"
	"net/netip"
	"strings"
	"unicode/utf8"

	"github.com/cockroachdb/apd/v3"
)

// present is {"exists": true}: any scalar, null too.
type present struct{}

func (present) match(any) bool { return true }

// literal is true, false, null, or a number as written.
type literal struct{ value any }

func (l literal) match(value any) bool {
	switch value.(type) {
	case bool, nil, json.Number:
		return value == l.value
	}
	return false
}

// micros is a number in millionths. EventBridge compares numbers from -5.0e9 to 5.0e9 with six decimals and accepts no
// others, so every comparison is exact.
type micros int64

const (
	limit micros = 5e9 * 1e6

	// unbounded is the open end of a range, beyond any number.
	unbounded micros = math.MaxInt64
)

func parseMicros(literal json.Number) (micros, error) {
	d, _, err := apd.NewFromString(string(literal))
	if err == nil {
		d.Exponent += 6
		var n int64
		if n, err = d.Int64(); err == nil && -limit <= micros(n) && micros(n) <= limit {
			return micros(n), nil
		}
	}
	return 0, fmt.Errorf("%s: EventBridge compares numbers from -5.0e9 to 5.0e9, to six digits right of the point, only", literal)
}

// numeric is a range of numbers; a single number is a range from itself to itself.
type numeric struct{ from, to micros }

func (n numeric) match(value any) bool {
	literal, ok := value.(json.Number)
	if !ok {
		return false
	}
	m, err := parseMicros(literal)
	return err == nil && n.from <= m && m <= n.to
}

// text is a condition on strings.
type text func(string) bool

func (t text) match(value any) bool {
	s, ok := value.(string)
	return ok && t(s)
}

// anythingBut matches every scalar that none of its matchers matches.
type anythingBut []matcher

func (a anythingBut) match(value any) bool {
	for _, m := range a {
		if m.match(value) {
			return false
		}
	}
	return true
}

func equals(want string) text { return func(s string) bool { return s == want } }

func hasPrefix(prefix string) text {
	return func(s string) bool { return strings.HasPrefix(s, prefix) }
}

func hasSuffix(suffix string) text {
	return func(s string) bool { return strings.HasSuffix(s, suffix) }
}

// Case is ignored character by character, so that "ß" is not "SS".

func equalsIgnoreCase(want string) text {
	return func(s string) bool { return strings.EqualFold(s, want) }
}

func hasPrefixIgnoreCase(prefix string) text {
	n := utf8.RuneCountInString(prefix)
	return func(s string) bool {
		characters := []rune(s)
		return len(characters) >= n && strings.EqualFold(string(characters[:n]), prefix)
	}
}

func hasSuffixIgnoreCase(suffix string) text {
	n := utf8.RuneCountInString(suffix)
	return func(s string) bool {
		characters := []rune(s)
		return len(characters) >= n && strings.EqualFold(string(characters[len(characters)-n:]), suffix)
	}
}

// within returns {"cidr": …}: an IPv4 or IPv6 address of the block.
func within(block netip.Prefix) text {
	return func(s string) bool {
		if len(s) > len("ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255") {
			return false // avoid allocating an error that quotes s
		}
		address, err := netip.ParseAddr(s)
		return err == nil && block.Contains(address)
	}
}

// wildcard matches the literal pieces between the asterisks in order: the first at the start, the last at the end, the
// others as early as possible.
func wildcard(pieces []string) text {
	first, last := pieces[0], pieces[len(pieces)-1]
	return func(s string) bool {
		if len(pieces) == 1 {
			return s == first
		}
		if len(s) < len(first)+len(last) || !strings.HasPrefix(s, first) || !strings.HasSuffix(s, last) {
			return false
		}
		s = s[len(first) : len(s)-len(last)]
		for _, piece := range pieces[1 : len(pieces)-1] {
			at := strings.Index(s, piece)
			if at < 0 {
				return false
			}
			s = s[at+len(piece):]
		}
		return true
	}
}

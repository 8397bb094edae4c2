package pattern

import (
	"encoding/json"
	"net/netip"
	"strings"
	"unicode"
	"unicode/utf8"
)

// present is {"exists": true}: any scalar, null too.
type present struct{}

func (present) match(any) bool { return true }

// literal is true, false, null, or a number as it is written.
type literal struct{ value any }

func (l literal) match(value any) bool {
	switch value.(type) {
	case bool, nil, json.Number:
		return value == l.value
	}
	return false
}

// numeric is a range of numbers; a single number is a range from itself to itself.
type numeric struct{ from, to micros }

func (n numeric) match(value any) bool {
	text, ok := value.(json.Number)
	if !ok {
		return false
	}
	m, err := parseMicros(string(text))
	return err == nil && n.from <= m && m <= n.to
}

// text is a condition on strings.
type text func(string) bool

func (t text) match(value any) bool {
	s, ok := value.(string)
	return ok && t(s)
}

// anythingBut fits every scalar that none of its matchers fits.
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

func equalsIgnoreCase(want string) text {
	return func(s string) bool {
		rest, ok := cutFolded(s, want, utf8.DecodeRuneInString, dropFirst)
		return ok && rest == ""
	}
}

func hasPrefixIgnoreCase(prefix string) text {
	return func(s string) bool {
		_, ok := cutFolded(s, prefix, utf8.DecodeRuneInString, dropFirst)
		return ok
	}
}

func hasSuffixIgnoreCase(suffix string) text {
	return func(s string) bool {
		_, ok := cutFolded(s, suffix, utf8.DecodeLastRuneInString, dropLast)
		return ok
	}
}

func dropFirst(s string, n int) string { return s[n:] }
func dropLast(s string, n int) string  { return s[:len(s)-n] }

// cutFolded takes the characters of fix from one end of s, without regard to case, and gives what is left of s. Case is
// ignored character by character, as Java's String.equalsIgnoreCase does, so that "ß" is not "SS".
func cutFolded(s, fix string, next func(string) (rune, int), drop func(string, int) string) (string, bool) {
	for fix != "" {
		if s == "" {
			return "", false
		}
		a, sizeA := next(s)
		b, sizeB := next(fix)
		if a != b && unicode.ToUpper(a) != unicode.ToUpper(b) && unicode.ToLower(a) != unicode.ToLower(b) {
			return "", false
		}
		s, fix = drop(s, sizeA), drop(fix, sizeB)
	}
	return s, true
}

// within is {"cidr": …}: an IPv4 or IPv6 address of the block.
func within(block netip.Prefix) text {
	return func(s string) bool {
		if len(s) > len("ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255") {
			return false // spare the allocation of an error that quotes s
		}
		address, err := netip.ParseAddr(s)
		return err == nil && block.Contains(address)
	}
}

// wildcard matches the literal pieces between the asterisks in their order: the first at the start, the last at the
// end, the others as early as they come.
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

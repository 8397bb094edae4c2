package table

import "strings"

// A raw is one encoded value, as an encoder writes it. The empty raw stands for an attribute that isn't there.
// Encodings are canonical, so that two values are equal if and only if their raws are.
type raw string

// typeName is the name that the service gives the value's type.
func (r raw) typeName() string {
	switch r[0] {
	case kindTrue, kindFalse:
		return "BOOL"
	case kindNull:
		return "NULL"
	case kindStringSet:
		return "SS"
	case kindNumberSet:
		return "NS"
	case kindBinarySet:
		return "BS"
	default:
		return string(r[0])
	}
}

// isScalar tells the types that have an order.
func (r raw) isScalar() bool {
	return r != "" && (r[0] == kindString || r[0] == kindNumber || r[0] == kindBinary)
}

// text is the content of a string, number or binary.
func (r raw) text() string {
	d := decoder{rest: string(r[1:])}
	return d.text()
}

// order compares two scalars of one type; ok is false for any others.
func (r raw) order(other raw) (result int, ok bool) {
	if !r.isScalar() || !other.isScalar() || r[0] != other[0] {
		return 0, false
	}
	if r[0] != kindNumber {
		return strings.Compare(r.text(), other.text()), true
	}
	// Both texts are in normal form already.
	a, _ := parseNumber(r.text())
	b, _ := parseNumber(other.text())
	return a.compare(&b), true
}

// size is what the function size answers: bytes of UTF-8 of a string, bytes of a binary, elements of a set, list or
// map.
func (r raw) size() (int, bool) {
	if r == "" {
		return 0, false
	}
	switch r[0] {
	case kindString, kindBinary:
		return len(r.text()), true
	case kindList, kindMap, kindStringSet, kindNumberSet, kindBinarySet:
		d := decoder{rest: string(r[1:])}
		return d.count(), true
	}
	return 0, false
}

// contains tells whether a string has a substring, or a set or list a member.
func (r raw) contains(member raw) bool {
	if r == "" || member == "" {
		return false
	}
	d := decoder{rest: string(r[1:])}
	switch r[0] {
	case kindString, kindBinary:
		return member[0] == r[0] && strings.Contains(d.text(), member.text())
	case kindStringSet, kindNumberSet, kindBinarySet:
		if member[0] != r[0]-'s'+'S' {
			return false
		}
		for range d.count() {
			if d.text() == member.text() {
				return true
			}
		}
	case kindList:
		for range d.count() {
			if d.raw() == member {
				return true
			}
		}
	}
	return false
}

// at follows a document path that starts inside r.
func (r raw) at(path []step) raw {
	for _, s := range path {
		if r == "" {
			return ""
		}
		d := decoder{rest: string(r[1:])}
		switch {
		case s.name != "" && r[0] == kindMap:
			r = d.member(s.name)
		case s.name == "" && r[0] == kindList:
			r = d.element(s.index)
		default:
			return ""
		}
	}
	return r
}

package jsontext

// maxDepth is how deep json.Valid lets values be nested.
const maxDepth = 10000

// Valid reports whether text is one JSON value. It agrees with json.Valid, which calls a function for each byte and so
// takes several times as long: every service on a trade's way checks what it gets.
func Valid(text []byte) bool {
	at, ok := value(text, space(text, 0), 1)
	return ok && space(text, at) == len(text)
}

// value passes over a value, and reports whether it is one.
func value(text []byte, at, depth int) (after int, ok bool) {
	if at == len(text) {
		return at, false
	}
	switch text[at] {
	case '{':
		return container(text, at, depth, '}')
	case '[':
		return container(text, at, depth, ']')
	case '"':
		return quoted(text, at)
	case 'n':
		return word(text, at, "null")
	case 't':
		return word(text, at, "true")
	case 'f':
		return word(text, at, "false")
	}
	return number(text, at)
}

// container passes over an object or an array.
func container(text []byte, at, depth int, closing byte) (int, bool) {
	if depth > maxDepth {
		return at, false
	}
	if at = space(text, at+1); at < len(text) && text[at] == closing {
		return at + 1, true
	}
	for {
		var ok bool
		if closing == '}' {
			if at, ok = quoted(text, at); !ok {
				return at, false
			}
			if at = space(text, at); at == len(text) || text[at] != ':' {
				return at, false
			}
			at = space(text, at+1)
		}
		if at, ok = value(text, at, depth+1); !ok {
			return at, false
		}
		switch at = space(text, at); {
		case at == len(text):
			return at, false
		case text[at] == closing:
			return at + 1, true
		case text[at] != ',':
			return at, false
		}
		at = space(text, at+1)
	}
}

// quoted passes over a string.
func quoted(text []byte, at int) (int, bool) {
	if at == len(text) || text[at] != '"' {
		return at, false
	}
	for at++; at < len(text); at++ {
		switch c := text[at]; {
		case c == '"':
			return at + 1, true
		case c < ' ':
			return at, false
		case c != '\\':
			continue
		}
		if at++; at == len(text) {
			return at, false
		}
		switch text[at] {
		case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		case 'u':
			for range 4 {
				if at++; at == len(text) || !hexadecimal(text[at]) {
					return at, false
				}
			}
		default:
			return at, false
		}
	}
	return at, false
}

func hexadecimal(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F'
}

func word(text []byte, at int, word string) (int, bool) {
	after := at + len(word)
	return after, after <= len(text) && string(text[at:after]) == word
}

// number passes over a number: no sign but minus, and no leading zero.
func number(text []byte, at int) (int, bool) {
	if text[at] == '-' {
		at++
	}
	whole := digits(text, at)
	ok := whole > at && (text[at] != '0' || whole == at+1)
	if at = whole; at < len(text) && text[at] == '.' {
		fraction := digits(text, at+1)
		ok = ok && fraction > at+1
		at = fraction
	}
	if at < len(text) && (text[at] == 'e' || text[at] == 'E') {
		if at++; at < len(text) && (text[at] == '+' || text[at] == '-') {
			at++
		}
		exponent := digits(text, at)
		ok = ok && exponent > at
		at = exponent
	}
	return at, ok
}

func digits(text []byte, at int) int {
	for at < len(text) && '0' <= text[at] && text[at] <= '9' {
		at++
	}
	return at
}

// space passes over white space.
func space(text []byte, at int) int {
	for at < len(text) && (text[at] == ' ' || text[at] == '\n' || text[at] == '\r' || text[at] == '\t') {
		at++
	}
	return at
}

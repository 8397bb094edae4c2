package table

import "bytes"

// Limits of a DynamoDB number: 38 significant digits, magnitudes from 1E-130 to 9.9999…E+125.
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html
const (
	maxDigits   = 38
	maxExponent = 126  // of 0.d1d2… × 10^exponent
	minExponent = -129 // likewise: 1E-130 is 0.1 × 10^-129
)

// A number is a decimal as DynamoDB keeps it: ±0.d1d2… × 10^exponent, with neither leading nor trailing zeros among its
// digits. Zero has no digits.
type number struct {
	digits   [maxDigits]byte // '0' to '9'
	count    int
	exponent int
	negative bool
}

// parseNumber reads the text of an N attribute. Its errors carry the messages of the service.
func parseNumber(text string) (number, error) {
	var n number
	rest := text
	if rest != "" && (rest[0] == '-' || rest[0] == '+') {
		n.negative = rest[0] == '-'
		rest = rest[1:]
	}
	var (
		seen     int // digits read
		leading  int // zeros before the first other digit
		zeros    int // zeros held back: trailing, unless another digit follows
		point    = -1
		overlong bool
		i        int
	)
scan:
	for ; i < len(rest); i++ {
		switch c := rest[i]; {
		case c == '.':
			if point >= 0 {
				return number{}, notNumeric(text)
			}
			point = seen
		case c == '0':
			seen++
			if n.count == 0 {
				leading++
			} else {
				zeros++
			}
		case c >= '1' && c <= '9':
			seen++
			if n.count+zeros >= maxDigits {
				overlong = true
				continue
			}
			for ; zeros > 0; zeros-- {
				n.digits[n.count] = '0'
				n.count++
			}
			n.digits[n.count] = c
			n.count++
		default:
			break scan
		}
	}
	if seen == 0 {
		return number{}, notNumeric(text)
	}
	shift, err := parseExponent(rest[i:])
	if err != nil {
		return number{}, notNumeric(text)
	}
	if point < 0 {
		point = seen
	}
	if n.count == 0 {
		return number{}, nil
	}
	n.exponent = point - leading + shift
	switch {
	case n.exponent > maxExponent:
		return number{}, validation("Number overflow. Attempting to store a number with magnitude larger than supported range")
	case n.exponent < minExponent:
		return number{}, validation("Number underflow. Attempting to store a number with magnitude smaller than supported range")
	case overlong:
		return number{}, validation("Attempting to store more than 38 significant digits in a Number")
	}
	return n, nil
}

// parseExponent reads "", "e5", "E-12". Exponents far outside the range stay far outside it instead of overflowing.
func parseExponent(text string) (int, error) {
	if text == "" {
		return 0, nil
	}
	if text[0] != 'e' && text[0] != 'E' {
		return 0, errNotNumeric
	}
	text = text[1:]
	sign := 1
	if text != "" && (text[0] == '-' || text[0] == '+') {
		if text[0] == '-' {
			sign = -1
		}
		text = text[1:]
	}
	if text == "" {
		return 0, errNotNumeric
	}
	const farAway = 1 << 40
	exponent := 0
	for i := range len(text) {
		if text[i] < '0' || text[i] > '9' {
			return 0, errNotNumeric
		}
		exponent = min(exponent*10+int(text[i]-'0'), farAway)
	}
	return sign * exponent, nil
}

// appendText writes the number as DynamoDB returns it: plain notation, no superfluous zeros, no negative zero.
func (n *number) appendText(b []byte) []byte {
	digits := n.digits[:n.count]
	switch {
	case n.count == 0:
		return append(b, '0')
	case n.negative:
		b = append(b, '-')
	}
	switch {
	case n.exponent <= 0:
		b = append(b, "0."...)
		b = appendZeros(b, -n.exponent)
		return append(b, digits...)
	case n.exponent >= n.count:
		b = append(b, digits...)
		return appendZeros(b, n.exponent-n.count)
	default:
		b = append(b, digits[:n.exponent]...)
		b = append(b, '.')
		return append(b, digits[n.exponent:]...)
	}
}

func (n *number) String() string { return string(n.appendText(nil)) }

func appendZeros(b []byte, count int) []byte {
	for range count {
		b = append(b, '0')
	}
	return b
}

// appendKey writes the number so that the order of bytes is the order of values: a sign, the biased exponent, the
// digits in pairs from 1 to 100, and an end below every pair. Negative numbers are complemented.
func (n *number) appendKey(b []byte) []byte {
	const (
		zero     = 0x80
		positive = 0xC0
	)
	if n.count == 0 {
		return append(b, zero)
	}
	start := len(b)
	biased := uint16(n.exponent - minExponent)
	b = append(b, positive, byte(biased>>8), byte(biased))
	for i := 0; i < n.count; i += 2 {
		pair := (n.digits[i] - '0') * 10
		if i+1 < n.count {
			pair += n.digits[i+1] - '0'
		}
		b = append(b, pair+1)
	}
	b = append(b, 0)
	if n.negative {
		for i := start; i < len(b); i++ {
			b[i] = ^b[i]
		}
	}
	return b
}

// compare orders two numbers by value.
func (n *number) compare(other *number) int {
	var a, b [maxDigits/2 + 4]byte
	return bytes.Compare(n.appendKey(a[:0]), other.appendKey(b[:0]))
}

// size is what the number counts towards an item's 400 KB: one byte, one for two digits, one for a minus.
func (n *number) size() int {
	size := 1 + (n.count+1)/2
	if n.negative {
		size++
	}
	return size
}

// isPlainInteger tells that text is already in normal form without parsing it: the usual case of a timestamp or a
// count.
func isPlainInteger(text string) bool {
	if text == "" || len(text) > maxDigits || text[0] == '0' {
		return false
	}
	for i := range len(text) {
		if text[i] < '0' || text[i] > '9' {
			return false
		}
	}
	return true
}

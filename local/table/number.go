package table

import (
	"errors"
	"strconv"

	"github.com/cockroachdb/apd/v3"

	"trade-processing/local/awsapi"
)

// Limits of a DynamoDB number: 38 significant digits, magnitudes from 1E-130 to 9.9999…E+125.
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html
const (
	maxDigits   = 38
	maxExponent = 126  // of 0.d1d2… × 10^exponent
	minExponent = -129 // likewise: 1E-130 is 0.1 × 10^-129
)

// A number is a decimal as DynamoDB keeps it, without trailing zeros among its digits.
type number struct{ apd.Decimal }

// parseNumber reads the text of an N attribute. Its errors have the service's messages.
func parseNumber(text string) (*number, error) {
	n := &number{}
	_, _, err := n.SetString(text)
	if err != nil && !errors.Is(err, strconv.ErrRange) || err == nil && n.Form != apd.Finite {
		return nil, awsapi.Validation("The parameter cannot be converted to a numeric value: %s", text)
	}
	n.Reduce(&n.Decimal)
	switch {
	case n.IsZero():
		n.Negative = false
	case err != nil || n.magnitude() > maxExponent:
		return nil, awsapi.Validation("Number overflow. Attempting to store a number with magnitude larger than supported range")
	case n.magnitude() < minExponent:
		return nil, awsapi.Validation("Number underflow. Attempting to store a number with magnitude smaller than supported range")
	case n.NumDigits() > maxDigits:
		return nil, awsapi.Validation("Attempting to store more than 38 significant digits in a Number")
	}
	return n, nil
}

// magnitude returns the exponent of the number as 0.d1d2… × 10^exponent.
func (n *number) magnitude() int { return int(n.NumDigits()) + int(n.Exponent) }

// String returns the number as DynamoDB returns it: plain notation, no superfluous zeros, no negative zero.
func (n *number) String() string { return n.Text('f') }

// appendKey writes the number so that byte order is value order: a sign, the biased exponent, the digits in pairs from
// 1 to 100, and an end below every pair. Negative numbers are complemented.
func (n *number) appendKey(b []byte) []byte {
	const (
		zero     = 0x80
		positive = 0xC0
	)
	if n.IsZero() {
		return append(b, zero)
	}
	start := len(b)
	biased := uint16(n.magnitude() - minExponent)
	b = append(b, positive, byte(biased>>8), byte(biased))
	digits := n.Coeff.Append(make([]byte, 0, maxDigits+1), 10)
	if len(digits)%2 == 1 {
		digits = append(digits, '0')
	}
	for i := 0; i < len(digits); i += 2 {
		b = append(b, (digits[i]-'0')*10+digits[i+1]-'0'+1)
	}
	b = append(b, 0)
	if n.Negative {
		for i := start; i < len(b); i++ {
			b[i] = ^b[i]
		}
	}
	return b
}

// size returns what the number counts towards an item's 400 KB: one byte, one per two digits, one for a minus.
func (n *number) size() int {
	if n.IsZero() {
		return 1
	}
	size := 1 + (int(n.NumDigits())+1)/2
	if n.Negative {
		size++
	}
	return size
}

// isPlainInteger reports whether text is already in normal form without parsing it: the usual case of a timestamp or a
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

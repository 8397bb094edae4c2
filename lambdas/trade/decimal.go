package trade

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"github.com/cockroachdb/apd/v3"
)

const (
	// MaxDigits is how many significant digits a decimal may have: DynamoDB's limit for a number. Zeros at either end
	// don't count.
	MaxDigits = 38

	// maxExactDigits is how many significant digits of a JSON number are sure to survive a service that reads numbers
	// as IEEE 754 doubles, as Step Functions may: every decimal of 15 digits survives a round trip through a double.
	maxExactDigits = 15

	// A decimal's first significant digit is worth 10^minExponent to 10^maxExponent: DynamoDB's range for a number,
	// 1E-130 to 9.99...E+125.
	minExponent = -130
	maxExponent = 125
)

// The ways in which a string can fail to be a decimal. They are distinct because each has its own violation codes.
var (
	ErrNotDecimal    = errors.New("is not a decimal like 1250.75, written like a JSON number")
	ErrTooManyDigits = fmt.Errorf("has more than %d significant digits", MaxDigits)
	ErrOutOfRange    = fmt.Errorf("is outside 1E%d to 9.99E+%d", minExponent, maxExponent)
)

// Decimal is an exact decimal number of at most MaxDigits significant digits. The zero Decimal is 0.
type Decimal struct {
	value  apd.Decimal
	digits int // significant digits
}

// ParseDecimal reads a decimal exactly: an optional minus, digits without a leading zero, an optional fraction, an
// optional exponent, as in a JSON number (so no leading plus, no hexadecimal, no NaN, no separators, no white space).
// The error is one of ErrNotDecimal, ErrTooManyDigits and ErrOutOfRange. The work is linear in the text's length,
// whatever the exponent: 1e999999999 is refused before anything of that size is allocated.
func ParseDecimal(s string) (Decimal, error) {
	parts, ok := splitDecimal(s)
	if !ok {
		return Decimal{}, ErrNotDecimal
	}
	var buffer [2 * MaxDigits]byte
	digits := append(append(buffer[:0], parts.integer...), parts.fraction...)
	significant := bytes.TrimRight(digits, "0")
	exponent := parts.exponent - len(parts.fraction) + len(digits) - len(significant)
	significant = bytes.TrimLeft(significant, "0")
	switch first := exponent + len(significant) - 1; {
	case len(significant) == 0:
		return Decimal{}, nil
	case len(significant) > MaxDigits:
		return Decimal{}, ErrTooManyDigits
	case first < minExponent || first > maxExponent:
		return Decimal{}, ErrOutOfRange
	}
	d := Decimal{digits: len(significant)}
	d.value.Coeff.SetString(string(significant), 10)
	d.value.Exponent = int32(exponent) //nolint:gosec // between minExponent and maxExponent
	d.value.Negative = parts.negative
	return d, nil
}

// decimalParts are the parts of a decimal's text. The exponent is cut off at ±maxExponentText.
type decimalParts struct {
	negative          bool
	integer, fraction string
	exponent          int
}

// maxExponentText is beyond every exponent that a text of acceptable length could bring back into the decimals' range.
const maxExponentText = 1_000_000_000

func splitDecimal(s string) (parts decimalParts, ok bool) {
	if strings.HasPrefix(s, "-") {
		parts.negative = true
		s = s[1:]
	}
	parts.integer, s = leadingDigits(s)
	if parts.integer == "" || len(parts.integer) > 1 && parts.integer[0] == '0' {
		return parts, false
	}
	if strings.HasPrefix(s, ".") {
		if parts.fraction, s = leadingDigits(s[1:]); parts.fraction == "" {
			return parts, false
		}
	}
	if s == "" {
		return parts, true
	}
	if s[0] != 'e' && s[0] != 'E' {
		return parts, false
	}
	s = s[1:]
	sign := 1
	if strings.HasPrefix(s, "-") {
		sign = -1
	}
	if sign < 0 || strings.HasPrefix(s, "+") {
		s = s[1:]
	}
	digits, rest := leadingDigits(s)
	if digits == "" || rest != "" {
		return parts, false
	}
	for i := range len(digits) {
		parts.exponent = min(10*parts.exponent+int(digits[i]-'0'), maxExponentText)
	}
	parts.exponent *= sign
	return parts, true
}

func leadingDigits(s string) (digits, rest string) {
	n := 0
	for n < len(s) && isDigit(s[n]) {
		n++
	}
	return s[:n], s[n:]
}

// IsZero reports whether d is 0.
func (d Decimal) IsZero() bool { return d.value.IsZero() }

// Sign returns -1, 0 or 1.
func (d Decimal) Sign() int { return d.value.Sign() }

// Abs returns d without its sign.
func (d Decimal) Abs() Decimal {
	d.value.Negative = false
	return d
}

// Cmp compares by value: -1 if d is less than e, 0 if they are equal, 1 if d is greater.
func (d Decimal) Cmp(e Decimal) int { return d.value.Cmp(&e.value) }

// String returns the decimal in plain notation, or in scientific notation if its exponent is large.
func (d Decimal) String() string { return d.value.String() }

package sample

import (
	"strconv"
	"strings"
)

// decimal is an exact decimal number: units × 10^-scale.
type decimal struct {
	units int64
	scale int
}

// times multiplies exactly. The markets keep products below 2^63.
func (d decimal) times(e decimal) decimal {
	return decimal{units: d.units * e.units, scale: d.scale + e.scale}
}

// plus adds units of the last place.
func (d decimal) plus(units int64) decimal { return decimal{units: d.units + units, scale: d.scale} }

// ones returns n in units of the last place.
func (d decimal) ones(n int64) int64 {
	for range d.scale {
		n *= 10
	}
	return n
}

// String writes the number plainly, without an exponent or trailing zeros.
func (d decimal) String() string {
	digits := strconv.FormatInt(max(d.units, -d.units), 10)
	if missing := d.scale + 1 - len(digits); missing > 0 {
		digits = strings.Repeat("0", missing) + digits
	}
	whole, fraction := digits[:len(digits)-d.scale], strings.TrimRight(digits[len(digits)-d.scale:], "0")
	if d.units < 0 {
		whole = "-" + whole
	}
	if fraction == "" {
		return whole
	}
	return whole + "." + fraction
}

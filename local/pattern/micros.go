package pattern

import (
	"errors"
	"math"
	"strconv"
	"strings"
)

// micros is a number in millionths. EventBridge compares numbers from -5.0e9 to 5.0e9 with six digits right of the
// point and takes no others, so that every comparison is exact.
type micros int64

const (
	limit    micros = 5_000_000_000 * million
	million         = 1_000_000
	decimals        = 6

	// unbounded is the open end of a range, beyond any number.
	unbounded micros = math.MaxInt64
)

var (
	errRange    = errors.New("EventBridge compares numbers from -5.0e9 to 5.0e9 only")
	errDecimals = errors.New("EventBridge compares numbers to six digits right of the point only")
)

// parseMicros reads the literal of a JSON number.
func parseMicros(literal string) (micros, error) {
	mantissa, exponent := literal, 0
	if at := strings.IndexAny(literal, "eE"); at >= 0 {
		mantissa = literal[:at]
		var err error
		if exponent, err = strconv.Atoi(literal[at+1:]); err != nil {
			// Too large for an int: only zero is still a number in range.
			exponent = math.MaxInt32
			if strings.HasPrefix(literal[at+1:], "-") {
				exponent = math.MinInt32
			}
		}
	}
	mantissa, negative := strings.CutPrefix(mantissa, "-")
	whole, fraction, _ := strings.Cut(mantissa, ".")

	// digit i of the mantissa counts 10^(len(whole)-1-i+exponent); the value is summed up in units of 10^-6.
	var sum micros
	power := len(whole) - 1 + exponent + decimals
	for _, part := range [2]string{whole, fraction} {
		for i := range len(part) {
			digit := micros(part[i] - '0')
			switch {
			case digit == 0:
			case power < 0:
				return 0, errDecimals
			case power > 15: // 10^16 millionths are 10^10
				return 0, errRange
			default:
				sum += digit * powersOfTen[power]
			}
			power--
		}
	}
	if sum > limit {
		return 0, errRange
	}
	if negative {
		sum = -sum
	}
	return sum, nil
}

var powersOfTen = func() (powers [16]micros) {
	p := micros(1)
	for i := range powers {
		powers[i] = p
		p *= 10
	}
	return powers
}()

package trade

import (
	"errors"
	"time"
)

// maxFractionDigits limits times to nanoseconds, the resolution of Go's clock and of every exchange's; a finer time
// could be stored but not compared.
const maxFractionDigits = 9

var (
	errTimeFormat  = errors.New("is not a time like 2024-05-28T09:30:00.123-04:00 (RFC 3339, with a zone)")
	errTimeTooFine = errors.New("has more than 9 digits after the second")
)

// parseTime reads an RFC 3339 time with a zone. Package time knows the calendar, but accepts more than RFC 3339 allows
// (a one-digit hour, a comma before the fraction, a zone of 24:60), so the shape is checked first.
func parseTime(s string) (time.Time, error) {
	const second = "0000-00-00T00:00:00"
	if len(s) <= len(second) || !hasShape(s[:len(second)], second) {
		return time.Time{}, errTimeFormat
	}
	zone := s[len(second):]
	fraction := ""
	if zone[0] == '.' {
		if fraction, zone = leadingDigits(zone[1:]); fraction == "" {
			return time.Time{}, errTimeFormat
		}
	}
	if zone != "Z" && (!hasShape(zone, "+00:00") && !hasShape(zone, "-00:00") || zone[1:] >= "24" || zone[4] > '5') {
		return time.Time{}, errTimeFormat
	}
	t, err := time.Parse(time.RFC3339, s)
	switch {
	case err != nil:
		return time.Time{}, errTimeFormat
	case len(fraction) > maxFractionDigits:
		return time.Time{}, errTimeTooFine
	}
	return t, nil
}

// hasShape reports whether s matches a shape, in which 0 matches any digit and everything else itself.
func hasShape(s, shape string) bool {
	if len(s) != len(shape) {
		return false
	}
	for i := range len(s) {
		wanted := s[i] == shape[i] || shape[i] == '0' && isDigit(s[i])
		if !wanted {
			return false
		}
	}
	return true
}

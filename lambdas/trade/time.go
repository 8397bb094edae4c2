package trade

import (
	"errors"
	"strings"
	"time"
)

// maxFractionDigits is how fine a time may be: a nanosecond. Go's clock, and every exchange's, ends there; a finer time
// could be stored but not compared.
const maxFractionDigits = 9

var (
	errTimeFormat  = errors.New("is not a time like 2024-05-28T09:30:00.123-04:00 (RFC 3339, with a zone)")
	errTimeTooFine = errors.New("has more than 9 digits after the second")
)

// parseTime reads an RFC 3339 time with zone. time.Time's own UnmarshalText is used because it is strict: time.Parse also
// takes a one-digit hour and a comma before the fraction.
func parseTime(s string) (time.Time, error) {
	var t time.Time
	if err := t.UnmarshalText([]byte(s)); err != nil {
		return time.Time{}, errTimeFormat
	}
	if _, fraction, found := strings.Cut(s, "."); found {
		if digits := strings.IndexAny(fraction, "Z+-"); digits > maxFractionDigits {
			return time.Time{}, errTimeTooFine
		}
	}
	return t, nil
}

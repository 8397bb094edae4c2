package trade

import (
	"errors"
	"slices"
	"strings"
	"time"
)

// maxFractionDigits limits times to nanoseconds, the resolution of Go's clock and of every exchange's; a finer time
// could be stored but not compared.
const maxFractionDigits = 9

var (
	errTimeFormat  = errors.New("is not RFC 3339, with a zone, such as 2024-05-28T09:30:00.123-04:00")
	errTimeTooFine = errors.New("has more than 9 digits after the second")
)

// ParseTime reads an RFC 3339 time with a zone. Package time knows the calendar, but accepts more than RFC 3339 allows
// (a one-digit hour, a comma before the fraction, a zone of 24:60), so the shape is checked first; and it refuses what
// RFC 3339 allows: t and z in lower case (section 5.6), and leap seconds (section 5.7). A leap second counts as the
// first second after it, as in POSIX, because Go's clock has none.
func ParseTime(s string) (time.Time, error) {
	const second = "0000-00-00T00:00:00"
	if len(s) > len(second) && (s[10] == 't' || s[len(s)-1] == 'z') {
		s = strings.ToUpper(s)
	}
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
	leap := s[17:19] == "60"
	if leap {
		s = s[:17] + "59" + s[19:]
	}
	t, err := time.Parse(time.RFC3339, s)
	switch {
	case err != nil || leap && !precedesLeapSecond(t.UTC()):
		return time.Time{}, errTimeFormat
	case len(fraction) > maxFractionDigits:
		return time.Time{}, errTimeTooFine
	case leap:
		t = t.Add(time.Second)
	}
	return t, nil
}

// leapSecondDays are the days, in UTC, that ended with a leap second, as in the IANA time zone database's
// leap-seconds.list (https://data.iana.org/time-zones/data/leap-seconds.list), which follows the IERS. Until
// leapSecondsKnown there were no others; after it, each end of June and December may have one.
var leapSecondDays = []int{
	1972_06_30, 1972_12_31, 1973_12_31, 1974_12_31, 1975_12_31, 1976_12_31, 1977_12_31, 1978_12_31, 1979_12_31,
	1981_06_30, 1982_06_30, 1983_06_30, 1985_06_30, 1987_12_31, 1989_12_31, 1990_12_31, 1992_06_30, 1993_06_30,
	1994_06_30, 1995_12_31, 1997_06_30, 1998_12_31, 2005_12_31, 2008_12_31, 2012_06_30, 2015_06_30, 2016_12_31,
}

const leapSecondsKnown = 2025_12_31

// precedesLeapSecond reports whether a leap second followed a second in UTC, or, if that isn't known, may follow.
func precedesLeapSecond(t time.Time) bool {
	if hour, minute, second := t.Clock(); hour != 23 || minute != 59 || second != 59 {
		return false
	}
	if day := dayOf(t); day <= leapSecondsKnown {
		_, listed := slices.BinarySearch(leapSecondDays, day)
		return listed
	}
	return t.Month() == time.June && t.Day() == 30 || t.Month() == time.December && t.Day() == 31
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

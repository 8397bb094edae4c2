package market

import (
	"fmt"
	"time"
)

// Date is a day in the proleptic Gregorian calendar, counted from 1970-01-01. It has no time zone: it is the date on a
// market's own wall clock.
type Date int32

// DateOf returns the date of a year, month and day. Days outside the month overflow, as with time.Date.
func DateOf(year int, month time.Month, dayOfMonth int) Date {
	return Date(time.Date(year, month, dayOfMonth, 0, 0, 0, 0, time.UTC).Unix() / secondsPerDay) //nolint:gosec // five million years either way fit
}

// ParseDate reads a date in the form 2013-10-14.
func ParseDate(text string) (Date, error) {
	t, err := time.Parse(time.DateOnly, text)
	if err != nil {
		return 0, fmt.Errorf("%q is not a date of the form 2013-10-14", text)
	}
	return DateOf(t.Date()), nil
}

// localTime splits an instant into the date and the time since midnight on a wall clock in the zone.
func localTime(t time.Time, zone *time.Location) (Date, clock) {
	_, offset := t.In(zone).Zone()
	seconds := t.Unix() + int64(offset)
	days := seconds / secondsPerDay
	if seconds%secondsPerDay < 0 {
		days--
	}
	return Date(days), clock(seconds - days*secondsPerDay) //nolint:gosec // years have four digits
}

func (d Date) time() time.Time { return time.Unix(int64(d)*secondsPerDay, 0).UTC() }

// Weekday returns the day of the week.
func (d Date) Weekday() time.Weekday { return time.Weekday(((int(d)+4)%7 + 7) % 7) } // 1970-01-01 was a Thursday

// Year returns the calendar year.
func (d Date) Year() int { return d.time().Year() }

// String writes the date in the form 2013-10-14.
func (d Date) String() string { return d.time().Format(time.DateOnly) }

// MarshalText makes a date a JSON string.
func (d Date) MarshalText() ([]byte, error) { return d.time().AppendFormat(nil, time.DateOnly), nil }

package market

import (
	"time"

	"github.com/rickar/cal/v2"
)

// The shapes that holidays have. They make values of github.com/rickar/cal, whose own country packages are used
// wherever an exchange keeps the country's holiday.

// onDay is a holiday on a fixed date; observed moves it when it falls on a weekend.
func onDay(name string, month time.Month, dayOfMonth int, observed ...cal.AltDay) *cal.Holiday {
	return &cal.Holiday{Name: name, Month: month, Day: dayOfMonth, Observed: observed, Func: cal.CalcDayOfMonth}
}

// onNth is a holiday on the nth weekday of a month, counted from its end when n is negative.
func onNth(name string, n int, weekday time.Weekday, month time.Month) *cal.Holiday {
	return &cal.Holiday{Name: name, Month: month, Weekday: weekday, Offset: n, Func: cal.CalcWeekdayOffset}
}

// onWeekdayFrom is a holiday on the first weekday of that name on or after a date.
func onWeekdayFrom(name string, weekday time.Weekday, month time.Month, dayOfMonth int) *cal.Holiday {
	return &cal.Holiday{Name: name, Month: month, Day: dayOfMonth, Weekday: weekday, Offset: 1, Func: cal.CalcWeekdayFrom}
}

// fromEaster is a holiday that many days after (before, when negative) Easter Sunday of the western churches.
func fromEaster(name string, days int) *cal.Holiday {
	return &cal.Holiday{Name: name, Offset: days, Func: cal.CalcEasterOffset}
}

// onLastWeekday is the last day from Monday to Friday on or before a date, whatever that date is.
func onLastWeekday(name string, month time.Month, dayOfMonth int) *cal.Holiday {
	return onDay(name, month, dayOfMonth, cal.AltDay{Day: time.Saturday, Offset: -1}, cal.AltDay{Day: time.Sunday, Offset: -2})
}

// Where a holiday goes that falls on a weekend.
var (
	sundayToMonday   = cal.AltDay{Day: time.Sunday, Offset: 1}
	saturdayToMonday = cal.AltDay{Day: time.Saturday, Offset: 2}
)

// from keeps a holiday from that year on.
func from(year int, h *cal.Holiday) *cal.Holiday { return h.Clone(&cal.Holiday{StartYear: year}) }

// through keeps a holiday up to and including that year.
func through(year int, h *cal.Holiday) *cal.Holiday { return h.Clone(&cal.Holiday{EndYear: year}) }

// except leaves out years.
func except(h *cal.Holiday, years ...int) *cal.Holiday { return h.Clone(&cal.Holiday{Except: years}) }

// observed replaces the days to which a holiday moves.
func observed(h *cal.Holiday, to ...cal.AltDay) *cal.Holiday {
	return h.Clone(&cal.Holiday{Observed: to})
}

// notMoved keeps a holiday on its own date. Clone takes an empty list for none given, so it is set on the copy.
func notMoved(h *cal.Holiday) *cal.Holiday {
	c := h.Clone(nil)
	c.Observed = nil
	return c
}

// endingAt is an early end that is always at the same time.
func endingAt(ends clock, holidays ...*cal.Holiday) []shortDay {
	days := make([]shortDay, len(holidays))
	for i, h := range holidays {
		days[i] = shortDay{holiday: h, ends: func(Date) clock { return ends }}
	}
	return days
}

// dates reads a list of dates. A misspelt one is a mistake in this package's source, which every test that loads it
// finds.
func dates(list ...string) []Date {
	parsed := make([]Date, len(list))
	for i, text := range list {
		d, err := ParseDate(text)
		if err != nil {
			panic(err)
		}
		parsed[i] = d
	}
	return parsed
}

// weekdaysBetween are all dates from Monday to Friday from the first to the last.
func weekdaysBetween(first, last string) []Date {
	ends := dates(first, last)
	var between []Date
	for d := ends[0]; d <= ends[1]; d++ {
		if !saturdayAndSunday(d) {
			between = append(between, d)
		}
	}
	return between
}

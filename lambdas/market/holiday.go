package market

import (
	"time"

	"github.com/rickar/cal/v2"
)

// The kinds of holiday. They produce values of github.com/rickar/cal, whose own country packages are used wherever an
// exchange keeps the country's holiday.

// onDay returns a holiday on a fixed date; observed moves it if it falls on a weekend.
func onDay(name string, month time.Month, dayOfMonth int, observed ...cal.AltDay) *cal.Holiday {
	return &cal.Holiday{Name: name, Month: month, Day: dayOfMonth, Observed: observed, Func: cal.CalcDayOfMonth}
}

// onNth returns a holiday on the nth weekday of a month, counted from the end if n is negative.
func onNth(name string, n int, weekday time.Weekday, month time.Month) *cal.Holiday {
	return &cal.Holiday{Name: name, Month: month, Weekday: weekday, Offset: n, Func: cal.CalcWeekdayOffset}
}

// onWeekdayFrom returns a holiday on the first such weekday on or after a date.
func onWeekdayFrom(name string, weekday time.Weekday, month time.Month, dayOfMonth int) *cal.Holiday {
	return &cal.Holiday{Name: name, Month: month, Day: dayOfMonth, Weekday: weekday, Offset: 1, Func: cal.CalcWeekdayFrom}
}

// fromEaster returns a holiday that many days after (before, if negative) the western Easter Sunday.
func fromEaster(name string, days int) *cal.Holiday {
	return &cal.Holiday{Name: name, Offset: days, Func: cal.CalcEasterOffset}
}

// onLastWeekday returns the last Monday-to-Friday day on or before a date.
func onLastWeekday(name string, month time.Month, dayOfMonth int) *cal.Holiday {
	return onDay(name, month, dayOfMonth, cal.AltDay{Day: time.Saturday, Offset: -1}, cal.AltDay{Day: time.Sunday, Offset: -2})
}

// Where a holiday moves if it falls on a weekend.
var (
	sundayToMonday   = cal.AltDay{Day: time.Sunday, Offset: 1}
	saturdayToMonday = cal.AltDay{Day: time.Saturday, Offset: 2}
)

// from limits a holiday to that year and later.
func from(year int, h *cal.Holiday) *cal.Holiday { return h.Clone(&cal.Holiday{StartYear: year}) }

// through limits a holiday to years up to and including that one.
func through(year int, h *cal.Holiday) *cal.Holiday { return h.Clone(&cal.Holiday{EndYear: year}) }

// except leaves out years.
func except(h *cal.Holiday, years ...int) *cal.Holiday { return h.Clone(&cal.Holiday{Except: years}) }

// observed replaces the days a holiday moves to.
func observed(h *cal.Holiday, to ...cal.AltDay) *cal.Holiday {
	return h.Clone(&cal.Holiday{Observed: to})
}

// notMoved keeps a holiday on its own date. Clone treats an empty list as not given, so it is set on the copy.
func notMoved(h *cal.Holiday) *cal.Holiday {
	c := h.Clone(nil)
	c.Observed = nil
	return c
}

// endingAt returns an early close that is always at the same time.
func endingAt(ends clock, holidays ...*cal.Holiday) []shortDay {
	days := make([]shortDay, len(holidays))
	for i, h := range holidays {
		days[i] = shortDay{holiday: h, ends: func(Date) clock { return ends }}
	}
	return days
}

// dates reads a list of dates. A misspelt one is a bug in this package, which every test that loads it finds.
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

// weekdaysBetween returns all Monday-to-Friday dates from the first to the last.
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

package market

import (
	"fmt"
	"io/fs"
	"sync"
	"time"
)

// Calendar knows the trading days of a market and their hours, or the days on which trades settle somewhere. It is safe
// for concurrent use.
type Calendar struct {
	// Name is that of its file in data/calendars, without .txt.
	Name string

	table func() *table
}

// newCalendar returns a calendar whose file is read when somebody asks for a day.
func newCalendar(files fs.FS, name string) *Calendar {
	return &Calendar{Name: name, table: sync.OnceValue(func() *table {
		t, err := readCalendar(files, name)
		if err != nil {
			// Tests read every calendar, so this is a program without time zones.
			panic(fmt.Errorf("loading market reference data: %w", err))
		}
		return t
	})}
}

func calendarFile(name string) string { return "data/calendars/" + name + ".txt" }

// table is a calendar as read from its file.
type table struct {
	zone *time.Location

	// begins is when a trading day begins, on the evening before if it isn't zero.
	begins clock

	// covers are the dates whose days are known, hours those whose hours are.
	covers span
	hours  []span

	// days has, for each day that the calendar covers, the index of its schedule.
	days      []uint16
	schedules []schedule
}

// span is a range of dates with both ends.
type span struct{ from, until Date }

func (s span) contains(d Date) bool { return s.from <= d && d <= s.until }

// on returns the schedule of a date; nil if the calendar doesn't cover it.
func (t *table) on(d Date) *schedule {
	if !t.covers.contains(d) {
		return nil
	}
	return &t.schedules[t.days[d-t.covers.from]]
}

// knowsHours reports whether the hours of a date are known.
func (t *table) knowsHours(d Date) bool {
	for _, s := range t.hours {
		if s.contains(d) {
			return true
		}
	}
	return false
}

// locate returns the day that an instant belongs to, before skipping days without trading, and the time on it. It is the
// date on the venue's clock, the next one if days begin in the evening and it is past that, or the one before while
// trading that began then lasts past midnight.
func (t *table) locate(instant time.Time) (Date, clock) {
	d, at := localTime(instant, t.zone)
	if at >= dayLength+t.begins {
		return d + 1, at - dayLength
	}
	if before := t.on(d - 1); before != nil && at+dayLength < before.ends() {
		return d - 1, at + dayLength
	}
	return d, at
}

// IsOpen reports whether a date is a trading day (or settlement day, depending on the calendar), and whether the
// calendar covers it at all.
func (c *Calendar) IsOpen(d Date) (isOpen, covered bool) {
	on := c.table().on(d)
	return on != nil && on.kind == open, on != nil
}

// Next returns the first open day on or after d; false if the calendar doesn't cover it.
func (c *Calendar) Next(d Date) (Date, bool) {
	for ; ; d++ {
		isOpen, covered := c.IsOpen(d)
		if isOpen || !covered {
			return d, covered
		}
	}
}

// After returns the nth open day after d; n = 0 is Next. False if the calendar ends before that.
func (c *Calendar) After(d Date, n int) (Date, bool) {
	if n == 0 {
		return c.Next(d)
	}
	for ; n > 0; n-- {
		var covered bool
		if d, covered = c.Next(d + 1); !covered {
			return d, false
		}
	}
	return d, true
}

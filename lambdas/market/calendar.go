package market

import (
	"sync"
	"time"

	"github.com/rickar/cal/v2"
)

// Calendar knows the trading days of one market, or the settlement days of one place of settlement. It is safe for
// concurrent use.
type Calendar struct {
	Name string

	// From and Until are the first and the last date that the calendar covers.
	From, Until Date

	rules rules
	build sync.Once
	days  []dayOf // one entry per day, starting at From
}

// rules say which days a calendar is closed. Later rules win over earlier ones, in the order of the fields.
type rules struct {
	// restDays reports the days of the week without trading; nil means Saturday and Sunday.
	restDays func(Date) bool

	// closed are holidays without trading on the day they are observed.
	closed []*cal.Holiday

	// bridges are holidays with trading for part of the day, which counts for the next trading day.
	bridges []shortDay

	// closures and openings are single dates that no rule gives.
	closures, openings []Date

	// early are trading days on which continuous trading ends early, earlyDates single dates on which it does.
	early      []shortDay
	earlyDates []earlyDate
}

// shortDay is a holiday rule that shortens the day. It applies only if the earlier rules make the day a trading day.
type shortDay struct {
	holiday *cal.Holiday
	ends    func(Date) clock
}

type earlyDate struct {
	date Date
	ends clock
}

// kind is what happens on a calendar day.
type kind uint8

const (
	closed kind = iota
	open
	early  // a trading day that ends early
	bridge // not a trading day, but trades until it ends count for the next one
)

// dayOf packs a day's kind (2 bits) with the minute at which an early or bridge day ends.
type dayOf uint16

func (d dayOf) kind() kind  { return kind(d & 3) }
func (d dayOf) ends() clock { return clock(d>>2) * 60 }

func shortened(k kind, ends clock) dayOf { return dayOf(k) | dayOf(ends/60)<<2 }

// on returns what the calendar says about a date; false if it doesn't cover it.
func (c *Calendar) on(d Date) (dayOf, bool) {
	if d < c.From || d > c.Until {
		return 0, false
	}
	c.build.Do(c.fill)
	return c.days[d-c.From], true
}

// IsOpen reports whether a date is a trading day (or settlement day, depending on the calendar), and whether the
// calendar covers it at all.
func (c *Calendar) IsOpen(d Date) (isOpen, covered bool) {
	on, covered := c.on(d)
	return on.kind() == open || on.kind() == early, covered
}

// Next returns the first open day on or after d; false if the calendar ends before that.
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

// EarlyClose returns the wall-clock time since midnight at which continuous trading ends early on a date, and whether
// it does.
func (c *Calendar) EarlyClose(d Date) (time.Duration, bool) {
	on, _ := c.on(d)
	return time.Duration(on.ends()) * time.Second, on.kind() == early
}

// fill computes all days at once. A calendar has some ten thousand, which takes well below a millisecond; after that
// every query is one lookup in a slice.
func (c *Calendar) fill() {
	c.days = make([]dayOf, c.Until-c.From+1)
	isRest := c.rules.restDays
	if isRest == nil {
		isRest = saturdayAndSunday
	}
	for d := c.From; d <= c.Until; d++ {
		if !isRest(d) {
			c.set(d, dayOf(open))
		}
	}
	// An observed day may move across the year's end, so the neighbouring years are included.
	first, last := c.From.Year()-1, c.Until.Year()+1
	for year := first; year <= last; year++ {
		for _, holiday := range c.rules.closed {
			if observed, ok := observedIn(holiday, year); ok {
				c.set(observed, dayOf(closed))
			}
		}
	}
	c.shorten(c.rules.bridges, bridge, first, last)
	for _, d := range c.rules.closures {
		c.set(d, dayOf(closed))
	}
	for _, d := range c.rules.openings {
		c.set(d, dayOf(open))
	}
	c.shorten(c.rules.early, early, first, last)
	for _, e := range c.rules.earlyDates {
		c.set(e.date, shortened(early, e.ends))
	}
}

func (c *Calendar) shorten(days []shortDay, to kind, first, last int) {
	for year := first; year <= last; year++ {
		for _, s := range days {
			observed, ok := observedIn(s.holiday, year)
			if !ok || observed < c.From || observed > c.Until || c.days[observed-c.From].kind() != open {
				continue
			}
			c.set(observed, shortened(to, s.ends(observed)))
		}
	}
}

func (c *Calendar) set(d Date, to dayOf) {
	if d >= c.From && d <= c.Until {
		c.days[d-c.From] = to
	}
}

// observedIn returns the date on which a holiday of that year is observed.
func observedIn(holiday *cal.Holiday, year int) (Date, bool) {
	_, observed := holiday.Calc(year)
	if observed.IsZero() {
		return 0, false
	}
	return DateOf(observed.Date()), true
}

func saturdayAndSunday(d Date) bool {
	return d.Weekday() == time.Saturday || d.Weekday() == time.Sunday
}

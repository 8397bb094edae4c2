package market

import "time"

// Session is the part of the day in which a trade was executed.
type Session string

const (
	// Pre is before the regular session: early trading, or the call phase of the opening auction.
	Pre Session = "PRE"

	// Regular is the main session, from the opening auction to the end of the closing auction and of trading at its price.
	// The night sessions of futures markets are regular.
	Regular Session = "REGULAR"

	// Post is after the regular session: late trading and reporting.
	Post Session = "POST"

	// Closed is outside all sessions: at night, in a midday break, on a day without trading.
	Closed Session = "CLOSED"

	// Continuous is a market that never closes.
	Continuous Session = "CONTINUOUS"
)

// hours are a venue's trading hours on a day. data/hours.csv explains each time.
type hours struct {
	begins           clock
	pre, open        clock
	pause, resume    clock // equal if there is no break
	close, end, post clock
}

// week has the hours of each day of the week from a date on.
type week struct {
	from Date
	days [7]hours
}

// profile has a venue's hours over time, latest first.
type profile struct {
	weeks      []week
	continuous bool
}

// on returns the hours on a date; false before the first known date.
func (p *profile) on(d Date) (hours, bool) {
	for i := range p.weeks {
		if d >= p.weeks[i].from {
			return p.weeks[i].days[d.Weekday()], true
		}
	}
	return hours{}, false
}

// session returns the session at a time of the trading day, given what the calendar says about that day.
func (h hours) session(at clock, on dayOf) Session {
	switch on.kind() {
	case closed:
		return Closed
	case early, bridge:
		h = h.endingEarly(on.ends())
	case open:
	}
	switch {
	case at < h.pre:
		return Closed
	case at < h.open:
		return Pre
	case at >= h.pause && at < h.resume:
		return Closed
	case at < h.end:
		return Regular
	case at < h.post:
		return Post
	}
	return Closed
}

// endingEarly moves the end of continuous trading, and everything after it by as much. A day that ends before or at the
// midday break has no afternoon.
func (h hours) endingEarly(ends clock) hours {
	earlier := h.close - ends
	h.close, h.end, h.post = ends, h.end-earlier, h.post-earlier
	if h.resume > h.pause && ends <= h.pause {
		h.pause, h.resume = h.post, h.post
	}
	return h
}

// localDay returns the date a trade counts for, before skipping closing days, and the time on it. In markets whose
// trading day begins in the evening, that is tomorrow's date from then on.
func (p *profile) localDay(t time.Time, zone *time.Location) (Date, clock) {
	d, at := localTime(t, zone)
	if h, known := p.on(d); known && at >= h.begins+clock(secondsPerDay) {
		return d + 1, at - clock(secondsPerDay)
	}
	return d, at
}

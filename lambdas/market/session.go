package market

import "time"

// Session is the part of the day in which a trade was executed.
type Session string

const (
	// Pre is before the regular session: early trading, or the call phase of the opening auction.
	Pre Session = "PRE"

	// Regular is the main session, from the opening auction to the end of the closing auction and of trading at its
	// price. The night sessions of futures markets are regular.
	Regular Session = "REGULAR"

	// Post is after the regular session: late trading and reporting.
	Post Session = "POST"

	// Closed is outside of all sessions: at night, in a midday break, on a day without trading.
	Closed Session = "CLOSED"

	// Continuous is a market that never closes.
	Continuous Session = "CONTINUOUS"
)

// hours are a venue's trading hours on a day. See data/hours.csv for what each time means.
type hours struct {
	begins           clock
	pre, open        clock
	pause, resume    clock // equal when there is no break
	close, end, post clock
}

// week is the hours of each day of the week from a date on.
type week struct {
	from Date
	days [7]hours
}

// profile is a venue's hours over time, latest first.
type profile struct {
	weeks      []week
	continuous bool
}

// on is the hours of a date; false before the first date that is known.
func (p *profile) on(d Date) (hours, bool) {
	for i := range p.weeks {
		if d >= p.weeks[i].from {
			return p.weeks[i].days[d.Weekday()], true
		}
	}
	return hours{}, false
}

// session is the session at a time of the trading day, and what the calendar says of that day.
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

// endingEarly moves the end of continuous trading, and by as much what comes after it. A day that ends before or with
// the midday break has no afternoon.
func (h hours) endingEarly(ends clock) hours {
	earlier := h.close - ends
	h.close, h.end, h.post = ends, h.end-earlier, h.post-earlier
	if h.resume > h.pause && ends <= h.pause {
		h.pause, h.resume = h.post, h.post
	}
	return h
}

// localDay is the date that a trade counts for, before closing days are skipped, and the time on it: from the evening
// on, in markets whose trading day begins there, the date of tomorrow.
func (p *profile) localDay(t time.Time, zone *time.Location) (Date, clock) {
	d, at := localTime(t, zone)
	if h, known := p.on(d); known && at >= h.begins+clock(secondsPerDay) {
		return d + 1, at - clock(secondsPerDay)
	}
	return d, at
}

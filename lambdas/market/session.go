package market

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

// phase is a part of a trading day, from its start to the next phase's.
type phase struct {
	from    clock
	session Session
}

// kind is what a day is in a calendar.
type kind uint8

const (
	closed  kind = iota
	open         // a trading day, or a settlement day
	carried      // no trading day, but what trades on it counts for the next one
)

// schedule is what happens on a day.
type schedule struct {
	kind kind

	// phases are in order, and the last one is Closed and begins where the day's trading ends. There are none on a day
	// without trading, and on one whose hours nobody knows.
	phases []phase
}

// ends returns when a day's trading is over.
func (s *schedule) ends() clock {
	if len(s.phases) == 0 {
		return 0
	}
	return s.phases[len(s.phases)-1].from
}

// session returns the session at a time of the day.
func (s *schedule) session(at clock) Session {
	session := Closed
	for i := range s.phases {
		if s.phases[i].from > at {
			break
		}
		session = s.phases[i].session
	}
	return session
}

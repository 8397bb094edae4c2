package market

import "time"

// Venue is a place of trading.
type Venue struct {
	// MIC is the ISO 10383 market identifier code; Operating is that of the exchange that runs it.
	MIC, Operating string

	// Name is the venue's name, shortened.
	Name string

	// Country is the ISO 3166 alpha-2 code of its country.
	Country string

	// Zone is the time zone of its wall clock.
	Zone *time.Location

	calendar   *Calendar
	hours      *profile
	settlement cycles
}

// Moment is what the reference data knows about a venue at an instant. Anything unknown is the zero value, with a
// reason.
type Moment struct {
	// Session is empty if it isn't known.
	Session Session

	// TradingDay is the day a trade counts for, valid if HasTradingDay.
	TradingDay    Date
	HasTradingDay bool

	// Settlement is the day on which the trade settles and Cycle how it is counted, valid if HasSettlement.
	Settlement    Date
	Cycle         Cycle
	HasSettlement bool

	// Reasons say what is missing; nil if nothing is.
	Reasons []Reason
}

// At returns the session of an instant, the trading day a trade then counts for, and when it settles.
//
// A trade counts for the date on the venue's clock, even after the close; in markets whose trading day begins in the
// evening (US futures at 18:00, US shares at 20:00), it counts for the next date from then on. If that date isn't a
// trading day, it counts for the next one that is.
func (v *Venue) At(t time.Time) Moment {
	var m Moment
	d, at := v.hours.localDay(t, v.Zone)
	on, covered := v.calendar.on(d)
	if !covered {
		m.Reasons = []Reason{CalendarNotCovered}
		return m
	}
	switch h, known := v.hours.on(d); {
	case v.hours.continuous:
		m.Session = Continuous
	case known:
		m.Session = h.session(at, on)
	default:
		m.Reasons = []Reason{HoursNotCovered}
	}
	if m.TradingDay, m.HasTradingDay = v.calendar.Next(d); !m.HasTradingDay {
		m.Reasons = append(m.Reasons, CalendarNotCovered)
		return m
	}
	if m.Cycle, m.Settlement, m.HasSettlement = v.settlement.settlement(m.TradingDay); !m.HasSettlement {
		m.Reasons = append(m.Reasons, SettlementNotCovered)
	}
	return m
}

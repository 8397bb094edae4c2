package market

import "time"

// Nowhere is what ISO 10383 writes for the country of codes that stand for no place, such as XOFF.
const Nowhere = "ZZ"

// Venue is a place of trading.
type Venue struct {
	// MIC is the ISO 10383 market identifier code; Operating is that of the exchange that runs it.
	MIC, Operating string

	// Name is the venue's name, shortened.
	Name string

	// Country is the ISO 3166 alpha-2 code of its country, or Nowhere.
	Country string

	zone       string    // empty if it is its calendar's
	calendar   *Calendar // nil if the venue has no hours
	settlement cycles    // empty if nobody knows them
}

// TimeZone returns the IANA time zone of the venue's wall clock; empty if it has no hours. Its calendar may be kept by
// another one: Bogotá trades when New York does.
func (v *Venue) TimeZone() string {
	if v.zone != "" || v.calendar == nil {
		return v.zone
	}
	return v.calendar.table().zone.String()
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

// At returns the session of an instant, the trading day a trade then counts for, and when it settles if it is in that
// currency.
//
// A trade counts for the date on the venue's clock, even after the close; in markets whose trading day begins in the
// evening (US futures at 18:00, US shares at 20:00), it counts for the next date from then on. If that date isn't a
// trading day, it counts for the next one that is.
func (v *Venue) At(t time.Time, currency string) Moment {
	var m Moment
	if v.calendar == nil {
		m.Reasons = []Reason{VenueWithoutHours}
		return m
	}
	days := v.calendar.table()
	d, at := days.locate(t)
	on := days.on(d)
	if on == nil {
		m.Reasons = []Reason{CalendarNotCovered}
		return m
	}
	if on.kind == closed || len(on.phases) > 0 && days.knowsHours(d) {
		m.Session = on.session(at)
	} else {
		m.Reasons = []Reason{HoursNotCovered}
	}
	if m.TradingDay, m.HasTradingDay = v.calendar.Next(d); !m.HasTradingDay {
		m.Reasons = append(m.Reasons, CalendarNotCovered)
		return m
	}
	if rule := v.settlement.on(m.TradingDay, currency); rule != nil {
		m.Cycle = rule.cycle
		m.Settlement, m.HasSettlement = rule.calendar.After(m.TradingDay, int(rule.cycle))
	}
	if !m.HasSettlement {
		m.Reasons = append(m.Reasons, SettlementNotCovered)
	}
	return m
}

// Regular returns when the regular sessions of a date begin and end, breaks included; false if there are none, or none
// that are known.
func (v *Venue) Regular(d Date) (from, until time.Time, found bool) {
	if v.calendar == nil {
		return
	}
	days := v.calendar.table()
	on := days.on(d)
	if on == nil || !days.knowsHours(d) {
		return
	}
	year, month, dayOfMonth := d.time().Date()
	for i, p := range on.phases {
		if p.session != Regular {
			continue
		}
		if !found {
			from, found = time.Date(year, month, dayOfMonth, 0, 0, int(p.from), 0, days.zone), true
		}
		until = time.Date(year, month, dayOfMonth, 0, 0, int(on.phases[i+1].from), 0, days.zone)
	}
	return from, until, found
}

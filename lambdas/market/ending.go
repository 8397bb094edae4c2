package market

import (
	"cmp"
	"slices"
)

// EndsSoonDays is how many days before the end of what is known about a venue somebody is told. Exchanges publish a
// year's calendar a few months ahead.
const EndsSoonDays = 120

// KnownUntil returns the last day of which everything is known about trades in a currency: trading days, their hours if
// the calendar has any, and settlement days if there is a rule for them. False if the venue has no hours.
func (v *Venue) KnownUntil(currency string) (Date, bool) {
	if v.calendar == nil {
		return 0, false
	}
	days := v.calendar.table()
	until := days.covers.until
	if n := len(days.hours); n > 0 {
		until = min(until, days.hours[n-1].until)
	}
	if rule := v.settlement.on(until, currency); rule != nil {
		until = min(until, rule.calendar.table().covers.until)
	}
	return until, true
}

// Ending is a day with which something known about venues ends.
type Ending struct {
	Until  Date
	Venues []string // MICs
}

// EndingSoon lists what ends within EndsSoonDays, or has ended, the earliest first.
func (r *Reference) EndingSoon(today Date) []Ending {
	var list []Ending
	for _, mic := range r.Venues() {
		v := r.venues[mic]
		until, ends := v.KnownUntil("")
		for _, rule := range v.settlement {
			inCurrency, _ := v.KnownUntil(rule.currency)
			until = min(until, inCurrency)
		}
		if !ends || until-today >= EndsSoonDays {
			continue
		}
		i, found := slices.BinarySearchFunc(list, until, func(e Ending, d Date) int { return cmp.Compare(e.Until, d) })
		if !found {
			list = slices.Insert(list, i, Ending{Until: until})
		}
		list[i].Venues = append(list[i].Venues, mic)
	}
	return list
}

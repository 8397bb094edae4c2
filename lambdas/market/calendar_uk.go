package market

import (
	"slices"
	"time"

	"github.com/rickar/cal/v2"
	"github.com/rickar/cal/v2/gb"
)

// london is used by the London Stock Exchange and by CREST: the bank holidays of England and Wales. cal/gb lacks those
// of 2011 and 2012 and the state funeral of 2022. Sources: gov.uk/bank-holidays, London Stock Exchange business days.
func london() rules {
	return rules{
		closed: slices.Concat(
			slices.DeleteFunc(slices.Clone(gb.Holidays), func(h *cal.Holiday) bool { return h == gb.SpringHoliday }),
			[]*cal.Holiday{except(gb.SpringHoliday, 2012, 2022)},
		),
		closures: dates(
			"2011-04-29",               // royal wedding
			"2012-06-04", "2012-06-05", // spring holiday moved to the Diamond Jubilee
			"2022-09-19", // state funeral of Queen Elizabeth II
		),
		early: endingAt(at(12, 30),
			onLastWeekday("Christmas Eve", time.December, 24), onLastWeekday("New Year's Eve", time.December, 31)),
	}
}

// iceEurope returns the calendar of ICE Futures Europe's energy contracts.
func iceEurope() rules {
	return rules{closed: []*cal.Holiday{
		observed(newYearsDay, sundayToMonday), goodFriday, observed(christmasDay, sundayToMonday),
	}}
}

// panEurope is used by the trading facilities that trade the shares of many countries: they close only when nearly all
// of these do. Single countries' segments close on more days. Source: holiday calendars of Cboe Europe, Turquoise and
// Aquis.
func panEurope() rules {
	return rules{closed: []*cal.Holiday{newYearsDay, goodFriday, easterMonday, christmasDay, boxingDay}}
}

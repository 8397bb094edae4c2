package market

import (
	"slices"

	"github.com/rickar/cal/v2"
	"github.com/rickar/cal/v2/ch"
	"github.com/rickar/cal/v2/cz"
	"github.com/rickar/cal/v2/pl"
)

// swiss is kept by SIX Swiss Exchange. Source: six-group.com, trading and settlement calendar.
func swiss() rules {
	return rules{closed: []*cal.Holiday{
		ch.Neujahr, ch.Berchtoldstag, ch.Karfreitag, ch.Ostermontag, ch.TagderArbeit, ch.Auffahrt, ch.Pfingstmontag,
		ch.Bundesfeiertag, christmasEve, ch.Weihnachtstag, ch.ZweiterWeihnachtsfeiertag, newYearsEve,
	}}
}

// warsaw adds Good Friday and the last days of the year to Poland's holidays. Source: gpw.pl, session calendar.
func warsaw() rules {
	return rules{
		closed: slices.Concat(
			slices.DeleteFunc(slices.Clone(pl.Holidays), func(h *cal.Holiday) bool { return h == pl.ThreeKings }),
			[]*cal.Holiday{
				from(2011, pl.ThreeKings), // a holiday again since 2011
				goodFriday, christmasEve, from(2011, newYearsEve),
			},
		),
		closures: dates("2013-04-16", "2018-01-02", "2018-11-12"), // system migration, closing days by decree
	}
}

// prague adds the last day of the year to the Czech holidays, and kept Good Friday before it became one in 2016.
// Source: pse.cz, trading calendar.
func prague() rules {
	return rules{closed: slices.Concat(
		slices.DeleteFunc(slices.Clone(cz.Holidays), func(h *cal.Holiday) bool { return h == cz.GoodFriday }),
		[]*cal.Holiday{from(2013, goodFriday), newYearsEve},
	)}
}

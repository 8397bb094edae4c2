package market

import (
	"slices"
	"time"

	"github.com/rickar/cal/v2"
	austria "github.com/rickar/cal/v2/at" // this package has its own at
	"github.com/rickar/cal/v2/de"
	"github.com/rickar/cal/v2/ecb"
)

// target has the days on which the Eurosystem settles, in T2 and in TARGET2-Securities: the euro area's cash and
// securities settle on days when its exchanges may be closed, such as Christmas Eve. Source: ECB press release of
// 2000-12-14.
func target() rules { return rules{closed: ecb.Holidays} }

// euronext is used in Paris, Amsterdam, Brussels, Luxembourg and Lisbon, whose clock is ahead by -1 hour. Source:
// euronext.com, trading hours and holidays.
func euronext(ahead clock) rules {
	return rules{closed: ecb.Holidays, early: endingAt(at(14, 5)+ahead, christmasEve, newYearsEve)}
}

// dublin adopted Euronext's calendar in 2019. It keeps the May bank holiday, and kept the June one until 2018.
func dublin() rules {
	lastDays := []*cal.Holiday{
		onLastWeekday("Christmas Eve", time.December, 24), onLastWeekday("New Year's Eve", time.December, 31),
	}
	return rules{
		closed: []*cal.Holiday{
			observed(newYearsDay, saturdayToMonday, sundayToMonday),
			goodFriday,
			easterMonday,
			from(2019, labourDay),
			except(onNth("May bank holiday", 1, time.Monday, time.May), 2019, 2020),
			through(2018, onNth("June bank holiday", 1, time.Monday, time.June)),
			observed(christmasDay, saturdayToMonday, sundayToMonday),
			observed(boxingDay, saturdayToMonday, cal.AltDay{Day: time.Sunday, Offset: 2}, cal.AltDay{Day: time.Monday, Offset: 1}),
		},
		closures:   dates("2018-03-02"), // storm Emma
		early:      endingAt(at(12, 28), lastDays...),
		earlyDates: []earlyDate{{DateOf(2018, time.March, 1), at(12, 28)}},
	}
}

// milan returns the calendar of Borsa Italiana. Source: borsaitaliana.it, trading calendar.
func milan() rules {
	return rules{closed: []*cal.Holiday{
		newYearsDay, goodFriday, easterMonday, labourDay,
		onDay("Assumption Day", time.August, 15),
		christmasEve, christmasDay, boxingDay, newYearsEve,
	}}
}

// xetra is used by Xetra and the Frankfurt floor. Whit Monday (from 2015) and the Day of German Unity (from 2014) were
// closing days until 2021. Sources: xetra.com, trading calendar; deutsche-boerse.com, circulars.
func xetra() rules {
	return rules{
		closed: slices.Concat(eurex().closed, []*cal.Holiday{
			from(2015, through(2021, de.Pfingstmontag)),
			from(2014, through(2021, de.DeutschenEinheit)),
		}),
		closures: dates("2017-10-31"), // 500 years of the Reformation, a holiday in all of Germany that year
		early:    endingAt(at(14, 0), onLastWeekday("last trading day of the year", time.December, 30)),
	}
}

// eurex returns the calendar of the derivatives exchange. Source: eurex.com, trading calendar.
func eurex() rules {
	return rules{closed: []*cal.Holiday{
		de.Neujahr, de.Karfreitag, de.Ostermontag, de.TagderArbeit,
		christmasEve, de.Weihnachtstag, de.ZweiterWeihnachtsfeiertag, newYearsEve,
	}}
}

// madrid is used by the four Spanish exchanges. Source: bolsasymercados.es, calendar.
func madrid() rules {
	return rules{
		closed:   []*cal.Holiday{newYearsDay, goodFriday, easterMonday, labourDay, christmasDay, boxingDay},
		closures: dates("2010-12-24", "2010-12-31", "2021-12-24", "2021-12-31"), // in place of holidays on a weekend
		early:    endingAt(at(14, 0), christmasEve, newYearsEve),
	}
}

// vienna dropped most of Austria's holidays in 2019, and Whit Monday in 2023. Source: wienerborse.at, trading calendar.
func vienna() rules {
	return rules{
		closed: []*cal.Holiday{
			austria.Neujahr, goodFriday, austria.Ostermontag, austria.TagderArbeit, austria.Nationalfeiertag,
			through(2022, austria.Pfingstmontag),
			through(2018, austria.HeiligeDreiKoenige),
			through(2018, austria.ChristiHimmelfahrt),
			through(2018, austria.Fronleichnam),
			through(2018, austria.MariaHimmelfahrt),
			through(2018, austria.Allerheiligen),
			through(2018, austria.MariaEmpfaengnis),
			christmasEve, austria.Christtag, austria.Stefanitag, newYearsEve,
		},
		closures: dates("2011-12-30"),
		early:    endingAt(at(14, 15), from(2017, onLastWeekday("last trading day of the year", time.December, 30))),
	}
}

// athens keeps the Orthodox holidays and the western Good Friday. Source: athexgroup.gr, calendar of holidays.
func athens() rules {
	orthodox := func(name string, days int) *cal.Holiday {
		h := fromEaster(name, days)
		h.Julian = true
		return h
	}
	return rules{
		closed: []*cal.Holiday{
			newYearsDay,
			onDay("Epiphany", time.January, 6),
			orthodox("Clean Monday", -48),
			onDay("Independence Day", time.March, 25),
			goodFriday, easterMonday,
			orthodox("Orthodox Good Friday", -2),
			orthodox("Orthodox Easter Monday", 1),
			labourDay,
			orthodox("Orthodox Whit Monday", 50),
			onDay("Assumption Day", time.August, 15),
			onDay("Ochi Day", time.October, 28),
			christmasEve, christmasDay, boxingDay,
		},
		closures: append(weekdaysBetween("2015-06-29", "2015-07-31"), // capital controls
			dates("2013-05-07", "2014-12-31", "2016-05-03")...),
	}
}

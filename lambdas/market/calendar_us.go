package market

import (
	"slices"
	"time"

	"github.com/rickar/cal/v2"
	"github.com/rickar/cal/v2/us"
)

// usExchangeHolidays returns the regular holidays of the stock exchanges (NYSE Rule 7.2). They differ from the federal ones
// in cal/us: Good Friday instead of Columbus and Veterans Day; a New Year's Day on a Saturday doesn't close the Friday
// before, which would be the year's last trading day; Juneteenth came a year after it became law.
func usExchangeHolidays() []*cal.Holiday {
	return []*cal.Holiday{
		observed(us.NewYear, sundayToMonday),
		us.MlkDay,
		us.PresidentsDay,
		goodFriday,
		us.MemorialDay,
		from(2022, us.Juneteenth),
		us.IndependenceDay,
		us.LaborDay,
		us.ThanksgivingDay,
		us.ChristmasDay,
	}
}

// usEquities is used by all US stock and options exchanges and by FINRA's trade reporting facilities. Sources:
// nyse.com/markets/hours-calendars, and the NYSE's list of special closings.
func usEquities() rules {
	return rules{
		closed: usExchangeHolidays(),
		closures: dates(
			"2012-10-29", "2012-10-30", // hurricane Sandy
			"2018-12-05", // mourning for President G. H. W. Bush
			"2025-01-09", // mourning for President Carter
		),
		// A third of July on a Friday is a closing day itself, because the fourth is then a Saturday.
		early: endingAt(at(13, 0), onDay("Independence Day eve", time.July, 3), us.DayAfterThanksgivingDay, christmasEve),
	}
}

// usSettlement has the days on which trades settle at DTC. Stock exchanges trade on Columbus Day and Veterans Day, but
// banks are closed, so they are not settlement days (FINRA's trade date and settlement date schedules, such as Notice
// 99-83). A Veterans Day on a Saturday isn't moved, because the Federal Reserve then opens on the Friday. Days of
// mourning and storms, on which only trading stops, are settlement days: DTCC was open on 2025-01-09 and in 2012.
func usSettlement() rules {
	return rules{closed: holidays(usExchangeHolidays(), []*cal.Holiday{
		us.ColumbusDay,
		observed(us.VeteransDay, sundayToMonday),
	})}
}

// globexHolidays returns the three days on which Globex is closed from evening to evening.
func globexHolidays() []*cal.Holiday {
	return []*cal.Holiday{observed(us.NewYear, sundayToMonday), goodFriday, us.ChristmasDay}
}

// globexBridges returns the holidays on which Globex trades until noon in Chicago or a little later, for the next trading
// day.
func globexBridges() []*cal.Holiday {
	return []*cal.Holiday{
		us.MlkDay, us.PresidentsDay, us.MemorialDay, from(2022, us.Juneteenth), us.IndependenceDay, us.LaborDay, us.ThanksgivingDay,
	}
}

// cmeGlobex returns the calendar of CME Group's energy and metals on Globex, used here for all its exchanges; single
// products (grains, equity indices) stop earlier on holidays. ahead is how far the venue's clock is ahead of New
// York's. Source: CME Group's holiday calendars.
func cmeGlobex(ahead clock) rules {
	bridges := make([]shortDay, 0, len(globexBridges()))
	for _, h := range globexBridges() {
		bridges = append(bridges, shortDay{holiday: h, ends: func(d Date) clock { return globexHolidayHalt(d) + ahead }})
	}
	return rules{
		closed:  globexHolidays(),
		bridges: bridges,
		early: slices.Concat(
			endingAt(at(13, 45)+ahead, through(2024, us.DayAfterThanksgivingDay), christmasEve),
			endingAt(at(14, 45)+ahead, from(2025, us.DayAfterThanksgivingDay)),
		),
	}
}

// globexHolidayHalt returns when Globex halts on a holiday, in New York: at 13:15 until the daily close moved on 2015-09-21,
// then at 13:00, since 2022 at 14:30, but on a Friday, when trading doesn't resume in the evening, at 13:00.
func globexHolidayHalt(d Date) clock {
	switch {
	case d < DateOf(2015, time.September, 21):
		return at(13, 15)
	case d < DateOf(2022, time.January, 1) || d.Weekday() == time.Friday:
		return at(13, 0)
	}
	return at(14, 30)
}

// iceUS halts at 13:00 New York time on the same holidays as Globex. Its agricultural contracts don't trade at all that
// day.
func iceUS() rules {
	return rules{closed: globexHolidays(), bridges: endingAt(at(13, 0), globexBridges()...)}
}

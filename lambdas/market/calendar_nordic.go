package market

import (
	"slices"
	"time"

	"github.com/rickar/cal/v2"
	"github.com/rickar/cal/v2/dk"
	"github.com/rickar/cal/v2/no"
	"github.com/rickar/cal/v2/se"
)

// dayBefore returns the day before a holiday.
func dayBefore(h *cal.Holiday) *cal.Holiday {
	c := h.Clone(nil)
	c.CalcOffset = h.CalcOffset - 1
	return c
}

// yearsEnd returns the four days on which all Nordic exchanges are closed.
func yearsEnd() []*cal.Holiday {
	return []*cal.Holiday{christmasEve, christmasDay, boxingDay, newYearsEve}
}

// stockholm ends at 13:00 on the eves of holidays. Source: nasdaqomxnordic.com, trading hours and calendar.
func stockholm() rules {
	return rules{
		closed: slices.Concat(yearsEnd(), []*cal.Holiday{
			se.Nyarsdagen, se.TrettondedagJul, se.Langfredagen, se.AnnandagPask, se.ForstaMaj,
			se.KristiHimmelfardsdag, se.Nationaldagen, se.Midsommarafton,
		}),
		early: endingAt(at(13, 0),
			dayBefore(se.TrettondedagJul),
			fromEaster("Maundy Thursday", -3),
			dayBefore(se.ForstaMaj),
			dayBefore(se.KristiHimmelfardsdag),
			// All Saints' Day is the Saturday from October 31 on.
			onWeekdayFrom("All Saints' eve", time.Friday, time.October, 30),
		),
	}
}

// helsinki returns the calendar of Nasdaq Helsinki. Source: nasdaqomxnordic.com, trading hours and calendar.
func helsinki() rules {
	return rules{closed: slices.Concat(yearsEnd(), []*cal.Holiday{
		newYearsDay, onDay("Epiphany", time.January, 6), goodFriday, easterMonday, labourDay, ascension,
		se.Midsommarafton, // the same Friday as in Sweden
		onDay("Independence Day", time.December, 6),
	})}
}

// copenhagen also closes on the Friday after Ascension Day; the Great Prayer Day was abolished in 2024. Source:
// nasdaqomxnordic.com, trading hours and calendar.
func copenhagen() rules {
	return rules{closed: slices.Concat(yearsEnd(), []*cal.Holiday{
		dk.Nytaarsdag, dk.Skaertorsdag, dk.Langfredag, dk.AndenPaaskedag, dk.StoreBededag, dk.KristiHimmelfartsdag,
		fromEaster("Friday after Ascension Day", 40),
		dk.AndenPinsedag, dk.Grundlovsdag,
	})}
}

// oslo ends at 13:00 on the Wednesday before Easter. Source: euronext.com, Oslo Børs trading calendar.
func oslo() rules {
	return rules{
		closed: slices.Concat(yearsEnd(), []*cal.Holiday{
			no.FoersteNyttaarsdag, no.Skjaertorsdag, no.Langfredag, no.AndrePaaskedag, no.Arbeiderenesdag,
			no.Grunnlovsdag, no.Kristihimmelfartsdag, no.AndrePinsedag,
		}),
		early: endingAt(at(13, 0), from(2011, dayBefore(no.Skjaertorsdag))),
	}
}

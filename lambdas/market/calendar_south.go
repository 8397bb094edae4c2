package market

import (
	"slices"
	"time"

	"github.com/rickar/cal/v2"
	"github.com/rickar/cal/v2/au"
	"github.com/rickar/cal/v2/nz"
	"github.com/rickar/cal/v2/za"
)

// johannesburg keeps South Africa's holidays, which move from Sunday to Monday, and election days. Source: jse.co.za,
// market holidays.
func johannesburg() rules {
	return rules{
		closed: za.Holidays,
		closures: dates(
			"2011-05-18", "2014-05-07", "2016-08-03", "2019-05-08", "2021-11-01", "2024-05-29", // elections
			"2011-12-27", "2016-12-27", "2022-12-27", // in place of a Christmas Day on a Sunday
			"2023-12-15", // rugby world champions
		),
	}
}

// sydney returns the calendar of the Australian exchanges: that of New South Wales without its Labour Day. Source:
// asx.com.au, trading calendar.
func sydney() rules {
	return rules{
		closed: []*cal.Holiday{
			au.NewYear, au.AustraliaDay, au.GoodFriday, au.EasterMonday, notMoved(au.AnzacDay),
			au.QueensBirthday, au.ChristmasDay, au.BoxingDay,
		},
		closures: dates(
			"2010-04-26", "2011-04-26", // Anzac Day on a Sunday and on Easter Monday; not moved in later years
			"2022-09-22", // mourning for Queen Elizabeth II
		),
		early: endingAt(at(14, 10),
			onLastWeekday("Christmas Eve", time.December, 24), onLastWeekday("New Year's Eve", time.December, 31)),
	}
}

// auckland returns the calendar of NZX. Matariki follows the stars and is fixed by the Te Kāhui o Matariki Public Holiday
// Act
// 2022. Source: nzx.com, trading hours and holidays.
func auckland() rules {
	return rules{
		closed: slices.Concat(
			slices.DeleteFunc(slices.Clone(nz.Holidays), func(h *cal.Holiday) bool {
				return h == nz.WaitangiDay || h == nz.AnzacDay
			}),
			// Until 2013 these two were lost when they fell on a weekend.
			[]*cal.Holiday{
				through(2013, notMoved(nz.WaitangiDay)), from(2014, nz.WaitangiDay),
				through(2013, notMoved(nz.AnzacDay)), from(2014, nz.AnzacDay),
			},
		),
		closures: dates(
			"2022-06-24", "2023-07-14", "2024-06-28", "2025-06-20", "2026-07-10", "2027-06-25", "2028-07-14", "2029-07-06",
			"2030-06-21", "2031-07-11", "2032-07-02", "2033-06-24", "2034-07-07", "2035-06-29",
			"2022-09-26", // mourning for Queen Elizabeth II
		),
		early: endingAt(at(12, 45),
			from(2011, onLastWeekday("Christmas Eve", time.December, 24)),
			from(2011, onLastWeekday("New Year's Eve", time.December, 31))),
	}
}

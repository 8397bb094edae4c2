package market

import (
	"slices"
	"time"

	"github.com/rickar/cal/v2"
	"github.com/rickar/cal/v2/jp"
)

// tokyo is closed on Japan's holidays and over the New Year. Source: jpx.co.jp, business days.
func tokyo() rules {
	return rules{
		closed: slices.Concat(
			slices.DeleteFunc(slices.Clone(jp.Holidays), func(h *cal.Holiday) bool {
				return h == jp.TheEmperorsBirthday || h == jp.MountainDay
			}),
			[]*cal.Holiday{
				// cal/jp has an emperor's birthday in 2019, although the emperor born in December had abdicated and his successor's
				// birthday in February had passed. It also doesn't know that the Olympics moved Mountain Day.
				except(jp.TheEmperorsBirthday, 2019),
				except(jp.MountainDay, 2020, 2021),
				onDay("bank holiday", time.January, 2),
				onDay("bank holiday", time.January, 3),
				newYearsEve,
			}),
		closures: dates("2020-08-10", "2021-08-09"), // Mountain Day in the years of the Olympics
	}
}

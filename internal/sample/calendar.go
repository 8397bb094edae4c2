package sample

import (
	"time"

	venues "trade-processing/lambdas/market"
)

// day is a trading day of the sample, with what differs from day to day.
type day struct {
	date     time.Time     // midnight UTC
	newYork  time.Duration // from UTC to New York's time
	halfDay  bool          // New York closes at 13:00
	goldCode string        // of the most traded gold future
}

// calendar returns the sample's days. They were chosen to cross the end and the start of daylight saving time, the half
// days after Thanksgiving and before Christmas, the turn of the year, a month's end, and, in settlement, weekends and
// the holidays of Thanksgiving, Christmas, New Year and Juneteenth.
func calendar() []day {
	reference, err := venues.Load()
	if err != nil {
		panic(err) // a machine without time zones: tradectl brings them along
	}
	newYork, _ := reference.Venue("XNYS")
	on := func(year int, month time.Month, dayOfMonth int, goldCode string) day {
		opens, closes, _ := newYork.Regular(venues.DateOf(year, month, dayOfMonth))
		_, offset := opens.Zone()
		return day{
			date:    time.Date(year, month, dayOfMonth, 0, 0, 0, 0, time.UTC),
			newYork: time.Duration(offset) * time.Second, halfDay: closes.Sub(opens) < 6*time.Hour, goldCode: goldCode,
		}
	}
	return []day{
		on(2025, time.October, 31, "GCZ25"),
		on(2025, time.November, 3, "GCZ25"),
		on(2025, time.November, 26, "GCG26"),
		on(2025, time.November, 28, "GCG26"),
		on(2025, time.December, 24, "GCG26"),
		on(2025, time.December, 31, "GCG26"),
		on(2026, time.January, 2, "GCG26"),
		on(2026, time.March, 6, "GCJ26"),
		on(2026, time.March, 9, "GCJ26"),
		on(2026, time.June, 18, "GCQ26"),
	}
}

// zone returns New York's time zone on that day.
func (d day) zone() *time.Location { return time.FixedZone("", int(d.newYork/time.Second)) }

// local returns the instant at which clocks in New York show that time of day.
func (d day) local(hour, minute int) time.Time {
	return d.date.Add(time.Duration(hour)*time.Hour + time.Duration(minute)*time.Minute - d.newYork)
}

// stretch is a period in which trades are spread evenly, and its share of all trades in any unit.
type stretch struct {
	day    day
	from   time.Time
	length time.Duration
	weight int64
}

// equityHours returns the U of a day in US equities: most trades follow the opening and precede the close. A few happen
// an hour before and after.
func equityHours(days []day) []stretch {
	full := []int64{20, 14, 11, 9, 8, 7, 7, 7, 7, 8, 9, 12, 22} // 09:30 to 16:00 by half hours
	half := []int64{20, 12, 9, 8, 8, 10, 18}                    // 09:30 to 13:00
	var all []stretch
	for _, d := range days {
		weights := full
		if d.halfDay {
			weights = half
		}
		open := d.local(9, 30)
		all = append(all, stretch{d, open.Add(-time.Hour), time.Hour, 3})
		for _, weight := range weights {
			all = append(all, stretch{d, open, 30 * time.Minute, weight})
			open = open.Add(30 * time.Minute)
		}
		all = append(all, stretch{d, open, time.Hour, 3})
	}
	return all
}

// cryptoHours covers the whole day, with more trades while Europe and America are both awake.
func cryptoHours(days []day) []stretch {
	var all []stretch
	for _, d := range days {
		for hour := range 24 {
			weight := int64(3)
			if hour >= 13 && hour < 21 {
				weight = 6
			}
			all = append(all, stretch{d, d.date.Add(time.Duration(hour) * time.Hour), time.Hour, weight})
		}
	}
	return all
}

// goldHours follows COMEX: until 17:00 in New York, or 13:00 on a half day, busiest in the New York morning. The
// evening session from 18:00 is left out.
func goldHours(days []day) []stretch {
	var all []stretch
	for _, d := range days {
		closing := d.local(17, 0)
		if d.halfDay {
			closing = d.local(13, 0)
		}
		for from := d.date; from.Before(closing); from = from.Add(time.Hour) {
			weight := int64(2)
			if hour := from.Add(d.newYork).Hour(); hour >= 8 && hour < 13 {
				weight = 9
			}
			all = append(all, stretch{d, from, time.Hour, weight})
		}
	}
	return all
}

// timetable produces a known number of times in ascending order, spread over stretches by weight.
type timetable struct {
	stretches []stretch
	total     int64 // of all weights
	passed    int64 // weights of the stretches before the current one
	at        int   // the current stretch
	given, n  int64
}

func newTimetable(stretches []stretch, n int64) *timetable {
	t := &timetable{stretches: stretches, n: n}
	for _, s := range stretches {
		t.total += s.weight
	}
	return t
}

// next returns the next time, to the millisecond, and its day. Its position is drawn from its own n-th part of the
// whole, so the times ascend but are irregular.
func (t *timetable) next(c *chance) (time.Time, day) {
	const one = 1 << 32
	place := (t.given*one + c.below(one)) / t.n // of the whole, in 2^-32; n is at most 1e8, so this fits
	t.given++
	weight := place * t.total // in 2^-32 weights
	for t.at < len(t.stretches)-1 && weight >= (t.passed+t.stretches[t.at].weight)*one {
		t.passed += t.stretches[t.at].weight
		t.at++
	}
	s := t.stretches[t.at]
	fraction := (weight - t.passed*one) / s.weight
	return s.from.Add(time.Duration(s.length.Milliseconds()*fraction/one) * time.Millisecond), s.day
}

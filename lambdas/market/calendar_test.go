package market

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// The calendars that exchanges published for a year: weekdays without trading, and days that end early.
func TestCalendarsAgreeWithThePublishedOnes(t *testing.T) {
	type published struct {
		of, source string // a venue's trading days, or the days on which its trades settle
		year       int
		closed     []string                 // month-day
		early      map[string]time.Duration // when continuous trading ends
	}
	oClock := func(hour, minute int) time.Duration {
		return time.Duration(hour)*time.Hour + time.Duration(minute)*time.Minute
	}
	tests := []published{
		{"XNYS", "nyse.com/markets/hours-calendars; 01-09: NYSE trader update of 2024-12-30", 2025,
			[]string{"01-01", "01-09", "01-20", "02-17", "04-18", "05-26", "06-19", "07-04", "09-01", "11-27", "12-25"},
			map[string]time.Duration{"07-03": oClock(13, 0), "11-28": oClock(13, 0), "12-24": oClock(13, 0)}},
		{"XNYS", "nyse.com/markets/hours-calendars", 2026,
			[]string{"01-01", "01-19", "02-16", "04-03", "05-25", "06-19", "07-03", "09-07", "11-26", "12-25"},
			map[string]time.Duration{"11-27": oClock(13, 0), "12-24": oClock(13, 0)}},
		{"XNYS", "nyse.com, holidays 2013", 2013,
			[]string{"01-01", "01-21", "02-18", "03-29", "05-27", "07-04", "09-02", "11-28", "12-25"},
			map[string]time.Duration{"07-03": oClock(13, 0), "11-29": oClock(13, 0), "12-24": oClock(13, 0)}},
		{"XNYS", "nyse.com, holidays 2012, and hurricane Sandy on 10-29 and 10-30", 2012,
			[]string{"01-02", "01-16", "02-20", "04-06", "05-28", "07-04", "09-03", "10-29", "10-30", "11-22", "12-25"},
			map[string]time.Duration{"07-03": oClock(13, 0), "11-23": oClock(13, 0), "12-24": oClock(13, 0)}},
		{"XNYS", "nyse.com, holidays 2018, and the day of mourning on 12-05", 2018,
			[]string{"01-01", "01-15", "02-19", "03-30", "05-28", "07-04", "09-03", "11-22", "12-05", "12-25"},
			map[string]time.Duration{"07-03": oClock(13, 0), "11-23": oClock(13, 0), "12-24": oClock(13, 0)}},
		{"XNYS", "nyse.com, holidays 2021: Juneteenth no holiday yet, New Year 2022 on a Saturday not moved", 2021,
			[]string{"01-01", "01-18", "02-15", "04-02", "05-31", "07-05", "09-06", "11-25", "12-24"},
			map[string]time.Duration{"11-26": oClock(13, 0)}},
		{"XNYS settles", "Federal Reserve and FINRA holiday schedules 2025; 01-09 is a settlement day (DTCC)", 2025,
			[]string{"01-01", "01-20", "02-17", "04-18", "05-26", "06-19", "07-04", "09-01", "10-13", "11-11", "11-27", "12-25"}, nil},
		{"XNYS settles", "the same of 2013", 2013,
			[]string{"01-01", "01-21", "02-18", "03-29", "05-27", "07-04", "09-02", "10-14", "11-11", "11-28", "12-25"}, nil},
		{"XCEC", "cmegroup.com, Globex holiday calendar 2026, metals: the closed days and those that count for the next", 2026,
			[]string{"01-01", "01-19", "02-16", "04-03", "05-25", "06-19", "07-03", "09-07", "11-26", "12-25"},
			map[string]time.Duration{"11-27": oClock(14, 45), "12-24": oClock(13, 45)}},
		{"XLON", "londonstockexchange.com, business days; gov.uk/bank-holidays", 2025,
			[]string{"01-01", "04-18", "04-21", "05-05", "05-26", "08-25", "12-25", "12-26"},
			map[string]time.Duration{"12-24": oClock(12, 30), "12-31": oClock(12, 30)}},
		{"XLON", "londonstockexchange.com, business days; gov.uk/bank-holidays", 2026,
			[]string{"01-01", "04-03", "04-06", "05-04", "05-25", "08-31", "12-25", "12-28"},
			map[string]time.Duration{"12-24": oClock(12, 30), "12-31": oClock(12, 30)}},
		{"XLON", "gov.uk/bank-holidays 2022 with the jubilee and the state funeral", 2022,
			[]string{"01-03", "04-15", "04-18", "05-02", "06-02", "06-03", "08-29", "09-19", "12-26", "12-27"},
			map[string]time.Duration{"12-23": oClock(12, 30), "12-30": oClock(12, 30)}},
		{"XLON", "gov.uk/bank-holidays 2012 with the jubilee", 2012,
			[]string{"01-02", "04-06", "04-09", "05-07", "06-04", "06-05", "08-27", "12-25", "12-26"},
			map[string]time.Duration{"12-24": oClock(12, 30), "12-31": oClock(12, 30)}},
		{"XETR", "xetra.com, trading calendar 2025", 2025,
			[]string{"01-01", "04-18", "04-21", "05-01", "12-24", "12-25", "12-26", "12-31"},
			map[string]time.Duration{"12-30": oClock(14, 0)}},
		{"XETR", "xetra.com, trading calendar 2026", 2026,
			[]string{"01-01", "04-03", "04-06", "05-01", "12-24", "12-25", "12-31"},
			map[string]time.Duration{"12-30": oClock(14, 0)}},
		{"XETR", "deutsche-boerse.com, trading calendar 2017 with Reformation Day", 2017,
			[]string{"04-14", "04-17", "05-01", "06-05", "10-03", "10-31", "12-25", "12-26"},
			map[string]time.Duration{"12-29": oClock(14, 0)}},
		{"XPAR", "euronext.com, trading hours and holidays 2025", 2025,
			[]string{"01-01", "04-18", "04-21", "05-01", "12-25", "12-26"},
			map[string]time.Duration{"12-24": oClock(14, 5), "12-31": oClock(14, 5)}},
		{"XPAR settles", "ecb.europa.eu, TARGET closing days 2026", 2026,
			[]string{"01-01", "04-03", "04-06", "05-01", "12-25"}, nil},
		{"XSWX", "six-group.com, trading calendar 2025", 2025,
			[]string{"01-01", "01-02", "04-18", "04-21", "05-01", "05-29", "06-09", "08-01", "12-24", "12-25", "12-26", "12-31"}, nil},
		{"XTKS", "jpx.co.jp, holidays 2025", 2025,
			[]string{"01-01", "01-02", "01-03", "01-13", "02-11", "02-24", "03-20", "04-29", "05-05", "05-06", "07-21", "08-11",
				"09-15", "09-23", "10-13", "11-03", "11-24", "12-31"}, nil},
		{"XTKS", "jpx.co.jp, holidays 2020, moved for the Olympics, and the day the system failed on 10-01", 2020,
			[]string{"01-01", "01-02", "01-03", "01-13", "02-11", "02-24", "03-20", "04-29", "05-04", "05-05", "05-06", "07-23",
				"07-24", "08-10", "09-21", "09-22", "10-01", "11-03", "11-23", "12-31"}, nil},
		{"XHKG", "hkex.com.hk, calendar 2025", 2025,
			[]string{"01-01", "01-29", "01-30", "01-31", "04-04", "04-18", "04-21", "05-01", "05-05", "07-01", "10-01", "10-07",
				"10-29", "12-25", "12-26"},
			map[string]time.Duration{"01-28": oClock(12, 0), "12-24": oClock(12, 0), "12-31": oClock(12, 0)}},
		{"XTSE", "tsx.com, holidays 2025", 2025,
			[]string{"01-01", "02-17", "04-18", "05-19", "07-01", "08-04", "09-01", "10-13", "12-25", "12-26"},
			map[string]time.Duration{"12-24": oClock(13, 0)}},
		{"XASX", "asx.com.au, trading calendar 2025", 2025,
			[]string{"01-01", "01-27", "04-18", "04-21", "04-25", "06-09", "12-25", "12-26"},
			map[string]time.Duration{"12-24": oClock(14, 10), "12-31": oClock(14, 10)}},
	}
	r := loaded(t)
	for _, test := range tests {
		t.Run(fmt.Sprintf("%s %d", test.of, test.year), func(t *testing.T) {
			mic, settles := strings.CutSuffix(test.of, " settles")
			v := venueNamed(t, r, mic)
			c := v.calendar
			if settles {
				c = v.settlement.on(DateOf(test.year, time.January, 1), "").calendar
			}
			var closed []string
			ends := map[string]clock{}
			for d := DateOf(test.year, time.January, 1); d.Year() == test.year; d++ {
				isOpen, covered := c.IsOpen(d)
				if !covered {
					t.Fatalf("%s isn't covered", d)
				}
				if isWeekend := d.Weekday() == time.Saturday || d.Weekday() == time.Sunday; !isOpen && !isWeekend {
					closed = append(closed, d.String()[5:])
				}
				if isOpen && test.early != nil {
					ends[d.String()[5:]] = regularEnd(t, c, d)
				}
			}
			if !slices.Equal(closed, test.closed) {
				t.Errorf("closed on\n%v, published\n%v\n(%s)", closed, test.closed, test.source)
			}
			usual := usualEnd(ends)
			for day, end := range ends {
				continuous, isEarly := test.early[day]
				if isEarly != (end < usual) {
					t.Errorf("%s ends at %d s, published as an early end: %t (%s)", day, end, isEarly, test.source)
				}
				// The closing auction and trading at its price may follow, but never for as long as this.
				if auction := end - clock(continuous/time.Second); isEarly && (auction < 0 || auction > 20*60) {
					t.Errorf("%s ends at %d s, published: %v (%s)", day, end, continuous, test.source)
				}
			}
		})
	}
}

// regularEnd returns when the last regular session of a day ends.
func regularEnd(t *testing.T, c *Calendar, d Date) clock {
	t.Helper()
	phases := c.table().on(d).phases
	for i := len(phases) - 2; i >= 0; i-- {
		if phases[i].session == Regular {
			return phases[i+1].from
		}
	}
	t.Fatalf("%s has no regular session on %s", c.Name, d)
	return 0
}

// usualEnd returns when most days of a year end.
func usualEnd(ends map[string]clock) clock {
	var most clock
	days := map[clock]int{}
	for _, end := range ends {
		if days[end]++; days[end] > days[most] {
			most = end
		}
	}
	return most
}

func TestACalendarSaysWhatItDoesNotCover(t *testing.T) {
	c := venueNamed(t, loaded(t), "XSHG").calendar
	from, until := c.table().covers.from, c.table().covers.until
	for _, d := range []Date{from - 1, until + 1, DateOf(1, 1, 1), DateOf(9999, 12, 31), noBeginning} {
		if _, covered := c.IsOpen(d); covered {
			t.Errorf("%s is covered", d)
		}
		if _, covered := c.Next(d); covered {
			t.Errorf("there is a trading day on or after %s", d)
		}
	}
	if last, covered := c.After(until, 1); covered {
		t.Errorf("after the last day comes %s", last)
	}
}

func TestWeekendsFollowTheMarket(t *testing.T) {
	r := loaded(t)
	tests := []struct {
		day, mic, date string
		want           bool
	}{
		{"Sunday is a trading day in Riyadh", "XSAU", "2024-06-09", true},
		{"Friday is none", "XSAU", "2024-06-07", false},
		{"Sunday was one in Tel Aviv", "XTAE", "2024-06-09", true},
		{"the union budget opened Mumbai on a Sunday", "XNSE", "2026-02-01", true},
		{"other Sundays are closed there", "XNSE", "2026-02-08", false},
		{"crypto trades on Sundays", "", "2024-12-29", true},
		{"and on Christmas Day", "", "2024-12-25", true},
	}
	for _, test := range tests {
		t.Run(test.day, func(t *testing.T) {
			c := r.Crypto().calendar
			if test.mic != "" {
				c = venueNamed(t, r, test.mic).calendar
			}
			if isOpen, covered := c.IsOpen(date(t, test.date)); isOpen != test.want || !covered {
				t.Errorf("open %t, covered %t", isOpen, covered)
			}
		})
	}
}

func date(t testing.TB, text string) Date {
	t.Helper()
	d, err := ParseDate(text)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

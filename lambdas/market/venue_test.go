package market

import (
	"testing"
	"time"
	_ "time/tzdata" // so that the tests don't need the machine's zoneinfo

	"pgregory.net/rapid"
)

func instant(t testing.TB, text string) time.Time {
	t.Helper()
	at, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

func TestSessionAndTradingDay(t *testing.T) {
	tests := []struct {
		name, mic, at string
		session       Session
		tradingDay    string
	}{
		{"early trading in New York", "XNAS", "2013-10-08T04:00:17.034-04:00", Pre, "2013-10-08"},
		{"the last millisecond before the bell", "XNYS", "2013-10-08T09:29:59.999-04:00", Pre, "2013-10-08"},
		{"the opening bell", "XNYS", "2013-10-08T09:30:00-04:00", Regular, "2013-10-08"},
		{"the closing bell belongs to late trading", "XNYS", "2013-10-08T16:00:00-04:00", Post, "2013-10-08"},
		{"late trading counts for the same day", "FINR", "2013-10-08T19:59:58.962-04:00", Post, "2013-10-08"},
		{"from 20:00 New York trades count for tomorrow", "ARCX", "2013-10-08T20:00:00-04:00", Closed, "2013-10-09"},
		{"the night before the early session is the same day's", "ARCX", "2013-10-08T03:59:59-04:00", Closed, "2013-10-08"},
		{"Friday night counts for Monday", "XNAS", "2013-10-11T21:00:00-04:00", Closed, "2013-10-14"},
		{"Saturday counts for Monday", "XNYS", "2013-10-12T12:00:00-04:00", Closed, "2013-10-14"},
		{"the stock market trades on Columbus Day", "XNYS", "2013-10-14T12:00:00-04:00", Regular, "2013-10-14"},
		{"a holiday counts for the next trading day", "XNYS", "2013-11-28T12:00:00-05:00", Closed, "2013-11-29"},
		{"13:00 on the day after Thanksgiving is late trading", "XNYS", "2013-11-29T13:00:00-05:00", Post, "2013-11-29"},
		{"which ends at 17:00 then", "XNYS", "2013-11-29T17:00:00-05:00", Closed, "2013-11-29"},
		{"the day of mourning for President Carter", "XNYS", "2025-01-09T11:00:00-05:00", Closed, "2025-01-10"},
		{"the zone of the time stamp doesn't matter", "XNYS", "2013-10-08T13:30:00Z", Regular, "2013-10-08"},
		{"nor that it shows another date", "XNYS", "2013-10-09T04:59:00+09:00", Regular, "2013-10-08"},

		{"New York springs forward on Sunday: Monday opens an hour earlier in UTC", "XNYS", "2026-03-09T13:30:00Z", Regular, "2026-03-09"},
		{"on Friday before that was still early trading", "XNYS", "2026-03-06T13:30:00Z", Pre, "2026-03-06"},
		{"in the week between the two changes London is 4 hours ahead", "XLON", "2026-03-09T16:25:00Z", Regular, "2026-03-09"},
		{"after London's own change 08:00 is 07:00 UTC", "XLON", "2026-03-30T07:00:00Z", Regular, "2026-03-30"},
		{"and before it was 08:00", "XLON", "2026-03-27T07:00:00Z", Closed, "2026-03-27"},
		{"Sydney falls back when the north springs forward", "XASX", "2026-04-07T00:00:00Z", Regular, "2026-04-07"},

		{"gold after the halt counts for tomorrow", "XCEC", "2013-10-08T22:00:00Z", Regular, "2013-10-09"},
		{"gold in the halt", "XCEC", "2013-10-08T21:15:00Z", Closed, "2013-10-08"},
		{"gold just before the halt of that year", "XCEC", "2013-10-08T21:14:59Z", Regular, "2013-10-08"},
		{"the halt was longer from 2015 on", "XCEC", "2015-09-21T21:00:00Z", Closed, "2015-09-21"},
		{"gold in the night is today's", "XCEC", "2013-10-09T04:00:00Z", Regular, "2013-10-09"},
		{"gold opens on Sunday for Monday", "XCEC", "2013-10-06T22:00:00Z", Regular, "2013-10-07"},
		{"but is closed earlier on Sunday", "XCEC", "2013-10-06T21:59:59Z", Closed, "2013-10-07"},
		{"gold closes on Friday for the weekend", "XCEC", "2013-10-11T22:30:00Z", Closed, "2013-10-14"},
		{"gold on Columbus Day", "XCEC", "2013-10-14T15:00:00Z", Regular, "2013-10-14"},
		{"gold on Thanksgiving counts for Friday", "XCEC", "2013-11-28T12:00:00-05:00", Regular, "2013-11-29"},
		{"until it halts at 13:15", "XCEC", "2013-11-28T13:15:00-05:00", Closed, "2013-11-29"},
		{"and goes on at 18:00 for Friday too", "XCEC", "2013-11-28T18:00:00-05:00", Regular, "2013-11-29"},
		{"gold is shut on Christmas Eve's evening", "XCEC", "2013-12-24T19:00:00-05:00", Closed, "2013-12-26"},
		{"and opens on Christmas Day's", "XCEC", "2013-12-25T18:00:00-05:00", Regular, "2013-12-26"},
		{"gold ended at 13:45 on Christmas Eve, also while other days ended at 17:15", "XCEC", "2013-12-24T13:45:00-05:00", Closed, "2013-12-24"},
		{"Chicago's clock is an hour behind for the same session", "XCME", "2013-10-08T17:00:00-05:00", Regular, "2013-10-09"},
		{"Chicago halts on holidays when New York does", "XCME", "2025-01-20T13:29:00-06:00", Regular, "2025-01-21"},
		{"and not a minute later", "XCME", "2025-01-20T13:30:00-06:00", Closed, "2025-01-21"},

		{"London's closing auction is regular", "XLON", "2025-06-02T16:35:20+01:00", Regular, "2025-06-02"},
		{"London ends at 12:30 on Christmas Eve, and its auction after that", "XLON", "2025-12-24T12:39:59Z", Regular, "2025-12-24"},
		{"then come the reports", "XLON", "2025-12-24T12:40:00Z", Post, "2025-12-24"},
		{"London is closed on Boxing Day moved to Monday", "XLON", "2026-12-28T10:00:00Z", Closed, "2026-12-29"},
		{"Xetra is closed on Christmas Eve", "XETR", "2025-12-24T10:00:00+01:00", Closed, "2025-12-29"},
		{"Xetra on Whit Monday since 2022", "XETR", "2025-06-09T10:00:00+02:00", Regular, "2025-06-09"},
		{"Frankfurt's floor ends at 14:00 on the year's last day, like Xetra", "XFRA", "2025-12-30T14:00:00+01:00", Closed, "2025-12-30"},
		{"Lisbon's half day is Paris's, an hour less on the clock", "XLIS", "2025-12-24T13:14:00Z", Regular, "2025-12-24"},
		{"and over", "XLIS", "2025-12-24T13:15:00Z", Closed, "2025-12-24"},

		{"Tokyo in the morning", "XTKS", "2025-06-02T09:00:00+09:00", Regular, "2025-06-02"},
		{"Tokyo at lunch", "XTKS", "2025-06-02T12:00:00+09:00", Closed, "2025-06-02"},
		{"Tokyo closed at 15:00", "XTKS", "2024-11-01T15:10:00+09:00", Closed, "2024-11-01"},
		{"and closes at 15:30 since November 2024", "XTKS", "2024-11-05T15:10:00+09:00", Regular, "2024-11-05"},
		{"Hong Kong has no afternoon on the eve of Chinese New Year", "XHKG", "2025-01-28T14:00:00+08:00", Closed, "2025-01-28"},
		{"but its closing auction at noon", "XHKG", "2025-01-28T12:05:00+08:00", Regular, "2025-01-28"},
		{"Shanghai rests a week for the spring festival", "XSHG", "2025-01-29T10:00:00+08:00", Closed, "2025-02-05"},
		{"Riyadh trades on Sundays", "XSAU", "2024-06-09T11:00:00+03:00", Regular, "2024-06-09"},
		{"Tel Aviv closes early on Sundays", "XTAE", "2024-06-09T16:30:00+03:00", Closed, "2024-06-09"},
		{"but not on Mondays", "XTAE", "2024-06-10T16:30:00+03:00", Regular, "2024-06-10"},
		{"Jakarta prays longer on Fridays", "XIDX", "2025-07-04T13:45:00+07:00", Closed, "2025-07-04"},
		{"than on Thursdays", "XIDX", "2025-07-03T13:45:00+07:00", Regular, "2025-07-03"},
	}
	r := loaded(t)
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			m := venueNamed(t, r, test.mic).At(instant(t, test.at), "")
			if m.Session != test.session || !m.HasTradingDay || m.TradingDay.String() != test.tradingDay || m.Reasons != nil {
				t.Errorf("%s at %s: session %s, trading day %s, reasons %v; want %s, %s",
					test.mic, test.at, m.Session, m.TradingDay, m.Reasons, test.session, test.tradingDay)
			}
		})
	}
}

func TestSettlementDate(t *testing.T) {
	tests := []struct {
		name, mic, at, cycle, date string
	}{
		// FINRA's schedules for Columbus Day combine its trades with those of the business day before.
		{"US shares at T+3 in 2013", "XNYS", "2013-10-08T12:00:00-04:00", "T+3", "2013-10-11"},
		{"banks' holiday is not a settlement day", "XNYS", "2013-10-09T12:00:00-04:00", "T+3", "2013-10-15"},
		{"the Friday before Columbus Day", "XNYS", "2013-10-11T12:00:00-04:00", "T+3", "2013-10-17"},
		{"Columbus Day itself", "XNYS", "2013-10-14T12:00:00-04:00", "T+3", "2013-10-17"},
		{"the last day of T+3", "XNAS", "2017-09-01T12:00:00-04:00", "T+3", "2017-09-07"},
		{"the first day of T+2 settles on the same", "XNAS", "2017-09-05T12:00:00-04:00", "T+2", "2017-09-07"},
		{"the last day of T+2", "XNAS", "2024-05-24T12:00:00-04:00", "T+2", "2024-05-29"},
		{"the first day of T+1 settles on the same", "XNAS", "2024-05-28T12:00:00-04:00", "T+1", "2024-05-29"},
		{"a trade at night takes the next day's cycle", "XNAS", "2024-05-27T21:00:00-04:00", "T+1", "2024-05-29"},
		{"the day of mourning is a settlement day", "XNYS", "2025-01-08T12:00:00-05:00", "T+1", "2025-01-09"},
		{"Veterans Day is none", "XNYS", "2025-11-10T12:00:00-05:00", "T+1", "2025-11-12"},
		{"options were T+1 all along", "XCBO", "2013-10-08T12:00:00-04:00", "T+1", "2013-10-09"},
		{"futures pay variation margin the next morning", "XCEC", "2013-10-08T12:00:00-04:00", "T+1", "2013-10-09"},
		{"of Friday, after Columbus Day", "XCEC", "2013-10-11T12:00:00-04:00", "T+1", "2013-10-15"},
		{"of the evening, a day later", "XCEC", "2013-10-08T18:00:00-04:00", "T+1", "2013-10-10"},
		{"of Thanksgiving, on Monday", "XCEC", "2013-11-28T12:00:00-05:00", "T+1", "2013-12-02"},
		{"Paris at T+3", "XPAR", "2014-10-03T12:00:00+02:00", "T+3", "2014-10-08"},
		{"Paris at T+2 settles on the same", "XPAR", "2014-10-06T12:00:00+02:00", "T+2", "2014-10-08"},
		{"Frankfurt was T+2 before", "XETR", "2013-10-08T12:00:00+02:00", "T+2", "2013-10-10"},
		{"Xetra settles on Christmas Eve, when it doesn't trade", "XETR", "2024-12-20T12:00:00+01:00", "T+2", "2024-12-24"},
		{"Madrid came later", "XMAD", "2016-09-30T12:00:00+02:00", "T+3", "2016-10-05"},
		{"the last day of T+2 in the EU", "XAMS", "2027-10-08T12:00:00+02:00", "T+2", "2027-10-12"},
		{"the first of T+1", "XAMS", "2027-10-11T12:00:00+02:00", "T+1", "2027-10-12"},
		{"London with the EU", "XLON", "2027-10-11T12:00:00+01:00", "T+1", "2027-10-12"},
		{"Zurich with the EU", "XSWX", "2027-10-11T12:00:00+02:00", "T+1", "2027-10-12"},
		{"London over the late May holiday", "XLON", "2025-05-23T12:00:00+01:00", "T+2", "2025-05-28"},
		{"Toronto's first day of T+1", "XTSE", "2024-05-27T12:00:00-04:00", "T+1", "2024-05-28"},
		{"Mexico's", "XMEX", "2024-05-27T12:00:00-06:00", "T+1", "2024-05-28"},
		{"Mumbai's", "XNSE", "2023-01-27T12:00:00+05:30", "T+1", "2023-01-30"},
		{"Tokyo's last day of T+3", "XTKS", "2019-07-12T12:00:00+09:00", "T+3", "2019-07-18"},
		{"Tokyo's first of T+2", "XTKS", "2019-07-16T12:00:00+09:00", "T+2", "2019-07-18"},
		{"Sydney's first of T+2", "XASX", "2016-03-07T12:00:00+11:00", "T+2", "2016-03-09"},
		{"Hong Kong over Chinese New Year", "XHKG", "2025-01-27T12:00:00+08:00", "T+2", "2025-02-03"},
		{"Shanghai's cash", "XSHG", "2025-06-03T10:00:00+08:00", "T+1", "2025-06-04"},
		{"a weekend trade settles from Monday on", "XNYS", "2025-06-07T12:00:00-04:00", "T+1", "2025-06-10"},
	}
	r := loaded(t)
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			m := venueNamed(t, r, test.mic).At(instant(t, test.at), "")
			if !m.HasSettlement || m.Cycle.String() != test.cycle || m.Settlement.String() != test.date {
				t.Errorf("%s at %s: %s, %s; want %s, %s", test.mic, test.at, m.Cycle, m.Settlement, test.cycle, test.date)
			}
		})
	}
}

func TestCryptoNeverClosesAndSettlesAtOnce(t *testing.T) {
	crypto := loaded(t).Crypto()
	for at, day := range map[string]string{
		"2023-09-05T16:00:01.281719Z": "2023-09-05",
		"2023-09-05T23:59:59-04:00":   "2023-09-06", // the day is UTC's
		"2024-12-25T00:00:00Z":        "2024-12-25",
		"2024-02-29T12:00:00Z":        "2024-02-29",
	} {
		m := crypto.At(instant(t, at), "")
		if m.Session != Continuous || m.TradingDay.String() != day || m.Settlement.String() != day || m.Cycle.String() != "T+0" || m.Reasons != nil {
			t.Errorf("%s: %+v", at, m)
		}
	}
}

func TestWhatIsNotKnownIsLeftOutWithAReason(t *testing.T) {
	r := loaded(t)
	tests := []struct {
		name, mic, at                         string
		session, hasTradingDay, hasSettlement bool
		reason                                Reason
	}{
		{"before the calendar begins", "XNYS", "1987-10-19T12:00:00-04:00", false, false, false, CalendarNotCovered},
		{"after it ends", "XSHG", "2099-03-02T12:00:00+08:00", false, false, false, CalendarNotCovered},
		{"a year that can't be", "XNYS", "9999-12-31T23:59:59Z", false, false, false, CalendarNotCovered},
		{"the year 0", "XNYS", "0000-01-01T00:00:00Z", false, false, false, CalendarNotCovered},
		{"hours of before", "XIDX", "2015-06-01T12:00:00+07:00", false, true, true, HoursNotCovered},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			m := venueNamed(t, r, test.mic).At(instant(t, test.at), "")
			if (m.Session != "") != test.session || m.HasTradingDay != test.hasTradingDay || m.HasSettlement != test.hasSettlement ||
				len(m.Reasons) != 1 || m.Reasons[0] != test.reason {
				t.Errorf("%+v", m)
			}
		})
	}
}

// instants draws instants from all the years that most calendars cover.
func instants() *rapid.Generator[time.Time] {
	from, until := time.Date(2010, 1, 2, 0, 0, 0, 0, time.UTC).Unix(), time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC).Unix()
	return rapid.Custom(func(t *rapid.T) time.Time { return time.Unix(rapid.Int64Range(from, until).Draw(t, "instant"), 0) })
}

func TestATradeSettlesOnABusinessDayNotBeforeItsTradingDay(t *testing.T) {
	r := loaded(t)
	rapid.Check(t, func(t *rapid.T) {
		v := rapid.SampledFrom(withHours(r)).Draw(t, "venue")
		at := instants().Draw(t, "instant")
		m := v.At(at, "")
		if !m.HasSettlement {
			if len(m.Reasons) == 0 {
				t.Fatalf("no settlement date and no reason")
			}
			return
		}
		if isOpen, _ := v.calendar.IsOpen(m.TradingDay); !isOpen {
			t.Fatalf("%s is not a trading day", m.TradingDay)
		}
		local := at.In(v.calendar.table().zone)
		if m.TradingDay < DateOf(local.Date()) {
			t.Fatalf("trading day %s lies before %s", m.TradingDay, local)
		}
		if m.Settlement < m.TradingDay {
			t.Fatalf("settlement %s lies before the trading day %s", m.Settlement, m.TradingDay)
		}
		calendar := v.settlement.on(m.TradingDay, "").calendar
		isOpen, covered := calendar.IsOpen(m.Settlement)
		between := 0
		for d := m.TradingDay + 1; d <= m.Settlement; d++ {
			if isBusinessDay, _ := calendar.IsOpen(d); isBusinessDay {
				between++
			}
		}
		if !isOpen || !covered || between != int(m.Cycle) {
			t.Fatalf("%s settles on %s (%s): business day %t, %d of them after the trading day", m.TradingDay, m.Settlement, m.Cycle, isOpen, between)
		}
	})
}

func TestLaterTradesCountForTheSameDayOrALaterOne(t *testing.T) {
	r := loaded(t)
	rapid.Check(t, func(t *rapid.T) {
		v := rapid.SampledFrom(withHours(r)).Draw(t, "venue")
		at := instants().Draw(t, "instant")
		later := at.Add(time.Duration(rapid.Int64Range(0, int64(10*24*time.Hour)).Draw(t, "later")))
		first, second := v.At(at, ""), v.At(later, "")
		if first.HasTradingDay && second.HasTradingDay && second.TradingDay < first.TradingDay {
			t.Fatalf("%s counts for %s, but %s for %s", at, first.TradingDay, later, second.TradingDay)
		}
		if first.HasSettlement && second.HasSettlement && second.TradingDay == first.TradingDay && second.Settlement != first.Settlement {
			t.Fatalf("two settlement dates for the trading day %s", first.TradingDay)
		}
	})
}

// The sessions of a day follow each other without a gap, and its trading day is the same for all of them.
func TestADayIsCoveredBySessions(t *testing.T) {
	r := loaded(t)
	for _, v := range withHours(r) {
		name := v.MIC
		day, known := v.calendar.Next(DateOf(2025, time.June, 2))
		if !known {
			continue
		}
		days := v.calendar.table()
		on := days.on(day)
		if len(on.phases) == 0 || !days.knowsHours(day) {
			continue
		}
		year, month, dayOfMonth := day.time().Date()
		midnight := time.Date(year, month, dayOfMonth, 0, 0, 0, 0, v.calendar.table().zone)
		minutes := map[Session]clock{}
		end := max(dayLength+days.begins, on.ends())
		for minute := days.begins / 60; minute < end/60; minute++ {
			m := v.At(midnight.Add(time.Duration(minute)*time.Minute), "")
			if m.TradingDay != day {
				t.Fatalf("%s, minute %d of %s counts for %s", name, minute, day, m.TradingDay)
			}
			minutes[m.Session]++
		}
		want := map[Session]clock{Closed: (end - days.begins) / 60}
		for i, p := range on.phases[:len(on.phases)-1] {
			if length := (on.phases[i+1].from - p.from) / 60; p.session != Closed {
				want[p.session] += length
				want[Closed] -= length
			}
		}
		for _, session := range []Session{Pre, Regular, Post, Closed} {
			if minutes[session] != want[session] {
				t.Errorf("%s: %d minutes of %s, want %d", name, minutes[session], session, want[session])
			}
		}
	}
}

func TestVenuesCanBeAskedByManyAtOnce(t *testing.T) {
	r := loaded(t)
	at := instant(t, "2025-06-02T12:00:00Z")
	want := venueNamed(t, loaded(t), "XNYS").At(at, "")
	done := make(chan Moment)
	for range 8 {
		go func() {
			fresh := r.venues["XNYS"].At(at, "")
			done <- fresh
		}()
	}
	for range 8 {
		if got := <-done; got.Session != want.Session || got.Settlement != want.Settlement {
			t.Errorf("%+v, want %+v", got, want)
		}
	}
}

func BenchmarkVenueAt(b *testing.B) {
	r := loaded(b)
	v, at := venueNamed(b, r, "XNYS"), instant(b, "2013-10-08T15:00:00Z")
	b.ReportAllocs()
	for b.Loop() {
		v.At(at, "USD")
	}
}

func BenchmarkLoad(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Load(); err != nil {
			b.Fatal(err)
		}
	}
}

// What a new instance takes until it has answered its first trade: in Load's time, and that of reading two calendars.
func BenchmarkFirstTrade(b *testing.B) {
	at := instant(b, "2013-10-08T15:00:00Z")
	b.ReportAllocs()
	for b.Loop() {
		venueNamed(b, loaded(b), "XNYS").At(at, "USD")
	}
}
func TestRegularHoursOfADate(t *testing.T) {
	r := loaded(t)
	tests := []struct{ name, mic, date, from, until string }{
		{"a half day in New York", "XNYS", "2025-11-28", "2025-11-28T09:30:00-05:00", "2025-11-28T13:00:00-05:00"},
		{"the day after the clocks changed", "XNYS", "2026-03-09", "2026-03-09T09:30:00-04:00", "2026-03-09T16:00:00-04:00"},
		{"breaks are included", "XTKS", "2025-06-02", "2025-06-02T09:00:00+09:00", "2025-06-02T15:30:00+09:00"},
		{"from the evening before", "XCEC", "2025-06-02", "2025-06-01T18:00:00-04:00", "2025-06-02T17:00:00-04:00"},
		{"a holiday", "XNYS", "2025-12-25", "", ""},
		{"a day that isn't known", "XNYS", "1999-12-27", "", ""},
		{"hours that aren't known", "XIDX", "2015-06-01", "", ""},
		{"trading off exchange", "XOFF", "2025-06-02", "", ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			from, until, found := venueNamed(t, r, test.mic).Regular(date(t, test.date))
			if found != (test.from != "") {
				t.Fatalf("found %t: %s to %s", found, from, until)
			}
			if found && (!from.Equal(instant(t, test.from)) || !until.Equal(instant(t, test.until))) {
				t.Errorf("%s to %s", from, until)
			}
		})
	}
}

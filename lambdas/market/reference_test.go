package market

import (
	"io/fs"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"trade-processing/lambdas/trade"
)

func loaded(t testing.TB) *Reference {
	t.Helper()
	r, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func venueNamed(t testing.TB, r *Reference, mic string) *Venue {
	t.Helper()
	v, found := r.Venue(mic)
	if !found {
		t.Fatalf("no venue %s", mic)
	}
	return v
}

// withHours returns all venues that have trading hours.
func withHours(r *Reference) []*Venue {
	var list []*Venue
	for _, mic := range r.Venues() {
		if v := r.venues[mic]; v.calendar != nil {
			list = append(list, v)
		}
	}
	return list
}

func TestEveryVenueIsDescribedInFull(t *testing.T) {
	r := loaded(t)
	mic, country := regexp.MustCompile(`^[A-Z0-9]{4}$`), regexp.MustCompile(`^[A-Z]{2}$`)
	if n := len(r.Venues()); n < 160 {
		t.Errorf("%d venues, want at least 160", n)
	}
	// Derivatives, energy, and exchanges that few lists have.
	for mic := range strings.FieldsSeq("XLME XOSE XHKF XSFE XKFE XTAF XSIM NDEX IFLL XNDQ EDGO XSTC XADS XDFM XKUW DSMD XSGO") {
		venueNamed(t, r, mic)
	}
	for _, name := range r.Venues() {
		v := venueNamed(t, r, name)
		if !mic.MatchString(v.MIC) || !mic.MatchString(v.Operating) {
			t.Errorf("%s, operated by %s: not both are MICs", v.MIC, v.Operating)
		}
		isCountry := country.MatchString(v.Country) && trade.HasISINPrefix(v.Country)
		if isNowhere := v.Country == Nowhere && v.calendar == nil; !isCountry && !isNowhere {
			t.Errorf("%s: %q is not a country with ISINs", name, v.Country)
		}
		if v.Name == "" {
			t.Errorf("%s has no name", name)
		}
		if _, err := time.LoadLocation(v.TimeZone()); err != nil || v.TimeZone() == "" && v.calendar != nil {
			t.Errorf("%s is in time zone %q: %v", name, v.TimeZone(), err)
		}
	}
}

// Calendars are read when first used; this reads them all.
func TestEveryCalendarCanBeRead(t *testing.T) {
	r := loaded(t)
	files, err := fs.Glob(builtIn, "data/calendars/*.txt")
	if err != nil {
		t.Fatal(err)
	}
	if len(files) != len(r.calendars) {
		t.Errorf("%d files, but venues and settlement rules name %d calendars", len(files), len(r.calendars))
	}
	for name := range r.calendars {
		if _, err := readCalendar(builtIn, name); err != nil {
			t.Error(err)
		}
	}
}

// A venue has between 220 (Athens under the capital controls of 2015) and 262 trading days in a whole year.
func TestAYearHasAsManyTradingDaysAsYearsHave(t *testing.T) {
	r := loaded(t)
	for _, v := range withHours(r) {
		from, until := v.calendar.table().covers.from, v.calendar.table().covers.until
		for year := from.Year(); year <= until.Year(); year++ {
			if DateOf(year, time.January, 1) < from || DateOf(year, time.December, 31) > until {
				continue
			}
			days := 0
			for d := DateOf(year, time.January, 1); d.Year() == year; d++ {
				if isOpen, _ := v.calendar.IsOpen(d); isOpen {
					days++
				}
			}
			if days < 220 || days > 262 {
				t.Errorf("%s has %d trading days in %d", v.MIC, days, year)
			}
		}
	}
}

// No instant belongs to two days, and each day that trades has a regular session.
func TestTradingHoursFollowEachOther(t *testing.T) {
	r := loaded(t)
	for name, c := range r.calendars {
		days := c.table()
		if len(days.hours) == 0 {
			continue
		}
		end := -dayLength
		for d := days.covers.from; d <= days.covers.until; d++ {
			end -= dayLength
			on := days.on(d)
			if len(on.phases) == 0 {
				continue
			}
			if on.phases[0].from < end {
				t.Errorf("%s, %s: begins before the day before it ends", name, d)
			}
			end = on.phases[len(on.phases)-1].from
			regular := func(p phase) bool { return p.session == Regular || p.session == Continuous }
			if !slices.ContainsFunc(on.phases, regular) {
				t.Errorf("%s, %s: no regular session", name, d)
			}
		}
	}
}

// dataset is a small set of reference data.
func dataset() fstest.MapFS {
	files := fstest.MapFS{}
	for name, text := range map[string]string{
		"venues.csv": "mic,operating,name,country,calendar,settlement,zone\nXAAA,XAAA,Exchange,US,XAAA,US,\n" +
			"XBBB,XBBB,Evening Exchange,CA,XBBB,CA,America/Winnipeg\nXOFF,XOFF,Off exchange,ZZ,NONE,,\n",
		"segments.csv": "mic,operating\nXSEG,XAAA\n",
		"settlement.csv": "rule,from,currency,days,calendar\nUS,,,2,BANKS\nUS,2024-05-28,,1,BANKS\nCA,2024-01-03,,1,\nCA,,USD,1,BANKS\n" +
			"CRYPTO,,,0,\n",
		"calendars/XAAA.txt": `# a day trader's delight
zone America/New_York
covers 2024-01-01 2024-12-31
hours 2024-01-01 2024-06-30
hours 2024-11-01 2024-11-30 # found later
week 2024-01-01 Mon-Fri 08:00 PRE 09:00 REGULAR 12:00 CLOSED 13:00 REGULAR 17:00 POST 18:00
week 2024-02-05 Mon-Thu 09:00 REGULAR 17:00
week 2024-02-05 Fri 09:00 REGULAR 13:00
week 2024-03-04 Mon,Wed-Fri 09:00 REGULAR 17:00
day 2024-01-02,2024-01-03 10:00 REGULAR 11:00 CLOSED 15:00 REGULAR 16:00 CLOSED 23:00 REGULAR 25:30
day 2024-01-04 closed
day 2024-01-05 open
day 2024-01-06 10:00 REGULAR 12:00
day 2024-12-28 carried open
`,
		"calendars/XBBB.txt": `zone America/Chicago
begins -07:00
covers 2024-01-01 2024-12-31
hours 2024-01-01 2024-12-31
week 2024-01-01 Mon-Fri -07:00 REGULAR 16:00
week 2024-01-01 Sat carried -06:45 REGULAR 03:00
day 2024-01-15 carried -07:00 REGULAR 12:00
day 2024-01-01 closed
`,
		"calendars/BANKS.txt": "covers 2024-01-01 2024-12-31\nweek 2024-01-01 Mon-Fri open\nday 2024-01-10 closed\n",
		"calendars/24X7.txt":  "zone UTC\ncovers 2024-01-01 2024-12-31\nhours 2024-01-01 2024-12-31\nweek 2024-01-01 Mon-Sun continuous\n",
	} {
		files["data/"+name] = &fstest.MapFile{Data: []byte(text)}
	}
	return files
}

func TestEachFactOfACalendarFileIsUnderstood(t *testing.T) {
	r, err := load(dataset())
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name, mic, at, currency string
		session                 Session
		tradingDay, settlement  string
		reasons                 []Reason
	}{
		{"a closed New Year's Day in an evening market", "XBBB", "2024-01-01T10:00:00-06:00", "USD", Closed, "2024-01-02", "2024-01-03", nil},
		{"whose next day begins that evening", "XBBB", "2024-01-01T17:00:00-06:00", "USD", Regular, "2024-01-02", "2024-01-03", nil},
		{"when the cycle of other currencies isn't known yet", "XBBB", "2024-01-01T17:00:00-06:00", "", Regular, "2024-01-02", "", []Reason{SettlementNotCovered}},
		{"a day with several sessions: the first", "XAAA", "2024-01-02T10:30:00-05:00", "", Regular, "2024-01-02", "2024-01-04", nil},
		{"between them", "XAAA", "2024-01-02T11:00:00-05:00", "", Closed, "2024-01-02", "2024-01-04", nil},
		{"the second", "XAAA", "2024-01-02T15:00:00-05:00", "", Regular, "2024-01-02", "2024-01-04", nil},
		{"the third lasts past midnight", "XAAA", "2024-01-03T01:29:59-05:00", "", Regular, "2024-01-02", "2024-01-04", nil},
		{"and then the new day has begun", "XAAA", "2024-01-03T01:30:00-05:00", "", Closed, "2024-01-03", "2024-01-05", nil},
		{"past midnight into a closed day", "XAAA", "2024-01-04T01:00:00-05:00", "", Regular, "2024-01-03", "2024-01-05", nil},
		{"a closed day", "XAAA", "2024-01-04T12:00:00-05:00", "", Closed, "2024-01-05", "2024-01-09", nil},
		{"a trading day whose hours nobody knows", "XAAA", "2024-01-05T12:00:00-05:00", "", "", "2024-01-05", "2024-01-09", []Reason{HoursNotCovered}},
		{"a Saturday with a session settles by the banks' days", "XAAA", "2024-01-06T11:00:00-05:00", "", Regular, "2024-01-06", "2024-01-09", nil},
		{"a Sunday", "XAAA", "2024-01-07T11:00:00-05:00", "", Closed, "2024-01-08", "2024-01-11", nil},
		{"early trading", "XAAA", "2024-01-09T08:59:59-05:00", "", Pre, "2024-01-09", "2024-01-12", nil},
		{"a break", "XAAA", "2024-01-09T12:30:00-05:00", "", Closed, "2024-01-09", "2024-01-12", nil},
		{"after it", "XAAA", "2024-01-09T13:00:00-05:00", "", Regular, "2024-01-09", "2024-01-12", nil},
		{"late trading", "XAAA", "2024-01-09T17:00:00-05:00", "", Post, "2024-01-09", "2024-01-12", nil},
		{"and its end", "XAAA", "2024-01-09T18:00:00-05:00", "", Closed, "2024-01-09", "2024-01-12", nil},
		{"the last Friday of the old week", "XAAA", "2024-02-02T17:30:00-05:00", "", Post, "2024-02-02", "2024-02-06", nil},
		{"the new week has no late trading", "XAAA", "2024-02-05T17:30:00-05:00", "", Closed, "2024-02-05", "2024-02-07", nil},
		{"and ends early on Fridays", "XAAA", "2024-02-09T14:00:00-05:00", "", Closed, "2024-02-09", "2024-02-13", nil},
		{"a week without Tuesdays", "XAAA", "2024-03-05T12:00:00-05:00", "", Closed, "2024-03-06", "2024-03-08", nil},
		{"the last day of known hours", "XAAA", "2024-06-28T12:00:00-04:00", "", Regular, "2024-06-28", "2024-07-01", nil},
		{"past them the days are still known", "XAAA", "2024-07-01T12:00:00-04:00", "", "", "2024-07-01", "2024-07-02", []Reason{HoursNotCovered}},
		{"as is that nobody trades on a Sunday", "XAAA", "2024-07-07T12:00:00-04:00", "", Closed, "2024-07-08", "2024-07-09", nil},
		{"hours that are known again", "XAAA", "2024-11-01T12:00:00-04:00", "", Regular, "2024-11-01", "2024-11-04", nil},
		{"the day before a cycle changes", "XAAA", "2024-05-24T12:00:00-04:00", "", Regular, "2024-05-24", "2024-05-28", nil},
		{"the day it does, which is a Tuesday without trading", "XAAA", "2024-05-28T12:00:00-04:00", "", Closed, "2024-05-29", "2024-05-30", nil},
		{"the last day settles after the banks' calendar", "XAAA", "2024-12-30T12:00:00-05:00", "", "", "2024-12-30", "2024-12-31", []Reason{HoursNotCovered}},
		{"a Saturday that counts for Monday, at hours nobody knows", "XAAA", "2024-12-28T12:00:00-05:00", "", "", "2024-12-30", "2024-12-31", []Reason{HoursNotCovered}},
		{"the last day settles when nothing is known any more", "XBBB", "2024-12-31T11:00:00-06:00", "USD", Regular, "2024-12-31", "", []Reason{SettlementNotCovered}},
		{"the year's last evening", "XAAA", "2024-12-31T23:00:00-05:00", "", Closed, "", "", []Reason{CalendarNotCovered}},
		{"next year", "XAAA", "2025-01-02T12:00:00-05:00", "", "", "", "", []Reason{CalendarNotCovered}},
		{"last year", "XAAA", "2023-12-29T12:00:00-05:00", "", "", "", "", []Reason{CalendarNotCovered}},
		{"the evening before", "XBBB", "2024-01-02T17:00:00-06:00", "", Regular, "2024-01-03", "2024-01-04", nil},
		{"the break before it is the old day's", "XBBB", "2024-01-02T16:30:00-06:00", "USD", Closed, "2024-01-02", "2024-01-03", nil},
		{"Friday night trades for Monday", "XBBB", "2024-01-05T18:00:00-06:00", "", Regular, "2024-01-08", "2024-01-09", nil},
		{"until Saturday", "XBBB", "2024-01-06T03:00:00-06:00", "", Closed, "2024-01-08", "2024-01-09", nil},
		{"Sunday night as well", "XBBB", "2024-01-07T18:00:00-06:00", "", Regular, "2024-01-08", "2024-01-09", nil},
		{"a holiday's trades count for the next day", "XBBB", "2024-01-15T11:00:00-06:00", "", Regular, "2024-01-16", "2024-01-17", nil},
		{"its evening too", "XBBB", "2024-01-15T17:00:00-06:00", "", Regular, "2024-01-16", "2024-01-17", nil},
		{"a currency with a calendar of its own", "XBBB", "2024-01-09T11:00:00-06:00", "USD", Regular, "2024-01-09", "2024-01-11", nil},
		{"another one without", "XBBB", "2024-01-09T11:00:00-06:00", "CAD", Regular, "2024-01-09", "2024-01-10", nil},
		{"a segment by its operator's calendar", "XSEG", "2024-01-09T12:30:00-05:00", "", Closed, "2024-01-09", "2024-01-12", nil},
		{"off exchange", "XOFF", "2024-01-09T12:30:00-05:00", "", "", "", "", []Reason{VenueWithoutHours}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			m := venueNamed(t, r, test.mic).At(instant(t, test.at), test.currency)
			var tradingDay, settlement string
			if m.HasTradingDay {
				tradingDay = m.TradingDay.String()
			}
			if m.HasSettlement {
				settlement = m.Settlement.String()
			}
			if m.Session != test.session || tradingDay != test.tradingDay || settlement != test.settlement || !slices.Equal(m.Reasons, test.reasons) {
				t.Errorf("%s: session %q, trading day %s, settlement %s, reasons %v", test.at, m.Session, tradingDay, settlement, m.Reasons)
			}
		})
	}
}

func TestAVenueHasATimeZoneOfItsOwnOrItsCalendars(t *testing.T) {
	r, err := load(dataset())
	if err != nil {
		t.Fatal(err)
	}
	for mic, want := range map[string]string{"XAAA": "America/New_York", "XBBB": "America/Winnipeg", "XSEG": "America/New_York", "XOFF": ""} {
		if got := venueNamed(t, r, mic).TimeZone(); got != want {
			t.Errorf("%s is in %q, want %q", mic, got, want)
		}
	}
}

func TestWhatIsKnownEndsWithTheFirstOfDaysHoursAndSettlement(t *testing.T) {
	files := dataset()
	end := func(file, from, to string) {
		f := files["data/calendars/"+file]
		f.Data = []byte(strings.ReplaceAll(string(f.Data), from, to))
	}
	check := func(mic, currency, want string) {
		t.Helper()
		r, err := load(files)
		if err != nil {
			t.Fatal(err)
		}
		if until, known := venueNamed(t, r, mic).KnownUntil(currency); !known || until.String() != want {
			t.Errorf("%s in %q is known until %s, want %s", mic, currency, until, want)
		}
	}
	check("XAAA", "USD", "2024-11-30") // hours
	check("XBBB", "CAD", "2024-12-31") // days
	end("BANKS.txt", "2024-12-31", "2024-10-31")
	check("XAAA", "USD", "2024-10-31") // settlement
	check("XBBB", "CAD", "2024-12-31")
	check("XBBB", "USD", "2024-10-31") // in that currency
	r, err := load(files)
	if err != nil {
		t.Fatal(err)
	}
	for today, want := range map[string][]Ending{
		"2024-07-03": nil,
		"2024-07-04": {{date(t, "2024-10-31"), []string{"XAAA", "XBBB"}}},
		"2025-01-01": {{date(t, "2024-10-31"), []string{"XAAA", "XBBB"}}},
	} {
		if got := r.EndingSoon(date(t, today)); !reflect.DeepEqual(got, want) {
			t.Errorf("on %s, what ends soon is %v, want %v", today, got, want)
		}
	}
	if until, known := venueNamed(t, r, "XOFF").KnownUntil(""); known {
		t.Errorf("trading off exchange is known until %s", until)
	}
}

func TestMistakesInTheDataAreReportedTogether(t *testing.T) {
	tests := []struct {
		mistake, file, add, want string
	}{
		{"a venue is listed twice", "venues.csv", "XAAA,XAAA,Again,US,XAAA,US,", "venue XAAA is listed twice"},
		{"a calendar nobody wrote", "venues.csv", "TEST,TEST,Test,US,MOON,US,", `calendar "MOON" has no file`},
		{"a rule nobody defined", "venues.csv", "TEST,TEST,Test,US,XAAA,NEVER,", `no rule "NEVER"`},
		{"a column too few", "venues.csv", "TEST,TEST", "wrong number of fields"},
		{"a segment of nobody", "segments.csv", "XNEW,XOLD", "XOLD must be one"},
		{"a segment that is a venue", "segments.csv", "XAAA,XAAA", "XAAA must not be a venue"},
		{"a cycle that isn't", "settlement.csv", "US,2030-01-01,,soon,", `"soon" is not a number of days`},
		{"cycles out of order", "settlement.csv", "US,2010-01-01,,5,", "must be in date order"},
	}
	for _, test := range tests {
		t.Run(test.mistake, func(t *testing.T) {
			files := dataset()
			file := files["data/"+test.file]
			file.Data = append(file.Data, test.add+"\n"...)
			if _, err := load(files); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want an error that says %q", err, test.want)
			}
		})
	}
	t.Run("other columns", func(t *testing.T) {
		files := dataset()
		files["data/segments.csv"].Data = []byte("operating,mic\n")
		if _, err := load(files); err == nil || !strings.Contains(err.Error(), "segments.csv has the columns [operating mic]") {
			t.Error(err)
		}
	})
	t.Run("all files are missing", func(t *testing.T) {
		_, err := load(fstest.MapFS{})
		for _, name := range []string{"venues.csv", "segments.csv", "settlement.csv", "24X7"} {
			if err == nil || !strings.Contains(err.Error(), name) {
				t.Errorf("got %v, want an error that names %s", err, name)
			}
		}
	})
}

func TestMistakesInACalendarAreReportedTogether(t *testing.T) {
	tests := []struct{ mistake, add, want string }{
		{"a word that isn't one", "holiday 2024-01-01", `line 15: "holiday" is not zone, covers, begins, hours, week or day`},
		{"a time zone nobody knows", "zone Mars/Olympus", "Mars/Olympus"},
		{"a date that isn't", "day 2024-02-30 closed", `"2024-02-30" is not a date`},
		{"a range that ends before it begins", "hours 2024-02-03 2024-02-02", "2024-02-02 is before 2024-02-03"},
		{"a range without an end", "hours 2024-02-03", `"" is not a date`},
		{"a date outside the calendar", "day 2025-02-03 closed", "it doesn't cover 2025-02-03"},
		{"a date listed twice", "day 2024-01-04 closed", "2024-01-04 is listed twice"},
		{"a day of the week listed twice", "week 2024-03-04 Thu closed", "Thursday is listed twice"},
		{"a day of the week that isn't", "week 2024-04-04 Thu-Friday closed", `"Thu-Friday" is not a day`},
		{"hours out of order", "hours 2024-11-30 2024-12-30", "hours must be in date order"},
		{"weeks out of order", "week 2024-01-01 Sat closed", "weeks must be in date order"},
		{"nothing on a day", "day 2024-04-04", `"" is not closed, open, continuous, or times`},
		{"a phase without an end", "day 2024-04-04 09:00 REGULAR", "is not closed, open, continuous, or times"},
		{"a phase nobody knows", "day 2024-04-04 09:00 NOON 12:00", `"NOON" is not PRE, REGULAR, POST or CLOSED`},
		{"a time that isn't", "day 2024-04-04 09:00 REGULAR noon", `"noon" is not a time of day`},
		{"times out of order", "day 2024-04-04 09:00 PRE 09:00 REGULAR 17:00", "09:00 is not after the time before it"},
		{"a day that begins before days begin", "begins -06:00\nday 2024-04-04 -06:01 REGULAR 12:00", "outside the day that begins at -21600 s"},
		{"a day that ends after days end", "begins -06:00\nday 2024-04-04 09:00 REGULAR 18:01", "outside the day that begins at -21600 s"},
		{"a beginning in the morning", "begins 09:00", "09:00 is not on the evening before"},
	}
	for _, test := range tests {
		t.Run(test.mistake, func(t *testing.T) {
			files := dataset()
			file := files["data/calendars/XAAA.txt"]
			file.Data = append(file.Data, test.add+"\n"...)
			if _, err := readCalendar(files, "XAAA"); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want an error that says %q", err, test.want)
			}
		})
	}
	for _, text := range []string{"", "covers 2024-01-01 2024-12-31\nweek 2024-01-02 Mon-Fri open\n"} {
		files := fstest.MapFS{"data/calendars/LATE.txt": {Data: []byte(text)}}
		if _, err := readCalendar(files, "LATE"); err == nil || !strings.Contains(err.Error(), "must not begin after the calendar") {
			t.Errorf("%q: %v", text, err)
		}
	}
}

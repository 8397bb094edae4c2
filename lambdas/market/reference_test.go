package market

import (
	"io/fs"
	"regexp"
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

func TestEveryVenueIsDescribedInFull(t *testing.T) {
	r := loaded(t)
	mic, country := regexp.MustCompile(`^[A-Z0-9]{4}$`), regexp.MustCompile(`^[A-Z]{2}$`)
	if n := len(r.Venues()); n < 60 {
		t.Errorf("%d venues, want at least 60", n)
	}
	for _, name := range r.Venues() {
		v := venueNamed(t, r, name)
		if !mic.MatchString(v.MIC) || !mic.MatchString(v.Operating) {
			t.Errorf("%s, operated by %s: not both are MICs", v.MIC, v.Operating)
		}
		if !country.MatchString(v.Country) || !trade.HasISINPrefix(v.Country) {
			t.Errorf("%s: %q is not a country with ISINs", name, v.Country)
		}
		if v.Name == "" {
			t.Errorf("%s has no name", name)
		}
		if _, err := time.LoadLocation(v.Zone.String()); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		// Between 220 (Athens under the capital controls of 2015) and 262 trading days a year.
		for year := v.calendar.From.Year(); year <= v.calendar.Until.Year(); year++ {
			days := 0
			for d := DateOf(year, time.January, 1); d.Year() == year; d++ {
				if isOpen, covered := v.calendar.IsOpen(d); isOpen && covered {
					days++
				}
			}
			if days < 220 || days > 262 {
				t.Errorf("%s has %d trading days in %d", name, days, year)
			}
		}
	}
}

func TestTradingHoursFollowEachOther(t *testing.T) {
	r := loaded(t)
	for _, name := range r.Venues() {
		for _, w := range venueNamed(t, r, name).hours.weeks {
			for weekday, h := range w.days {
				inOrder := h.begins <= h.pre && h.pre <= h.open && h.open < h.close && h.close <= h.end && h.end <= h.post &&
					h.post <= h.begins+clock(secondsPerDay)
				if hasBreak := h.resume > h.pause; hasBreak {
					inOrder = inOrder && h.open < h.pause && h.resume < h.close
				}
				if !inOrder || h.begins > 0 {
					t.Errorf("%s on %s: %+v", name, time.Weekday(weekday), h)
				}
			}
		}
	}
}

// The hours of a market whose trading day begins in the evening must cover its whole calendar, or the trading day of an
// evening trade would be off by one.
func TestHoursThatMoveTheTradingDayHaveNoBeginning(t *testing.T) {
	r := loaded(t)
	for _, name := range r.Venues() {
		weeks := venueNamed(t, r, name).hours.weeks
		if first := weeks[len(weeks)-1]; first.days[time.Monday].begins < 0 && first.from != noBeginning {
			t.Errorf("%s begins its day in the evening, but only from %s on", name, first.from)
		}
	}
}

func TestMistakesInTheDataAreReportedTogether(t *testing.T) {
	good := func(name string) string {
		text, err := fs.ReadFile(builtIn, "data/"+name)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	tests := []struct {
		mistake, file, add, want string
	}{
		{"a venue is listed twice", "venues.csv", "XNYS,XNYS,Again,US,UTC,24x7,us-equities,US", "venue XNYS is listed twice"},
		{"a calendar nobody defined", "venues.csv", "TEST,TEST,Test,US,UTC,MOON,us-equities,US", `calendar "MOON" is neither`},
		{"a profile nobody defined", "venues.csv", "TEST,TEST,Test,US,UTC,24x7,night,US", `no profile "night"`},
		{"a rule nobody defined", "venues.csv", "TEST,TEST,Test,US,UTC,24x7,us-equities,NEVER", `no rule "NEVER"`},
		{"a time zone nobody knows", "venues.csv", "TEST,TEST,Test,US,Mars/Olympus,24x7,us-equities,US", "Mars/Olympus"},
		{"a column too few", "venues.csv", "TEST,TEST", "wrong number of fields"},
		{"a gap between the years of a calendar", "closures.csv", "CHINA,2040,closed,01-01", "CHINA has a gap before 2040"},
		{"a day that isn't", "closures.csv", "CHINA,2027,closed,02-30", `"2027-02-30" is not a date`},
		{"a year that isn't", "closures.csv", "CHINA,next,closed,02-03", `"next" is not a year`},
		{"a kind of day that isn't", "closures.csv", "CHINA,2026,sleepy,02-03", `"sleepy" is not closed`},
		{"an early close that isn't", "closures.csv", "CHINA,2026,until noon,02-03", `"noon" is neither a time of day`},
		{"hours out of order", "hours.csv", "globex-chicago,2001-01-01,,00:00,09:00,09:00,,,17:00,17:00,17:00", "must be in date order"},
		{"hours of a day of the week alone", "hours.csv", "new,,Friday,00:00,09:00,09:00,,,17:00,17:00,17:00", "must follow the row for the other days"},
		{"a cycle that isn't", "settlement.csv", "US,2030-01-01,soon,", `"soon" is not a number of days`},
		{"cycles out of order", "settlement.csv", "US,2010-01-01,5,", "the others must be in date order"},
		{"a rule that begins late", "settlement.csv", "NEW,2010-01-01,5,", "must have no date"},
	}
	for _, test := range tests {
		t.Run(test.mistake, func(t *testing.T) {
			files := fstest.MapFS{}
			for _, name := range []string{"venues.csv", "closures.csv", "hours.csv", "settlement.csv"} {
				files["data/"+name] = &fstest.MapFile{Data: []byte(good(name))}
			}
			file := files["data/"+test.file]
			file.Data = append(file.Data, test.add+"\n"...)
			if _, err := load(files); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want an error that says %q", err, test.want)
			}
		})
	}
	t.Run("all files are missing", func(t *testing.T) {
		_, err := load(fstest.MapFS{})
		for _, name := range []string{"venues.csv", "closures.csv", "hours.csv", "settlement.csv"} {
			if err == nil || !strings.Contains(err.Error(), name) {
				t.Errorf("got %v, want an error that names %s", err, name)
			}
		}
	})
}

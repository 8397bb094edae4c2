package trade_test

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"trade-processing/lambdas/trade"
)

// Package time writes RFC 3339 strictly, so what it writes must come back, in lower case too.
func TestATimeComesBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		zone := time.FixedZone("", 60*rapid.IntRange(-23*60-59, 23*60+59).Draw(t, "zone"))
		at := time.Unix(rapid.Int64Range(0, 253402214400).Draw(t, "second"), rapid.Int64Range(0, 999_999_999).Draw(t, "nanosecond")).In(zone)
		written := at.Format(time.RFC3339Nano)
		for _, s := range []string{written, strings.ToLower(written)} {
			if got, err := trade.ParseTime(s); err != nil || !got.Equal(at) {
				t.Fatalf("%s: %v, %v", s, got, err)
			}
		}
	})
}

func TestALeapSecondIsTheSecondAfterIt(t *testing.T) {
	for written, want := range map[string]string{
		"2016-12-31T23:59:60Z":         "2017-01-01T00:00:00Z",
		"2016-12-31T18:59:60.25-05:00": "2016-12-31T19:00:00.25-05:00",
		"2015-07-01T08:59:60+09:00":    "2015-07-01T09:00:00+09:00",
	} {
		got, err := trade.ParseTime(written)
		if err != nil || got.Format(time.RFC3339Nano) != want {
			t.Errorf("%s: %v, %v; want %s", written, got, err, want)
		}
	}
}

// ParseTime accepts nothing that package time doesn't, but for leap seconds and lower case.
func FuzzParseTime(f *testing.F) {
	for _, s := range []string{"2024-05-28T09:30:00.123-04:00", "2016-12-31T23:59:60Z", "2024-05-28t09:30:00z", "2024-05-28T9:30:00Z", "2024-05-28T09:30:00,5Z", "2024-05-28T09:30:00+24:00", ""} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		at, err := trade.ParseTime(s)
		if err != nil || s[17:19] == "60" {
			return
		}
		if want, err := time.Parse(time.RFC3339Nano, strings.ToUpper(s)); err != nil || !want.Equal(at) {
			t.Fatalf("%q: %v, but package time reads %v, %v", s, at, want, err)
		}
	})
}

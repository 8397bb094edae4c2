package trade_test

import (
	"testing"
	"time"

	"github.com/bojanz/currency"

	"trade-processing/lambdas/trade"
)

func TestLookupCurrency(t *testing.T) {
	for code, minorUnit := range map[string]int{
		"USD": 2, "EUR": 2, "GBP": 2, "CHF": 2, "JPY": 0, "KRW": 0, "VND": 0, "ISK": 0, "CLP": 0,
		"BHD": 3, "KWD": 3, "TND": 3, "IQD": 3, "CLF": 4, "UYW": 4,
		// CLDR shows these without decimals; ISO 4217 has two.
		"AFN": 2, "COP": 2, "IDR": 2, "PKR": 2, "RSD": 2,
		// Recent codes, and fund codes.
		"MRU": 2, "VES": 2, "VED": 2, "SLE": 2, "ZWG": 2, "XCG": 2, "XAD": 2, "CHE": 2, "USN": 2,
	} {
		c, known := trade.LookupCurrency(code)
		if !known || !c.HasMinorUnit || c.MinorUnit != minorUnit || c.Code != code {
			t.Errorf("%s: %+v, %v; want %d decimals", code, c, known, minorUnit)
		}
	}
}

func TestCodesWithoutMinorUnitAreKnown(t *testing.T) {
	for _, code := range []string{"XAG", "XAU", "XBA", "XBB", "XBC", "XBD", "XDR", "XPD", "XPT", "XSU", "XTS", "XUA", "XXX"} {
		if c, known := trade.LookupCurrency(code); !known || c.HasMinorUnit || c.Code != code {
			t.Errorf("%s: %+v, %v", code, c, known)
		}
	}
}

func TestInventedCodesAreUnknown(t *testing.T) {
	for _, code := range []string{"", "usd", "Usd", "US", "USDT", "BTC", "US$", "840", " USD", "USD ", "ÜSD", "GBX", "code"} {
		if c, known := trade.LookupCurrency(code); known {
			t.Errorf("%q is taken as %+v", code, c)
		}
	}
}

// The days are those on which the euro or a successor replaced a currency: the euro's in the Council's decisions
// (https://economy-finance.ec.europa.eu/euro/eu-countries-and-euro_en), the others' in CLDR and ISO 4217's list three.
func TestACurrencyIsInUseOnItsDays(t *testing.T) {
	for code, days := range map[string]struct{ since, until string }{
		"BGN": {"1999-07-05", "2025-12-31"}, "HRK": {"1994-05-30", "2022-12-31"}, "LTL": {"1993-06-25", "2014-12-31"},
		"LVL": {"1993-06-28", "2013-12-31"}, "EEK": {"1992-06-21", "2010-12-31"}, "SKK": {"1992-12-31", "2008-12-31"},
		"CYP": {"", "2007-12-31"}, "MTL": {"", "2007-12-31"}, "SIT": {"1992-10-07", "2006-12-31"},
		"DEM": {"", "2002-02-28"}, "FRF": {"", "2002-02-17"}, "ITL": {"", "2002-02-28"}, "XEU": {"1979-01-01", "1998-12-31"},
		"EUR": {"1999-01-01", ""}, "ANG": {"", "2025-06-30"}, "XCG": {"2025-03-31", ""}, "ZWL": {"2009-02-02", "2024-08-31"},
		"ZWG": {"2024-06-25", ""}, "SLL": {"", "2023-12-31"}, "SLE": {"2022-04-01", ""}, "VEF": {"2008-01-01", "2018-08-20"},
		"BYR": {"2000-01-01", "2017-01-01"}, "BYN": {"2016-07-01", ""}, "TRL": {"", "2005-12-31"}, "TRY": {"2005-01-01", ""},
		"CUC": {"1994-01-01", "2021-06-01"}, "USD": {"", ""}, "XAU": {"", ""},
	} {
		c, known := trade.LookupCurrency(code)
		if !known {
			t.Errorf("%s is unknown", code)
			continue
		}
		inUse := func(day string, off int) bool {
			at, err := time.Parse(time.DateOnly, day)
			if err != nil {
				t.Fatal(err)
			}
			return c.InUse(at.AddDate(0, 0, off).Add(23 * time.Hour))
		}
		if days.since == "" {
			days.since = "1971-02-08"
		} else if inUse(days.since, -1) {
			t.Errorf("%s is in use before %s", code, days.since)
		}
		if !inUse(days.since, 0) {
			t.Errorf("%s is not in use on %s", code, days.since)
		}
		if days.until == "" {
			days.until = "2026-11-26"
		} else if inUse(days.until, 1) {
			t.Errorf("%s is in use after %s", code, days.until)
		}
		if !inUse(days.until, 0) {
			t.Errorf("%s is not in use on %s", code, days.until)
		}
	}
}

// A code can't be both in the library's list of those in use and in ours of those withdrawn.
func TestNoCodeInUseIsWithdrawn(t *testing.T) {
	for _, code := range currency.GetCurrencyCodes() {
		if c, known := trade.LookupCurrency(code); !known || !c.InUse(time.Date(2026, time.November, 26, 0, 0, 0, 0, time.UTC)) {
			t.Errorf("%s: %+v, %t", code, c, known)
		}
	}
}

// ISO 4217 counted 178 codes in use in January 2026: 165 with a minor unit, and 13 without. When the library follows a
// change in the standard, this fails, so that somebody looks at the change before trades are judged by it.
func TestTheListIsThatOfJanuary2026(t *testing.T) {
	if n := len(currency.GetCurrencyCodes()); n != 165 {
		t.Errorf("the library knows %d currencies with a minor unit, not 165: compare with ISO 4217, then change RulesVersion", n)
	}
}

package trade_test

import (
	"testing"

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

func TestWithdrawnAndInventedCodesAreUnknown(t *testing.T) {
	for _, code := range []string{
		"DEM", "FRF", "ITL", "ATS", "GRD", "HRK", "LTL", "EEK", "ZWL", "ANG", "VEF", "STD", "MRO", "BYR", "TRL", "SLL", "CUC", "XEU", "XFU",
		"", "usd", "Usd", "US", "USDT", "BTC", "US$", "840", " USD", "USD ", "ÜSD",
	} {
		if c, known := trade.LookupCurrency(code); known {
			t.Errorf("%q is taken as %+v", code, c)
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

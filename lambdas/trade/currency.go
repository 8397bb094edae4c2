package trade

import (
	_ "embed"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/bojanz/currency"
)

// Currency is an ISO 4217 currency, in use or withdrawn.
type Currency struct {
	// Code is the alphabetic code, such as USD.
	Code string

	// MinorUnit is the number of decimals of the smallest unit: 2 for USD, 0 for JPY, 3 for BHD. Meaningless if
	// HasMinorUnit is false.
	MinorUnit int

	// HasMinorUnit is false for codes that ISO 4217 lists without one: metals, bond units, and codes that aren't money.
	HasMinorUnit bool

	// The first and last day on which the code was in use, such as 20251231; 0 if it always was, or still is.
	since, until int
}

// InUse reports whether the currency was in use on the day of a time, in that time's zone.
func (c Currency) InUse(at time.Time) bool {
	if c.since == 0 && c.until == 0 {
		return true
	}
	day := dayOf(at)
	return day >= c.since && (c.until == 0 || day <= c.until)
}

func dayOf(at time.Time) int {
	year, month, day := at.Date()
	return year*10_000 + int(month)*100 + day
}

// LookupCurrency finds an ISO 4217 code, upper case as in the standard, in use or withdrawn.
//
// The list of those in use is from github.com/bojanz/currency, which follows the maintenance agency's list one. The
// more obvious golang.org/x/text/currency won't do: its tables from 2017 lack codes in use (VES, SLE, XCG), accept DEM,
// and have CLDR's decimals for display, which differ from ISO's minor unit for twenty currencies.
func LookupCurrency(code string) (Currency, bool) {
	dates, dated := currencyDates()[code]
	if digits, known := currency.GetDigits(code); known {
		return Currency{Code: code, MinorUnit: int(digits), HasMinorUnit: true, since: dates.since}, true
	}
	if isWithoutMinorUnit(code) {
		return Currency{Code: code}, true
	}
	return dates, dated
}

// isWithoutMinorUnit reports the current codes without an ISO 4217 minor unit, which bojanz/currency leaves out because
// they are nobody's money. A trade may well be in gold ounces or special drawing rights. XTS (for testing) and XXX (no
// currency) are in the standard on the same terms, so they are accepted too.
func isWithoutMinorUnit(code string) bool {
	switch code {
	case "XAU", "XAG", "XPT", "XPD", // metals, in troy ounces
		"XBA", "XBB", "XBC", "XBD", // European bond market units
		"XDR", "XSU", "XUA", // units of account: IMF, ALBA, African Development Bank
		"XTS", "XXX":
		return true
	}
	return false
}

// currenciesCSV says since and until when codes were in use, if not always since earliestExecution: those that ISO 4217
// withdrew (its list three of historic denominations, as in https://github.com/datasets/currency-codes), with the days
// and decimals of Unicode CLDR 48.2 (cldr-core, supplemental/currencyData.json), since the list has only months. Four
// kinds of days differ from CLDR's. The last day of a currency that the euro replaced from 2007 on is the eve of the
// euro's first, although its notes circulated for some weeks more: BGN until 2025-12-31 (the list: 2026-01), HRK until
// 2022-12-31. DEM ends where it was legal tender. Codes without days in CLDR end with the month before ISO's. SLE
// starts with its ISO code.
//
//go:embed currencies.csv
var currenciesCSV string

var currencyDates = sync.OnceValue(func() map[string]Currency {
	known := map[string]Currency{}
	_, rows, _ := strings.Cut(currenciesCSV, "\n")
	for row := range strings.Lines(rows) {
		columns := strings.Split(strings.TrimSpace(row), ",")
		c := Currency{Code: columns[0], since: day(columns[1]), until: day(columns[2])}
		c.MinorUnit, _ = strconv.Atoi(columns[3])
		c.HasMinorUnit = true
		known[c.Code] = c
	}
	return known
})

// day reads a date of the built-in table, or 0 if there is none.
func day(date string) int {
	n, _ := strconv.Atoi(strings.ReplaceAll(date, "-", ""))
	return n
}

// minorUnit is a code in which prices are quoted, although ISO 4217 doesn't know it.
type minorUnit struct {
	currency string
	decimals int32
}

// minorUnits are the codes as exchanges and vendors write them: GBX on the London Stock Exchange, GBp, ZAc, ILA and KWF
// in the feeds of Bloomberg and Yahoo, ZAC on the JSE; X at the end is the general pattern (USX, EUX).
// https://babylon.app/articles/zac-gbx-euc-and-other-misspelt-currencies describes the conventions;
// https://docs.londonstockexchange.com (TRADEcho, SI Quote) has GBX, EUX and USX.
var minorUnits = map[string]minorUnit{
	"GBX": {"GBP", 2}, "GBp": {"GBP", 2},
	"ZAC": {"ZAR", 2}, "ZAc": {"ZAR", 2},
	"ILA": {"ILS", 2},
	"KWF": {"KWD", 3},
	"EUX": {"EUR", 2},
	"USX": {"USD", 2},
}

// quotedInMinorUnits reports whether exchanges quote prices of shares in the minor unit of a currency: London in pence,
// Johannesburg in cents, Tel Aviv in agorot, Kuwait in fils. A price without its currency can then be either.
func quotedInMinorUnits(currency string) bool {
	switch currency {
	case "GBP", "ZAR", "ILS", "KWD":
		return true
	}
	return false
}

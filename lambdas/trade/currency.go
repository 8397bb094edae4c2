package trade

import "github.com/bojanz/currency"

// Currency is an ISO 4217 currency that is in use.
type Currency struct {
	// Code is the alphabetic code, such as USD.
	Code string

	// MinorUnit is the number of decimals of the smallest unit: 2 for USD, 0 for JPY, 3 for BHD. Meaningless if
	// HasMinorUnit is false.
	MinorUnit int

	// HasMinorUnit is false for codes that ISO 4217 lists without one: metals, bond units, and codes that aren't money.
	HasMinorUnit bool
}

// LookupCurrency finds a current ISO 4217 code, upper case as in the standard. Withdrawn codes (DEM) are not found.
//
// The list is from github.com/bojanz/currency, which follows the maintenance agency's list one. The more obvious
// golang.org/x/text/currency won't do: its tables from 2017 lack codes in use (VES, SLE, XCG), accept DEM, and have
// CLDR's decimals for display, which differ from ISO's minor unit for twenty currencies.
func LookupCurrency(code string) (Currency, bool) {
	if digits, known := currency.GetDigits(code); known {
		return Currency{Code: code, MinorUnit: int(digits), HasMinorUnit: true}, true
	}
	if isWithoutMinorUnit(code) {
		return Currency{Code: code}, true
	}
	return Currency{}, false
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

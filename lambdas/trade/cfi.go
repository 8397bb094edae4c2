package trade

import "strings"

// cfiGroups are the groups of each category of ISO 10962:2021, as in the table of its maintenance agency
// (https://www.six-group.com/en/products-services/financial-information/data-standards.html, through python-stdnum's
// stdnum/cfi.dat).
var cfiGroups = map[byte]string{
	'C': "BEFHIMPS",     // collective investment vehicles
	'D': "ABCDEGMNSTWY", // debt
	'E': "CDFLMPSY",     // equities
	'F': "CF",           // futures
	'H': "CEFMRT",       // non-listed and complex listed options
	'I': "FT",           // spot
	'J': "CEFRT",        // forwards
	'K': "CEFMRTY",      // strategies
	'L': "LRS",          // financing
	'M': "CM",           // others
	'O': "CMP",          // listed options
	'R': "ADFMPSW",      // entitlements
	'S': "CEFMRT",       // swaps
	'T': "BCDIMRT",      // referential instruments
}

// isCFI reports whether s is an ISO 10962 code: a category, one of its groups, and four attributes. The attributes are
// not checked: they are revised more often, and X stands for any that isn't known.
func isCFI(s string) bool {
	if len(s) != 6 || strings.IndexByte(cfiGroups[s[0]], s[1]) < 0 {
		return false
	}
	for i := 2; i < len(s); i++ {
		if !isUpper(s[i]) {
			return false
		}
	}
	return true
}

// isDerivative reports whether s is the ISO 10962 code of a future, an option, a forward, a swap or a strategy.
func isDerivative(s string) bool { return isCFI(s) && strings.IndexByte("FHJKOS", s[0]) >= 0 }

package trade_test

import (
	"testing"

	"trade-processing/lambdas/trade"
)

func TestThePrefixesAreISO3166sAndThoseOfTheNumberingAgencies(t *testing.T) {
	n := 0
	for a := 'A'; a <= 'Z'; a++ {
		for b := 'A'; b <= 'Z'; b++ {
			if trade.HasISINPrefix(string([]rune{a, b})) {
				n++
			}
		}
	}
	if n != 249+14 {
		t.Errorf("%d prefixes, want 249 countries and 14 others", n)
	}
	for _, prefix := range []string{"", "U", "us", "ZZ", "XX", "UK", "DD", "SU", "A1", "ÄÖ", "{["} {
		if trade.HasISINPrefix(prefix) {
			t.Errorf("%q is taken for a prefix", prefix)
		}
	}
}

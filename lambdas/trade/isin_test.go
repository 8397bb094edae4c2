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

func TestIssuingCountry(t *testing.T) {
	tests := []struct {
		name, isin, want string
		known            bool
	}{
		{"a US share", "US0378331005", "US", true},
		{"a share numbered in Jersey", "JE00B4T3BW64", "JE", true},
		{"a eurobond in Euroclear and Clearstream", "XS1234567890", "XS", true},
		{"a bond of the European Union", "EU000A1Z99F2", "EU", true},
		{"an OTC derivative", "EZ0000000003", "EZ", true},
		{"a crypto asset", "XTV15WLZJMF0", "XT", true},
		{"one of the Netherlands Antilles, which are gone", "ANN6743A1025", "AN", true},
		{"a prefix that nobody has", "ZZ0000000000", "", false},
		{"a code that ISO 3166 reserves for others", "UK0000000000", "", false},
		{"lower case", "us0378331005", "", false},
		{"a character too few", "US037833100", "", false},
		{"a character too many", "US03783310055", "", false},
		{"nothing", "", "", false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, known := trade.IssuingCountry(test.isin)
			if known != test.known || known && got != test.want {
				t.Errorf("%q, %t", got, known)
			}
		})
	}
}

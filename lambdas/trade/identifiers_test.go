package trade_test

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"trade-processing/lambdas/trade"
)

func TestISIN(t *testing.T) {
	for isin, want := range map[string][]trade.Code{
		"US0378331005":  nil, // Apple
		"US0231351067":  nil, // Amazon
		"DE0007164600":  nil, // SAP
		"GB0002634946":  nil, // BAE Systems
		"AU0000XVGZA3":  nil, // letters inside
		"XS0203470157":  nil, // Eurobonds have a prefix that isn't a country
		"XTV15WLZJMF0":  nil, // Bitcoin
		"ZZ0000000008":  {trade.ISINPrefix},
		"UK0000000002":  {trade.ISINPrefix}, // reserved for the United Kingdom, whose code is GB
		"US0378331006":  {trade.ISINCheckDigit},
		"US0373831005":  {trade.ISINCheckDigit}, // two digits swapped
		"us0378331005":  {trade.ISINInvalid},
		"US03783310050": {trade.ISINInvalid},
		"US037833100":   {trade.ISINInvalid},
		"120378331005":  {trade.ISINInvalid},
		"US037833100A":  {trade.ISINInvalid},
		"US03783-1005":  {trade.ISINInvalid},
		"":              {trade.ISINInvalid},
	} {
		if got := codes(t, map[string]any{"isin": isin}); !equal(got, want) {
			t.Errorf("%q: %v, want %v", isin, got, want)
		}
	}
}

func TestLEI(t *testing.T) {
	for lei, want := range map[string][]trade.Code{
		"529900T8BM49AURSDO55":  nil,
		"5493001KJTIIGC8Y1R12":  nil,
		"7LTWFZYICNSX8D621K86":  nil, // Deutsche Bank
		"529900T8BM49AURSDO56":  {trade.CounterpartyLEICheckDigits},
		"592900T8BM49AURSDO55":  {trade.CounterpartyLEICheckDigits}, // two digits swapped
		"529900T8BM49AURSDO5":   {trade.CounterpartyLEIInvalid},
		"529900T8BM49AURSDO555": {trade.CounterpartyLEIInvalid},
		"529900t8bm49aursdo55":  {trade.CounterpartyLEIInvalid},
		"529900T8BM49AURSDO5A":  {trade.CounterpartyLEIInvalid},
		"529900T8BM49AUR DO55":  {trade.CounterpartyLEIInvalid},
		"":                      {trade.CounterpartyLEIInvalid},
	} {
		if got := codes(t, map[string]any{"counterpartyLei": lei}); !equal(got, want) {
			t.Errorf("%q: %v, want %v", lei, got, want)
		}
	}
}

// 97 divides the difference of such pairs, so the remainder alone can't tell them apart: ISO 7064 produces only 02 to
// 98.
func TestLEICheckDigitsThatAreNeverIssued(t *testing.T) {
	pairs := map[string]string{"97": "00", "98": "01", "02": "99"}
	met := 0
	for i := range 2000 {
		base := "5493" + strings.Repeat("0", 10) + pad(i, 4)
		for issued, alias := range pairs {
			if equal(codes(t, map[string]any{"counterpartyLei": base + issued}), nil) {
				met++
				if got := codes(t, map[string]any{"counterpartyLei": base + alias}); !equal(got, []trade.Code{trade.CounterpartyLEICheckDigits}) {
					t.Errorf("%s: %v", base+alias, got)
				}
			}
		}
	}
	if met == 0 {
		t.Error("no base with such check digits was met")
	}
}

func pad(n, width int) string {
	digits := []byte(strings.Repeat("0", width))
	for i := width - 1; n > 0; i, n = i-1, n/10 {
		digits[i] += byte(n % 10)
	}
	return string(digits)
}

// A single wrong character is what check digits are for.
func TestOneWrongCharacterIsFound(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		field := rapid.SampledFrom([]string{"isin", "counterpartyLei"}).Draw(t, "field")
		right := map[string][]string{
			"isin":            {"US0378331005", "DE0007164600", "GB0002634946"},
			"counterpartyLei": {"529900T8BM49AURSDO55", "7LTWFZYICNSX8D621K86"},
		}[field]
		identifier := []byte(rapid.SampledFrom(right).Draw(t, "identifier"))
		at := rapid.IntRange(2, len(identifier)-1).Draw(t, "at")
		alphabet := "0123456789"
		if identifier[at] >= 'A' {
			alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
		}
		wrong := rapid.SampledFrom([]byte(alphabet)).Draw(t, "wrong")
		if wrong == identifier[at] || field == "isin" && wrong >= 'A' {
			t.Skip("a Luhn sum over two-digit letters doesn't find every wrong letter")
		}
		identifier[at] = wrong
		if got := codes(t, map[string]any{field: string(identifier)}); len(got) != 1 {
			t.Fatalf("%s %s: %v", field, identifier, got)
		}
	})
}

package trade_test

import (
	"testing"

	"trade-processing/lambdas/trade"
)

func TestIsCryptoPair(t *testing.T) {
	tests := []struct {
		name, symbol, currency string
		want                   bool
	}{
		{"Coinbase writes a dash", "BTC-USD", "USD", true},
		{"Kraken a slash", "XMR/USD", "USD", true},
		{"bitFlyer an underscore, and what kind it is in front", "FX_BTC_JPY", "JPY", true},
		{"Upbit the currency first", "KRW-WAVES", "KRW", true},
		{"Gemini nothing between", "ALCXUSD", "USD", true},
		{"a quote in a stablecoin that the stack allows", "BTC-USDT", "USDT", true},
		{"foreign exchange", "EUR-USD", "USD", false},
		{"foreign exchange with nothing between", "EURUSD", "USD", false},
		{"gold", "XAU/USD", "USD", false},
		{"a share class", "BRK-B", "USD", false},
		{"a share", "IBM", "USD", false},
		{"a share whose ticker ends like a currency", "XUSD", "USD", false},
		{"another currency than the trade's", "BTC-EUR", "USD", false},
		{"a currency alone", "USD", "USD", false},
		{"separators alone", "-/_", "USD", false},
		{"no symbol", "", "USD", false},
		{"no currency", "BTC-USD", "", false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := trade.IsCryptoPair(test.symbol, test.currency); got != test.want {
				t.Errorf("IsCryptoPair(%q, %q) = %t", test.symbol, test.currency, got)
			}
		})
	}
}

func FuzzIsCryptoPair(f *testing.F) {
	f.Add("BTC-USD", "USD")
	f.Add("\xff/_", "\xff")
	f.Fuzz(func(t *testing.T, symbol, currency string) {
		if trade.IsCryptoPair(symbol, currency) && (len(symbol) <= len(currency) || currency == "") {
			t.Errorf("%q is a pair in %q", symbol, currency)
		}
	})
}

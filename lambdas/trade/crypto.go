package trade

import "strings"

// IsCryptoPair reports whether a symbol names a pair of the kind that crypto exchanges, which have no MIC, trade around
// the clock: the trade's currency at one end, and at the other something that is neither an ISO 4217 currency nor a
// metal. Exchanges spell pairs as BTC-USD, BTC/USD, BTC_USD, KRW-BTC (Upbit, the currency first), FX_BTC_JPY (bitFlyer)
// and BTCUSD. EUR-USD and XAUUSD are foreign exchange, which has its own settlement conventions; BRK-B is a share.
func IsCryptoPair(symbol, currency string) bool {
	if currency == "" {
		return false
	}
	parts := strings.FieldsFunc(symbol, func(r rune) bool { return r == '-' || r == '/' || r == '_' })
	switch last := len(parts) - 1; {
	case last < 0:
		return false
	case last == 0:
		// Without a separator, only a base of three or more characters distinguishes a pair from a share's ticker.
		base, found := strings.CutSuffix(symbol, currency)
		return found && len(base) >= 3 && !isMoney(base)
	case parts[last] == currency:
		return !containsMoney(parts[:last])
	case parts[0] == currency:
		return !containsMoney(parts[1:])
	}
	return false
}

func isMoney(code string) bool {
	currency, known := LookupCurrency(code)
	return known && currency.until == 0
}

func containsMoney(codes []string) bool {
	for _, code := range codes {
		if isMoney(code) {
			return true
		}
	}
	return false
}

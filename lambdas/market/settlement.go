package market

import "strconv"

// Cycle is how many business days after the trading day a trade settles.
type Cycle uint8

// String returns the cycle as the market writes it, T+2.
func (c Cycle) String() string { return "T+" + strconv.Itoa(int(c)) }

// MarshalText makes a cycle a JSON string.
func (c Cycle) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// settlementRule is a row of settlement.csv: a cycle that applies from a trading day on.
type settlementRule struct {
	from     Date
	currency string // of the trades it applies to; empty for all that no other rule applies to
	cycle    Cycle
	calendar *Calendar
}

// cycles are a market's settlement rules, latest first.
type cycles []settlementRule

// on returns the rule for trades of a day in a currency; nil if none is known.
func (cs cycles) on(tradingDay Date, currency string) *settlementRule {
	var general *settlementRule
	for i := range cs {
		switch c := &cs[i]; {
		case tradingDay < c.from:
		case c.currency == currency:
			return c
		case c.currency == "" && general == nil:
			general = c
		}
	}
	return general
}

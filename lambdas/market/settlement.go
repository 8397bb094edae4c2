package market

import "strconv"

// Cycle is how many business days after the trading day a trade settles.
type Cycle uint8

// String returns the cycle as the market writes it, T+2.
func (c Cycle) String() string { return "T+" + strconv.Itoa(int(c)) }

// MarshalText makes a cycle a JSON string.
func (c Cycle) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// cycles are a market's settlement cycles over time, latest first.
type cycles []settlementRule

// settlement returns the cycle of a trading day and the date on which its trades settle; false if the calendar ends
// before that.
func (cs cycles) settlement(tradingDay Date) (Cycle, Date, bool) {
	for i := range cs {
		if c := &cs[i]; tradingDay >= c.from {
			date, covered := c.calendar.After(tradingDay, int(c.cycle))
			return c.cycle, date, covered
		}
	}
	return 0, 0, false // unreachable with loaded data: the first cycle of every rule has no start date
}

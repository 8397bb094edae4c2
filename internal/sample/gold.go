package sample

// system3 trades gold futures on COMEX. It writes decimals as JSON numbers, and one trade in twenty has no time of its
// own, so the event's time counts.
func gold(c *chance, n int64) *market {
	future := &instrument{currency: "USD", start: decimal{4_212_4, 1}, median: decimal{3, 0}}

	return newMarket(c, "system3", n, goldHours(calendar()), func(c *chance, d *draft, on day) {
		price, contracts := future.walk(c), future.size(c)
		d.asNumbers = true
		d.deal(price, contracts)
		d.set("currency", text(future.currency))
		d.set("symbol", text(on.goldCode))
		d.set("side", text(pick(c, []string{"BUY", "SELL"})))
		d.set("venue", text("XCEC"))
		if !c.oneIn(20) {
			d.set("executedAt", text(d.at.Format("2006-01-02T15:04:05.000Z")))
		}
	})
}

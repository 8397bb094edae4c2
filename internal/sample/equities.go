package sample

// system1 trades US equities in dollars, on the exchanges of the consolidated tape. It writes decimals as strings and
// times in New York time.
func equities(c *chance, n int64) *market {
	listed := func(symbol, isin string, cents int64) *instrument {
		return &instrument{symbol: symbol, currency: "USD", isin: isin, start: decimal{cents, 2}, median: decimal{60, 0}}
	}
	stocks := []*instrument{
		listed("SPY", "US78462F1030", 684_20), listed("AAPL", "US0378331005", 271_30), listed("MSFT", "US5949181045", 512_60),
		listed("NVDA", "US67066G1040", 187_10), listed("AMZN", "US0231351067", 231_80), listed("GOOGL", "US02079K3059", 292_40),
		listed("META", "US30303M1027", 648_30), listed("TSLA", "US88160R1014", 437_90), listed("JPM", "US46625H1005", 309_70),
		listed("XOM", "US30231G1022", 116_40), listed("KO", "US1912161007", 70_60), listed("IBM", "US4592001014", 304_20),
		listed("BAC", "US0605051046", 53_10), listed("JNJ", "US4781601046", 201_50), listed("V", "US92826C8394", 336_40),
		listed("PG", "US7427181091", 147_20), listed("HD", "US4370761029", 371_90), listed("DIS", "US2546871060", 109_80),
		listed("CSCO", "US17275R1023", 76_30), listed("WMT", "US9311421039", 102_70),
	}
	venues := []string{"XNAS", "XNAS", "XNAS", "XNYS", "XNYS", "ARCX", "ARCX", "BATS", "EDGX", "EDGA", "BATY", "IEXG", "XBOS", "XPSX"}
	counterparties := []string{"000000SAMPLEBANK0121", "000000SAMPLEBANK0218", "000000SAMPLEFUND0308", "000000SAMPLEFUND0405", "000000SAMPLEDESK0534"}
	accounts := []string{"ACC-1042", "ACC-1077", "ACC-2210", "ACC-3001"}

	return newMarket(c, "system1", n, equityHours(calendar()), func(c *chance, d *draft, on day) {
		stock := pick(c, stocks)
		price, quantity := stock.walk(c), stock.size(c)
		if c.below(5) < 3 { // a round lot of a hundred
			quantity.units = max(1, (quantity.units+50)/100) * 100
		}
		d.deal(price, quantity)
		d.set("currency", text(stock.currency))
		d.set("symbol", text(stock.symbol))
		d.set("isin", text(stock.isin))
		d.set("side", text(pick(c, []string{"BUY", "SELL"})))
		d.set("venue", text(pick(c, venues)))
		d.set("executedAt", text(d.at.In(on.zone()).Format("2006-01-02T15:04:05.000Z07:00")))
		if c.oneIn(3) {
			d.set("counterpartyLei", text(pick(c, counterparties)))
			d.set("account", text(pick(c, accounts)))
		}
		if quantity.units%100 != 0 {
			d.set("saleConditions", text("I")) // an extra field: odd lot, as the tape marks it
		}
	})
}

package sample

import "time"

// system2 trades pairs of crypto assets against five currencies, on exchanges that have no MIC. It writes decimals as
// strings, up to 18 digits, and the detail as a string, like producers that call PutEvents themselves.
func crypto(c *chance, n int64) *market {
	pair := func(symbol string, start, median decimal) *instrument {
		return &instrument{symbol: symbol, currency: symbol[len(symbol)-3:], start: start, median: median}
	}
	bitcoins, ethers := decimal{1_250_000, 8}, decimal{31_000_000, 8}
	pairs := []*instrument{
		pair("BTC-USD", decimal{91_482_37, 2}, bitcoins), pair("ETH-USD", decimal{3_104_55, 2}, ethers),
		pair("SOL-USD", decimal{141_27, 2}, decimal{420_000_000, 8}), pair("XRP-USD", decimal{2_1834, 4}, decimal{150_000_000, 6}),
		pair("DOGE-USD", decimal{16_241, 5}, decimal{2_700, 1}), pair("SHIB-USD", decimal{921, 8}, decimal{3_400_000, 0}),
		pair("BTC-EUR", decimal{78_905_60, 2}, bitcoins), pair("ETH-EUR", decimal{2_681_12, 2}, ethers),
		pair("BTC-GBP", decimal{69_210_45, 2}, bitcoins), pair("ETH-GBP", decimal{2_349_90, 2}, ethers),
		pair("BTC-JPY", decimal{14_203_511, 0}, bitcoins), pair("XRP-JPY", decimal{338_912, 3}, decimal{150_000_000, 6}),
		pair("BTC-KRW", decimal{134_512_000, 0}, bitcoins), pair("DOGE-KRW", decimal{238_7, 1}, decimal{2_700, 1}),
	}
	exchanges := []string{"COINBASE", "KRAKEN", "BITSTAMP", "BITFLYER", "UPBIT"}

	return newMarket(c, "system2", n, cryptoHours(calendar()), func(c *chance, d *draft, _ day) {
		traded := pick(c, pairs)
		price, quantity := traded.walk(c), traded.size(c)
		if c.oneIn(50) { // crumbs: the rest of an order, worth a fraction of a cent
			quantity.units = c.between(1, 9)
		}
		d.at = d.at.Add(time.Duration(c.below(1000)) * time.Microsecond)
		d.asText = true
		d.deal(price, quantity)
		d.set("currency", text(traded.currency))
		d.set("symbol", text(traded.symbol))
		d.set("side", text(pick(c, []string{"BUY", "SELL"})))
		d.set("executedAt", text(d.at.Format("2006-01-02T15:04:05.000000Z")))
		d.set("exchange", text(pick(c, exchanges))) // an extra field
	})
}

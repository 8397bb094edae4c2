package trade_test

import (
	"maps"
	"slices"
	"testing"

	"trade-processing/lambdas/trade"
)

// verdictOf returns the verdict on the four required fields with others added or changed.
func verdictOf(t *testing.T, changed map[string]any) trade.Verdict {
	t.Helper()
	detail := map[string]any{"tradeId": "t-1", "amount": "100", "currency": "USD", "sourceSystem": "system1"}
	maps.Copy(detail, changed)
	return check(t, detail, arrival)
}

func TestTheAmountFollowsFromWhatTheFieldsSay(t *testing.T) {
	type fields = map[string]any
	const agrees, mismatch = trade.Unchecked(""), trade.Unchecked("MISMATCH")
	option := fields{"venue": "XCBO", "symbol": "AAPL  260116C00200000", "price": "2.50", "quantity": "10"}
	bond := fields{"venue": "XETR", "currency": "EUR", "isin": "DE0001102580", "price": "99.50", "quantity": "1000000"}
	pence := fields{"venue": "XLON", "currency": "GBP", "symbol": "VOD", "price": "75.42", "quantity": "1000"}
	future := fields{"venue": "XCME", "symbol": "ESU6", "price": "6250.25", "quantity": "2"}
	for name, test := range map[string]struct {
		of, with fields
		want     trade.Unchecked
	}{
		// A contract on US shares is on 100 of them (OCC), and its price is per share: RTS 22, fields 33 and 46.
		"an option of a contract of 100 shares":             {option, fields{"amount": "2500.00"}, trade.MultiplierUnknown},
		"an option whose multiplier is given":               {option, fields{"amount": "2500.00", "multiplier": "100"}, agrees},
		"an option whose multiplier was forgotten":          {option, fields{"amount": "25.00", "multiplier": "100"}, mismatch},
		"an option whose symbol alone tells":                {option, fields{"venue": "XNAS", "amount": "2500.00"}, trade.MultiplierUnknown},
		"an option whose strike tells":                      {option, fields{"venue": "XXXX", "symbol": "X", "strike": "200", "amount": "2500"}, trade.MultiplierUnknown},
		"an option whose CFI code tells":                    {option, fields{"venue": "XXXX", "symbol": "X", "cfi": "OCASPS", "amount": "2500"}, trade.MultiplierUnknown},
		"an option in dollars is still one of a contract":   {option, fields{"amount": "2500.00", "priceCurrency": "USD"}, trade.MultiplierUnknown},
		"an index future":                                   {future, fields{"amount": "625025"}, trade.MultiplierUnknown},
		"an index future at 50 dollars a point":             {future, fields{"amount": "625025", "multiplier": "50"}, agrees},
		"an index future by price times contracts":          {future, fields{"amount": "12500.50", "multiplier": "50"}, mismatch},
		"a future on no known venue":                        {future, fields{"venue": "ZZZZ", "amount": "625025"}, trade.InstrumentUnknown},
		"a future on wheat, quoted in cents":                {future, fields{"venue": "XCBT", "price": "540.25", "quantity": "1", "amount": "27012.50", "multiplier": "5000", "priceCurrency": "USX"}, agrees},
		"gold futures recorded at price times contracts":    {fields{"venue": "XCEC", "symbol": "GCZ13", "price": "1313.8", "quantity": "1", "amount": "1313.8"}, nil, trade.MultiplierUnknown},
		"a future on a bond, in percent of 100,000 a piece": {fields{"venue": "XEUR", "currency": "EUR", "price": "130.50", "quantity": "3", "amount": "391500"}, fields{"priceNotation": "PERC", "multiplier": "100000"}, agrees},

		// Bonds are quoted in percent of their nominal.
		"a bond in percent":                            {bond, fields{"amount": "995000.00"}, trade.InstrumentUnknown},
		"a bond that says so":                          {bond, fields{"amount": "995000.00", "priceNotation": "PERC"}, agrees},
		"a bond that says nominal, too":                {bond, fields{"amount": "995000.00", "priceNotation": "PERC", "quantityNotation": "NOML"}, agrees},
		"a bond a hundred times too large":             {bond, fields{"amount": "99500000.00", "priceNotation": "PERC"}, mismatch},
		"bonds by the piece, of unknown nominal":       {bond, fields{"amount": "995000.00", "quantity": "1000", "priceNotation": "PERC", "quantityNotation": "UNIT"}, trade.MultiplierUnknown},
		"bonds by the piece, of 1,000":                 {bond, fields{"amount": "995000.00", "quantity": "1000", "priceNotation": "PERC", "quantityNotation": "UNIT", "multiplier": "1000"}, agrees},
		"a bond by its CFI code":                       {bond, fields{"amount": "995000.00", "cfi": "DBFTFB"}, trade.InstrumentUnknown},
		"a gilt, whose percentage has no minor unit":   {bond, fields{"amount": "995000.00", "currency": "GBP", "venue": "XLON", "priceNotation": "PERC"}, agrees},
		"a bill by its yield":                          {bond, fields{"amount": "1002500.00", "price": "-0.35", "priceNotation": "YIEL"}, trade.PriceNotMoney},
		"a default swap by its spread":                 {bond, fields{"amount": "1000000", "price": "125", "priceNotation": "BAPO"}, trade.PriceNotMoney},
		"a nominal priced in money, per unknown piece": {bond, fields{"amount": "995000.00", "priceNotation": "MONE", "quantityNotation": "NOML"}, trade.MultiplierUnknown},
		"a fund bought for an amount":                  {fields{"price": "123.45", "quantity": "100", "amount": "100"}, fields{"quantityNotation": "MONE"}, trade.QuantityIsMoney},

		// London quotes in pence, Johannesburg in cents, Tel Aviv in agorot.
		"a share in pence":                      {pence, fields{"amount": "754.20"}, trade.InstrumentUnknown},
		"a share in pence that says so":         {pence, fields{"amount": "754.20", "priceCurrency": "GBX"}, agrees},
		"a share in pence, as others write it":  {pence, fields{"amount": "754.20", "priceCurrency": "GBp"}, agrees},
		"a share in pence taken for pounds":     {pence, fields{"amount": "75420.00", "priceCurrency": "GBX"}, mismatch},
		"a share in pounds":                     {pence, fields{"amount": "75420.00", "priceCurrency": "GBP"}, agrees},
		"a share in pounds that are pence":      {pence, fields{"amount": "754.20", "priceCurrency": "GBP"}, mismatch},
		"a share in pence by its CFI code":      {pence, fields{"amount": "754.20", "cfi": "ESVUFR"}, trade.PriceUnitUnknown},
		"a share in pence that says it's money": {pence, fields{"amount": "754.20", "priceNotation": "MONE"}, trade.PriceUnitUnknown},
		"a share in South African cents":        {pence, fields{"currency": "ZAR", "venue": "XJSE", "amount": "754.20", "priceCurrency": "ZAC"}, agrees},
		"a share in agorot":                     {pence, fields{"currency": "ILS", "venue": "XTAE", "amount": "754.20", "priceCurrency": "ILA"}, agrees},
		"a share in fils":                       {pence, fields{"currency": "KWD", "venue": "XKUW", "amount": "75.42", "priceCurrency": "KWF"}, agrees},
		"a share of London in dollars":          {pence, fields{"currency": "USD", "amount": "75420.00", "priceCurrency": "USD"}, agrees},
		"a price in another currency":           {pence, fields{"amount": "754.20", "priceCurrency": "EUR"}, trade.OtherCurrency},
		"a price in another's minor unit":       {pence, fields{"amount": "754.20", "priceCurrency": "ZAC"}, trade.OtherCurrency},

		// Where only one thing can be meant, nothing needs to be said.
		"a share on a US exchange":                 {fields{"venue": "XNAS", "symbol": "AAPL", "price": "190.50", "quantity": "100", "amount": "19050.00"}, nil, agrees},
		"a wrong amount on a US exchange":          {fields{"venue": "XNYS", "symbol": "IBM", "price": "190.50", "quantity": "100", "amount": "1905000.00"}, nil, mismatch},
		"a bond on a US exchange":                  {fields{"venue": "XNYS", "isin": "US037833AK68", "price": "97.25", "quantity": "100000", "amount": "97250"}, nil, trade.InstrumentUnknown},
		"a share on a US exchange by its ISIN":     {fields{"venue": "XNYS", "isin": "US0378331005", "price": "97.25", "quantity": "1000", "amount": "972.50"}, nil, mismatch},
		"an Irish share on a US exchange":          {fields{"venue": "XNYS", "isin": "IE00BTN1Y115", "price": "97.25", "quantity": "1000", "amount": "972.50"}, nil, mismatch},
		"a pair of crypto assets":                  {fields{"symbol": "BTC-USD", "price": "25741.02", "quantity": "0.02188038", "amount": "563.2232991876"}, nil, agrees},
		"a pair in pounds":                         {fields{"symbol": "NU-GBP", "currency": "GBP", "price": "0.4394", "quantity": "70", "amount": "30.758"}, nil, agrees},
		"a wrong amount of a pair":                 {fields{"symbol": "NU-GBP", "currency": "GBP", "price": "0.4394", "quantity": "70", "amount": "3075.8"}, nil, mismatch},
		"a European share by its CFI code":         {fields{"venue": "XETR", "currency": "EUR", "cfi": "ESVUFR", "price": "150.20", "quantity": "10", "amount": "1502"}, nil, agrees},
		"a wrong amount of such a share":           {fields{"venue": "XETR", "currency": "EUR", "cfi": "ESVUFR", "price": "150.20", "quantity": "10", "amount": "15.02"}, nil, mismatch},
		"a tracker certificate":                    {fields{"venue": "XETR", "currency": "EUR", "cfi": "EYAYFS", "price": "99", "quantity": "1000", "amount": "990"}, nil, trade.InstrumentUnknown},
		"an instrument that nothing is said about": {fields{"price": "2", "quantity": "51"}, nil, trade.InstrumentUnknown},
		"no price":                                {fields{"quantity": "51"}, nil, trade.NoPrice},
		"no quantity":                             {fields{"price": "51", "quantity": nil}, nil, trade.NoPrice},
		"a price that can't be read":              {fields{"price": "x", "quantity": "51"}, nil, trade.Unreadable},
		"a multiplier that can't be read":         {option, fields{"multiplier": "x"}, trade.Unreadable},
		"a notation that nobody knows":            {option, fields{"priceNotation": "PCT"}, trade.Unreadable},
		"a quantity's notation that nobody knows": {option, fields{"quantityNotation": "LOTS"}, trade.Unreadable},
		"three long decimals":                     {option, fields{"amount": "9.9e125", "price": "9.9e125", "quantity": "9.9e125", "multiplier": "9.9e125"}, mismatch},
	} {
		t.Run(name, func(t *testing.T) {
			changed := maps.Clone(test.of)
			maps.Copy(changed, test.with)
			verdict := verdictOf(t, changed)
			got := verdict.AmountUncheckedReason
			if slices.Contains(codesOf(verdict), trade.AmountMismatch) {
				got = mismatch
			}
			if got != test.want {
				t.Errorf("%q, want %q: %v", got, test.want, verdict.Violations)
			}
			if verdict.AmountChecked != (verdict.AmountUncheckedReason == "") {
				t.Errorf("checked: %t, but the reason is %q", verdict.AmountChecked, verdict.AmountUncheckedReason)
			}
			if test.want != mismatch && test.want != trade.Unreadable && !verdict.Valid {
				t.Errorf("not valid: %v", verdict.Violations)
			}
		})
	}
}

func TestPricesAtOrBelowZero(t *testing.T) {
	type fields = map[string]any
	zero, negative := []trade.Code{trade.PriceZero}, []trade.Code{trade.PriceNegative}
	for name, test := range map[string]struct {
		of   fields
		want []trade.Code
	}{
		// CME's WTI future for May 2020 settled at -37.63 dollars on 20 April 2020, and its spreads always could
		// (https://cmegroup.com/notices/clearing/2020/04/Chadv20-160.html).
		"oil":                                        {fields{"venue": "XNYM", "symbol": "CLK0", "price": "-37.63", "quantity": "1000"}, nil},
		"oil, whose amount has the price's sign":     {fields{"venue": "XNYM", "price": "-37.63", "quantity": "2", "multiplier": "1000", "amount": "-75260"}, nil},
		"oil, whose amount has no sign":              {fields{"venue": "XNYM", "price": "-37.63", "quantity": "2", "multiplier": "1000", "amount": "75260"}, nil},
		"oil, whose amount is wrong":                 {fields{"venue": "XNYM", "price": "-37.63", "quantity": "2", "multiplier": "1000", "amount": "-7526"}, []trade.Code{trade.AmountMismatch}},
		"power in Germany":                           {fields{"venue": "EPEX", "currency": "EUR", "price": "-14.93", "quantity": "25"}, nil},
		"a spread of futures at zero":                {fields{"venue": "XEUR", "currency": "EUR", "price": "0", "quantity": "5", "amount": "0"}, nil},
		"a strategy over the counter":                {fields{"venue": "XOFF", "cfi": "KRXXXX", "price": "-0.02", "quantity": "5"}, nil},
		"a yield":                                    {fields{"currency": "EUR", "price": "-0.35", "quantity": "1000000", "priceNotation": "YIEL"}, nil},
		"a swap's rate in percent":                   {fields{"currency": "CHF", "price": "-0.75", "quantity": "1000000", "priceNotation": "PERC", "cfi": "SRCCSP"}, nil},
		"a spread in basis points":                   {fields{"currency": "EUR", "price": "0", "quantity": "1000000", "priceNotation": "BAPO"}, nil},
		"a share":                                    {fields{"venue": "XNAS", "price": "-1", "quantity": "100"}, negative},
		"a share for nothing":                        {fields{"venue": "XNAS", "price": "0.00", "quantity": "100"}, append(slices.Clone(zero), trade.AmountMismatch)},
		"money per unit":                             {fields{"price": "-1", "quantity": "100", "priceNotation": "MONE"}, negative},
		"nothing said":                               {fields{"price": "0"}, zero},
		"an amount below zero at a price above it":   {fields{"venue": "XNYM", "price": "37.63", "quantity": "1", "amount": "-37.63"}, []trade.Code{trade.AmountNegative}},
		"an amount of zero at a price above it":      {fields{"venue": "XCEC", "price": "1316.1", "quantity": "1", "amount": "0"}, []trade.Code{trade.AmountZero}},
		"a quantity of zero at a price of zero":      {fields{"venue": "XNYM", "price": "0", "quantity": "0", "amount": "0"}, []trade.Code{trade.QuantityZero}},
		"a quantity below zero on a futures market":  {fields{"venue": "XNYM", "price": "37.63", "quantity": "-1"}, []trade.Code{trade.QuantityNegative}},
		"a multiplier below zero on the same market": {fields{"venue": "XNYM", "price": "37.63", "multiplier": "-1"}, []trade.Code{"MULTIPLIER_NEGATIVE"}},
	} {
		t.Run(name, func(t *testing.T) {
			if got := codesOf(verdictOf(t, test.of)); !equal(got, test.want) {
				t.Errorf("%v, want %v", got, test.want)
			}
		})
	}
}

package trade

import "github.com/cockroachdb/apd/v3"

// How an amount follows from price and quantity depends on the instrument. An option's price is per share of a contract
// of 100, a bond's a percentage of the nominal, a share's in London pence, a spread's may be below zero. The fields
// priceNotation, quantityNotation, multiplier and priceCurrency say which it is; as soon as a trade has one of them,
// the others mean money per unit, units, 1 and the amount's currency, where nothing else can be meant.
//
// priceNotation and quantityNotation have the values of RTS 24 (Commission Delegated Regulation (EU) 2017/580, price
// notation and quantity notation), which are the choices that RTS 22 has in its fields 33 and 30. By RTS 22, a price is
// without commission and accrued interest, of an option per unit of the underlying or index point, and the multiplier
// is the number of units, or the money per index point, of one contract (fields 33 and 46).

// Unchecked says why the amount wasn't compared with price and quantity. Like codes, the values are stable.
type Unchecked string

// The reasons; UncheckedReasons says what each means.
const (
	NoPrice           Unchecked = "NO_PRICE"
	Unreadable        Unchecked = "UNREADABLE"
	InstrumentUnknown Unchecked = "INSTRUMENT_UNKNOWN"
	MultiplierUnknown Unchecked = "MULTIPLIER_UNKNOWN"
	PriceUnitUnknown  Unchecked = "PRICE_UNIT_UNKNOWN"
	PriceNotMoney     Unchecked = "PRICE_NOT_MONEY"
	QuantityIsMoney   Unchecked = "QUANTITY_IS_MONEY"
	OtherCurrency     Unchecked = "OTHER_CURRENCY"
)

// UncheckedReason is a reason and what it means.
type UncheckedReason struct {
	Reason  Unchecked
	Meaning string
}

// UncheckedReasons describes every reason.
func UncheckedReasons() []UncheckedReason {
	return []UncheckedReason{
		{NoPrice, "There is no price or no quantity."},
		{Unreadable, "Amount, price, quantity or another field of the formula can't be read; a violation says why."},
		{InstrumentUnknown, "Nothing says how the instrument is quoted: none of `priceNotation`, `quantityNotation`, `multiplier` and `priceCurrency`, no CFI code of a share or fund, no US stock exchange (in US dollars, unless the ISIN is of a bond), and no pair of crypto assets."},
		{MultiplierUnknown, "CFI code, symbol, venue or the fields of an option say that a contract was traded, but no `multiplier` what it is worth. The same if a nominal is priced in money, or units in percent."},
		{PriceUnitUnknown, "In GBP, ZAR, ILS and KWD, shares are quoted in the minor unit, and no `priceCurrency` says whether this price is."},
		{PriceNotMoney, "The price is a yield or a spread in basis points: the amount doesn't follow from it alone."},
		{QuantityIsMoney, "The quantity is an amount of money: how often the price goes into it depends on the product."},
		{OtherCurrency, "The price is in another currency than the amount, and the rate isn't known."},
	}
}

// instrument is what a trade's fields say about what was traded.
type instrument int

const (
	unknownInstrument instrument = iota
	share                        // or a fund: priced in money a unit
	cryptoPair                   // priced in the currency itself, never in a minor unit
	contract                     // a derivative: worth a multiple of its price
)

// classify decides what was traded. The CFI code comes first, then what only derivatives have, then the venue.
func (c *checker) classify() instrument {
	if cfi := c.textOf(cfiField); isCFI(cfi) {
		switch {
		case isDerivative(cfi):
			return contract
		case cfi[0] == 'C', cfi[0] == 'E' && cfi[1] != 'Y': // structured instruments (EY) may be quoted in percent
			return share
		}
		return unknownInstrument
	}
	symbol, kind := c.textOf(symbolField), venueKinds[c.textOf(venueField)]
	switch {
	case c.present(strikeField), c.present(expiryField), c.present(optionTypeField), c.present(underlyingISINField),
		isOptionSymbol(symbol), kind == contract:
		return contract
	case kind == share && c.textOf(currencyField) == "USD" && !isDebtOfUSIssuer(c.textOf(isinField)):
		return share
	case !c.present(venueField) && IsCryptoPair(symbol, c.textOf(currencyField)):
		return cryptoPair
	}
	return unknownInstrument
}

// isDebtOfUSIssuer reports whether an ISIN holds a CUSIP of a bond, which US stock exchanges trade too: the CUSIP's two
// characters for the issue are digits for shares, and hold a letter for debt.
// http://www.ppm.net/services/144a-offering/cusip-and-isin-services/cusip-and-isin-filing/cusip-description/
func isDebtOfUSIssuer(isin string) bool {
	return isISIN(isin) && (isin[:2] == "US" || isin[:2] == "CA") && !(isDigit(isin[8]) && isDigit(isin[9]))
}

// isOptionSymbol reports whether a symbol is one of the US listed options': a root, an expiry as yymmdd, C or P, and
// the strike in thousandths. https://www.macroption.com/option-symbol-parser
func isOptionSymbol(symbol string) bool {
	const key = "000000C00000000"
	root := len(symbol) - len(key)
	return root > 0 && root <= 6 && (hasShape(symbol[root:], key) || hasShape(symbol[root:], "000000P00000000"))
}

// belowZero reports whether the price may be zero or less. Yields, rates and spreads may, and what derivatives and
// energy exchanges trade: CME flags such instruments (https://cmegroup.com/notices/clearing/2020/04/Chadv20-160.html,
// https://cmegroup.com/notices/electronic-trading/2020/04/20200403.html), and on EPEX SPOT power is below zero some
// hundred hours a year
// (https://energysales.vattenfall.de/en/publications/articles/negative-spot-prices-is-a-gift-still-too-expensive).
func (c *checker) belowZero() bool {
	switch c.textOf(priceNotationField) {
	case "PERC", "YIEL", "BAPO":
		return true
	}
	return isDerivative(c.textOf(cfiField)) || venueKinds[c.textOf(venueField)] == contract
}

// priceSign returns the sign of the price, or 1 if there is none that can be read.
func (c *checker) priceSign() int {
	if price, readable := c.number(priceField); readable {
		return price.Sign()
	}
	return 1
}

// formulaRule compares the amount with what price and quantity give, where that can be only one thing.
type formulaRule struct{}

func (formulaRule) check(c *checker, i int, _ *value) {
	c.verdict.AmountUncheckedReason = c.formula(i)
	c.verdict.AmountChecked = c.verdict.AmountUncheckedReason == ""
}

func (formulaRule) describe(f *field) []Description {
	return []Description{{
		Code: AmountMismatch, Field: f.name,
		Meaning: "The amount differs from what price, quantity and multiplier give by more than one minor unit of the currency and more than 0.01 % of the amount. Checked where only one formula can be meant.",
		Example: `{"amount":"100","price":"2","quantity":"51","priceNotation":"MONE"}`,
	}}
}

// formula compares the amount, or returns why it can't be.
func (c *checker) formula(i int) Unchecked {
	if !c.present(priceField) || !c.present(quantityField) {
		return NoPrice
	}
	amount, readable := c.number(amountField)
	price, priceReadable := c.number(priceField)
	quantity, quantityReadable := c.number(quantityField)
	multiplier, hasMultiplier := c.number(multiplierField)
	if !readable || !priceReadable || !quantityReadable || c.present(multiplierField) && (!hasMultiplier || multiplier.Sign() <= 0) {
		return Unreadable
	}
	notation, quantityNotation, priceCurrency := c.textOf(priceNotationField), c.textOf(quantityNotationField), c.textOf(priceCurrencyField)
	if !hasMultiplier && notation == "" && quantityNotation == "" && priceCurrency == "" {
		if c.instrument == contract {
			return MultiplierUnknown
		}
		if c.instrument == unknownInstrument {
			return InstrumentUnknown
		}
	}
	switch quantityNotation {
	case "", "UNIT", "NOML":
	case "MONE":
		return QuantityIsMoney
	default:
		return Unreadable
	}
	decimals, usual := int32(0), "UNIT" // the notation of the quantity that goes with the price's
	switch notation {
	case "", "MONE":
		var why Unchecked
		if decimals, why = c.priceUnit(priceCurrency); why != "" {
			return why
		}
	case "PERC":
		decimals, usual = 2, "NOML"
	case "YIEL", "BAPO":
		return PriceNotMoney
	default:
		return Unreadable
	}
	if !hasMultiplier && (c.instrument == contract || quantityNotation != "" && quantityNotation != usual) {
		return MultiplierUnknown
	}
	if !hasMultiplier {
		multiplier = nil
	}
	product := product{price, quantity, multiplier, decimals}
	currency, _ := LookupCurrency(c.textOf(currencyField))
	if !product.agrees(amount, currency) {
		times := ""
		if hasMultiplier {
			times = " times multiplier " + multiplier.String()
		}
		c.add(i, "MISMATCH", "%s differs from price %s times quantity %s%s%s by more than a minor unit and 0.01 %%",
			amount, price, quantity, times, map[int32]string{2: " / 100", 3: " / 1000"}[decimals])
	}
	return ""
}

// priceUnit returns how many decimals the price's currency is below the amount's.
func (c *checker) priceUnit(priceCurrency string) (int32, Unchecked) {
	currency := c.textOf(currencyField)
	switch unit := minorUnits[priceCurrency]; {
	case priceCurrency == currency:
		return 0, ""
	case priceCurrency == "" && c.instrument != cryptoPair && quotedInMinorUnits(currency):
		return 0, PriceUnitUnknown
	case priceCurrency == "":
		return 0, ""
	case unit.currency == currency:
		return unit.decimals, ""
	}
	return 0, OtherCurrency
}

// product is price times quantity times multiplier, moved some decimals to the right.
type product struct {
	price, quantity, multiplier *Decimal // no multiplier is 1
	decimals                    int32
}

// agrees reports whether the product's size equals the amount's within one minor unit of the currency or 0.01 % of the
// amount, whichever is larger: sources round to the minor unit, or quote an average price with fewer digits than they
// settle. The sign of the amount is up to the source if the price is below zero.
//
// Everything is computed exactly, because a context of precision 0 never rounds. The range of decimals, 38 digits
// between 1E-130 and 1E+126, keeps it cheap and far from apd's own limits; at those, the answer would be no.
func (p product) agrees(amount *Decimal, currency Currency) bool {
	compute := apd.MakeErrDecimal(&apd.BaseContext)
	var difference, size apd.Decimal
	compute.Mul(&difference, &p.price.value, &p.quantity.value)
	if p.multiplier != nil {
		compute.Mul(&difference, &difference, &p.multiplier.value)
	}
	difference.Exponent -= p.decimals
	compute.Abs(&difference, &difference)
	compute.Abs(&size, &amount.value)
	compute.Sub(&difference, &difference, &size)
	compute.Abs(&difference, &difference)
	switch {
	case compute.Err() != nil:
		return false
	case difference.IsZero():
		return true
	case currency.HasMinorUnit && difference.Cmp(apd.New(1, -int32(currency.MinorUnit))) <= 0: //nolint:gosec // minor units have 0 to 4 decimals
		return true
	}
	size.Exponent -= 4 // 0.01 %
	return difference.Cmp(&size) <= 0
}

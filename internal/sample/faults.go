package sample

import (
	"strings"
	"time"

	"trade-processing/lambdas/trade"
)

// fault is a way in which a trade breaks the rules: it is recorded as rejected, with exactly these violations.
type fault struct {
	name  string
	codes []trade.Code
	apply func(*draft)
}

// faults returns at least one fault for each code of package trade.
func faults() []fault {
	all := []fault{
		fieldFault(trade.CurrencyMissing, "currency", "null"),
		fieldFault(trade.CurrencyWrongType, "currency", "840"),
		fieldFault(trade.CurrencyUnknown, "currency", `"DEM"`),
		{"no source system", []trade.Code{trade.SourceSystemMissing}, func(d *draft) { d.remove("sourceSystem") }},
		fieldFault(trade.SourceSystemWrongType, "sourceSystem", "1"),
		{"an unknown source system", []trade.Code{trade.SourceSystemUnknown, trade.SourceSystemMismatch},
			func(d *draft) { d.set("sourceSystem", `"system99"`) }},
		{"another source's system", []trade.Code{trade.SourceSystemMismatch}, (*draft).swapSource},

		fieldFault(trade.ExecutedAtWrongType, "executedAt", "1773066600"),
		fieldFault(trade.ExecutedAtInvalid, "executedAt", `"2026-03-09 14:30:00"`),
		fieldFault(trade.ExecutedAtTooFine, "executedAt", `"2026-03-09T14:30:00.1234567890Z"`),
		{"executed tomorrow", []trade.Code{trade.ExecutedAtInFuture},
			func(d *draft) { d.set("executedAt", text(d.at.Add(24*time.Hour).UTC().Format(time.RFC3339))) }},

		fieldFault(trade.SymbolWrongType, "symbol", "5"),
		fieldFault(trade.SymbolInvalid, "symbol", `""`),
		fieldFault(trade.VenueWrongType, "venue", `["XNYS"]`),
		fieldFault(trade.VenueInvalid, "venue", `"nyse"`),
		fieldFault(trade.ISINWrongType, "isin", "378331005"),
		fieldFault(trade.ISINInvalid, "isin", `"US03783310"`),
		fieldFault(trade.ISINCheckDigit, "isin", `"US0378331006"`),
		fieldFault(trade.SideWrongType, "side", "1"),
		fieldFault(trade.SideInvalid, "side", `"B"`),
		fieldFault(trade.CounterpartyLEIWrongType, "counterpartyLei", "0"),
		fieldFault(trade.CounterpartyLEIInvalid, "counterpartyLei", `"549300"`),
		fieldFault(trade.CounterpartyLEICheckDigits, "counterpartyLei", `"000000SAMPLEBANK0122"`),
		fieldFault(trade.AccountWrongType, "account", "12345"),
		fieldFault(trade.AccountInvalid, "account", `" A-1"`),

		fieldFault(trade.AmountMissing, "amount", "null"),
		{"an amount of zero without a price", []trade.Code{trade.AmountZero}, func(d *draft) {
			d.remove("price", "quantity")
			d.set("amount", "0.00")
		}},
		{"an amount that doesn't follow from the price", []trade.Code{trade.AmountMismatch}, func(d *draft) {
			// Twice as much plus ten: the rule tolerates a minor unit and 0.01 %, and crumbs are worth less than that.
			amount := d.price.times(d.quantity)
			d.set("amount", d.literal(amount.plus(amount.units+amount.ones(10))))
		}},
		{"a quantity of zero", []trade.Code{trade.AmountZero, trade.QuantityZero},
			func(d *draft) { d.deal(d.price, decimal{}) }},
		{"a price of zero", []trade.Code{trade.AmountZero, trade.PriceZero},
			func(d *draft) { d.deal(decimal{}, d.quantity) }},
		{"a reversal as a negative quantity", []trade.Code{trade.AmountNegative, trade.QuantityNegative},
			func(d *draft) { d.deal(d.price, decimal{-d.quantity.units, d.quantity.scale}) }},
		{"a negative price", []trade.Code{trade.AmountNegative, trade.PriceNegative},
			func(d *draft) { d.deal(decimal{-d.price.units, d.price.scale}, d.quantity) }},
		{"several rules at once", []trade.Code{trade.CurrencyUnknown, trade.VenueInvalid, trade.SideInvalid}, func(d *draft) {
			d.set("currency", `"usd"`)
			d.set("side", `"sell"`)
			d.set("venue", `"N"`)
		}},
	}
	all = append(all, decimalFaults("amount", trade.AmountWrongType, trade.AmountNotDecimal, trade.AmountTooManyDigits, trade.AmountOutOfRange, trade.AmountInexact)...)
	all = append(all, decimalFaults("price", trade.PriceWrongType, trade.PriceNotDecimal, trade.PriceTooManyDigits, trade.PriceOutOfRange, trade.PriceInexact)...)
	all = append(all, decimalFaults("quantity", trade.QuantityWrongType, trade.QuantityNotDecimal, trade.QuantityTooManyDigits, trade.QuantityOutOfRange, trade.QuantityInexact)...)
	return all
}

// fieldFault gives one field a value that breaks one rule, whatever the trade's other fields are.
func fieldFault(code trade.Code, name, value string) fault {
	return fault{name: string(code), codes: []trade.Code{code}, apply: func(d *draft) { d.set(name, value) }}
}

// decimalFaults returns the faults that amount, price and quantity share.
func decimalFaults(name string, wrongType, notDecimal, tooManyDigits, outOfRange, inexact trade.Code) []fault {
	// Digits added after the last one leave the value practically unchanged.
	extended := func(d *draft, zeros int) string {
		n := map[string]decimal{"amount": d.price.times(d.quantity), "price": d.price, "quantity": d.quantity}[name].String()
		if !strings.Contains(n, ".") {
			n += "."
		}
		return n + strings.Repeat("0", zeros) + "1"
	}
	return []fault{
		fieldFault(wrongType, name, `{"value":1}`),
		fieldFault(notDecimal, name, `"1,250.75"`),
		fieldFault(outOfRange, name, `"1e126"`),
		{string(tooManyDigits), []trade.Code{tooManyDigits}, func(d *draft) { d.set(name, text(extended(d, 38))) }},
		{string(inexact), []trade.Code{inexact}, func(d *draft) { d.set(name, extended(d, 16)) }},
	}
}

// swapSource names another source's system in the detail; the event's source stays.
func (d *draft) swapSource() {
	other := "system1"
	if d.source == "trading.system1" {
		other = "system2"
	}
	d.set("sourceSystem", text(other))
}

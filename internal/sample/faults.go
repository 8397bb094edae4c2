package sample

import (
	"slices"
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
		{"no source system", []trade.Code{trade.SourceSystemMissing}, func(d *draft) { d.remove("sourceSystem") }},
		{"an unknown source system", []trade.Code{trade.SourceSystemUnknown, trade.SourceSystemMismatch},
			func(d *draft) { d.set("sourceSystem", `"system99"`) }},
		{"another source's system", []trade.Code{trade.SourceSystemMismatch}, (*draft).swapSource},

		{"executed tomorrow", []trade.Code{trade.ExecutedAtInFuture},
			func(d *draft) { d.set("executedAt", text(d.at.Add(24*time.Hour).UTC().Format(time.RFC3339))) }},

		{"an amount of zero without a price", []trade.Code{trade.AmountZero}, func(d *draft) {
			d.remove("price", "quantity")
			d.set("amount", "0.00")
		}},
		{"an amount that doesn't follow from the price", []trade.Code{trade.AmountMismatch}, func(d *draft) {
			// Twice as much plus ten: the rule tolerates a minor unit and 0.01 %, and crumbs are worth less than that.
			amount := d.price.times(d.quantity)
			d.set("amount", d.literal(amount.plus(amount.units+amount.ones(10))))
			d.set("multiplier", "1") // without one, the amount of a future isn't checked
		}},
		{"a quantity of zero", []trade.Code{trade.AmountZero, trade.QuantityZero},
			func(d *draft) { d.deal(d.price, decimal{}) }},
		{"a price of zero", []trade.Code{trade.AmountZero, trade.PriceZero}, func(d *draft) {
			d.deal(decimal{}, d.quantity)
			d.remove("venue") // on a futures exchange it would be a price
		}},
		{"a reversal as a negative quantity", []trade.Code{trade.AmountNegative, trade.QuantityNegative},
			func(d *draft) { d.deal(d.price, decimal{-d.quantity.units, d.quantity.scale}) }},
		{"a negative price", []trade.Code{trade.AmountNegative, trade.PriceNegative}, func(d *draft) {
			d.deal(decimal{-d.price.units, d.price.scale}, d.quantity)
			d.remove("venue")
		}},
		{"several rules at once", []trade.Code{trade.CurrencyUnknown, trade.VenueInvalid, trade.SideInvalid}, func(d *draft) {
			d.set("currency", `"usd"`)
			d.set("side", `"sell"`)
			d.set("venue", `"N"`)
		}},
	}
	all = append(all, versionFaults()...)
	for _, name := range []string{"amount", "price", "quantity", "multiplier"} {
		all = append(all, longDecimals(name)...)
	}
	for _, d := range trade.Codes() {
		if !slices.ContainsFunc(all, func(f fault) bool { return slices.Equal(f.codes, []trade.Code{d.Code}) }) && !combined(d.Code) {
			all = append(all, exampleFault(d))
		}
	}
	return all
}

// versionFaults are those of corrections and cancels.
func versionFaults() []fault {
	spoilt := func(name string, code trade.Code, spoil func(*draft)) fault {
		return fault{name, []trade.Code{code}, func(d *draft) {
			d.act(trade.Cancel)
			spoil(d)
		}}
	}
	return []fault{
		spoilt("a cancel without the time of execution", trade.ExecutedAtMissing, func(d *draft) { d.remove("executedAt") }),
		spoilt("a cancel without its time", trade.ActionTimeMissing, func(d *draft) { d.remove("actionTime") }),
		spoilt("a cancel from before the execution", trade.ActionTimeTooEarly, func(d *draft) {
			d.set("actionTime", text(d.at.Add(-time.Hour).UTC().Format(time.RFC3339)))
		}),
		spoilt("a cancel of itself", trade.ReplacesTimeTooLate, func(d *draft) {
			d.set("replacesTime", d.fields[d.index("actionTime")].value)
		}),
	}
}

// combined reports the codes that come only together with others, or only on some venues.
func combined(code trade.Code) bool {
	switch code {
	case trade.AmountNegative, trade.PriceZero, trade.PriceNegative, trade.QuantityZero, trade.QuantityNegative, trade.SourceSystemUnknown:
		return true
	default:
		return false
	}
}

// exampleFault gives a field the value of a code's example, which breaks one rule whatever the trade's other fields
// are.
func exampleFault(of trade.Description) fault {
	return fault{name: string(of.Code), codes: []trade.Code{of.Code}, apply: func(d *draft) {
		value, _ := strings.CutPrefix(of.Example, `{"`+of.Field+`":`)
		d.set(of.Field, strings.TrimSuffix(value, "}"))
	}}
}

// longDecimals returns a decimal's faults that need digits behind its own, so that the amount still follows from it.
func longDecimals(name string) []fault {
	extended := func(d *draft, zeros int) string {
		n := map[string]decimal{"amount": d.price.times(d.quantity), "price": d.price, "quantity": d.quantity, "multiplier": {1, 0}}[name].String()
		if !strings.Contains(n, ".") {
			n += "."
		}
		return n + strings.Repeat("0", zeros) + "1"
	}
	tooManyDigits, inexact := trade.Code(strings.ToUpper(name)+"_TOO_MANY_DIGITS"), trade.Code(strings.ToUpper(name)+"_INEXACT")
	return []fault{
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

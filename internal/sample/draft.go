package sample

import (
	"slices"
	"strconv"
	"time"

	"trade-processing/lambdas/jsontext"
	"trade-processing/lambdas/trade"
)

// draft is a trade being turned into an entry. Its fields are JSON text, so wrong ones fit in too.
type draft struct {
	source string    // the entry's Source
	at     time.Time // of execution, or of a correction or cancel
	fields []field   // of the detail, in order

	// The deal in numbers, as passed to deal. The amount is price times quantity.
	price, quantity decimal
	asNumbers       bool // decimals are JSON numbers; otherwise strings

	// asText writes the detail as a string containing JSON, as the PutEvents API has it, instead of as an object, as
	// people write it.
	asText bool
	// reversed writes the fields from last to first: the same trade in another form.
	reversed bool
}

type field struct{ name, value string }

// text returns a JSON string. Samples have no character that needs escaping.
func text(s string) string { return `"` + s + `"` }

// deal sets what was traded at what price, and the resulting amount.
func (d *draft) deal(price, quantity decimal) {
	d.price, d.quantity = price, quantity
	d.set("amount", d.literal(price.times(quantity)))
	d.set("price", d.literal(price))
	d.set("quantity", d.literal(quantity))
}

// literal writes a decimal the way the source does.
func (d *draft) literal(n decimal) string {
	if d.asNumbers {
		return n.String()
	}
	return text(n.String())
}

// set changes a field's value in place, or adds the field at the end.
func (d *draft) set(name, value string) {
	if i := d.index(name); i >= 0 {
		d.fields[i].value = value
		return
	}
	d.fields = append(d.fields, field{name, value})
}

// remove removes a field.
func (d *draft) remove(names ...string) {
	d.fields = slices.DeleteFunc(d.fields, func(f field) bool { return slices.Contains(names, f.name) })
}

func (d *draft) index(name string) int {
	return slices.IndexFunc(d.fields, func(f field) bool { return f.name == name })
}

// act turns the trade into its correction or cancel, a minute after the execution.
func (d *draft) act(action trade.Action) {
	if d.index("executedAt") < 0 {
		d.set("executedAt", text(d.at.UTC().Format("2006-01-02T15:04:05.000Z")))
	}
	d.at = d.at.Add(time.Minute)
	d.set("action", text(string(action)))
	d.set("actionTime", text(d.at.UTC().Format("2006-01-02T15:04:05.000Z")))
}

// like returns a copy that can be changed without changing d.
func (d *draft) like() *draft {
	c := *d
	c.fields = slices.Clone(d.fields)
	return &c
}

// appendEntry appends the entry as a line. Every entry has a time, one second after its own. Without it the bus would
// use the time of arrival, and a trade without executedAt, which is keyed by that, would be another trade each time it
// is sent.
func (d *draft) appendEntry(line []byte) []byte {
	line = append(line, `{"Source":"`...)
	line = append(line, d.source...)
	line = append(line, `","DetailType":"Trade Event","Time":"`...)
	line = d.at.Truncate(time.Second).Add(time.Second).UTC().AppendFormat(line, time.RFC3339)
	line = append(line, `","Detail":`...)
	if d.asText {
		line = jsontext.AppendString(line, string(d.appendDetail(nil)))
	} else {
		line = d.appendDetail(line)
	}
	return append(line, '}', '\n')
}

func (d *draft) appendDetail(b []byte) []byte {
	b = append(b, '{')
	for i := range d.fields {
		f := d.fields[i]
		if d.reversed {
			f = d.fields[len(d.fields)-1-i]
		}
		if i > 0 {
			b = append(b, ',')
		}
		b = strconv.AppendQuote(b, f.name)
		b = append(b, ':')
		b = append(b, f.value...)
	}
	return append(b, '}')
}

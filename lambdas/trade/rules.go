package trade

import (
	"fmt"
	"slices"
	"time"
)

// SourcePrefix precedes the source system in an event's source: trading.system1.
const SourcePrefix = "trading."

// MaxTextLength is how many characters a symbol or an account may have.
const MaxTextLength = 64

// Rules says what is wrong with a trade. The zero Rules has no source system.
type Rules struct {
	// Sources are the stack's source systems.
	Sources []string

	// AllowedCurrencies are codes that are accepted in addition to ISO 4217, such as BTC.
	AllowedCurrencies []string

	// MaxClockSkew is how far a source's clock may be ahead.
	MaxClockSkew time.Duration
}

// Arrival is what is known about a trade besides its detail.
type Arrival struct {
	// Source is the event's source.
	Source string

	// Time is the event's time, Now the time at which the trade is checked.
	Time, Now time.Time
}

// Violation is one rule that a trade breaks.
type Violation struct {
	Code    Code   `json:"code"`
	Field   string `json:"field"`
	Message string `json:"message"`
}

// Verdict is the validator's answer.
type Verdict struct {
	Valid bool `json:"valid"`

	// Violations are all violations, in the order of Codes; empty, not nil, in a valid trade.
	Violations []Violation `json:"violations"`

	RulesVersion string `json:"rulesVersion"`

	// ReviewRequired flags a valid trade whose amount is above the stack's threshold.
	ReviewRequired bool `json:"reviewRequired"`

	// AmountChecked says whether the amount was compared with what price and quantity give. If it wasn't,
	// AmountUncheckedReason says why.
	AmountChecked         bool      `json:"amountChecked"`
	AmountUncheckedReason Unchecked `json:"amountUncheckedReason,omitempty"`
}

// Check reports every violation of a trade. A null field counts as absent, because many serialisers write absent fields
// that way; it is still kept in the record.
func (r *Rules) Check(t *Trade, a Arrival) Verdict {
	c := checker{rules: r, arrival: a, verdict: Verdict{Violations: []Violation{}, RulesVersion: RulesVersion}}
	for i := range t.detail.children {
		if n, known := fieldNames[t.detail.children[i].name]; known {
			c.values[n] = &t.detail.children[i].value
		}
	}
	c.action = actionOf(c.textOf(actionField))
	c.day = a.Time
	if c.executedAt, c.executedAtErr = ParseTime(c.textOf(executedAtField)); c.executedAtErr == nil && !c.executedAt.Before(earliestExecution) {
		c.day = c.executedAt
	}
	c.instrument = c.classify()
	for i := range fields {
		fields[i].rule.check(&c, i, c.value(i))
	}
	c.verdict.Valid = len(c.verdict.Violations) == 0
	return c.verdict
}

// checker collects the violations of one trade.
type checker struct {
	rules   *Rules
	arrival Arrival
	verdict Verdict

	// values are those of the fields that the rules know, by their number; nil if absent.
	values [fieldCount]*value

	// readings are the decimals among them, as far as they have been read, and places where a field's is, from 1: an
	// allocation for each would take longer than reading it.
	readings [decimalFields]reading
	places   [fieldCount]uint8
	read     uint8

	action Action

	// executedAt is the time of execution if it can be read, and good if nothing is wrong with it. day is that time,
	// else the event's.
	executedAt     time.Time
	executedAtErr  error
	executedAtGood bool
	day            time.Time

	instrument instrument
}

// reading is a decimal, or why it can't be read.
type reading struct {
	Decimal
	err error
}

// add records a violation; the message begins with the field's name.
func (c *checker) add(i int, suffix, format string, args ...any) {
	f := &fields[i]
	c.verdict.Violations = append(c.verdict.Violations,
		Violation{Code: f.code(suffix), Field: f.name, Message: f.name + " " + fmt.Sprintf(format, args...)})
}

var nothing value

func (c *checker) value(i int) *value {
	if v := c.values[i]; v != nil {
		return v
	}
	return &nothing
}

// text finds a string; any other type is a violation, and null counts as absent.
func (c *checker) text(i int, v *value) (string, bool) {
	switch v.kind {
	case text:
		return v.text, true
	case absent, null:
	default:
		c.add(i, "WRONG_TYPE", "is %s, but must be a string", v.kind)
	}
	return "", false
}

// textOf returns a field's text, or nothing if it isn't a string.
func (c *checker) textOf(i int) string {
	if v := c.value(i); v.kind == text {
		return v.text
	}
	return ""
}

func (c *checker) present(i int) bool { return c.value(i).kind > null }

// decimal reads a field that is a number or a string.
func (c *checker) decimal(i int) (*Decimal, error) {
	if c.places[i] == 0 {
		r := &c.readings[c.read]
		r.Decimal, r.err = ParseDecimal(c.values[i].text)
		c.read++
		c.places[i] = c.read
	}
	r := &c.readings[c.places[i]-1]
	return &r.Decimal, r.err
}

// number returns a field's decimal if it can be read.
func (c *checker) number(i int) (*Decimal, bool) {
	if v := c.value(i); v.kind != text && v.kind != number {
		return nil, false
	}
	d, err := c.decimal(i)
	return d, err == nil
}

// inUse reports whether a currency may be used: on the day of execution by ISO 4217, or because the stack says so.
func (c *checker) inUse(code string) bool {
	currency, known := LookupCurrency(code)
	return known && currency.InUse(c.day) || slices.Contains(c.rules.AllowedCurrencies, code)
}

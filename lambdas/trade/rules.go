package trade

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
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
}

// Check reports every violation of a trade. A null field counts as absent, because many serialisers write absent fields
// that way; it is still kept in the record.
func (r *Rules) Check(t *Trade, a Arrival) Verdict {
	c := checker{trade: t, violations: []Violation{}}
	amount := c.amount()
	currency := c.currency(r)
	c.sourceSystem(r, a)
	c.executedAt(r, a)
	c.printable("symbol", SymbolWrongType, SymbolInvalid)
	c.venue()
	c.isin()
	price := c.decimal("price", decimalCodes{PriceWrongType, PriceNotDecimal, PriceTooManyDigits, PriceOutOfRange, PriceInexact, PriceZero, PriceNegative})
	quantity := c.decimal("quantity", decimalCodes{QuantityWrongType, QuantityNotDecimal, QuantityTooManyDigits, QuantityOutOfRange, QuantityInexact, QuantityZero, QuantityNegative})
	c.consistency(amount, price, quantity, currency)
	c.side()
	c.counterpartyLEI()
	c.printable("account", AccountWrongType, AccountInvalid)
	return Verdict{Valid: len(c.violations) == 0, Violations: c.violations, RulesVersion: RulesVersion}
}

// checker collects the violations of one trade.
type checker struct {
	trade      *Trade
	violations []Violation
}

// add records a violation; the message begins with the field's name.
func (c *checker) add(code Code, field, format string, args ...any) {
	c.violations = append(c.violations, Violation{Code: code, Field: field, Message: field + " " + fmt.Sprintf(format, args...)})
}

// field finds a field that is present: null counts as absent.
func (c *checker) field(name string) (value, bool) {
	v, _ := c.trade.detail.member(name)
	return v, v.kind != absent && v.kind != null
}

// text finds a string field; any other type is a violation.
func (c *checker) text(field string, wrongType Code) (string, bool) {
	v, present := c.field(field)
	if !present {
		return "", false
	}
	if v.kind != text {
		c.add(wrongType, field, "is %s, but must be a string", v.kind)
		return "", false
	}
	return v.text, true
}

// decimalCodes are the codes of a field that must be a decimal above zero.
type decimalCodes struct {
	wrongType, notDecimal, tooManyDigits, outOfRange, inexact, zero, negative Code
}

// decimal checks a field that must be a decimal above zero, and returns it if it can be read.
func (c *checker) decimal(field string, codes decimalCodes) *Decimal {
	v, present := c.field(field)
	if !present {
		return nil
	}
	if v.kind != text && v.kind != number {
		c.add(codes.wrongType, field, "is %s, but must be a number or a decimal string", v.kind)
		return nil
	}
	d, err := ParseDecimal(v.text)
	switch {
	case errors.Is(err, ErrNotDecimal):
		c.add(codes.notDecimal, field, "%s %v", quote(v.text), err)
	case errors.Is(err, ErrTooManyDigits):
		c.add(codes.tooManyDigits, field, "%s %v", quote(v.text), err)
	case errors.Is(err, ErrOutOfRange):
		c.add(codes.outOfRange, field, "%s %v", quote(v.text), err)
	}
	if err != nil {
		return nil
	}
	if v.kind == number && d.digits > maxExactDigits {
		c.add(codes.inexact, field, "%s is a JSON number of more than %d significant digits, which services on the way may round: send it as a string", quote(v.text), maxExactDigits)
	}
	switch d.Sign() {
	case 0:
		c.add(codes.zero, field, "is zero, but must be above zero")
	case -1:
		c.add(codes.negative, field, "%s is below zero", quote(v.text))
	}
	return &d
}

func (c *checker) amount() *Decimal {
	if _, present := c.field("amount"); !present {
		c.add(AmountMissing, "amount", "is missing")
		return nil
	}
	return c.decimal("amount", decimalCodes{AmountWrongType, AmountNotDecimal, AmountTooManyDigits, AmountOutOfRange, AmountInexact, AmountZero, AmountNegative})
}

// currency returns the currency if it is in ISO 4217.
func (c *checker) currency(r *Rules) Currency {
	if _, present := c.field("currency"); !present {
		c.add(CurrencyMissing, "currency", "is missing")
		return Currency{}
	}
	code, ok := c.text("currency", CurrencyWrongType)
	if !ok {
		return Currency{}
	}
	currency, known := LookupCurrency(code)
	if !known && !slices.Contains(r.AllowedCurrencies, code) {
		c.add(CurrencyUnknown, "currency", "%s is not an ISO 4217 code in use, nor one of this stack's allowedCurrencies", quote(code))
	}
	return currency
}

func (c *checker) sourceSystem(r *Rules, a Arrival) {
	if _, present := c.field("sourceSystem"); !present {
		c.add(SourceSystemMissing, "sourceSystem", "is missing")
		return
	}
	system, ok := c.text("sourceSystem", SourceSystemWrongType)
	if !ok {
		return
	}
	if !slices.Contains(r.Sources, system) {
		c.add(SourceSystemUnknown, "sourceSystem", "%s is not one of this stack's sources: %s", quote(system), strings.Join(r.Sources, ", "))
	}
	if rest, found := strings.CutPrefix(a.Source, SourcePrefix); !found || rest != system {
		c.add(SourceSystemMismatch, "sourceSystem", "%s doesn't belong to the event's source %s", quote(system), quote(a.Source))
	}
}

// executedAt compares with the earlier of the event's time and now. By now alone, a trade sent too early would become
// valid by waiting, for instance in the dead-letter queue; by the event's time alone, which producers may set
// themselves, a source with a wrong clock would vouch for itself.
func (c *checker) executedAt(r *Rules, a Arrival) {
	literal, present := c.text("executedAt", ExecutedAtWrongType)
	if !present {
		return
	}
	at, err := parseTime(literal)
	switch {
	case errors.Is(err, errTimeFormat):
		c.add(ExecutedAtInvalid, "executedAt", "%s %v", quote(literal), err)
		return
	case errors.Is(err, errTimeTooFine):
		c.add(ExecutedAtTooFine, "executedAt", "%s %v", quote(literal), err)
		return
	}
	reference, name := a.Time, "the event's time"
	if a.Now.Before(reference) {
		reference, name = a.Now, "now,"
	}
	if at.After(reference.Add(r.MaxClockSkew)) {
		c.add(ExecutedAtInFuture, "executedAt", "%s is more than %s after %s %s", quote(literal), r.MaxClockSkew, name, reference.UTC().Format(time.RFC3339))
	}
}

// printable checks a name chosen by others: any script is fine, but nothing invisible or easily lost on the way, such
// as white space at the ends.
func (c *checker) printable(field string, wrongType, invalid Code) {
	s, present := c.text(field, wrongType)
	if !present {
		return
	}
	if n := utf8.RuneCountInString(s); n < 1 || n > MaxTextLength || strings.TrimSpace(s) != s ||
		strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }) {
		c.add(invalid, field, "%s is not 1 to %d printable characters without white space at either end", quote(s), MaxTextLength)
	}
}

func (c *checker) venue() {
	mic, present := c.text("venue", VenueWrongType)
	if present && (len(mic) != 4 || !isUpperAlphanumeric(mic)) {
		c.add(VenueInvalid, "venue", "%s is not 4 of A-Z 0-9, as an ISO 10383 MIC is", quote(mic))
	}
}

func (c *checker) isin() {
	isin, present := c.text("isin", ISINWrongType)
	switch {
	case !present:
	case !isISIN(isin):
		c.add(ISINInvalid, "isin", "%s is not 2 letters, 9 of A-Z 0-9 and a digit, as an ISO 6166 ISIN is", quote(isin))
	case !hasISINCheckDigit(isin):
		c.add(ISINCheckDigit, "isin", "%s has a wrong check digit", quote(isin))
	}
}

func (c *checker) side() {
	if side, present := c.text("side", SideWrongType); present && side != "BUY" && side != "SELL" {
		c.add(SideInvalid, "side", "%s is neither BUY nor SELL", quote(side))
	}
}

func (c *checker) counterpartyLEI() {
	lei, present := c.text("counterpartyLei", CounterpartyLEIWrongType)
	switch {
	case !present:
	case !isLEI(lei):
		c.add(CounterpartyLEIInvalid, "counterpartyLei", "%s is not 18 of A-Z 0-9 and 2 digits, as an ISO 17442 LEI is", quote(lei))
	case !hasLEICheckDigits(lei):
		c.add(CounterpartyLEICheckDigits, "counterpartyLei", "%s has wrong check digits", quote(lei))
	}
}

// consistency compares price times quantity with the amount, exactly. If ISO 4217 has no minor unit for the currency,
// only the relative tolerance applies.
func (c *checker) consistency(amount, price, quantity *Decimal, currency Currency) {
	if amount == nil || price == nil || quantity == nil || agree(amount, price, quantity, currency) {
		return
	}
	c.add(AmountMismatch, "amount", "%s differs from price %s times quantity %s by more than a minor unit and 0.01 %%", amount, price, quantity)
}

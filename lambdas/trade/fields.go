package trade

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// field is a field of the detail that the rules know.
type field struct {
	name   string
	prefix string // of its codes
	what   string // what it is, in a sentence
	// source says which field of a regulator's report it is: of RTS 22, Annex I, table 2 (Commission Delegated
	// Regulation (EU) 2017/590, https://eur-lex.europa.eu/eli/reg_del/2017/590/oj), if it says nothing else.
	source string
	rule   rule
}

// rule is what the values of a field must be like.
type rule interface {
	// check reports what is wrong with a value, which may be absent or null.
	check(c *checker, i int, v *value)

	// describe lists the rule's codes, in the order in which check reports them.
	describe(f *field) []Description
}

// The fields in the order in which their violations are reported.
const (
	amountField = iota
	currencyField
	sourceSystemField
	executedAtField
	symbolField
	venueField
	isinField
	priceField
	quantityField
	multiplierField
	priceNotationField
	quantityNotationField
	priceCurrencyField
	formulaField // not a field of its own: whether the amount agrees with those before
	sideField
	counterpartyLEIField
	accountField
	buyerLEIField
	sellerLEIField
	executingEntityLEIField
	tradingCapacityField
	cfiField
	underlyingISINField
	strikeField
	expiryField
	optionTypeField
	waiverIndicatorField
	shortSellingIndicatorField
	venueTransactionIDField
	orderIDField
	actionField
	actionTimeField
	replacesTimeField
	fieldCount
)

// decimalFields is how many of them are decimals.
const decimalFields = 5

var fields = [fieldCount]field{
	amountField:       {"amount", "AMOUNT", "amount", "", decimalRule{required: true, sign: withPrice}},
	currencyField:     {"currency", "CURRENCY", "currency", "", currencyRule{}},
	sourceSystemField: {"sourceSystem", "SOURCE_SYSTEM", "source system", "", sourceSystemRule{}},
	executedAtField:   {"executedAt", "EXECUTED_AT", "time of execution", "28, trading date time", executedAtRule{}},
	symbolField:       {"symbol", "SYMBOL", "symbol", "", printableRule{MaxTextLength}},
	venueField:        {"venue", "VENUE", "venue", "36, venue", venueRule{}},
	isinField:         {"isin", "ISIN", "ISIN", "41, instrument identification code", isinRule{}},
	priceField:        {"price", "PRICE", "price", "33, price", decimalRule{sign: asQuoted}},
	quantityField:     {"quantity", "QUANTITY", "quantity", "30, quantity", decimalRule{}},
	multiplierField:   {"multiplier", "MULTIPLIER", "multiplier", "46, price multiplier", decimalRule{}},
	priceNotationField: {"priceNotation", "PRICE_NOTATION", "price's notation", "33, price",
		oneOfRule{"MONE", "PERC", "YIEL", "BAPO"}},
	quantityNotationField: {"quantityNotation", "QUANTITY_NOTATION", "quantity's notation", "30, quantity",
		oneOfRule{"UNIT", "NOML", "MONE"}},
	priceCurrencyField: {"priceCurrency", "PRICE_CURRENCY", "price's currency", "34, price currency", priceCurrencyRule{}},
	formulaField:       {"amount", "AMOUNT", "amount", "", formulaRule{}},
	sideField: {"side", "SIDE", "side", "CAT, side; FIX, Side(54): 1, 2, 5 and 6",
		oneOfRule{"BUY", "SELL", "SELL_SHORT", "SELL_SHORT_EXEMPT"}},
	counterpartyLEIField:    {"counterpartyLei", "COUNTERPARTY_LEI", "counterparty's LEI", "", leiRule{}},
	accountField:            {"account", "ACCOUNT", "account", "", printableRule{MaxTextLength}},
	buyerLEIField:           {"buyerLei", "BUYER_LEI", "buyer's LEI", "7, buyer identification code", leiRule{}},
	sellerLEIField:          {"sellerLei", "SELLER_LEI", "seller's LEI", "16, seller identification code", leiRule{}},
	executingEntityLEIField: {"executingEntityLei", "EXECUTING_ENTITY_LEI", "executing entity's LEI", "4, executing entity identification code", leiRule{}},
	tradingCapacityField:    {"tradingCapacity", "TRADING_CAPACITY", "trading capacity", "29, trading capacity", oneOfRule{"DEAL", "MTCH", "AOTC"}},
	cfiField:                {"cfi", "CFI", "CFI code", "43, instrument classification", cfiRule{}},
	underlyingISINField:     {"underlyingIsin", "UNDERLYING_ISIN", "underlying's ISIN", "47, underlying instrument code", isinRule{}},
	strikeField:             {"strike", "STRIKE", "strike price", "51, strike price", decimalRule{sign: anySign}},
	expiryField:             {"expiry", "EXPIRY", "expiry date", "55, expiry date", dateRule{}},
	optionTypeField:         {"optionType", "OPTION_TYPE", "option type", "50, option type", oneOfRule{"CALL", "PUTO", "OTHR"}},
	waiverIndicatorField: {"waiverIndicator", "WAIVER_INDICATOR", "waiver indicator", "61, waiver indicator",
		flagsRule{"RFPT", "NLIQ", "OILQ", "PRIC", "SIZE", "ILQD"}},
	shortSellingIndicatorField: {"shortSellingIndicator", "SHORT_SELLING_INDICATOR", "short selling indicator", "62, short selling indicator",
		oneOfRule{"SESH", "SSEX", "SELL", "UNDI"}},
	venueTransactionIDField: {"venueTransactionId", "VENUE_TRANSACTION_ID", "venue's transaction id",
		"3, trading venue transaction identification code", printableRule{52}},
	orderIDField:      {"orderId", "ORDER_ID", "order id", "CAT, orderID; RTS 24, order identification code", printableRule{MaxTextLength}},
	actionField:       {"action", "ACTION", "action", "FIX, ExecType(150): F, G and H", oneOfRule{string(New), string(Correct), string(Cancel)}},
	actionTimeField:   {"actionTime", "ACTION_TIME", "action's time", "", actionTimeRule{}},
	replacesTimeField: {"replacesTime", "REPLACES_TIME", "time of the replaced version", "", replacesTimeRule{}},
}

// fieldNames finds a field by its name.
var fieldNames = func() map[string]int {
	names := make(map[string]int, fieldCount)
	for i := range fields {
		if i != formulaField {
			names[fields[i].name] = i
		}
	}
	return names
}()

// describe returns one of a field's codes. What is wrong follows "The <field> is".
func (f *field) describe(suffix, wrong, example string) Description {
	return f.sentence(suffix, fmt.Sprintf("The %s %s.", f.what, wrong), example)
}

func (f *field) sentence(suffix, meaning, example string) Description {
	return Description{
		Code: f.code(suffix), Field: f.name, Source: f.source, Meaning: meaning, Example: fmt.Sprintf(`{"%s":%s}`, f.name, example),
	}
}

func (f *field) code(suffix string) Code { return Code(f.prefix + "_" + suffix) }

func (f *field) missing() Description {
	return f.sentence("MISSING", "There is no "+f.what+", or it is null.", "null")
}

func (f *field) missingUnlessCancelled() Description {
	return f.sentence("MISSING", "There is no "+f.what+", or it is null. A CANCEL needs none.", "null")
}

func (f *field) notAString() Description { return f.describe("WRONG_TYPE", "is not a string", "1") }

// sign says which decimals a field takes.
type sign int

const (
	positive  sign = iota // above zero
	asQuoted              // above zero, if the instrument isn't quoted otherwise
	withPrice             // at or below zero only if the price is
	anySign
)

type decimalRule struct {
	required bool
	sign     sign
}

func (r decimalRule) check(c *checker, i int, v *value) {
	if !c.present(i) {
		if r.required && c.action != Cancel {
			c.add(i, "MISSING", "is missing")
		}
		return
	}
	if v.kind != text && v.kind != number {
		c.add(i, "WRONG_TYPE", "is %s, but must be a number or a decimal string", v.kind)
		return
	}
	d, err := c.decimal(i)
	switch {
	case errors.Is(err, ErrNotDecimal):
		c.add(i, "NOT_DECIMAL", "%s %v", quote(v.text), err)
	case errors.Is(err, ErrTooManyDigits):
		c.add(i, "TOO_MANY_DIGITS", "%s %v", quote(v.text), err)
	case errors.Is(err, ErrOutOfRange):
		c.add(i, "OUT_OF_RANGE", "%s %v", quote(v.text), err)
	}
	if err != nil {
		return
	}
	if v.kind == number && d.digits > maxExactDigits {
		c.add(i, "INEXACT", "%s is a JSON number of more than %d significant digits, which services on the way may round: send it as a string", quote(v.text), maxExactDigits)
	}
	switch sign := d.Sign(); {
	case sign > 0 || r.sign == anySign || r.sign == asQuoted && c.belowZero():
	case r.sign == withPrice && c.belowZero() && c.priceSign() == sign:
	case sign == 0:
		c.add(i, "ZERO", "is zero, but must be above zero")
	default:
		c.add(i, "NEGATIVE", "%s is below zero", quote(v.text))
	}
}

func (r decimalRule) describe(f *field) []Description {
	var all []Description
	if r.required {
		all = append(all, f.missingUnlessCancelled())
	}
	all = append(all,
		f.describe("WRONG_TYPE", "is neither a number nor a string", "true"),
		f.describe("NOT_DECIMAL", "is a string that isn't written like a JSON number", `"1,250.75"`),
		f.describe("TOO_MANY_DIGITS", "has more than 38 significant digits (zeros at either end don't count)", `"1.00000000000000000000000000000000000001"`),
		f.describe("OUT_OF_RANGE", "has a size outside 1E-130 to 9.99E+125", `"1e126"`),
		f.sentence("INEXACT", "The "+f.what+" is a JSON number of more than 15 significant digits: services on the way may round it. A string is exact.", "1234567890.123456"),
	)
	unless := map[sign]string{
		asQuoted:  ", and neither notation, CFI code nor venue allows that",
		withPrice: ", and the price isn't, or may not be",
	}[r.sign]
	if r.sign != anySign {
		all = append(all, f.describe("ZERO", "is zero"+unless, `"0.00"`), f.describe("NEGATIVE", "is below zero"+unless, `"-5"`))
	}
	return all
}

// oneOfRule is the list of values that a field may have.
type oneOfRule []string

func (r oneOfRule) check(c *checker, i int, v *value) {
	if s, present := c.text(i, v); present && !slices.Contains(r, s) {
		c.add(i, "INVALID", "%s is not one of %s", quote(s), strings.Join(r, ", "))
	}
}

func (r oneOfRule) describe(f *field) []Description {
	return []Description{f.notAString(), f.describe("INVALID", "is not one of "+strings.Join(r, ", "), `"B"`)}
}

// flagsRule is a list of flags, of which a field may have several separated by spaces, as FIX writes
// MultipleStringValue.
type flagsRule []string

func (r flagsRule) check(c *checker, i int, v *value) {
	s, present := c.text(i, v)
	if !present {
		return
	}
	for flag := range strings.SplitSeq(s, " ") {
		if !slices.Contains(r, flag) {
			c.add(i, "INVALID", "%s is not made of %s, separated by single spaces", quote(s), strings.Join(r, ", "))
			return
		}
	}
}

func (r flagsRule) describe(f *field) []Description {
	return []Description{f.notAString(), f.describe("INVALID", "is not made of "+strings.Join(r, ", ")+", separated by single spaces", `"LRGS"`)}
}

// printableRule takes names chosen by others, of at most so many characters: any script is fine, but nothing invisible
// or easily lost on the way, such as white space at the ends.
type printableRule struct{ most int }

func (r printableRule) check(c *checker, i int, v *value) {
	s, present := c.text(i, v)
	if !present {
		return
	}
	n := utf8.RuneCountInString(s)
	if first, _ := utf8.DecodeRuneInString(s); n < 1 || n > r.most || strings.TrimSpace(s) != s || unicode.IsMark(first) || strings.ContainsFunc(s, isInvisible) {
		c.add(i, "INVALID", "%s is not 1 to %d printable characters without white space at either end", quote(s), r.most)
	}
}

// isInvisible reports whether a character shows nothing: besides what unicode.IsPrint excludes, the fillers and joiners
// that are letters or marks by their category (Unicode's Other_Default_Ignorable_Code_Point), and the empty Braille
// pattern. Variation selectors are let through, since names in Japanese need them behind a character.
func isInvisible(r rune) bool {
	if r < utf8.RuneSelf {
		return r < ' ' || r == 0x7f
	}
	return !unicode.IsPrint(r) || r == '\u2800' || unicode.Is(unicode.Other_Default_Ignorable_Code_Point, r)
}

func (r printableRule) describe(f *field) []Description {
	wrong := fmt.Sprintf("is not 1 to %d printable characters without white space at either end", r.most)
	return []Description{f.notAString(), f.describe("INVALID", wrong, `" A-1"`)}
}

type venueRule struct{}

func (venueRule) check(c *checker, i int, v *value) {
	mic, present := c.text(i, v)
	if present && (len(mic) != 4 || !isUpperAlphanumeric(mic)) {
		c.add(i, "INVALID", "%s is not 4 of A-Z 0-9, as an ISO 10383 MIC is", quote(mic))
	}
}

func (venueRule) describe(f *field) []Description {
	return []Description{
		f.notAString(),
		f.sentence("INVALID", "The venue is not 4 of A-Z 0-9, as an ISO 10383 MIC is. Whether a MIC is known is not checked here.", `"nyse"`),
	}
}

type isinRule struct{}

func (isinRule) check(c *checker, i int, v *value) {
	isin, present := c.text(i, v)
	switch {
	case !present:
	case !isISIN(isin):
		c.add(i, "INVALID", "%s is not 2 letters, 9 of A-Z 0-9 and a digit, as an ISO 6166 ISIN is", quote(isin))
	case !HasISINPrefix(isin):
		c.add(i, "PREFIX_UNKNOWN", "%s has a prefix that no numbering agency has", quote(isin))
	case !hasISINCheckDigit(isin):
		c.add(i, "CHECK_DIGIT", "%s has a wrong check digit", quote(isin))
	}
}

func (isinRule) describe(f *field) []Description {
	return []Description{
		f.notAString(),
		f.describe("INVALID", "is not 2 letters, 9 of A-Z 0-9 and a digit (ISO 6166)", `"US03783310"`),
		f.describe("PREFIX_UNKNOWN", "begins neither with a country of ISO 3166 nor with another prefix of the numbering agencies, such as XS", `"ZZ0000000008"`),
		f.sentence("CHECK_DIGIT", "The last digit of the "+f.what+" isn't the check digit of the others.", `"US0378331006"`),
	}
}

type leiRule struct{}

func (leiRule) check(c *checker, i int, v *value) {
	lei, present := c.text(i, v)
	switch {
	case !present:
	case !isLEI(lei):
		c.add(i, "INVALID", "%s is not 18 of A-Z 0-9 and 2 digits, as an ISO 17442 LEI is", quote(lei))
	case !hasLEICheckDigits(lei):
		c.add(i, "CHECK_DIGITS", "%s has wrong check digits", quote(lei))
	}
}

func (leiRule) describe(f *field) []Description {
	return []Description{
		f.notAString(),
		f.describe("INVALID", "is not 18 of A-Z 0-9 and 2 digits (ISO 17442)", `"549300"`),
		f.sentence("CHECK_DIGITS", "The last two digits of the "+f.what+" aren't its check digits (MOD 97-10).", `"529900T8BM49AURSDO56"`),
	}
}

type cfiRule struct{}

func (cfiRule) check(c *checker, i int, v *value) {
	if cfi, present := c.text(i, v); present && !isCFI(cfi) {
		c.add(i, "INVALID", "%s is not a category and group of ISO 10962 and 4 letters", quote(cfi))
	}
}

func (cfiRule) describe(f *field) []Description {
	return []Description{f.notAString(), f.describe("INVALID", "is not a category and group of ISO 10962 and 4 of A-Z", `"ES"`)}
}

type dateRule struct{}

func (dateRule) check(c *checker, i int, v *value) {
	s, present := c.text(i, v)
	if !present {
		return
	}
	if _, err := time.Parse(time.DateOnly, s); err != nil {
		c.add(i, "INVALID", "%s is not a date like 2026-12-18", quote(s))
	}
}

func (dateRule) describe(f *field) []Description {
	return []Description{f.notAString(), f.describe("INVALID", "is not a date of ISO 8601, such as 2026-12-18", `"2026-02-30"`)}
}

type currencyRule struct{}

func (currencyRule) check(c *checker, i int, v *value) {
	if !c.present(i) {
		if c.action != Cancel {
			c.add(i, "MISSING", "is missing")
		}
		return
	}
	if code, ok := c.text(i, v); ok && !c.inUse(code) {
		c.add(i, "UNKNOWN", "%s is not an ISO 4217 code in use on the day of execution, nor one of this stack's allowedCurrencies", quote(code))
	}
}

func (currencyRule) describe(f *field) []Description {
	return []Description{
		f.missingUnlessCancelled(),
		f.notAString(),
		f.describe("UNKNOWN", "is not an ISO 4217 code (upper case) that was in use on the day of execution (without one, of the event), nor one of the stack's allowedCurrencies", `"DEM"`),
	}
}

type priceCurrencyRule struct{}

func (priceCurrencyRule) check(c *checker, i int, v *value) {
	code, present := c.text(i, v)
	if !present || c.inUse(code) {
		return
	}
	if _, known := minorUnits[code]; !known {
		c.add(i, "UNKNOWN", "%s is neither a currency that the trade could be in nor a minor unit such as GBX", quote(code))
	}
}

func (priceCurrencyRule) describe(f *field) []Description {
	return []Description{
		f.notAString(),
		f.describe("UNKNOWN", "is neither a currency that the trade could be in nor a minor unit: "+strings.Join(slices.Sorted(maps.Keys(minorUnits)), ", "), `"GBx"`),
	}
}

type sourceSystemRule struct{}

func (sourceSystemRule) check(c *checker, i int, v *value) {
	if !c.present(i) {
		c.add(i, "MISSING", "is missing")
		return
	}
	system, ok := c.text(i, v)
	if !ok {
		return
	}
	if !slices.Contains(c.rules.Sources, system) {
		c.add(i, "UNKNOWN", "%s is not one of this stack's sources: %s", quote(system), strings.Join(c.rules.Sources, ", "))
	}
	if rest, found := strings.CutPrefix(c.arrival.Source, SourcePrefix); !found || rest != system {
		c.add(i, "MISMATCH", "%s doesn't belong to the event's source %s", quote(system), quote(c.arrival.Source))
	}
}

func (sourceSystemRule) describe(f *field) []Description {
	return []Description{
		f.missing(),
		f.notAString(),
		f.describe("UNKNOWN", "is not one of the stack's sources", `"system99"`),
		f.sentence("MISMATCH", "The event's source is not trading. followed by the source system.", `"system2"`),
	}
}

// earliestExecution is the day on which Nasdaq, the first electronic exchange, opened: 8 February 1971. An earlier time
// is no time of a trade, but the zero of some clock: the year 1 in Go and .NET, 1601 in Windows, 1899 and 1900 in
// spreadsheets and SQL Server, 1970 in Unix and Java.
var earliestExecution = time.Date(1971, time.February, 8, 0, 0, 0, 0, time.UTC)

type executedAtRule struct{}

func (executedAtRule) check(c *checker, i int, v *value) {
	if c.action != New && !c.present(i) {
		c.add(i, "MISSING", "is missing, but a correction or cancel needs it")
	}
	literal, present := c.text(i, v)
	if !present {
		return
	}
	switch at := c.executedAt; {
	case c.unreadable(i, literal, c.executedAtErr):
	case at.Before(earliestExecution):
		c.add(i, "TOO_EARLY", "%s is before %s, when electronic trading began: is it the zero of a clock?", quote(literal), earliestExecution.Format(time.DateOnly))
	default:
		c.executedAtGood = !c.inFuture(i, literal, at)
	}
}

func (executedAtRule) describe(f *field) []Description {
	missing := f.sentence("MISSING", "A CORRECT or CANCEL has no time of execution, or it is null.", "null")
	missing.Example = `{"action":"CORRECT","actionTime":"2024-05-28T13:30:00Z","executedAt":null}`
	return []Description{
		missing,
		f.describe("WRONG_TYPE", "is not a string", "1716903000"),
		f.describe("INVALID", "is not an RFC 3339 time with a zone", `"2024-05-28 09:30:00"`),
		f.describe("TOO_FINE", "has more than 9 digits after the second", `"2024-05-28T09:30:00.1234567890Z"`),
		f.describe("TOO_EARLY", "is before 8 February 1971, when electronic trading began: the zero of some clock", `"0001-01-01T00:00:00Z"`),
		f.describe("IN_FUTURE", "is later than both clocks allow: more than the allowed skew after the event's time, or after now", `"2999-12-31T00:00:00Z"`),
	}
}

package trade

// RulesVersion identifies this set of rules; it is stored with every trade. Change the first number if a valid trade
// may become invalid, the second if an invalid one may become valid, the third if only messages change.
const RulesVersion = "2.0.0"

// Code names a rule that a trade breaks. Codes are stable: once published, a code keeps its name and its meaning.
type Code string

// The codes of the fields that most trades have. Codes lists all, and says what each means.
const (
	AmountMissing       Code = "AMOUNT_MISSING"
	AmountWrongType     Code = "AMOUNT_WRONG_TYPE"
	AmountNotDecimal    Code = "AMOUNT_NOT_DECIMAL"
	AmountTooManyDigits Code = "AMOUNT_TOO_MANY_DIGITS"
	AmountOutOfRange    Code = "AMOUNT_OUT_OF_RANGE"
	AmountInexact       Code = "AMOUNT_INEXACT"
	AmountZero          Code = "AMOUNT_ZERO"
	AmountNegative      Code = "AMOUNT_NEGATIVE"
	AmountMismatch      Code = "AMOUNT_MISMATCH"

	CurrencyMissing   Code = "CURRENCY_MISSING"
	CurrencyWrongType Code = "CURRENCY_WRONG_TYPE"
	CurrencyUnknown   Code = "CURRENCY_UNKNOWN"

	SourceSystemMissing   Code = "SOURCE_SYSTEM_MISSING"
	SourceSystemWrongType Code = "SOURCE_SYSTEM_WRONG_TYPE"
	SourceSystemUnknown   Code = "SOURCE_SYSTEM_UNKNOWN"
	SourceSystemMismatch  Code = "SOURCE_SYSTEM_MISMATCH"

	ExecutedAtMissing   Code = "EXECUTED_AT_MISSING"
	ExecutedAtWrongType Code = "EXECUTED_AT_WRONG_TYPE"
	ExecutedAtInvalid   Code = "EXECUTED_AT_INVALID"
	ExecutedAtTooFine   Code = "EXECUTED_AT_TOO_FINE"
	ExecutedAtTooEarly  Code = "EXECUTED_AT_TOO_EARLY"
	ExecutedAtInFuture  Code = "EXECUTED_AT_IN_FUTURE"

	SymbolWrongType Code = "SYMBOL_WRONG_TYPE"
	SymbolInvalid   Code = "SYMBOL_INVALID"

	VenueWrongType Code = "VENUE_WRONG_TYPE"
	VenueInvalid   Code = "VENUE_INVALID"

	ISINWrongType  Code = "ISIN_WRONG_TYPE"
	ISINInvalid    Code = "ISIN_INVALID"
	ISINPrefix     Code = "ISIN_PREFIX_UNKNOWN"
	ISINCheckDigit Code = "ISIN_CHECK_DIGIT"

	PriceWrongType     Code = "PRICE_WRONG_TYPE"
	PriceNotDecimal    Code = "PRICE_NOT_DECIMAL"
	PriceTooManyDigits Code = "PRICE_TOO_MANY_DIGITS"
	PriceOutOfRange    Code = "PRICE_OUT_OF_RANGE"
	PriceInexact       Code = "PRICE_INEXACT"
	PriceZero          Code = "PRICE_ZERO"
	PriceNegative      Code = "PRICE_NEGATIVE"

	QuantityWrongType     Code = "QUANTITY_WRONG_TYPE"
	QuantityNotDecimal    Code = "QUANTITY_NOT_DECIMAL"
	QuantityTooManyDigits Code = "QUANTITY_TOO_MANY_DIGITS"
	QuantityOutOfRange    Code = "QUANTITY_OUT_OF_RANGE"
	QuantityInexact       Code = "QUANTITY_INEXACT"
	QuantityZero          Code = "QUANTITY_ZERO"
	QuantityNegative      Code = "QUANTITY_NEGATIVE"

	SideWrongType Code = "SIDE_WRONG_TYPE"
	SideInvalid   Code = "SIDE_INVALID"

	CounterpartyLEIWrongType   Code = "COUNTERPARTY_LEI_WRONG_TYPE"
	CounterpartyLEIInvalid     Code = "COUNTERPARTY_LEI_INVALID"
	CounterpartyLEICheckDigits Code = "COUNTERPARTY_LEI_CHECK_DIGITS"

	AccountWrongType Code = "ACCOUNT_WRONG_TYPE"
	AccountInvalid   Code = "ACCOUNT_INVALID"

	ActionInvalid Code = "ACTION_INVALID"

	ActionTimeMissing  Code = "ACTION_TIME_MISSING"
	ActionTimeInFuture Code = "ACTION_TIME_IN_FUTURE"
	ActionTimeTooEarly Code = "ACTION_TIME_TOO_EARLY"

	ReplacesTimeInvalid Code = "REPLACES_TIME_INVALID"
	ReplacesTimeTooLate Code = "REPLACES_TIME_TOO_LATE"
)

// Description says what a code means.
type Description struct {
	Code Code

	// Field is the field of the detail that the code is about.
	Field string

	// Source says which field of a regulator's report that is, if it is one.
	Source string

	// Meaning says what is wrong with the field.
	Meaning string

	// Example is a JSON object. Put into a valid trade, its fields produce this violation, given a trade of system1, in
	// an event from trading.system1, in a stack without a source system99.
	Example string
}

// Codes describes every code, in the order in which Rules reports violations.
func Codes() []Description {
	var all []Description
	for i := range fields {
		all = append(all, fields[i].rule.describe(&fields[i])...)
	}
	return all
}

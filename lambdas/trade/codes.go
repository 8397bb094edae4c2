package trade

import "slices"

// RulesVersion identifies this set of rules; it is stored with every trade. Change the first number if a valid trade
// may become invalid, the second if an invalid one may become valid, the third if only messages change.
const RulesVersion = "1.0.1"

// Code names a rule that a trade breaks. Codes are stable: once published, a code keeps its name and its meaning.
type Code string

// The codes of all violations; Codes says what each means.
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

	ExecutedAtWrongType Code = "EXECUTED_AT_WRONG_TYPE"
	ExecutedAtInvalid   Code = "EXECUTED_AT_INVALID"
	ExecutedAtTooFine   Code = "EXECUTED_AT_TOO_FINE"
	ExecutedAtInFuture  Code = "EXECUTED_AT_IN_FUTURE"

	SymbolWrongType Code = "SYMBOL_WRONG_TYPE"
	SymbolInvalid   Code = "SYMBOL_INVALID"

	VenueWrongType Code = "VENUE_WRONG_TYPE"
	VenueInvalid   Code = "VENUE_INVALID"

	ISINWrongType  Code = "ISIN_WRONG_TYPE"
	ISINInvalid    Code = "ISIN_INVALID"
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
)

// Description says what a code means.
type Description struct {
	Code Code

	// Field is the field of the detail that the code is about.
	Field string

	// Meaning says what is wrong with the field.
	Meaning string

	// Example is a JSON object. Put into a valid trade, its fields produce this violation, given a trade of system1, in an
	// event from trading.system1, in a stack without a source system99.
	Example string
}

// Codes describes every code, in the order in which Rules reports violations.
func Codes() []Description { return slices.Clone(descriptions) }

var descriptions = []Description{
	{AmountMissing, "amount", "There is no amount, or it is null.", `{"amount":null}`},
	{AmountWrongType, "amount", "The amount is neither a number nor a string.", `{"amount":true}`},
	{AmountNotDecimal, "amount", "The amount is a string that isn't written like a JSON number.", `{"amount":"1,250.75"}`},
	{AmountTooManyDigits, "amount", "The amount has more than 38 significant digits (zeros at either end don't count).", `{"amount":"1.00000000000000000000000000000000000001"}`},
	{AmountOutOfRange, "amount", "The amount's size is outside 1E-130 to 9.99E+125.", `{"amount":"1e126"}`},
	{AmountInexact, "amount", "The amount is a JSON number of more than 15 significant digits: services on the way may round it. A string is exact.", `{"amount":1234567890.123456}`},
	{AmountZero, "amount", "The amount is zero.", `{"amount":"0.00"}`},
	{AmountNegative, "amount", "The amount is below zero.", `{"amount":"-5"}`},

	{CurrencyMissing, "currency", "There is no currency, or it is null.", `{"currency":null}`},
	{CurrencyWrongType, "currency", "The currency is not a string.", `{"currency":840}`},
	{CurrencyUnknown, "currency", "The currency is not an ISO 4217 code in use (upper case), nor one of the stack's allowedCurrencies.", `{"currency":"DEM"}`},

	{SourceSystemMissing, "sourceSystem", "There is no source system, or it is null.", `{"sourceSystem":null}`},
	{SourceSystemWrongType, "sourceSystem", "The source system is not a string.", `{"sourceSystem":1}`},
	{SourceSystemUnknown, "sourceSystem", "The source system is not one of the stack's sources.", `{"sourceSystem":"system99"}`},
	{SourceSystemMismatch, "sourceSystem", "The event's source is not trading. followed by the source system.", `{"sourceSystem":"system2"}`},

	{ExecutedAtWrongType, "executedAt", "The time of execution is not a string.", `{"executedAt":1716903000}`},
	{ExecutedAtInvalid, "executedAt", "The time of execution is not an RFC 3339 time with a zone.", `{"executedAt":"2024-05-28 09:30:00"}`},
	{ExecutedAtTooFine, "executedAt", "The time of execution has more than 9 digits after the second.", `{"executedAt":"2024-05-28T09:30:00.1234567890Z"}`},
	{ExecutedAtInFuture, "executedAt", "The time of execution is later than both clocks allow: more than the allowed skew after the event's time, or after now.", `{"executedAt":"2999-12-31T00:00:00Z"}`},

	{SymbolWrongType, "symbol", "The symbol is not a string.", `{"symbol":5}`},
	{SymbolInvalid, "symbol", "The symbol is not 1 to 64 printable characters without white space at either end.", `{"symbol":""}`},

	{VenueWrongType, "venue", "The venue is not a string.", `{"venue":["XNYS"]}`},
	{VenueInvalid, "venue", "The venue is not 4 of A-Z 0-9, as an ISO 10383 MIC is. Whether a MIC is known is not checked here.", `{"venue":"nyse"}`},

	{ISINWrongType, "isin", "The ISIN is not a string.", `{"isin":378331005}`},
	{ISINInvalid, "isin", "The ISIN is not 2 letters, 9 of A-Z 0-9 and a digit (ISO 6166).", `{"isin":"US03783310"}`},
	{ISINCheckDigit, "isin", "The ISIN's last digit isn't the check digit of the others.", `{"isin":"US0378331006"}`},

	{PriceWrongType, "price", "The price is neither a number nor a string.", `{"price":{"value":1}}`},
	{PriceNotDecimal, "price", "The price is a string that isn't written like a JSON number.", `{"price":"+1"}`},
	{PriceTooManyDigits, "price", "The price has more than 38 significant digits (zeros at either end don't count).", `{"price":"0.100000000000000000000000000000000000001"}`},
	{PriceOutOfRange, "price", "The price's size is outside 1E-130 to 9.99E+125.", `{"price":"1e-131"}`},
	{PriceInexact, "price", "The price is a JSON number of more than 15 significant digits: services on the way may round it. A string is exact.", `{"price":167.1234567890123}`},
	{PriceZero, "price", "The price is zero.", `{"price":0}`},
	{PriceNegative, "price", "The price is below zero.", `{"price":"-37.63"}`},

	{QuantityWrongType, "quantity", "The quantity is neither a number nor a string.", `{"quantity":false}`},
	{QuantityNotDecimal, "quantity", "The quantity is a string that isn't written like a JSON number.", `{"quantity":"1_000"}`},
	{QuantityTooManyDigits, "quantity", "The quantity has more than 38 significant digits (zeros at either end don't count).", `{"quantity":"123456789012345678901234567890123456789"}`},
	{QuantityOutOfRange, "quantity", "The quantity's size is outside 1E-130 to 9.99E+125.", `{"quantity":"1e999999999"}`},
	{QuantityInexact, "quantity", "The quantity is a JSON number of more than 15 significant digits: services on the way may round it. A string is exact.", `{"quantity":0.1234567890123456}`},
	{QuantityZero, "quantity", "The quantity is zero.", `{"quantity":"0"}`},
	{QuantityNegative, "quantity", "The quantity is below zero.", `{"quantity":-100}`},

	{AmountMismatch, "amount", "Price times quantity differs from the amount by more than one minor unit of the currency and more than 0.01 % of the amount. Checked if all three can be read.", `{"amount":"100","price":"2","quantity":"51"}`},

	{SideWrongType, "side", "The side is not a string.", `{"side":1}`},
	{SideInvalid, "side", "The side is neither BUY nor SELL.", `{"side":"B"}`},

	{CounterpartyLEIWrongType, "counterpartyLei", "The counterparty's LEI is not a string.", `{"counterpartyLei":0}`},
	{CounterpartyLEIInvalid, "counterpartyLei", "The counterparty's LEI is not 18 of A-Z 0-9 and 2 digits (ISO 17442).", `{"counterpartyLei":"549300"}`},
	{CounterpartyLEICheckDigits, "counterpartyLei", "The last two digits of the counterparty's LEI aren't its check digits (MOD 97-10).", `{"counterpartyLei":"529900T8BM49AURSDO56"}`},

	{AccountWrongType, "account", "The account is not a string.", `{"account":12345}`},
	{AccountInvalid, "account", "The account is not 1 to 64 printable characters without white space at either end.", `{"account":" A-1"}`},
}

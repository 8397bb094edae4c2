package market

// Reason is a stable code that says why a trade's market context is incomplete.
type Reason string

// The reasons. Codes are part of the record and never change their meaning.
const (
	TradeMalformed          Reason = "TRADE_MALFORMED"
	ExecutionTimeUnreadable Reason = "EXECUTION_TIME_UNREADABLE"
	VenueMissing            Reason = "VENUE_MISSING"
	VenueUnknown            Reason = "VENUE_UNKNOWN"
	VenueWithoutHours       Reason = "VENUE_WITHOUT_HOURS"
	CalendarNotCovered      Reason = "CALENDAR_NOT_COVERED"
	HoursNotCovered         Reason = "HOURS_NOT_COVERED"
	SettlementNotCovered    Reason = "SETTLEMENT_NOT_COVERED"
	CurrencyMissing         Reason = "CURRENCY_MISSING"
	CurrencyUnknown         Reason = "CURRENCY_UNKNOWN"
	ISINUnknown             Reason = "ISIN_COUNTRY_UNKNOWN"
	ParametersUnavailable   Reason = "PARAMETERS_UNAVAILABLE"
	APIUnavailable          Reason = "API_UNAVAILABLE"
	APITimeout              Reason = "API_TIMEOUT"
	APICircuitOpen          Reason = "API_CIRCUIT_OPEN"
	APINotFound             Reason = "API_NOT_FOUND"
	APIRefused              Reason = "API_REFUSED"
	APIRedirected           Reason = "API_REDIRECTED"
	APIResponseTooLarge     Reason = "API_RESPONSE_TOO_LARGE"
	APIResponseInvalid      Reason = "API_RESPONSE_INVALID"
)

// Reasons says what each reason means and what is missing because of it, in the order an answer lists them.
var Reasons = [...]struct {
	Code    Reason
	Meaning string
}{
	{TradeMalformed, "The event's detail is not a trade (no JSON object, or no usable tradeId), so there is nothing to put in context."},
	{ExecutionTimeUnreadable, "executedAt is not an RFC 3339 time with a zone; the event's own time was used."},
	{VenueMissing, "The trade names no venue, and its symbol is not a crypto pair like BTC-USD; no session, trading day or settlement date."},
	{VenueUnknown, "The venue is not a MIC in the reference data; no session, trading day or settlement date."},
	{VenueWithoutHours, "The venue's MIC stands for trading off exchange, which has no hours or calendar; no session, trading day or settlement date."},
	{CalendarNotCovered, "The venue's calendar doesn't cover the time of execution, and there is no session either; or it ends before the next trading day. No trading day or settlement date."},
	{HoursNotCovered, "The venue's trading hours on that day are not in the reference data; no session."},
	{SettlementNotCovered, "The market's settlement cycle on that day isn't known, or its settlement calendar ends before the settlement date; no settlement date."},
	{CurrencyMissing, "The trade has no currency that is a string; no minor unit."},
	{CurrencyUnknown, "The currency is not in ISO 4217, though the stack may allow it; no minor unit."},
	{ISINUnknown, "The ISIN is not 12 characters with a prefix assigned by ISO 6166; no issuing country."},
	{ParametersUnavailable, "SSM gave no parameters, and none were cached; the market data API was not called."},
	{APIUnavailable, "The market data API couldn't be reached, or answered with a server error, at every attempt."},
	{APITimeout, "The market data API didn't answer in the time available."},
	{APICircuitOpen, "The market data API failed several times in a row, and is not called for a while."},
	{APINotFound, "The market data API has nothing on this trade (404)."},
	{APIRefused, "The market data API refused the request with a client error."},
	{APIRedirected, "The market data API redirected to another host or scheme, which is not followed."},
	{APIResponseTooLarge, "The market data API's answer is larger than 62 KiB."},
	{APIResponseInvalid, "The market data API's answer can't be kept: it is not a JSON object, not UTF-8, or nested deeper than 32 levels."},
}

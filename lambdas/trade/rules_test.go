package trade_test

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"trade-processing/lambdas/trade"
)

var (
	rules   = &trade.Rules{Sources: []string{"system1", "system2"}, AllowedCurrencies: []string{"BTC"}, MaxClockSkew: 5 * time.Minute}
	arrived = time.Date(2024, 5, 28, 13, 30, 0, 0, time.UTC)
	arrival = trade.Arrival{Source: "trading.system1", Time: arrived, Now: arrived.Add(2 * time.Second)}
)

// raw is JSON that goes into a detail verbatim.
type raw = json.RawMessage

// validDetail returns a valid trade with all fields.
func validDetail() map[string]any {
	return map[string]any{
		"tradeId":         "t-1",
		"amount":          "35158.20",
		"currency":        "USD",
		"sourceSystem":    "system1",
		"executedAt":      "2024-05-28T09:29:59.123456789-04:00",
		"symbol":          "SPY",
		"venue":           "XNAS",
		"isin":            "US78462F1030",
		"price":           "167.42",
		"quantity":        raw("210"),
		"side":            "BUY",
		"counterpartyLei": "7LTWFZYICNSX8D621K86",
		"account":         "A-1",
		"action":          "NEW",
		"actionTime":      "2024-05-28T13:31:00Z",
		"replacesTime":    "2024-05-28T13:00:00Z",
		"saleConditions":  "2000",

		"multiplier": "1", "priceNotation": "MONE", "quantityNotation": "UNIT", "priceCurrency": "USD",
		"buyerLei": "5493001KJTIIGC8Y1R12", "sellerLei": "7LTWFZYICNSX8D621K86", "executingEntityLei": "529900T8BM49AURSDO55",
		"tradingCapacity": "AOTC", "cfi": "CEOJES", "underlyingIsin": "US78378X1072", "strike": "-0.5", "expiry": "2024-06-21",
		"optionType": "CALL", "waiverIndicator": "RFPT SIZE", "shortSellingIndicator": "SESH",
		"venueTransactionId": "XNAS 00042/7", "orderId": "O-7.1",
	}
}

func check(t interface {
	Helper()
	Fatal(...any)
}, detail map[string]any, arrival trade.Arrival) trade.Verdict {
	t.Helper()
	data, err := json.Marshal(detail)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := trade.Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	return rules.Check(parsed, arrival)
}

// codes returns the violations of a valid trade with these fields changed; nil removes a field.
func codes(t interface {
	Helper()
	Fatal(...any)
}, changed map[string]any) []trade.Code {
	t.Helper()
	detail := map[string]any{"tradeId": "t-1", "amount": "100", "currency": "USD", "sourceSystem": "system1"}
	maps.Copy(detail, changed)
	maps.DeleteFunc(detail, func(_ string, v any) bool { return v == nil })
	return codesOf(check(t, detail, arrival))
}

func codesOf(verdict trade.Verdict) []trade.Code {
	var found []trade.Code
	for _, v := range verdict.Violations {
		found = append(found, v.Code)
	}
	return found
}

func equal(a, b []trade.Code) bool { return slices.Equal(a, b) }

func TestATradeWithAllFieldsIsValid(t *testing.T) {
	verdict := check(t, validDetail(), arrival)
	if !verdict.Valid || len(verdict.Violations) > 0 {
		t.Errorf("%+v", verdict)
	}
	if verdict.Violations == nil {
		t.Error("violations is nil: it would be null in JSON")
	}
	if verdict.RulesVersion != trade.RulesVersion || verdict.ReviewRequired {
		t.Errorf("%+v", verdict)
	}
}

func TestRules(t *testing.T) {
	type fields = map[string]any
	for name, test := range map[string]struct {
		changed fields
		want    []trade.Code
	}{
		"the four required fields are enough": {nil, nil},

		"an amount is required":                              {fields{"amount": nil}, []trade.Code{trade.AmountMissing}},
		"an amount of null is none":                          {fields{"amount": raw(`null`)}, []trade.Code{trade.AmountMissing}},
		"an amount may be a number":                          {fields{"amount": raw(`1313.8`)}, nil},
		"an amount may not be an object":                     {fields{"amount": raw(`{}`)}, []trade.Code{trade.AmountWrongType}},
		"an empty amount is not a decimal":                   {fields{"amount": ""}, []trade.Code{trade.AmountNotDecimal}},
		"an amount of 38 digits is exact as a string":        {fields{"amount": "12345678901234567890.123456789012345678"}, nil},
		"an amount of 39 digits is too long":                 {fields{"amount": "12345678901234567890.1234567890123456789"}, []trade.Code{trade.AmountTooManyDigits}},
		"a number of 15 digits survives":                     {fields{"amount": raw(`123456789012.345`)}, nil},
		"zeros at the ends of a number don't count":          {fields{"amount": raw(`1234567890123450000.00`)}, nil},
		"a number of 16 digits may be rounded on the way":    {fields{"amount": raw(`1234567890123.456`)}, []trade.Code{trade.AmountInexact}},
		"a number of 39 digits has one violation":            {fields{"amount": raw(`12345678901234567890.1234567890123456789`)}, []trade.Code{trade.AmountTooManyDigits}},
		"a number no float holds is out of range":            {fields{"amount": raw(`1e400`)}, []trade.Code{trade.AmountOutOfRange}},
		"a negative zero is zero":                            {fields{"amount": raw(`-0.0`)}, []trade.Code{trade.AmountZero}},
		"an amount below zero of 16 digits has two":          {fields{"amount": raw(`-1234567890123.456`)}, []trade.Code{trade.AmountInexact, trade.AmountNegative}},
		"a fraction of a cent is an amount":                  {fields{"amount": "0.0000586105"}, nil},
		"a zero quantity makes a zero amount, and both tell": {fields{"amount": raw(`0`), "quantity": "0", "price": "1316.1"}, []trade.Code{trade.AmountZero, trade.QuantityZero}},
		"a zero price is a violation":                        {fields{"price": "0.000"}, []trade.Code{trade.PriceZero}},
		"a price below zero is another":                      {fields{"price": "-0.01"}, []trade.Code{trade.PriceNegative}},
		"a price of null is none":                            {fields{"price": raw(`null`)}, nil},
		"a quantity with blanks is not a decimal":            {fields{"quantity": "1 000"}, []trade.Code{trade.QuantityNotDecimal}},

		"a currency is required":                  {fields{"currency": nil}, []trade.Code{trade.CurrencyMissing}},
		"a currency that the stack allows":        {fields{"currency": "BTC"}, nil},
		"a currency that it doesn't":              {fields{"currency": "ETH"}, []trade.Code{trade.CurrencyUnknown}},
		"a withdrawn currency":                    {fields{"currency": "DEM"}, []trade.Code{trade.CurrencyUnknown}},
		"a currency in small letters":             {fields{"currency": "usd"}, []trade.Code{trade.CurrencyUnknown}},
		"an empty currency":                       {fields{"currency": ""}, []trade.Code{trade.CurrencyUnknown}},
		"gold":                                    {fields{"currency": "XAU"}, nil},
		"a currency that is a list":               {fields{"currency": raw(`["USD"]`)}, []trade.Code{trade.CurrencyWrongType}},
		"a source system is required":             {fields{"sourceSystem": nil}, []trade.Code{trade.SourceSystemMissing}},
		"an empty source system":                  {fields{"sourceSystem": ""}, []trade.Code{trade.SourceSystemUnknown, trade.SourceSystemMismatch}},
		"another stack's source system":           {fields{"sourceSystem": "system9"}, []trade.Code{trade.SourceSystemUnknown, trade.SourceSystemMismatch}},
		"another known source system":             {fields{"sourceSystem": "system2"}, []trade.Code{trade.SourceSystemMismatch}},
		"a source system with the event's prefix": {fields{"sourceSystem": "trading.system1"}, []trade.Code{trade.SourceSystemUnknown, trade.SourceSystemMismatch}},
		"a time in another zone":                  {fields{"executedAt": "2024-05-28T22:30:00+09:00"}, nil},
		"a time at the edge of the skew":          {fields{"executedAt": "2024-05-28T13:35:00Z"}, nil},
		"a time just beyond it":                   {fields{"executedAt": "2024-05-28T13:35:00.000000001Z"}, []trade.Code{trade.ExecutedAtInFuture}},
		"the first day of electronic trading":     {fields{"executedAt": "1971-02-08T00:00:00Z"}, nil},
		"a time before it":                        {fields{"executedAt": "1971-02-07T23:59:59.999Z"}, []trade.Code{trade.ExecutedAtTooEarly}},
		"nine digits after the second":            {fields{"executedAt": "2024-05-28T13:29:59.123456789Z"}, nil},
		"ten digits after the second":             {fields{"executedAt": "2024-05-28T13:29:59.1234567890Z"}, []trade.Code{trade.ExecutedAtTooFine}},
		"ten digits before a numeric zone":        {fields{"executedAt": "2024-05-28T13:29:59.1234567890+00:00"}, []trade.Code{trade.ExecutedAtTooFine}},
		"a time without a zone":                   {fields{"executedAt": "2024-05-28T13:29:59"}, []trade.Code{trade.ExecutedAtInvalid}},
		"a date alone":                            {fields{"executedAt": "2024-05-28"}, []trade.Code{trade.ExecutedAtInvalid}},
		"a day that isn't":                        {fields{"executedAt": "2023-02-29T00:00:00Z"}, []trade.Code{trade.ExecutedAtInvalid}},
		"a blank for the T":                       {fields{"executedAt": "2024-05-28 13:29:59Z"}, []trade.Code{trade.ExecutedAtInvalid}},
		"a comma before the fraction":             {fields{"executedAt": "2024-05-28T13:29:59,5Z"}, []trade.Code{trade.ExecutedAtInvalid}},
		"a one-digit hour":                        {fields{"executedAt": "2024-05-28T9:29:59Z"}, []trade.Code{trade.ExecutedAtInvalid}},
		"a zone of 23:59":                         {fields{"executedAt": "2024-05-28T13:29:59+23:59"}, nil},
		"a zone of 24 hours":                      {fields{"executedAt": "2024-05-28T13:29:59+24:00"}, []trade.Code{trade.ExecutedAtInvalid}},
		"a zone of 60 minutes":                    {fields{"executedAt": "2024-05-28T13:29:59-04:60"}, []trade.Code{trade.ExecutedAtInvalid}},
		"a zone without a colon":                  {fields{"executedAt": "2024-05-28T13:29:59-0400"}, []trade.Code{trade.ExecutedAtInvalid}},
		"a point without a fraction":              {fields{"executedAt": "2024-05-28T13:29:59.Z"}, []trade.Code{trade.ExecutedAtInvalid}},
		"a leap second":                           {fields{"executedAt": "2016-12-31T23:59:60Z"}, nil},
		"hour 24":                                 {fields{"executedAt": "2024-05-27T24:00:00Z"}, []trade.Code{trade.ExecutedAtInvalid}},
		"something behind the zone":               {fields{"executedAt": "2024-05-28T13:29:59Z[UTC]"}, []trade.Code{trade.ExecutedAtInvalid}},
		"ten digits on a day that isn't":          {fields{"executedAt": "2023-02-29T00:00:00.1234567890Z"}, []trade.Code{trade.ExecutedAtInvalid}},
		"a zone of 25 hours":                      {fields{"executedAt": "2024-05-28T13:29:59+25:00"}, []trade.Code{trade.ExecutedAtInvalid}},
		"an empty time":                           {fields{"executedAt": ""}, []trade.Code{trade.ExecutedAtInvalid}},
		"a time in milliseconds":                  {fields{"executedAt": raw(`1716903000000`)}, []trade.Code{trade.ExecutedAtWrongType}},
		"a symbol with blanks and points inside":  {fields{"symbol": "VOD.L Equity"}, nil},
		"a symbol in another script":              {fields{"symbol": "トヨタ"}, nil},
		"a symbol of 64 characters":               {fields{"symbol": strings.Repeat("ü", 64)}, nil},
		"a symbol of 65":                          {fields{"symbol": strings.Repeat("ü", 65)}, []trade.Code{trade.SymbolInvalid}},
		"a symbol with a line break":              {fields{"symbol": "S\nPY"}, []trade.Code{trade.SymbolInvalid}},
		"a symbol with a hidden character":        {fields{"symbol": "SP\u200bY"}, []trade.Code{trade.SymbolInvalid}},
		"a symbol with a blank at the end":        {fields{"symbol": "SPY "}, []trade.Code{trade.SymbolInvalid}},
		"an invisible letter":                     {fields{"account": "\u3164"}, []trade.Code{trade.AccountInvalid}},
		"marks without a letter":                  {fields{"account": "\ufe0f\ufe0f"}, []trade.Code{trade.AccountInvalid}},
		"a joiner alone":                          {fields{"account": "\u034f"}, []trade.Code{trade.AccountInvalid}},
		"a filler between two letters":            {fields{"account": "A\u115f\u1160B"}, []trade.Code{trade.AccountInvalid}},
		"an empty Braille pattern":                {fields{"account": "\u2800"}, []trade.Code{trade.AccountInvalid}},
		"a letter with an accent of its own":      {fields{"account": "e\u0301"}, nil},
		"a character with a variant":              {fields{"account": "\u845b\U000e0100"}, nil},

		"a currency before its end":                {fields{"currency": "BGN", "executedAt": "2023-12-30T10:00:00+02:00"}, nil},
		"a currency on its last day":               {fields{"currency": "HRK", "executedAt": "2022-12-31T23:59:59+01:00"}, nil},
		"a currency after its end":                 {fields{"currency": "HRK", "executedAt": "2023-01-01T00:00:00+01:00"}, []trade.Code{trade.CurrencyUnknown}},
		"a currency before it was":                 {fields{"currency": "XCG", "executedAt": "2024-03-01T00:00:00Z"}, []trade.Code{trade.CurrencyUnknown}},
		"a currency of the last century":           {fields{"currency": "DEM", "executedAt": "1998-06-02T10:00:00+02:00"}, nil},
		"a withdrawn currency without a day":       {fields{"currency": "HRK"}, []trade.Code{trade.CurrencyUnknown}},
		"a price in a withdrawn currency":          {fields{"priceCurrency": "HRK"}, []trade.Code{"PRICE_CURRENCY_UNKNOWN"}},
		"a price in a currency that the stack has": {fields{"priceCurrency": "BTC"}, nil},
		"a price in no unit that anybody writes":   {fields{"priceCurrency": "gbx"}, []trade.Code{"PRICE_CURRENCY_UNKNOWN"}},

		"RFC 3339's t and z in lower case":       {fields{"executedAt": "2024-05-28t13:29:59.5z"}, nil},
		"RFC 3339's own leap second":             {fields{"executedAt": "1990-12-31T23:59:60Z"}, nil},
		"the same in California":                 {fields{"executedAt": "1990-12-31T15:59:60-08:00"}, nil},
		"a leap second with a fraction":          {fields{"executedAt": "2015-06-30T23:59:60.999999999Z"}, nil},
		"a leap second in Tokyo's morning":       {fields{"executedAt": "2017-01-01T08:59:60+09:00"}, nil},
		"a leap second that wasn't":              {fields{"executedAt": "2015-12-31T23:59:60Z"}, []trade.Code{trade.ExecutedAtInvalid}},
		"a leap second in the middle of a day":   {fields{"executedAt": "2016-12-31T12:00:60Z"}, []trade.Code{trade.ExecutedAtInvalid}},
		"a leap second at local midnight":        {fields{"executedAt": "2016-12-31T23:59:60-05:00"}, []trade.Code{trade.ExecutedAtInvalid}},
		"a leap second in a month that has none": {fields{"executedAt": "2016-03-31T23:59:60Z"}, []trade.Code{trade.ExecutedAtInvalid}},
		"second 61":                              {fields{"executedAt": "2016-12-31T23:59:61Z"}, []trade.Code{trade.ExecutedAtInvalid}},
		"the zero time of Go and .NET":           {fields{"executedAt": "0001-01-01T00:00:00Z"}, []trade.Code{trade.ExecutedAtTooEarly}},
		"the zero time of Unix and Java":         {fields{"executedAt": "1970-01-01T00:00:00Z"}, []trade.Code{trade.ExecutedAtTooEarly}},
		"the same in New York":                   {fields{"executedAt": "1969-12-31T19:00:00-05:00"}, []trade.Code{trade.ExecutedAtTooEarly}},
		"the zero time of SQL Server":            {fields{"executedAt": "1900-01-01T00:00:00Z"}, []trade.Code{trade.ExecutedAtTooEarly}},

		"two waivers":                         {fields{"waiverIndicator": "NLIQ SIZE"}, nil},
		"two waivers with a comma":            {fields{"waiverIndicator": "NLIQ,SIZE"}, []trade.Code{"WAIVER_INDICATOR_INVALID"}},
		"an empty waiver":                     {fields{"waiverIndicator": ""}, []trade.Code{"WAIVER_INDICATOR_INVALID"}},
		"a short sale":                        {fields{"side": "SELL_SHORT", "shortSellingIndicator": "SESH"}, nil},
		"a short sale that is exempt":         {fields{"side": "SELL_SHORT_EXEMPT", "shortSellingIndicator": "SSEX"}, nil},
		"a strike below zero":                 {fields{"strike": "-5"}, nil},
		"a strike that is not a decimal":      {fields{"strike": "ATM"}, []trade.Code{"STRIKE_NOT_DECIMAL"}},
		"an expiry on a day that isn't":       {fields{"expiry": "2026-02-29"}, []trade.Code{"EXPIRY_INVALID"}},
		"an expiry with a time":               {fields{"expiry": "2026-02-27T00:00:00Z"}, []trade.Code{"EXPIRY_INVALID"}},
		"a put as RTS 22 writes it":           {fields{"optionType": "PUTO"}, nil},
		"a put as others write it":            {fields{"optionType": "PUT"}, []trade.Code{"OPTION_TYPE_INVALID"}},
		"a CFI code of a share":               {fields{"cfi": "ESVUFR"}, nil},
		"a CFI code of a group that isn't":    {fields{"cfi": "EXVUFR"}, []trade.Code{"CFI_INVALID"}},
		"a CFI code of a category that isn't": {fields{"cfi": "ZSVUFR"}, []trade.Code{"CFI_INVALID"}},
		"a CFI code in lower case":            {fields{"cfi": "esvufr"}, []trade.Code{"CFI_INVALID"}},
		"a CFI code with a digit":             {fields{"cfi": "ESVUF1"}, []trade.Code{"CFI_INVALID"}},
		"an underlying numbered by nobody":    {fields{"underlyingIsin": "ZZ0000000008"}, []trade.Code{"UNDERLYING_ISIN_PREFIX_UNKNOWN"}},
		"a venue's id of 53 characters":       {fields{"venueTransactionId": strings.Repeat("7", 53)}, []trade.Code{"VENUE_TRANSACTION_ID_INVALID"}},

		"a venue of digits and letters":            {fields{"venue": "1D2X"}, nil},
		"a venue that nobody knows":                {fields{"venue": "ZZZZ"}, nil},
		"a venue of three letters":                 {fields{"venue": "NYS"}, []trade.Code{trade.VenueInvalid}},
		"a venue with a letter beyond ASCII":       {fields{"venue": "XÄN"}, []trade.Code{trade.VenueInvalid}},
		"a sale":                                   {fields{"side": "SELL"}, nil},
		"a side in small letters":                  {fields{"side": "buy"}, []trade.Code{trade.SideInvalid}},
		"an empty side":                            {fields{"side": ""}, []trade.Code{trade.SideInvalid}},
		"unknown fields of any kind are no matter": {fields{"notes": raw(`{"x":[1,null,{"y":1e999}]}`), "": 1}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			if got := codes(t, test.changed); !equal(got, test.want) {
				t.Errorf("%v, want %v", got, test.want)
			}
		})
	}
}

func TestAmountAgreesWithPriceTimesQuantity(t *testing.T) {
	for name, test := range map[string]struct {
		amount, price, quantity, currency string
		agrees                            bool
	}{
		"exactly":                 {"35158.2", "167.42", "210", "USD", true},
		"exactly, with 16 digits": {"563.2232991876", "25741.02", "0.02188038", "USD", true},
		"rounded to a cent":       {"47.53", "25741.03", "0.00184646", "USD", true},
		"one cent off":            {"10.01", "2", "5", "USD", true},
		"more than a cent off, and more than 0.01 %": {"10.0101", "2", "5", "USD", false},
		"one cent below":                              {"9.99", "2", "5", "USD", true},
		"0.01 % off, which is a hundred dollars":      {"1000000", "1000100", "1", "USD", true},
		"a cent beyond 0.01 %":                        {"1000000", "1000100.01", "1", "USD", false},
		"one yen off":                                 {"101", "10", "10", "JPY", true},
		"a yen and a bit off":                         {"101.5", "10", "10", "JPY", false},
		"a fils off":                                  {"1.001", "1", "1", "KWD", true},
		"ten fils off":                                {"1.01", "1", "1", "KWD", false},
		"a currency of the stack's own: 0.01 % only":  {"1.01", "1", "1", "BTC", false},
		"gold has no minor unit: 0.01 % only":         {"1.01", "1", "1", "XAU", false},
		"gold within 0.01 %":                          {"1.0001", "1", "1", "XAU", true},
		"an unknown currency: 0.01 % only":            {"1.01", "1", "1", "XYZ", false},
		"twice the price":                             {"200", "10", "10", "USD", false},
		"the smallest and the largest":                {"1", "1e-130", "9.9e125", "USD", false},
		"38 digits each":                              {"1", "1.2345678901234567890123456789012345678", "9.8765432109876543210987654321098765432", "USD", false},
		"the largest times the largest":               {"1", "9.9e125", "9.9e125", "USD", false},
		"no float can tell these apart, decimals can": {"0.3", "0.1", "3", "USD", true},
	} {
		t.Run(name, func(t *testing.T) {
			got := codes(t, map[string]any{"amount": test.amount, "price": test.price, "quantity": test.quantity, "currency": test.currency, "priceCurrency": test.currency})
			if slices.Contains(got, trade.AmountMismatch) == test.agrees {
				t.Errorf("%v, want agreement: %v", got, test.agrees)
			}
		})
	}
}

func TestTheEarlierClockCounts(t *testing.T) {
	const executedAt = "2024-05-28T14:00:00Z"
	at := time.Date(2024, 5, 28, 14, 0, 0, 0, time.UTC)
	for name, test := range map[string]struct {
		event, now time.Time
		future     bool
	}{
		"both clocks agree":                                            {at, at, false},
		"the event waited for a day in a queue":                        {at, at.Add(24 * time.Hour), false},
		"the event was sent too early and waited: it stays a mistake":  {at.Add(-time.Hour), at.Add(24 * time.Hour), true},
		"the event's time is as far in the future as the execution is": {at, at.Add(-time.Hour), true},
		"the clock here is a little behind":                            {at, at.Add(-time.Minute), false},
	} {
		t.Run(name, func(t *testing.T) {
			detail := validDetail()
			detail["executedAt"] = executedAt
			verdict := check(t, detail, trade.Arrival{Source: "trading.system1", Time: test.event, Now: test.now})
			if slices.Contains(codesOf(verdict), trade.ExecutedAtInFuture) != test.future {
				t.Errorf("%v, want in the future: %v", verdict.Violations, test.future)
			}
		})
	}
}

func TestASourceWithoutThePrefixMatchesNothing(t *testing.T) {
	for _, source := range []string{"", "system1", "trading.", "trading.system10", "Trading.system1", "trading.system1 "} {
		verdict := check(t, validDetail(), trade.Arrival{Source: source, Time: arrived, Now: arrived})
		if !equal(codesOf(verdict), []trade.Code{trade.SourceSystemMismatch}) {
			t.Errorf("source %q: %v", source, verdict.Violations)
		}
	}
}

func TestEveryFieldRefusesEveryWrongType(t *testing.T) {
	wrongTypes := map[string]trade.Code{}
	for _, d := range trade.Codes() {
		if strings.HasSuffix(string(d.Code), "_WRONG_TYPE") {
			wrongTypes[d.Field] = d.Code
		}
	}
	if len(wrongTypes) != len(validDetail())-2 { // of tradeId and saleConditions, the rules know nothing
		t.Errorf("%d fields have a type", len(wrongTypes))
	}
	decimals := []string{"amount", "price", "quantity", "multiplier", "strike"}
	for field, code := range wrongTypes {
		for _, value := range []string{`true`, `false`, `{}`, `[]`, `["x"]`, `5`} {
			if value == `5` && slices.Contains(decimals, field) {
				continue // numbers are decimals
			}
			if got := codes(t, map[string]any{field: raw(value)}); !equal(got, []trade.Code{code}) {
				t.Errorf("%s: %s gives %v, want %s", field, value, got, code)
			}
		}
	}
}

func TestAllViolationsAreReportedInTheTablesOrder(t *testing.T) {
	detail := map[string]any{
		"tradeId": "t-1", "amount": raw(`true`), "currency": 5, "sourceSystem": "system9", "executedAt": "now", "symbol": "",
		"venue": "nyse", "isin": "X", "price": "0", "quantity": "-1", "side": "B", "counterpartyLei": "X", "account": " ",
	}
	got := codesOf(check(t, detail, arrival))
	want := []trade.Code{
		trade.AmountWrongType, trade.CurrencyWrongType, trade.SourceSystemUnknown, trade.SourceSystemMismatch, trade.ExecutedAtInvalid,
		trade.SymbolInvalid, trade.VenueInvalid, trade.ISINInvalid, trade.PriceZero, trade.QuantityNegative, trade.SideInvalid,
		trade.CounterpartyLEIInvalid, trade.AccountInvalid,
	}
	if !equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

// A message is stored, logged and shown: whatever was sent, it is one short line that begins with the field's name.
func TestMessagesAreShortAndPrintable(t *testing.T) {
	hostile := strings.Repeat("\x00\n\"ü", 150)
	detail := map[string]any{"tradeId": "t-1"}
	for field := range validDetail() {
		if field != "tradeId" {
			detail[field] = hostile
		}
	}
	verdict := check(t, detail, trade.Arrival{Source: hostile, Time: arrived, Now: arrived})
	if len(verdict.Violations) < 10 {
		t.Fatalf("only %d violations", len(verdict.Violations))
	}
	for _, v := range verdict.Violations {
		if !strings.HasPrefix(v.Message, v.Field+" ") || len(v.Message) > 700 || strings.ContainsAny(v.Message, "\x00\n") {
			t.Errorf("%s: %q", v.Code, v.Message)
		}
	}
}

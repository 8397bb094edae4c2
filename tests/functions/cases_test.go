package functions_test

import (
	"crypto/sha256"
	"fmt"
	"strings"
	"time"

	dynamodbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"

	"trade-processing/lambdas/trade"
)

// The functions, by their folders' names, which are their images' build argument FUNCTION.
const (
	Validator = "validator"
	Enricher  = "enricher"
	Recorder  = "recorder"
)

// Functions returns all functions, in workflow order.
func Functions() []string { return []string{Validator, Enricher, Recorder} }

// Case is one promise of a function.
type Case struct {
	Name     string // a sentence
	Function string

	// Earlier payloads are sent before Payload, to the same instance. Their answers don't matter.
	Earlier []string
	Payload string

	// Trouble is what is wrong with the services while Payload is handled.
	Trouble Trouble

	// Timeout is the function's. Default: a minute, which no case needs.
	Timeout time.Duration

	// Answer is the JSON text that the function answers, without recordedAt, which is the time. Empty if Error is set.
	Answer string

	// Error is the type that the function reports, and Says part of its message.
	Error, Says string
}

const (
	defaultCaseTimeout = time.Minute

	// shortTimeout is Lambda's shortest. A function waiting for a service that doesn't answer must say so before that.
	shortTimeout = time.Second

	// largest is the maximum size of a payload: 6 MB
	// (https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html).
	largest = 6 << 20
)

const (
	traceID       = "1-6655d1f9-0a1b2c3d4e5f60718293a4b5"
	traceHeader   = "Root=" + traceID + ";Parent=53995c3f42cd8ad8;Sampled=1"
	executionName = "one"
	executionARN  = "arn:aws:states:us-east-1:000000000000:execution:trade-processing-local:" + executionName
)

// aTrade returns a detail with an id and any other fields.
func aTrade(id, more string) string {
	return `{"tradeId":"` + id + `","amount":"19050.00","currency":"USD","sourceSystem":"system1","symbol":"AAPL","venue":"XNAS",` + more +
		`"executedAt":"2024-05-28T09:30:00.123-04:00"}`
}

// request returns the payload of validator and enricher; more goes next to the event.
func request(detail, more string) string {
	return `{"event":{"version":"0","id":"0f7a1d5e-6c3b-4f0e-9d2a-7b1c5e8f9a01","detail-type":"Trade Event","source":"trading.system1",` +
		`"account":"000000000000","time":"2024-05-28T13:30:01Z","region":"us-east-1","resources":[],"detail":` + detail + `},` +
		more + `"executionArn":"` + executionARN + `"}`
}

// toRecord returns the payload of the recorder, for an execution named by its last letters.
func toRecord(detail, execution, more string) string {
	payload := request(detail, more+`"validation":{"valid":true,"violations":[],"rulesVersion":"1.0.0","reviewRequired":false},`+
		`"market":{"status":"COMPLETE","reasons":[]},`)
	return strings.Replace(payload, executionARN, strings.TrimSuffix(executionARN, executionName)+execution, 1)
}

// padded lengthens a payload to a size: it must contain %PAD% once, in a JSON string.
func padded(payload string, size int) string {
	return strings.Replace(payload, "%PAD%", strings.Repeat("x", size-len(payload)+len("%PAD%")), 1)
}

// Errors that services answer.
var (
	throttled = &dynamodbtypes.ProvisionedThroughputExceededException{Message: new("The level of configured provisioned throughput was exceeded.")}
	denied    = &smithy.GenericAPIError{Code: "AccessDeniedException", Message: "not authorized to perform: ssm:GetParametersByPath", Fault: smithy.FaultClient}
)

// Cases returns the promises of the three functions.
func Cases() []Case {
	silent := Trouble{Silent: true}
	const (
		verdict = `{"valid":true,"violations":[],"rulesVersion":"` + trade.RulesVersion + `","reviewRequired":false,"amountChecked":false,"amountUncheckedReason":"NO_PRICE"}`
		market  = `"venue":{"name":"Nasdaq","country":"US","timeZone":"America/New_York"},"session":"REGULAR",` +
			`"tradingDay":"2024-05-28","settlementDate":"2024-05-29","settlementCycle":"T+1","minorUnit":2}`
		complete = `{"status":"COMPLETE","reasons":[],` + market
	)
	// A digest is that of the canonical text: members sorted, strings as received, numbers by value.
	digest := func(canonical string) string { return fmt.Sprintf("%x", sha256.Sum256([]byte(canonical))) }
	plain := digest(`{"amount":"19050.00","currency":"USD","executedAt":"2024-05-28T09:30:00.123-04:00",` +
		`"sourceSystem":"system1","symbol":"AAPL","tradeId":"t-1","venue":"XNAS"}`)
	precise := digest(`{"amount":"19050.00","currency":"USD","executedAt":"2024-05-28T09:30:00.123-04:00","fee":0.12345678901234568,` +
		`"sourceSystem":"system1","symbol":"AAPL","tradeId":"t-1","venue":"XNAS"}`)
	answer := func(outcome, digest string) string {
		return `{"outcome":"` + outcome + `","status":"RECORDED","tradeId":"t-1","version":"system1#2024-05-28T13:30:00.123Z","timestamp":1716903000123,"action":"NEW","digest":"` + digest + `"}`
	}
	return []Case{
		{
			Name: "a valid trade", Function: Validator,
			Payload: request(aTrade("t-1", ""), ""),
			Answer:  verdict,
		},
		{
			Name: "a trade above the threshold needs a review", Function: Validator,
			Payload: request(strings.Replace(aTrade("t-1", ""), "19050.00", "99999999999.99", 1), ""),
			Answer:  strings.Replace(verdict, "false", "true", 1),
		},
		{
			Name: "a trade that breaks rules is an answer and no error", Function: Validator,
			Payload: request(`{"tradeId":"t-1","amount":"-1","currency":"XXY","sourceSystem":"system9"}`, ""),
			Answer: `{"valid":false,"violations":[` +
				`{"code":"AMOUNT_NEGATIVE","field":"amount","message":"amount \"-1\" is below zero"},` +
				`{"code":"CURRENCY_UNKNOWN","field":"currency","message":"currency \"XXY\" is not an ISO 4217 code in use on the day of execution, nor one of this stack's allowedCurrencies"},` +
				`{"code":"SOURCE_SYSTEM_UNKNOWN","field":"sourceSystem","message":"sourceSystem \"system9\" is not one of this stack's sources: system1, system2, system3"},` +
				`{"code":"SOURCE_SYSTEM_MISMATCH","field":"sourceSystem","message":"sourceSystem \"system9\" doesn't belong to the event's source \"trading.system1\""}` +
				`],"rulesVersion":"` + trade.RulesVersion + `","reviewRequired":false,"amountChecked":false,"amountUncheckedReason":"NO_PRICE"}`,
		},
		{
			Name: "a detail without a tradeId is not a trade", Function: Validator,
			Payload: request(`{"amount":"1"}`, ""),
			Error:   "MalformedTrade", Says: "the detail has no tradeId",
		},
		{
			Name: "a payload that is no JSON", Function: Validator,
			Payload: `{"event":`,
			Error:   "MalformedTrade", Says: "reading the payload",
		},
		{
			Name: "a payload that is JSON and no object", Function: Validator,
			Payload: `["event"]`,
			Error:   "MalformedTrade", Says: "reading the payload",
		},
		{
			Name: "a payload of 6 MB, nearly all of it beside the trade", Function: Validator,
			Payload: padded(request(aTrade("t-1", ""), `"padding":"%PAD%",`), largest),
			Answer:  verdict,
		},
		{
			Name: "a payload of 6 MB, nearly all of it in the trade", Function: Validator,
			Payload: padded(request(aTrade("t-1", `"note":"%PAD%",`), ""), largest),
			Error:   "MalformedTrade", Says: "65536 are allowed",
		},
		{
			Name: "parameters that nobody answers for are said to be missing before the deadline", Function: Validator,
			Payload: request(aTrade("t-1", ""), ""), Trouble: silent, Timeout: shortTimeout,
			Error: "ParametersUnavailable", Says: "waiting for SSM",
		},
		{
			Name: "parameters that may not be read", Function: Validator,
			Payload: request(aTrade("t-1", ""), ""), Trouble: Trouble{Err: denied},
			Error: "ParametersUnavailable", Says: "AccessDeniedException",
		},
		{
			Name: "parameters that can't be read any more are taken from before", Function: Validator,
			Earlier: []string{request(aTrade("t-1", ""), "")},
			Payload: request(aTrade("t-2", ""), ""), Trouble: Trouble{Err: denied},
			Answer: verdict,
		},

		{
			Name: "a trade on a known venue", Function: Enricher,
			Payload: request(aTrade("t-1", ""), ""),
			Answer:  complete,
		},
		{
			Name: "a trade on a venue that nobody knows has a partial context", Function: Enricher,
			Payload: request(strings.Replace(aTrade("t-1", ""), "XNAS", "ZZZZ", 1), ""),
			Answer:  `{"status":"PARTIAL","reasons":["VENUE_UNKNOWN"],"minorUnit":2}`,
		},
		{
			Name: "what is not a trade has a partial context and is not an error", Function: Enricher,
			Payload: request(`{"amount":"1"}`, ""),
			Answer:  `{"status":"PARTIAL","reasons":["TRADE_MALFORMED"]}`,
		},
		{
			Name: "a payload that is no JSON", Function: Enricher,
			Payload: `event`,
			Error:   "MalformedTrade", Says: "reading the payload",
		},
		{
			Name: "a payload of 6 MB, nearly all of it beside the trade", Function: Enricher,
			Payload: padded(request(aTrade("t-1", ""), `"padding":"%PAD%",`), largest),
			Answer:  complete,
		},
		{
			Name: "parameters that nobody answers for are missing from the context before the deadline", Function: Enricher,
			Payload: request(aTrade("t-1", ""), ""), Trouble: silent, Timeout: shortTimeout,
			Answer: `{"status":"PARTIAL","reasons":["PARAMETERS_UNAVAILABLE"],` + market,
		},

		{
			Name: "a trade is recorded", Function: Recorder,
			Payload: toRecord(aTrade("t-1", ""), "one", ""),
			Answer:  answer("RECORDED", plain),
		},
		{
			Name: "a trade with more digits than a number of JavaScript holds", Function: Recorder,
			Payload: toRecord(aTrade("t-1", `"fee":0.12345678901234567890123456789,`), "one", ""),
			Answer:  answer("RECORDED", precise),
		},
		{
			Name: "the same trade in another execution is a duplicate", Function: Recorder,
			Earlier: []string{toRecord(aTrade("t-1", ""), "one", "")},
			Payload: toRecord(aTrade("t-1", ""), "two", ""),
			Answer:  answer("DUPLICATE", plain),
		},
		{
			Name: "the same trade again in its own execution is recorded", Function: Recorder,
			Earlier: []string{toRecord(aTrade("t-1", ""), "one", "")},
			Payload: toRecord(aTrade("t-1", ""), "one", ""),
			Answer:  answer("RECORDED", plain),
		},
		{
			Name: "another trade under the same key is a conflict", Function: Recorder,
			Earlier: []string{toRecord(aTrade("t-1", ""), "one", "")},
			Payload: toRecord(aTrade("t-1", `"desk":"NY-7",`), "two", ""),
			Error:   "TradeConflict", Says: "the recorded one stays",
		},
		{
			Name: "a payload without the validator's answer", Function: Recorder,
			Payload: request(aTrade("t-1", ""), ""),
			Error:   "InternalError", Says: "no answer from the validator",
		},
		{
			Name: "a payload that is no JSON", Function: Recorder,
			Payload: "",
			Error:   "MalformedTrade", Says: "reading the payload",
		},
		{
			Name: "a payload of 6 MB, nearly all of it beside the trade", Function: Recorder,
			Payload: padded(toRecord(aTrade("t-1", ""), "one", `"padding":"%PAD%",`), largest),
			Answer:  answer("RECORDED", plain),
		},
		{
			Name: "a payload of 6 MB, nearly all of it in the trade", Function: Recorder,
			Payload: padded(toRecord(aTrade("t-1", `"note":"%PAD%",`), "one", ""), largest),
			Error:   "MalformedTrade", Says: "65536 are allowed",
		},
		{
			Name: "a table that doesn't answer is told before the deadline", Function: Recorder,
			Payload: toRecord(aTrade("t-1", ""), "one", ""), Trouble: silent, Timeout: shortTimeout,
			Error: "ServiceUnreachable", Says: "of trade t-1",
		},
		{
			Name: "a table that is throttled is told by DynamoDB's own name for it", Function: Recorder,
			Payload: toRecord(aTrade("t-1", ""), "one", ""), Trouble: Trouble{Err: throttled},
			Error: "ProvisionedThroughputExceededException", Says: "of trade t-1",
		},
	}
}

// Sample returns the nth payload of a long series: no two trades are the same, and each has the largest size of a
// detail, so that a function that kept anything would show it.
func Sample(function string, n int) []byte {
	const detail = 60 << 10
	trade := padded(aTrade(fmt.Sprintf("t-%d", n), `"note":"%PAD%",`), detail)
	if function == Recorder {
		return []byte(toRecord(trade, "one", ""))
	}
	return []byte(request(trade, ""))
}

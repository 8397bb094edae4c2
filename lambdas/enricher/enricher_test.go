package enricher

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
	_ "time/tzdata" // so that the tests don't need the machine's zoneinfo

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"
	"github.com/google/go-cmp/cmp"

	"trade-processing/lambdas/function"
	"trade-processing/lambdas/function/functiontest"
	"trade-processing/lambdas/market"
	"trade-processing/lambdas/parameters"
	"trade-processing/lambdas/trade"
)

const prefix = "/trade-processing/test/"

// fakeSSM holds parameters by name, or fails.
type fakeSSM struct {
	parameters map[string]string
	err        error
}

var _ parameters.API = (*fakeSSM)(nil)

func (f *fakeSSM) GetParametersByPath(context.Context, *ssm.GetParametersByPathInput, ...func(*ssm.Options)) (*ssm.GetParametersByPathOutput, error) {
	if f.err != nil {
		return nil, f.err
	}
	out := &ssm.GetParametersByPathOutput{}
	for name, value := range f.parameters {
		out.Parameters = append(out.Parameters, types.Parameter{Name: aws.String(prefix + name), Value: aws.String(value)})
	}
	return out, nil
}

func withEndpoint(endpoint, maxRetries string) *fakeSSM {
	return &fakeSSM{parameters: map[string]string{
		parameters.EndpointName:   endpoint,
		parameters.ThresholdName:  "1000000",
		parameters.MaxRetriesName: maxRetries,
	}}
}

// output is a process's standard output, which several goroutines may write to and read.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (o *output) Write(line []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(line)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

func environment(out io.Writer) function.Environment {
	variables := map[string]string{"ENVIRONMENT": "test", "PARAMETER_PREFIX": prefix}
	return function.Environment{
		Getenv: func(name string) string { return variables[name] },
		Output: out,
		Now:    time.Now,
	}
}

func handler(t testing.TB, ssm parameters.API, out io.Writer) lambda.Handler {
	t.Helper()
	h, err := New(environment(out), ssm, &http.Client{})
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// payload returns what the state machine sends for an event with that detail.
func payload(detail string) []byte {
	return []byte(`{"event":{"version":"0","id":"e-1","detail-type":"Trade Event","source":"trading.system1","account":"111122223333",` +
		`"time":"2025-06-02T14:00:00Z","region":"us-east-1","resources":[],"detail":` + detail + `},"executionArn":"arn:execution"}`)
}

func invoke(t testing.TB, h lambda.Handler, payload []byte) string {
	t.Helper()
	answer, err := h.Invoke(context.Background(), payload)
	if err != nil {
		t.Fatalf("%v", err)
	}
	return string(answer)
}

func assertJSON(t *testing.T, got, want string) {
	t.Helper()
	var g, w any
	if err := json.Unmarshal([]byte(got), &g); err != nil {
		t.Fatalf("%s: %v", got, err)
	}
	if err := json.Unmarshal([]byte(want), &w); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(w, g); diff != "" {
		t.Errorf("answer (-want +got):\n%s", diff)
	}
}

func TestContextByReferenceData(t *testing.T) {
	tests := []struct {
		name, detail, want string
	}{
		{"a US share in early trading of 2013",
			`{"tradeId":"t","amount":"35158.2","currency":"USD","symbol":"SPY","venue":"XNAS","isin":"US78462F1030","executedAt":"2013-10-08T04:00:17.034-04:00"}`,
			`{"status":"COMPLETE","reasons":[],"venue":{"name":"Nasdaq","country":"US","timeZone":"America/New_York"},
			  "session":"PRE","tradingDay":"2013-10-08","settlementDate":"2013-10-11","settlementCycle":"T+3",
			  "minorUnit":2,"isinCountry":"US"}`},
		{"gold after the halt",
			`{"tradeId":"t","amount":1313.8,"currency":"USD","symbol":"GCZ13","venue":"XCEC","executedAt":"2013-10-08T22:50:26Z"}`,
			`{"status":"COMPLETE","reasons":[],"venue":{"name":"COMEX","country":"US","timeZone":"America/New_York"},
			  "session":"REGULAR","tradingDay":"2013-10-09","settlementDate":"2013-10-10","settlementCycle":"T+1",
			  "minorUnit":2}`},
		{"a crypto pair has no venue and lacks nothing",
			`{"tradeId":"t","amount":"5","currency":"JPY","symbol":"FX_BTC_JPY","executedAt":"2021-04-17T16:41:49.9841178Z"}`,
			`{"status":"COMPLETE","reasons":[],"session":"CONTINUOUS","tradingDay":"2021-04-17","settlementDate":"2021-04-17",
			  "settlementCycle":"T+0","minorUnit":0}`},
		{"without executedAt the event's time counts",
			`{"tradeId":"t","amount":"5","currency":"EUR","venue":"XETR"}`,
			`{"status":"COMPLETE","reasons":[],"venue":{"name":"Xetra","country":"DE","timeZone":"Europe/Berlin"},
			  "session":"REGULAR","tradingDay":"2025-06-02","settlementDate":"2025-06-04","settlementCycle":"T+2",
			  "minorUnit":2}`},
		{"so it does where executedAt can't be read, which is said",
			`{"tradeId":"t","amount":"5","currency":"EUR","venue":"XETR","executedAt":"yesterday"}`,
			`{"status":"PARTIAL","reasons":["EXECUTION_TIME_UNREADABLE"],
			  "venue":{"name":"Xetra","country":"DE","timeZone":"Europe/Berlin"},
			  "session":"REGULAR","tradingDay":"2025-06-02","settlementDate":"2025-06-04","settlementCycle":"T+2",
			  "minorUnit":2}`},
		{"gold has no minor unit, which is nothing lacking",
			`{"tradeId":"t","amount":"5","currency":"XAU","venue":"XLON","isin":"XS1234567890","executedAt":"2025-06-02T09:00:00+01:00"}`,
			`{"status":"COMPLETE","reasons":[],"venue":{"name":"London Stock Exchange","country":"GB","timeZone":"Europe/London"},
			  "session":"REGULAR","tradingDay":"2025-06-02","settlementDate":"2025-06-04","settlementCycle":"T+2",
			  "isinCountry":"XS"}`},
		{"everything unknown is left out, each with its reason",
			`{"tradeId":"t","amount":"5","currency":"USDT","venue":"NOPE","isin":"ZZ","executedAt":"2025-06-02T09:00:00Z"}`,
			`{"status":"PARTIAL","reasons":["VENUE_UNKNOWN","CURRENCY_UNKNOWN","ISIN_COUNTRY_UNKNOWN"]}`},
		{"a segment that isn't known by itself answers by its operator's calendar, and says so",
			`{"tradeId":"t","amount":"5","currency":"USD","venue":"XNGS","executedAt":"2025-06-02T12:00:00-04:00"}`,
			`{"status":"COMPLETE","reasons":[],"venue":{"operatingMic":"XNAS","name":"Nasdaq","country":"US","timeZone":"America/New_York"},
			  "session":"REGULAR","tradingDay":"2025-06-02","settlementDate":"2025-06-03","settlementCycle":"T+1",
			  "minorUnit":2}`},
		{"trading off exchange has no hours, which is known",
			`{"tradeId":"t","amount":"5","currency":"EUR","venue":"XOFF","executedAt":"2025-06-02T12:00:00Z"}`,
			`{"status":"PARTIAL","reasons":["VENUE_WITHOUT_HOURS"],"venue":{"name":"Off-exchange transactions in listed instruments"},
			  "minorUnit":2}`},
		{"what is bought in Toronto in US dollars settles when the banks of both countries are open",
			`{"tradeId":"t","amount":"5","currency":"USD","venue":"XTSE","executedAt":"2023-06-29T12:00:00-04:00"}`,
			`{"status":"COMPLETE","reasons":[],"venue":{"name":"Toronto Stock Exchange","country":"CA","timeZone":"America/Toronto"},
			  "session":"REGULAR","tradingDay":"2023-06-29","settlementDate":"2023-07-05","settlementCycle":"T+2",
			  "minorUnit":2}`},
		{"everything missing", `{"tradeId":"t"}`, `{"status":"PARTIAL","reasons":["VENUE_MISSING","CURRENCY_MISSING"]}`},
		{"fields of another type are as good as missing",
			`{"tradeId":"t","currency":[],"venue":{"mic":"XNYS"},"isin":12,"executedAt":false,"symbol":null}`,
			`{"status":"PARTIAL","reasons":["VENUE_MISSING","CURRENCY_MISSING"]}`},
		{"foreign exchange has conventions of its own",
			`{"tradeId":"t","currency":"USD","symbol":"EUR-USD"}`,
			`{"status":"PARTIAL","reasons":["VENUE_MISSING"],"minorUnit":2}`},
		{"an array is not a trade", `[1,2]`, `{"status":"PARTIAL","reasons":["TRADE_MALFORMED"]}`},
		{"a trade without an id", `{"amount":"5","venue":"XNYS"}`, `{"status":"PARTIAL","reasons":["TRADE_MALFORMED"]}`},
		{"null", `null`, `{"status":"PARTIAL","reasons":["TRADE_MALFORMED"]}`},
		{"nesting without end", strings.Repeat("[", 5000) + strings.Repeat("]", 5000), `{"status":"PARTIAL","reasons":["TRADE_MALFORMED"]}`},
	}
	h := handler(t, withEndpoint("none", "3"), io.Discard)
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			assertJSON(t, invoke(t, h, payload(test.detail)), test.want)
		})
	}
}

const apple = `{"tradeId":"t-1","amount":"5","currency":"USD","symbol":"AAPL","venue":"XNAS","executedAt":"2025-06-02T12:00:00-04:00"}`

func TestWithoutParametersTheReferenceDataIsStillAnswered(t *testing.T) {
	out := &output{}
	h := handler(t, &fakeSSM{err: errors.New("no route to SSM")}, out)
	assertJSON(t, invoke(t, h, payload(apple)), `{"status":"PARTIAL","reasons":["PARAMETERS_UNAVAILABLE"],
		"venue":{"name":"Nasdaq","country":"US","timeZone":"America/New_York"},
		"session":"REGULAR","tradingDay":"2025-06-02","settlementDate":"2025-06-03","settlementCycle":"T+1",
		"minorUnit":2}`)
	if !strings.Contains(out.String(), "no route to SSM") {
		t.Errorf("the log doesn't say why:\n%s", out)
	}
}

func TestMetricsTellCompleteFromPartial(t *testing.T) {
	offExchange := `{"tradeId":"t","currency":"EUR","venue":"XOFF","executedAt":"2025-06-02T12:00:00Z"}`
	for detail, partial := range map[string]bool{apple: false, `{"tradeId":"t"}`: true, offExchange: false} {
		out := &output{}
		invoke(t, handler(t, withEndpoint("none", "0"), out), payload(detail))
		if !partial {
			if out.String() != "" {
				t.Errorf("%s has nothing to tell: %s", detail, out)
			}
			continue
		}
		var line map[string]any
		if err := json.Unmarshal([]byte(out.String()), &line); err != nil {
			t.Fatalf("%v:\n%s", err, out)
		}
		if line[PartialContext] != 1.0 || line["reasons"] != "VENUE_MISSING,CURRENCY_MISSING" {
			t.Errorf("the line of %s: %v", detail, line)
		}
	}
}

func TestTheMetricsTellThatACalendarEndsSoon(t *testing.T) {
	shanghai := `{"tradeId":"t","amount":"5","currency":"CNY","venue":"XSHG","executedAt":"2025-06-03T10:00:00+08:00"}`
	reference, err := market.Load()
	if err != nil {
		t.Fatal(err)
	}
	venue, _ := reference.Venue("XSHG")
	last, _ := venue.KnownUntil("CNY")
	end, err := time.Parse(time.DateOnly, last.String())
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name, detail string
		now          time.Time
		want         any
	}{
		{"four months before", shanghai, end.AddDate(0, 0, -120), nil},
		{"a day later", shanghai, end.AddDate(0, 0, -119), 119.0},
		{"on the last day", shanghai, end.Add(23 * time.Hour), 0.0},
		{"and when it is too late", shanghai, end.AddDate(1, 0, 0), 0.0},
		{"no trade without a venue", `{"tradeId":"t"}`, end, nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			out := &output{}
			e := environment(out)
			e.Now = func() time.Time { return test.now }
			h, err := New(e, withEndpoint("none", "0"), &http.Client{})
			if err != nil {
				t.Fatal(err)
			}
			invoke(t, h, payload(test.detail))
			var line map[string]any // none, if there is nothing to tell
			if err := json.Unmarshal([]byte(out.String()), &line); err != nil && out.String() != "" {
				t.Fatalf("%v:\n%s", err, out)
			}
			if line[CalendarDaysLeft] != test.want {
				t.Errorf("%v days left, want %v", line[CalendarDaysLeft], test.want)
			}
			if test.want != nil && line["knownUntil"] != last.String() {
				t.Errorf("known until %v, want %s", line["knownUntil"], last)
			}
		})
	}
}

func TestAMissingVariableIsNamed(t *testing.T) {
	_, err := New(function.Environment{Getenv: func(string) string { return "" }, Output: io.Discard, Now: time.Now}, &fakeSSM{}, &http.Client{})
	for _, variable := range []string{"ENVIRONMENT", "PARAMETER_PREFIX"} {
		if err == nil || !strings.Contains(err.Error(), variable) {
			t.Errorf("got %v, want an error that names %s", err, variable)
		}
	}
}

// Whatever the detail, the enricher answers with a known status, and with reasons exactly if it is PARTIAL.
func FuzzEnricherAlwaysAnswers(f *testing.F) {
	f.Add([]byte(apple))
	f.Add([]byte(`{"tradeId":"t","venue":"XNYS","executedAt":"-0001-01-01T00:00:00Z"}`))
	f.Add([]byte(`{"tradeId":"t","symbol":"-","currency":"","isin":""}`))
	f.Add([]byte(`"\ud800"`))
	h := handler(f, withEndpoint("none", "0"), io.Discard)
	known := map[market.Reason]bool{}
	for _, r := range market.Reasons {
		known[r.Code] = true
	}
	f.Fuzz(func(t *testing.T, detail []byte) {
		if !json.Valid(detail) {
			t.Skip("EventBridge delivers JSON")
		}
		var answer struct {
			Status  Status
			Reasons []market.Reason
		}
		if err := json.Unmarshal([]byte(invoke(t, h, payload(string(detail)))), &answer); err != nil {
			t.Fatal(err)
		}
		if answer.Reasons == nil || (answer.Status == Complete) != (len(answer.Reasons) == 0) {
			t.Errorf("%s for reasons %v", answer.Status, answer.Reasons)
		}
		for _, r := range answer.Reasons {
			if !known[r] {
				t.Errorf("%s is not a reason of the table", r)
			}
		}
	})
}

// Whatever the payload, the enricher answers, or says that it isn't a payload.
func FuzzPayload(f *testing.F) {
	f.Add(payload(apple))
	f.Add([]byte(`{"event":{"time":"2025-06-02T14:00:00Z","detail":"\ud800"},"executionArn":1}`))
	f.Add([]byte(`{"event":null}`))
	output := new(bytes.Buffer)
	h := handler(f, withEndpoint("none", "0"), output)
	f.Fuzz(func(t *testing.T, payload []byte) { functiontest.Invoke(t, h, output, payload, "MalformedTrade") })
}

func BenchmarkEnricher(b *testing.B) {
	h := handler(b, withEndpoint("none", "3"), io.Discard)
	in := payload(`{"tradeId":"lean-spy-20131008-000001","amount":"35158.2","currency":"USD","sourceSystem":"system1","symbol":"SPY",` +
		`"price":"167.42","quantity":"210","venue":"XNAS","executedAt":"2013-10-08T04:00:17.034-04:00","saleConditions":"2000"}`)
	ctx := context.Background()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := h.Invoke(ctx, in); err != nil {
			b.Fatal(err)
		}
	}
}

// What the context of a trade costs once the trade is decoded.
func BenchmarkContext(b *testing.B) {
	reference, err := market.Load()
	if err != nil {
		b.Fatal(err)
	}
	t, err := trade.Parse([]byte(`{"tradeId":"lean-spy-20131008-000001","amount":"35158.2","currency":"USD","symbol":"SPY",` +
		`"price":"167.42","quantity":"210","venue":"XNAS","executedAt":"2013-10-08T04:00:17.034-04:00","isin":"US78462F1030"}`))
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		ofTrade(t, time.Time{}, reference)
	}
}

package validator_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambda/messages"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"
	"github.com/google/go-cmp/cmp"

	"trade-processing/lambdas/function"
	"trade-processing/lambdas/parameters"
	"trade-processing/lambdas/trade"
	"trade-processing/lambdas/validator"
)

// fakeSSM serves a threshold of 1,000,000, or an error.
type fakeSSM struct {
	err   error
	calls int
}

var _ parameters.API = (*fakeSSM)(nil)

func (f *fakeSSM) GetParametersByPath(context.Context, *ssm.GetParametersByPathInput, ...func(*ssm.Options)) (*ssm.GetParametersByPathOutput, error) {
	f.calls++
	if f.err != nil {
		return nil, f.err
	}
	parameter := func(name, value string) types.Parameter {
		return types.Parameter{Name: aws.String("/trade-processing/dev/" + name), Value: aws.String(value)}
	}
	return &ssm.GetParametersByPathOutput{Parameters: []types.Parameter{
		parameter("api-endpoint", "none"), parameter("processing-threshold", "1000000"), parameter("max-retries", "3"),
	}}, nil
}

var variables = map[string]string{
	"ENVIRONMENT": "dev", "PARAMETER_PREFIX": "/trade-processing/dev/",
	"SOURCES": "system1,system2,system3", "ALLOWED_CURRENCIES": "BTC",
}

func newHandler(t testing.TB, ssm parameters.API, output *bytes.Buffer, changed map[string]string) (lambda.Handler, error) {
	t.Helper()
	set := maps.Clone(variables)
	maps.Copy(set, changed)
	return validator.New(function.Environment{
		Getenv: func(name string) string { return set[name] },
		Output: output,
		Now:    func() time.Time { return time.Date(2024, 5, 28, 13, 30, 2, 0, time.UTC) },
	}, ssm)
}

func mustHandler(t testing.TB, ssm parameters.API, output *bytes.Buffer) lambda.Handler {
	t.Helper()
	h, err := newHandler(t, ssm, output, nil)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func event(t testing.TB, name string) []byte {
	t.Helper()
	payload, err := os.ReadFile(filepath.Join("testdata", name+".json"))
	if err != nil {
		t.Fatal(err)
	}
	return payload
}

func TestAnswers(t *testing.T) {
	none := []trade.Violation{}
	for file, want := range map[string]trade.Verdict{
		"valid":                 {Valid: true, Violations: none, AmountChecked: true},
		"required-fields-only":  {Valid: true, Violations: none, AmountUncheckedReason: trade.NoPrice},
		"at-the-threshold":      {Valid: true, Violations: none, AmountUncheckedReason: trade.NoPrice},
		"above-the-threshold":   {Valid: true, Violations: none, AmountUncheckedReason: trade.NoPrice, ReviewRequired: true},
		"currency-of-the-stack": {Valid: true, Violations: none, AmountUncheckedReason: trade.NoPrice},
		"amount-above-threshold-but-invalid": {AmountUncheckedReason: trade.NoPrice, Violations: []trade.Violation{
			{Code: "CURRENCY_UNKNOWN", Field: "currency", Message: `currency "XYZ" is not an ISO 4217 code in use on the day of execution, nor one of this stack's allowedCurrencies`},
		}},
		"executed-in-the-future": {AmountUncheckedReason: trade.NoPrice, Violations: []trade.Violation{
			{Code: "EXECUTED_AT_IN_FUTURE", Field: "executedAt", Message: `executedAt "2024-05-28T14:30:01Z" is more than 5m0s after the event's time 2024-05-28T13:30:01Z`},
		}},
		"zero-quantity": {AmountUncheckedReason: trade.MultiplierUnknown, Violations: []trade.Violation{
			{Code: "AMOUNT_ZERO", Field: "amount", Message: "amount is zero, but must be above zero"},
			{Code: "QUANTITY_ZERO", Field: "quantity", Message: "quantity is zero, but must be above zero"},
		}},
		"wrong-everywhere": {AmountUncheckedReason: trade.Unreadable, Violations: []trade.Violation{
			{Code: "AMOUNT_WRONG_TYPE", Field: "amount", Message: "amount is a boolean, but must be a number or a decimal string"},
			{Code: "CURRENCY_UNKNOWN", Field: "currency", Message: `currency "DEM" is not an ISO 4217 code in use on the day of execution, nor one of this stack's allowedCurrencies`},
			{Code: "SOURCE_SYSTEM_MISMATCH", Field: "sourceSystem", Message: `sourceSystem "system2" doesn't belong to the event's source "trading.system1"`},
			{Code: "EXECUTED_AT_WRONG_TYPE", Field: "executedAt", Message: "executedAt is a number, but must be a string"},
			{Code: "SYMBOL_WRONG_TYPE", Field: "symbol", Message: "symbol is a number, but must be a string"},
			{Code: "VENUE_INVALID", Field: "venue", Message: `venue "nyse" is not 4 of A-Z 0-9, as an ISO 10383 MIC is`},
			{Code: "ISIN_CHECK_DIGIT", Field: "isin", Message: `isin "US0378331006" has a wrong check digit`},
			{Code: "PRICE_NEGATIVE", Field: "price", Message: `price "-1" is below zero`},
			{Code: "QUANTITY_INEXACT", Field: "quantity", Message: `quantity "0.1234567890123456" is a JSON number of more than 15 significant digits, which services on the way may round: send it as a string`},
			{Code: "SIDE_INVALID", Field: "side", Message: `side "B" is not one of BUY, SELL, SELL_SHORT, SELL_SHORT_EXEMPT`},
			{Code: "ACCOUNT_INVALID", Field: "account", Message: `account "" is not 1 to 64 printable characters without white space at either end`},
		}},
	} {
		t.Run(file, func(t *testing.T) {
			want.RulesVersion = trade.RulesVersion
			payload, err := mustHandler(t, &fakeSSM{}, new(bytes.Buffer)).Invoke(t.Context(), event(t, file))
			if err != nil {
				t.Fatal(err)
			}
			var got trade.Verdict
			if err := json.Unmarshal(payload, &got); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("want -, got +\n%s", diff)
			}
		})
	}
}

// The state machine passes the answer on unchanged: its names are a contract with the recorder and with readers of
// items.
func TestTheAnswersJSON(t *testing.T) {
	h := mustHandler(t, &fakeSSM{}, new(bytes.Buffer))
	for file, want := range map[string]string{
		"valid":                  `{"valid":true,"violations":[],"rulesVersion":"` + trade.RulesVersion + `","reviewRequired":false,"amountChecked":true}`,
		"executed-in-the-future": `{"valid":false,"violations":[{"code":"EXECUTED_AT_IN_FUTURE","field":"executedAt","message":"executedAt \"2024-05-28T14:30:01Z\" is more than 5m0s after the event's time 2024-05-28T13:30:01Z"}],"rulesVersion":"` + trade.RulesVersion + `","reviewRequired":false,"amountChecked":false,"amountUncheckedReason":"NO_PRICE"}`,
	} {
		if got, err := h.Invoke(t.Context(), event(t, file)); err != nil || string(got) != want {
			t.Errorf("%s: %s, %v; want %s", file, got, err, want)
		}
	}
}

func TestWhatIsNoTradeIsAnError(t *testing.T) {
	for file, want := range map[string]string{
		"no-trade-id":        "the detail has no tradeId",
		"detail-is-an-array": "the detail is an array",
		"name-twice":         `the name "amount" twice`,
		"no-event":           "the event has no detail",
	} {
		t.Run(file, func(t *testing.T) {
			_, err := mustHandler(t, &fakeSSM{}, new(bytes.Buffer)).Invoke(t.Context(), event(t, file))
			response, ok := errors.AsType[messages.InvokeResponse_Error](err)
			if !ok || response.Type != "MalformedTrade" || !strings.Contains(response.Message, want) {
				t.Errorf("error %v, want MalformedTrade with %q", err, want)
			}
		})
	}
}

func TestOnlyAValidTradeNeedsTheParameters(t *testing.T) {
	ssm := &fakeSSM{err: errors.New("SSM is away")}
	h := mustHandler(t, ssm, new(bytes.Buffer))
	if _, err := h.Invoke(t.Context(), event(t, "zero-quantity")); err != nil || ssm.calls != 0 {
		t.Errorf("a rejected trade: error %v after %d calls", err, ssm.calls)
	}
	_, err := h.Invoke(t.Context(), event(t, "valid"))
	if response, ok := errors.AsType[messages.InvokeResponse_Error](err); !ok || response.Type != "ParametersUnavailable" {
		t.Errorf("a valid trade: error %v", err)
	}
	ssm.err = nil
	if _, err := h.Invoke(t.Context(), event(t, "valid")); err != nil {
		t.Errorf("a valid trade once SSM is back: %v", err)
	}
}

func TestOnlyAFailureIsALine(t *testing.T) {
	for file, want := range map[string]string{"valid": "", "above-the-threshold": "", "zero-quantity": "", "no-trade-id": `"errorType":"MalformedTrade"`} {
		var output bytes.Buffer
		_, _ = mustHandler(t, &fakeSSM{}, &output).Invoke(t.Context(), event(t, file))
		if (output.Len() == 0) != (want == "") || !strings.Contains(output.String(), want) {
			t.Errorf("%s: %q", file, &output)
		}
	}
}

func TestAllProblemsOfTheEnvironmentAreNamed(t *testing.T) {
	for name, test := range map[string]struct {
		changed map[string]string
		want    []string
	}{
		"nothing is set": {
			map[string]string{"ENVIRONMENT": "", "PARAMETER_PREFIX": "", "SOURCES": "", "ALLOWED_CURRENCIES": ""},
			[]string{"ENVIRONMENT: is not set", "PARAMETER_PREFIX: is not set", "SOURCES: is not set"},
		},
		"all is wrong": {
			map[string]string{"SOURCES": "trading.system1,system 2", "ALLOWED_CURRENCIES": "btc,1INCH", "MAX_CLOCK_SKEW": "five minutes", "LOG_LEVEL": "LOUD"},
			[]string{
				`SOURCES: "trading.system1" is not a valid source system`, `SOURCES: "system 2" is not a valid source system`,
				`ALLOWED_CURRENCIES: "btc" is not a currency code`, `ALLOWED_CURRENCIES: "1INCH" is not a currency code`,
				`MAX_CLOCK_SKEW: "five minutes" is not a duration`, `LOG_LEVEL: "LOUD" is not a log level`,
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := newHandler(t, &fakeSSM{}, new(bytes.Buffer), test.changed)
			problems, ok := errors.AsType[*function.SettingsError](err)
			if !ok {
				t.Fatalf("error %v, want a SettingsError", err)
			}
			if len(problems.Problems) != len(test.want) {
				t.Errorf("%d problems, want %d: %v", len(problems.Problems), len(test.want), err)
			}
			for _, want := range test.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%v lacks %q", err, want)
				}
			}
		})
	}
}

func BenchmarkInvoke(b *testing.B) {
	var output bytes.Buffer
	h := mustHandler(b, &fakeSSM{}, &output)
	payload := event(b, "valid")
	var compact bytes.Buffer
	if err := json.Compact(&compact, payload); err != nil {
		b.Fatal(err)
	}
	ctx := context.Background()
	b.ReportAllocs()
	for b.Loop() {
		output.Reset()
		if _, err := h.Invoke(ctx, compact.Bytes()); err != nil {
			b.Fatal(err)
		}
	}
}

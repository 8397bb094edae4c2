package main

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"trade-processing/lambdas/function/functiontest"
	"trade-processing/lambdas/trade"
)

func TestMain(m *testing.M) { functiontest.Main(m, main) }

// parameterStore answers GetParametersByPath as the service does on the wire.
func parameterStore(t *testing.T) *httptest.Server {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if target := r.Header.Get("X-Amz-Target"); target != "AmazonSSM.GetParametersByPath" {
			t.Errorf("called %s", target)
		}
		_, _ = io.WriteString(w, `{"Parameters":[
			{"Name":"/trade-processing/dev/api-endpoint","Value":"none"},
			{"Name":"/trade-processing/dev/processing-threshold","Value":"1000"},
			{"Name":"/trade-processing/dev/max-retries","Value":"3"}]}`)
	}))
	t.Cleanup(server.Close)
	return server
}

func variables(endpoint string) map[string]string {
	return map[string]string{
		"AWS_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_ENDPOINT_URL": endpoint,
		"ENVIRONMENT": "dev", "PARAMETER_PREFIX": "/trade-processing/dev/", "SOURCES": "system1",
	}
}

func payload(detail string) string {
	return `{"event":{"id":"e-1","source":"trading.system1","time":"2024-05-28T13:30:01Z","detail":` + detail + `},"executionArn":"arn:x"}`
}

func TestTheProgramAnswersInvocations(t *testing.T) {
	answers, output := functiontest.Run(t, variables(parameterStore(t).URL),
		payload(`{"tradeId":"t-1","amount":"1000.01","currency":"USD","sourceSystem":"system1"}`),
		payload(`{"amount":"1"}`),
		payload(`{"tradeId":"t-2","amount":"1000","currency":"USD","sourceSystem":"system1"}`),
	)
	want := []functiontest.Answer{
		{Payload: []byte(`{"valid":true,"violations":[],"rulesVersion":"` + trade.RulesVersion + `","reviewRequired":true,"amountChecked":false,"amountUncheckedReason":"NO_PRICE"}`)},
		{Error: &functiontest.Error{Type: "MalformedTrade", Message: "malformed trade: the detail has no tradeId"}},
		{Payload: []byte(`{"valid":true,"violations":[],"rulesVersion":"` + trade.RulesVersion + `","reviewRequired":false,"amountChecked":false,"amountUncheckedReason":"NO_PRICE"}`)},
	}
	if diff := cmp.Diff(want, answers); diff != "" {
		t.Error(diff)
	}
	for text := range strings.Lines(output) {
		var line map[string]any
		if err := json.Unmarshal([]byte(text), &line); err != nil {
			t.Errorf("a line that is no JSON: %s", text)
		}
		for _, id := range []string{"tradeId", "eventId", "executionArn", "traceId"} {
			if _, there := line[id]; !there {
				t.Errorf("a line without %s: %s", id, text)
			}
		}
	}
}

func TestAProgramThatCannotStartSaysWhy(t *testing.T) {
	wrong := variables("")
	wrong["SOURCES"], wrong["MAX_CLOCK_SKEW"] = "", "soon"
	code, output := functiontest.FailToStart(t, wrong)
	var line map[string]string
	if err := json.Unmarshal([]byte(output), &line); err != nil || code != 1 {
		t.Fatalf("exit code %d, error %v, output %s", code, err, output)
	}
	if line["level"] != "ERROR" || !strings.Contains(line["error"], "SOURCES: is not set") || !strings.Contains(line["error"], "MAX_CLOCK_SKEW:") {
		t.Errorf("%v", line)
	}
}

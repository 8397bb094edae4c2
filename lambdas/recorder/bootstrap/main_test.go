package main

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"trade-processing/lambdas/function/functiontest"
)

func TestMain(m *testing.M) { functiontest.Main(m, main) }

// dynamoDB answers PutItem as the service does on the wire: the first time it writes, then the key is taken. It leaves
// out the checksum that the SDK expects, so that the SDK has something to complain about.
func dynamoDB(t *testing.T) *httptest.Server {
	t.Helper()
	var stored json.RawMessage
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		var in struct {
			Item, ConditionExpression, ReturnValuesOnConditionCheckFailure json.RawMessage
		}
		if err := json.Unmarshal(body, &in); err != nil || r.Header.Get("X-Amz-Target") != "DynamoDB_20120810.PutItem" {
			t.Errorf("%s with %s: %v", r.Header.Get("X-Amz-Target"), body, err)
		}
		if string(in.ConditionExpression) != `"attribute_not_exists (#0)"` || string(in.ReturnValuesOnConditionCheckFailure) != `"ALL_OLD"` {
			t.Errorf("condition %s, return values %s", in.ConditionExpression, in.ReturnValuesOnConditionCheckFailure)
		}
		w.Header().Set("Content-Type", "application/x-amz-json-1.0")
		if stored == nil {
			stored = in.Item
			_, _ = io.WriteString(w, `{}`)
			return
		}
		w.WriteHeader(http.StatusBadRequest)
		_, _ = io.WriteString(w, `{"__type":"com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException","message":"The conditional request failed","Item":`+string(stored)+`}`)
	}))
	t.Cleanup(server.Close)
	return server
}

func variables(endpoint string) map[string]string {
	return map[string]string{
		"AWS_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_ENDPOINT_URL": endpoint,
		"ENVIRONMENT": "dev", "TABLE_NAME": "trades",
	}
}

func payload(execution, amount string) string {
	return `{"event":{"id":"e-1","source":"trading.system1","time":"2024-05-28T13:30:01Z","detail":{"tradeId":"t-1","amount":"` + amount + `"}},` +
		`"validation":{"valid":true,"violations":[],"rulesVersion":"1.0.0"},"market":{"status":"COMPLETE","reasons":[]},"executionArn":"` + execution + `"}`
}

func TestTheProgramAnswersInvocations(t *testing.T) {
	answers, output := functiontest.Run(t, variables(dynamoDB(t).URL), payload("arn:1", "1"), payload("arn:2", "1"), payload("arn:3", "2"), payload("arn:1", "1"))
	for i, want := range []string{`{"outcome":"RECORDED"`, `{"outcome":"DUPLICATE"`, "TradeConflict", `{"outcome":"RECORDED"`} {
		got := string(answers[i].Payload)
		if answers[i].Error != nil {
			got = answers[i].Error.Type
		}
		if !strings.HasPrefix(got, want) {
			t.Errorf("answer %d is %s, want %s", i, got, want)
		}
	}
	warnings := 0
	for text := range strings.Lines(output) {
		var line map[string]any
		if err := json.Unmarshal([]byte(text), &line); err != nil {
			t.Errorf("a line that is no JSON: %s", text)
		} else if message, _ := line["msg"].(string); strings.HasPrefix(message, "AWS SDK: ") {
			warnings++
			if line["tradeId"] != "t-1" || line["traceId"] != "1-2-3" {
				t.Errorf("a line of the SDK without the ids: %s", text)
			}
		}
	}
	if warnings == 0 {
		t.Errorf("the SDK said nothing of the missing checksum:\n%s", output)
	}
}

func TestAProgramThatCannotStartSaysWhy(t *testing.T) {
	wrong := variables("")
	wrong["TABLE_NAME"], wrong["RETENTION_YEARS"] = "", "forever"
	code, output := functiontest.FailToStart(t, wrong)
	var line map[string]string
	if err := json.Unmarshal([]byte(output), &line); err != nil || code != 1 {
		t.Fatalf("exit code %d, error %v, output %s", code, err, output)
	}
	if line["level"] != "ERROR" || !strings.Contains(line["error"], "TABLE_NAME: is not set") || !strings.Contains(line["error"], "RETENTION_YEARS:") {
		t.Errorf("%v", line)
	}
}

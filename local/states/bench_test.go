package states_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"trade-processing/local/clock"
	"trade-processing/local/states"
)

type instant struct{ answer *states.Document }

func (t instant) Invoke(context.Context, string, states.Data) (states.Data, error) {
	return map[string]any{"ExecutedVersion": "1", "Payload": t.answer, "StatusCode": json.Number("200")}, nil
}

func BenchmarkTheTradeMachine(b *testing.B) {
	task := func(name string, end string) string {
		return fmt.Sprintf(`{"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "TimeoutSeconds": 10,
			"Parameters": {"FunctionName": "%s", "Payload": {"event.$": "$$.Execution.Input", "executionArn.$": "$$.Execution.Id"}},
			"OutputPath": "$.Payload", %s,
			"Retry": [{"ErrorEquals": ["Lambda.ServiceException"], "IntervalSeconds": 1, "MaxAttempts": 3, "BackoffRate": 2, "JitterStrategy": "FULL", "MaxDelaySeconds": 20}]}`, name, end)
	}
	definition := `{"StartAt": "Both", "TimeoutSeconds": 300, "States": {
		"Both": {"Type": "Parallel", "Next": "Record", "ResultSelector": {"validation.$": "$[0]", "market.$": "$[1]"}, "Branches": [
			{"StartAt": "Validate", "States": {"Validate": ` + task("validate", `"End": true`) + `}},
			{"StartAt": "Enrich", "States": {"Enrich": ` + task("enrich", `"End": true`) + `}}]},
		"Record": {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "TimeoutSeconds": 10, "End": true, "OutputPath": "$.Payload",
			"Parameters": {"FunctionName": "record", "Payload": {"event.$": "$$.Execution.Input", "executionArn.$": "$$.Execution.Id",
				"validation.$": "$.validation", "market.$": "$.market"}}}}}`
	m, err := states.Compile([]byte(definition), []string{"arn:aws:states:::lambda:invoke"})
	if err != nil {
		b.Fatal(err)
	}
	event := `{"version":"0","id":"6f1c2d3e-0000-4000-8000-000000000000","detail-type":"Trade Executed","source":"trading.system1","detail":{"tradeId":"T-1","note":"` + strings.Repeat("x", 480) + `"}}`
	answer, err := states.NewDocument([]byte(`{"valid":true,"violations":[],"rulesVersion":"2026-03-01","reviewRequired":false}`))
	if err != nil {
		b.Fatal(err)
	}
	env := states.Environment{Clock: clock.Real(), Random: rand.Float64, Tasks: instant{answer}}
	b.ReportAllocs()
	for b.Loop() {
		input := states.Written([]byte(event)) // a new one each time, because nothing may have read it
		if _, err := m.Run(b.Context(), env, states.Execution{ID: "arn", Name: "n", MachineID: "m", Input: input}); err != nil {
			b.Fatal(err)
		}
	}
}

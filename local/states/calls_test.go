package states_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"trade-processing/local/states"
)

func TestCallsAreListedWithTheirParametersBranchesIncluded(t *testing.T) {
	const definition = `{"StartAt": "Both", "States": {
		"Both": {"Type": "Parallel", "Next": "Keep", "Branches": [
			{"StartAt": "Ask", "States": {"Ask": {"Type": "Task", "Resource": "invoke", "Parameters": {"Payload.$": "$", "FunctionName": "f"}, "End": true}}}
		]},
		"Keep": {"Type": "Task", "Resource": "send", "Parameters": {"QueueUrl": "q", "Delay": 3}, "Next": "Pass on"},
		"Pass on": {"Type": "Task", "Resource": "send", "End": true}
	}}`
	m, err := states.Compile([]byte(definition), []string{"invoke", "send"})
	if err != nil {
		t.Fatal(err)
	}
	want := []states.Call{
		{State: "Ask", Resource: "invoke", Parameters: []string{"FunctionName", "Payload"}},
		{State: "Keep", Resource: "send", Parameters: []string{"Delay", "QueueUrl"}},
		{State: "Pass on", Resource: "send"},
	}
	if diff := cmp.Diff(want, m.Calls()); diff != "" {
		t.Error(diff)
	}
}

package states_test

import (
	"context"
	"strings"
	"testing"

	"trade-processing/local/states"
)

func TestDataFlow(t *testing.T) {
	const (
		input  = `{"trade": {"id": "T-1", "amount": 12.50}, "tags": ["a", "b"], "none": null, "detail-type": "Trade"}`
		sorted = `{"detail-type":"Trade","none":null,"tags":["a","b"],"trade":{"amount":12.50,"id":"T-1"}}`
		invoke = `"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke"`
	)
	cases := map[string]struct{ state, want string }{
		"a Pass hands its input on, byte for byte":              {`"Type": "Pass"`, input},
		"a Succeed hands its input on":                          {`"Type": "Succeed"`, input},
		"InputPath selects what a state gets":                   {`"Type": "Pass", "InputPath": "$.trade"`, `{"amount":12.50,"id":"T-1"}`},
		"InputPath reaches into arrays":                         {`"Type": "Pass", "InputPath": "$.tags[1]"`, `"b"`},
		"InputPath takes names in brackets":                     {`"Type": "Pass", "InputPath": "$['trade']['id']"`, `"T-1"`},
		"InputPath takes a name with a hyphen":                  {`"Type": "Pass", "InputPath": "$.detail-type"`, `"Trade"`},
		"InputPath of null is an empty object":                  {`"Type": "Pass", "InputPath": null`, `{}`},
		"InputPath to null is null":                             {`"Type": "Pass", "InputPath": "$.none"`, `null`},
		"InputPath to nothing fails":                            {`"Type": "Pass", "InputPath": "$.nobody"`, `failed: States.Runtime: the path $.nobody leads to nothing`},
		"InputPath below a text fails":                          {`"Type": "Pass", "InputPath": "$.trade.id.x"`, `failed: States.Runtime: the path $.trade.id.x leads to nothing`},
		"InputPath beyond an array fails":                       {`"Type": "Pass", "InputPath": "$.tags[2]"`, `failed: States.Runtime: the path $.tags[2] leads to nothing`},
		"InputPath of a name in an array fails":                 {`"Type": "Pass", "InputPath": "$.tags.length"`, `failed: States.Runtime: the path $.tags.length leads to nothing`},
		"InputPath of an index in an object fails":              {`"Type": "Pass", "InputPath": "$.trade[0]"`, `failed: States.Runtime: the path $.trade[0] leads to nothing`},
		"Parameters replace the input":                          {`"Type": "Pass", "Parameters": {"fixed": [1, {"x": null}], "id.$": "$.trade.id"}`, `{"fixed":[1,{"x":null}],"id":"T-1"}`},
		"Parameters see what InputPath selected":                {`"Type": "Pass", "InputPath": "$.trade", "Parameters": {"id.$": "$.id"}`, `{"id":"T-1"}`},
		"Parameters reach into lists":                           {`"Type": "Pass", "Parameters": {"list": [{"id.$": "$.trade.id"}, "$.trade.id"]}`, `{"list":[{"id":"T-1"},"$.trade.id"]}`},
		"Parameters may be empty":                               {`"Type": "Pass", "Parameters": {}`, `{}`},
		"a text of Parameters that looks like a path is a text": {`"Type": "Pass", "Parameters": {"id": "$.trade.id"}`, `{"id":"$.trade.id"}`},
		// AWS documents States.ParameterPathFailure here, and raises States.Runtime.
		"Parameters that find nothing fail":                    {`"Type": "Pass", "Parameters": {"id.$": "$.nobody"}`, `failed: States.Runtime: the path $.nobody leads to nothing`},
		"Parameters that find nothing deep inside fail too":    {`"Type": "Pass", "Parameters": {"list": [{"id.$": "$.nobody"}]}`, `failed: States.Runtime: the path $.nobody leads to nothing`},
		"Result is what a Pass answers":                        {`"Type": "Pass", "Result": {"x": 1}`, `{"x":1}`},
		"Result may be null":                                   {`"Type": "Pass", "Result": null`, `null`},
		"Result is no template":                                {`"Type": "Pass", "Result": {"x.$": "$.trade.id"}`, `{"x.$":"$.trade.id"}`},
		"ResultPath puts the result into the input":            {`"Type": "Pass", "Result": 1, "ResultPath": "$.trade.price"`, `{"detail-type":"Trade","none":null,"tags":["a","b"],"trade":{"amount":12.50,"id":"T-1","price":1}}`},
		"ResultPath replaces what was there":                   {`"Type": "Pass", "Result": 1, "ResultPath": "$.trade"`, `{"detail-type":"Trade","none":null,"tags":["a","b"],"trade":1}`},
		"ResultPath makes the objects on its way":              {`"Type": "Pass", "Parameters": {}, "ResultPath": "$.a.b.c"`, `{"a":{"b":{"c":{}}},` + sorted[1:]},
		"ResultPath fills null with an object":                 {`"Type": "Pass", "Result": 1, "ResultPath": "$.none.x"`, `{"detail-type":"Trade","none":{"x":1},"tags":["a","b"],"trade":{"amount":12.50,"id":"T-1"}}`},
		"ResultPath of $ is the result":                        {`"Type": "Pass", "Result": 1, "ResultPath": "$"`, `1`},
		"ResultPath of null drops the result":                  {`"Type": "Pass", "Result": 1, "ResultPath": null`, input},
		"ResultPath adds to the raw input, not the selected":   {`"Type": "Pass", "InputPath": "$.trade.id", "ResultPath": "$.x"`, `{"detail-type":"Trade","none":null,"tags":["a","b"],"trade":{"amount":12.50,"id":"T-1"},"x":"T-1"}`},
		"ResultPath through a text fails":                      {`"Type": "Pass", "Result": 1, "ResultPath": "$.trade.id.x"`, `failed: States.ResultPathMatchFailure: ResultPath $.trade.id.x leads through a text`},
		"ResultPath through an array fails":                    {`"Type": "Pass", "Result": 1, "ResultPath": "$.tags.x"`, `failed: States.ResultPathMatchFailure: ResultPath $.tags.x leads through an array`},
		"OutputPath selects what goes on":                      {`"Type": "Pass", "OutputPath": "$.trade.id"`, `"T-1"`},
		"OutputPath sees the placed result":                    {`"Type": "Pass", "Result": 1, "ResultPath": "$.trade.price", "OutputPath": "$.trade"`, `{"amount":12.50,"id":"T-1","price":1}`},
		"OutputPath of null is an empty object":                {`"Type": "Pass", "OutputPath": null`, `{}`},
		"OutputPath to nothing fails":                          {`"Type": "Pass", "OutputPath": "$.nobody"`, `failed: States.Runtime: the path $.nobody leads to nothing`},
		"a Succeed has paths too":                              {`"Type": "Succeed", "InputPath": "$.trade", "OutputPath": "$.id"`, `"T-1"`},
		"a Wait has paths too":                                 {`"Type": "Wait", "Seconds": 0, "InputPath": "$.trade", "OutputPath": "$.id"`, `"T-1"`},
		"a Task's result is its output":                        {invoke, `{"ExecutedVersion":"7","Payload":{"ok": true, "amount": 12.50},"StatusCode":200}`},
		"ResultSelector sees the result":                       {invoke + `, "ResultSelector": {"ok.$": "$.Payload.ok", "at.$": "$.ExecutedVersion", "by": "f"}`, `{"at":"7","by":"f","ok":true}`},
		"ResultSelector finds nothing of the input":            {invoke + `, "ResultSelector": {"id.$": "$.trade.id"}`, `failed: States.Runtime: the path $.trade.id leads to nothing`},
		"ResultSelector comes before ResultPath":               {invoke + `, "ResultSelector": {"ok.$": "$.Payload.ok"}, "ResultPath": "$.trade"`, `{"detail-type":"Trade","none":null,"tags":["a","b"],"trade":{"ok":true}}`},
		"OutputPath cuts the payload out, byte for byte":       {invoke + `, "OutputPath": "$.Payload"`, `{"ok": true, "amount": 12.50}`},
		"the context object is within reach of paths":          {`"Type": "Pass", "InputPath": "$$.Execution.Input"`, input},
		"the context object is within reach of OutputPath":     {`"Type": "Pass", "OutputPath": "$$.State.Name"`, `"A"`},
		"the context object is within reach of ResultSelector": {invoke + `, "ResultSelector": {"n.$": "$$.State.Name"}`, `{"n":"A"}`},
		"the context object's own texts have no members":       {`"Type": "Pass", "InputPath": "$$.Execution.Id.x"`, `failed: States.Runtime: the path $$.Execution.Id.x leads to nothing`},
		"a part of the context object":                         {`"Type": "Pass", "InputPath": "$$.StateMachine"`, `{"Id":"arn:aws:states:us-east-1:123456789012:stateMachine:trades","Name":"trades"}`},
		"the whole context object": {`"Type": "Pass", "InputPath": "$$"`, `{"Execution":{"Id":"arn:aws:states:us-east-1:123456789012:execution:trades:e-1","Input":` + input +
			`,"Name":"e-1","RoleArn":"arn:aws:iam::123456789012:role/trades","StartTime":"2026-03-02T12:00:00.000Z"},` +
			`"State":{"EnteredTime":"2026-03-02T12:00:00.000Z","Name":"A","RetryCount":0},` +
			`"StateMachine":{"Id":"arn:aws:states:us-east-1:123456789012:stateMachine:trades","Name":"trades"}}`},
	}
	for name, test := range cases {
		t.Run(name, func(t *testing.T) {
			end := `, "End": true`
			if strings.Contains(test.state, "Succeed") {
				end = ""
			}
			got := run(t, machine(`"A": {`+test.state+end+`}`), input, tasks{"arn:aws:states:::lambda:invoke": lambda})
			if got.text() != test.want {
				t.Errorf("\n got %s\nwant %s", got.text(), test.want)
			}
		})
	}
}

func TestAnEventReachesEveryTaskAsItCame(t *testing.T) {
	// Numbers of 38 digits, exponents, escapes, order, white space and names that stand twice: none of that survives a
	// decoder that does not care.
	event := `{ "z" : 12345678901234567890123456789012345678.0100, "e":1E+2,"text":"\u00e9\/\ud83d\ude42<&>", "z2":[1.0 ,-0], "a":1, "a":2}`
	var seen []string
	keep := func(_ context.Context, parameters states.Data) (states.Data, error) {
		object, _ := parameters.(map[string]any)
		seen = append(seen, string(states.AppendJSON(nil, object["event"])))
		return parameters, nil
	}
	got := run(t, machine(`
		"A": {"Type": "Choice", "Choices": [{"Variable": "$.a", "NumericEquals": 2, "Next": "B"}], "Default": "C"},
		"B": {"Type": "Task", "Resource": "echo", "Parameters": {"event.$": "$"}, "ResultPath": "$.b", "Next": "C"},
		"C": {"Type": "Task", "Resource": "echo", "Parameters": {"event.$": "$$.Execution.Input"}, "OutputPath": "$.event", "End": true}`),
		event, tasks{"echo": keep})
	if len(seen) != 2 || seen[0] != event || seen[1] != event || got.text() != event {
		t.Errorf("the tasks saw %q, the output is %s", seen, got.text())
	}
}

func TestTheContextObjectTellsOfRetriesAndTime(t *testing.T) {
	var seen []string
	failing := func(_ context.Context, parameters states.Data) (states.Data, error) {
		if seen = append(seen, string(states.AppendJSON(nil, parameters))); len(seen) < 3 {
			return nil, &states.Failure{Name: "X"}
		}
		return nil, nil
	}
	run(t, machine(`"A": {"Type": "Wait", "Seconds": 90, "Next": "B"},
		"B": {"Type": "Task", "Resource": "fail", "End": true, "Retry": [{"ErrorEquals": ["X"], "IntervalSeconds": 5}],
			"Parameters": {"n.$": "$$.State.RetryCount", "in.$": "$$.State.EnteredTime", "from.$": "$$.Execution.StartTime"}}`),
		`{}`, tasks{"fail": failing})
	want := []string{
		`{"from":"2026-03-02T12:00:00.000Z","in":"2026-03-02T12:01:30.000Z","n":0}`,
		`{"from":"2026-03-02T12:00:00.000Z","in":"2026-03-02T12:01:30.000Z","n":1}`,
		`{"from":"2026-03-02T12:00:00.000Z","in":"2026-03-02T12:01:30.000Z","n":2}`,
	}
	if strings.Join(seen, "\n") != strings.Join(want, "\n") {
		t.Errorf("got %q", seen)
	}
}

func TestStatesThatShareAnInputDoNotChangeIt(t *testing.T) {
	put := func(name string) string {
		return `{"StartAt": "` + name + `", "States": {"` + name + `": {"Type": "Pass", "Result": "` + name + `", "ResultPath": "$.deep.` + name + `", "End": true}}}`
	}
	got := run(t, machine(`"A": {"Type": "Parallel", "Branches": [`+put("B")+`, `+put("C")+`], "ResultPath": "$.both", "End": true}`),
		`{"deep": {"x": 1}}`, nil)
	want := `{"both":[{"deep":{"B":"B","x":1}},{"deep":{"C":"C","x":1}}],"deep":{"x":1}}`
	if got.text() != want {
		t.Errorf("got %s", got.text())
	}
}

func TestDataLimits(t *testing.T) {
	const limit = 256 << 10
	text := func(size int) string { return `"` + strings.Repeat("x", size-2) + `"` }
	large := func(size int) tasks {
		return tasks{
			"echo": echo,
			"slow": func(context.Context, states.Data) (states.Data, error) { return strings.Repeat("x", size-2), nil },
			"fail": func(context.Context, states.Data) (states.Data, error) {
				return nil, &states.Failure{Name: "X", Cause: strings.Repeat("x", size)}
			},
		}
	}
	catch := `"Catch": [{"ErrorEquals": ["States.DataLimitExceeded"], "ResultPath": "$.error", "Next": "B"}, {"ErrorEquals": ["States.ALL"], "Next": "C"}]`
	after := `, "B": {"Type": "Pass", "OutputPath": "$.error.Error", "End": true}, "C": {"Type": "Pass", "Result": "by wildcard", "End": true}`
	cases := map[string]struct {
		states, input string
		do            tasks
		want          string
	}{
		"an output of the limit goes on":                    {`"A": {"Type": "Pass", "Parameters": {"a.$": "$"}, "OutputPath": "$.a", "End": true}`, text(limit), nil, text(limit)},
		"an output of a byte more fails":                    {`"A": {"Type": "Pass", "End": true}`, text(limit + 1), nil, `failed: States.DataLimitExceeded: the output of state A has 262145 bytes; the limit is 262144`},
		"names and brackets count":                          {`"A": {"Type": "Pass", "Parameters": {"a.$": "$"}, "End": true}`, text(limit - 5), nil, `failed: States.DataLimitExceeded: the output of state A has 262145 bytes; the limit is 262144`},
		"escapes count as they are written":                 {`"A": {"Type": "Pass", "Parameters": {"a.$": "States.Format('{}\\\\', $)"}, "OutputPath": "$.a", "End": true}`, text(limit - 1), nil, `failed: States.DataLimitExceeded: the output of state A has 262145 bytes; the limit is 262144`},
		"a task's input of a byte more fails":               {`"A": {"Type": "Task", "Resource": "echo", "Parameters": {"a.$": "$"}, "End": true}`, text(limit - 5), large(0), `failed: States.DataLimitExceeded: the input of state A has 262145 bytes; the limit is 262144`},
		"a task's result of the limit is taken":             {`"A": {"Type": "Task", "Resource": "slow", "ResultPath": null, "End": true}`, `{}`, large(limit), `{}`},
		"a task's result counts before it is selected from": {`"A": {"Type": "Task", "Resource": "slow", "ResultPath": null, "End": true}`, `{}`, large(limit + 1), `failed: States.DataLimitExceeded: the result of state A has 262145 bytes; the limit is 262144`},
		"a Catch by name takes it over":                     {`"A": {"Type": "Task", "Resource": "slow", "End": true, ` + catch + `}` + after, `{}`, large(limit + 1), `"States.DataLimitExceeded"`},
		"a Catch of all does not":                           {`"A": {"Type": "Task", "Resource": "slow", "End": true, "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "C"}]}, "C": {"Type": "Succeed"}`, `{}`, large(limit + 1), `failed: States.DataLimitExceeded: the result of state A has 262145 bytes; the limit is 262144`},
		"a caught cause counts":                             {`"A": {"Type": "Task", "Resource": "fail", "End": true, "Catch": [{"ErrorEquals": ["X"], "Next": "C"}]}, "C": {"Type": "Succeed"}`, `{}`, large(limit), `failed: States.DataLimitExceeded: the output of state A has 262168 bytes; the limit is 262144`},
	}
	for name, test := range cases {
		t.Run(name, func(t *testing.T) {
			if got := run(t, machine(test.states), test.input, test.do); got.text() != test.want {
				t.Errorf("got %.200s, want %.200s", got.text(), test.want)
			}
		})
	}
}

func TestATaskThatAnswersNoJSONFails(t *testing.T) {
	for name, answer := range map[string]any{"int": 1, "[]string": []any{[]string{"x"}}, "states.Failure": map[string]any{"a": states.Failure{}}} {
		got := run(t, machine(`"A": {"Type": "Task", "Resource": "echo", "ResultSelector": {"x.$": "States.JsonToString($)"}, "End": true}`), `{}`,
			tasks{"echo": func(context.Context, states.Data) (states.Data, error) { return answer, nil }})
		if want := "failed: States.Runtime: the result of state A: " + name + " is no JSON data"; got.text() != want {
			t.Errorf("got %s, want %s", got.text(), want)
		}
	}
}

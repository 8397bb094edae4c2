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
		pass   = `"Type": "Task", "Resource": "echo"`
	)
	cases := map[string]struct{ state, want string }{
		"a state hands its input on, byte for byte":  {pass, input},
		"OutputPath selects what goes on":            {pass + `, "OutputPath": "$.trade"`, `{"amount":12.50,"id":"T-1"}`},
		"OutputPath reaches into arrays":             {pass + `, "OutputPath": "$.tags[1]"`, `"b"`},
		"OutputPath takes names in brackets":         {pass + `, "OutputPath": "$['trade']['id']"`, `"T-1"`},
		"OutputPath takes a name with a hyphen":      {pass + `, "OutputPath": "$.detail-type"`, `"Trade"`},
		"OutputPath to null is null":                 {pass + `, "OutputPath": "$.none"`, `null`},
		"OutputPath to nothing fails":                {pass + `, "OutputPath": "$.nobody"`, `failed: States.Runtime: the path $.nobody leads to nothing`},
		"OutputPath below a text fails":              {pass + `, "OutputPath": "$.trade.id.x"`, `failed: States.Runtime: the path $.trade.id.x leads to nothing`},
		"OutputPath beyond an array fails":           {pass + `, "OutputPath": "$.tags[2]"`, `failed: States.Runtime: the path $.tags[2] leads to nothing`},
		"OutputPath of a name in an array fails":     {pass + `, "OutputPath": "$.tags.length"`, `failed: States.Runtime: the path $.tags.length leads to nothing`},
		"OutputPath of an index in an object fails":  {pass + `, "OutputPath": "$.trade[0]"`, `failed: States.Runtime: the path $.trade[0] leads to nothing`},
		"OutputPath sees the placed result":          {invoke + `, "ResultPath": "$.trade.call", "OutputPath": "$.trade.call.ExecutedVersion"`, `"7"`},
		"Parameters replace the input":               {pass + `, "Parameters": {"fixed": [1, {"x": null}], "id.$": "$.trade.id"}`, `{"fixed":[1,{"x":null}],"id":"T-1"}`},
		"Parameters reach into lists":                {pass + `, "Parameters": {"list": [{"id.$": "$.trade.id"}, "$.trade.id"]}`, `{"list":[{"id":"T-1"},"$.trade.id"]}`},
		"Parameters may be empty":                    {pass + `, "Parameters": {}`, `{}`},
		"Parameters are in the order of their names": {pass + `, "Parameters": {"o": {"a.$": "$.trade.id", "a!": 1}}`, `{"o":{"a":"T-1","a!":1}}`},
		"a text of Parameters like a path is a text": {pass + `, "Parameters": {"id": "$.trade.id"}`, `{"id":"$.trade.id"}`},
		"Parameters may hold a value as its text":    {pass + `, "Parameters": {"x.$": "States.JsonToString($.trade)"}`, `{"x":"{\"amount\":12.50,\"id\":\"T-1\"}"}`},
		"a value as its text has no white space":     {pass + `, "Parameters": {"x.$": "States.JsonToString( $ )"}, "OutputPath": "$.x"`, string(quoted(`{"trade":{"id":"T-1","amount":12.50},"tags":["a","b"],"none":null,"detail-type":"Trade"}`))},
		"a text of what is not there":                {pass + `, "Parameters": {"x.$": "States.JsonToString($.nobody)"}`, `failed: States.Runtime: the path $.nobody leads to nothing`},
		// AWS documents States.ParameterPathFailure here, and raises States.Runtime.
		"Parameters that find nothing fail":                    {pass + `, "Parameters": {"id.$": "$.nobody"}`, `failed: States.Runtime: the path $.nobody leads to nothing`},
		"Parameters that find nothing deep inside fail too":    {pass + `, "Parameters": {"list": [{"id.$": "$.nobody"}]}`, `failed: States.Runtime: the path $.nobody leads to nothing`},
		"ResultPath puts the result into the input":            {pass + `, "Parameters": {}, "ResultPath": "$.trade.price"`, `{"detail-type":"Trade","none":null,"tags":["a","b"],"trade":{"amount":12.50,"id":"T-1","price":{}}}`},
		"ResultPath replaces what was there":                   {pass + `, "Parameters": {}, "ResultPath": "$.trade"`, `{"detail-type":"Trade","none":null,"tags":["a","b"],"trade":{}}`},
		"ResultPath makes the objects on its way":              {pass + `, "Parameters": {}, "ResultPath": "$.a.b.c"`, `{"a":{"b":{"c":{}}},` + sorted[1:]},
		"ResultPath fills null with an object":                 {pass + `, "Parameters": {}, "ResultPath": "$.none.x"`, `{"detail-type":"Trade","none":{"x":{}},"tags":["a","b"],"trade":{"amount":12.50,"id":"T-1"}}`},
		"ResultPath of $ is the result":                        {pass + `, "Parameters": {}, "ResultPath": "$"`, `{}`},
		"ResultPath of null drops the result":                  {pass + `, "Parameters": {}, "ResultPath": null`, input},
		"ResultPath through a text fails":                      {pass + `, "ResultPath": "$.trade.id.x"`, `failed: States.ResultPathMatchFailure: ResultPath $.trade.id.x leads through something that is not an object`},
		"ResultPath through an array fails":                    {pass + `, "ResultPath": "$.tags.x"`, `failed: States.ResultPathMatchFailure: ResultPath $.tags.x leads through something that is not an object`},
		"a Task's result is its output":                        {invoke, `{"ExecutedVersion":"7","Payload":{"ok": true, "amount": 12.50},"StatusCode":200}`},
		"ResultSelector sees the result":                       {invoke + `, "ResultSelector": {"ok.$": "$.Payload.ok", "at.$": "$.ExecutedVersion", "by": "f"}`, `{"at":"7","by":"f","ok":true}`},
		"ResultSelector finds nothing of the input":            {invoke + `, "ResultSelector": {"id.$": "$.trade.id"}`, `failed: States.Runtime: the path $.trade.id leads to nothing`},
		"ResultSelector comes before ResultPath":               {invoke + `, "ResultSelector": {"ok.$": "$.Payload.ok"}, "ResultPath": "$.trade"`, `{"detail-type":"Trade","none":null,"tags":["a","b"],"trade":{"ok":true}}`},
		"OutputPath cuts the payload out, byte for byte":       {invoke + `, "OutputPath": "$.Payload"`, `{"ok": true, "amount": 12.50}`},
		"the context object is within reach of OutputPath":     {pass + `, "OutputPath": "$$.State.Name"`, `"A"`},
		"the context object is within reach of ResultSelector": {invoke + `, "ResultSelector": {"n.$": "$$.State.Name"}`, `{"n":"A"}`},
		"the context object's own texts have no members":       {pass + `, "OutputPath": "$$.Execution.Id.x"`, `failed: States.Runtime: the path $$.Execution.Id.x leads to nothing`},
		"the input in the context object has members":          {pass + `, "OutputPath": "$$.Execution.Input.trade.id"`, `"T-1"`},
		"every field of the context object": {pass + `, "Parameters": {"a.$": "$$.Execution.Id", "b.$": "$$.Execution.Name", "c.$": "$$.Execution.RoleArn", "d.$": "$$.StateMachine.Id", "e.$": "$$.StateMachine.Name"}`,
			`{"a":"arn:aws:states:us-east-1:123456789012:execution:trades:e-1","b":"e-1","c":"arn:aws:iam::123456789012:role/trades",` +
				`"d":"arn:aws:states:us-east-1:123456789012:stateMachine:trades","e":"trades"}`},
	}
	for name, test := range cases {
		t.Run(name, func(t *testing.T) {
			got := run(t, machine(`"A": {`+test.state+`, "End": true}`), input, tasks{"arn:aws:states:::lambda:invoke": lambda})
			if got.text() != test.want {
				t.Errorf("\n got %s\nwant %s", got.text(), test.want)
			}
		})
	}
}

func TestAnEventReachesEveryTaskAsItCame(t *testing.T) {
	// Numbers of 38 digits, exponents, escapes, order, white space and repeated names: none of these survives a careless
	// decoder.
	event := `{ "z" : 12345678901234567890123456789012345678.0100, "e":1E+2,"text":"\u00e9\/\ud83d\ude42<&>", "z2":[1.0 ,-0], "a":1, "a":2}`
	var seen []string
	keep := func(_ context.Context, parameters states.Data) (states.Data, error) {
		object, _ := states.ObjectOf(parameters)
		event, _ := object.Get("event")
		seen = append(seen, string(states.AppendJSON(nil, event)))
		return parameters, nil
	}
	got := run(t, machine(`
		"A": {"Type": "Task", "Resource": "wait", "Parameters": {"Seconds": 1, "looked inside.$": "$.a"}, "ResultPath": null, "Next": "B"},
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
	run(t, machine(`"A": {"Type": "Task", "Resource": "wait", "Parameters": {"Seconds": 90}, "ResultPath": null, "Next": "B"},
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
		return `{"StartAt": "` + name + `", "States": {"` + name + `": {"Type": "Task", "Resource": "echo", "Parameters": {}, "ResultPath": "$.deep.` + name + `", "End": true}}}`
	}
	got := run(t, machine(`"A": {"Type": "Parallel", "Branches": [`+put("B")+`, `+put("C")+`], "ResultPath": "$.both", "End": true}`),
		`{"deep": {"x": 1}}`, nil)
	want := `{"both":[{"deep":{"B":{},"x":1}},{"deep":{"C":{},"x":1}}],"deep":{"x":1}}`
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
	after := `, "B": {"Type": "Task", "Resource": "echo", "OutputPath": "$.error.Error", "End": true}, "C": {"Type": "Task", "Resource": "echo", "OutputPath": "$$.State.Name", "End": true}`
	cases := map[string]struct {
		states, input string
		do            tasks
		want          string
	}{
		"an output of the limit goes on":                    {`"A": {"Type": "Task", "Resource": "slow", "End": true}`, `{}`, large(limit), text(limit)},
		"an output of a byte more fails":                    {`"A": {"Type": "Task", "Resource": "slow", "ResultPath": "$.a", "End": true}`, `{}`, large(limit - 5), `failed: States.DataLimitExceeded: the output of state A has 262145 bytes; the limit is 262144`},
		"escapes count as they are written":                 {`"A": {"Type": "Task", "Resource": "echo", "Parameters": {"a.$": "States.JsonToString($)"}, "End": true}`, text(limit - 9), nil, `failed: States.DataLimitExceeded: the input of state A has 262145 bytes; the limit is 262144`},
		"a task's input of a byte more fails":               {`"A": {"Type": "Task", "Resource": "echo", "Parameters": {"a.$": "$"}, "End": true}`, text(limit - 5), large(0), `failed: States.DataLimitExceeded: the input of state A has 262145 bytes; the limit is 262144`},
		"a task's result of the limit is taken":             {`"A": {"Type": "Task", "Resource": "slow", "ResultPath": null, "End": true}`, `{}`, large(limit), `{}`},
		"a task's result counts before it is selected from": {`"A": {"Type": "Task", "Resource": "slow", "ResultPath": null, "End": true}`, `{}`, large(limit + 1), `failed: States.DataLimitExceeded: the result of state A has 262145 bytes; the limit is 262144`},
		"a Catch by name takes it over":                     {`"A": {"Type": "Task", "Resource": "slow", "End": true, ` + catch + `}` + after, `{}`, large(limit + 1), `"States.DataLimitExceeded"`},
		"a Catch of all does not":                           {`"A": {"Type": "Task", "Resource": "slow", "End": true, "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "C"}]}, "C": {"Type": "Task", "Resource": "echo", "End": true}`, `{}`, large(limit + 1), `failed: States.DataLimitExceeded: the result of state A has 262145 bytes; the limit is 262144`},
		"a caught cause counts":                             {`"A": {"Type": "Task", "Resource": "fail", "End": true, "Catch": [{"ErrorEquals": ["X"], "Next": "C"}]}, "C": {"Type": "Task", "Resource": "echo", "End": true}`, `{}`, large(limit), `failed: States.DataLimitExceeded: the output of state A has 262168 bytes; the limit is 262144`},
	}
	for name, test := range cases {
		t.Run(name, func(t *testing.T) {
			if got := run(t, machine(test.states), test.input, test.do); got.text() != test.want {
				t.Errorf("got %.200s, want %.200s", got.text(), test.want)
			}
		})
	}
}

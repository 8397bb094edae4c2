package states_test

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"

	"trade-processing/components/asl"
	"trade-processing/local/jsonvalue"
	"trade-processing/local/states"
)

// echoed runs a single task that answers with its parameters; fields are further ones of the state.
func echoed(t *testing.T, fields map[string]any, event []byte) (output any, err error) {
	t.Helper()
	fields["Type"], fields["Resource"], fields["End"] = "Task", "echo", true
	definition, err := json.Marshal(map[string]any{"StartAt": "A", "States": map[string]any{"A": fields}})
	if err != nil {
		t.Fatal(err)
	}
	m, err := states.Compile(definition, resources)
	if err != nil {
		return nil, err
	}
	input, err := states.NewDocument(event)
	if (err == nil) != json.Valid(event) {
		t.Fatalf("%q: %v", event, err)
	}
	if err != nil {
		return nil, err
	}
	answer, err := m.Run(t.Context(), states.Environment{Clock: newWorld(nil), Tasks: tasks{}}, states.Execution{Input: input})
	if err != nil {
		if _, failed := errors.AsType[*states.Failure](err); !failed {
			t.Fatalf("it ended with %T: %v", err, err)
		}
		return nil, err
	}
	output, err = jsonvalue.Decode(states.AppendJSON(nil, answer))
	if err != nil {
		t.Fatal(err)
	}
	return output, nil
}

// A path finds the same wherever it stands; what it finds as text is the same value; and what is put at a path is found
// there, with the rest of the data as it was.
func FuzzPath(f *testing.F) {
	for path, event := range map[string]string{
		"$": `{"a": 1.50}`, "$.a.b": `{"a": {"b": [1, "é\ud83d"]}}`, "$['a b'][0]": `{"a b": [{}, null]}`, "$.a[1]": `{"a": [1]}`, "$.a.c": `{"a": null}`,
		"$.é": `{"é": "\u0000"}`, "$$.Execution.Input": ` [ 1e400 ] `, "$$.Execution.Input.a": `{"a": -0}`, "$..a": `{}`, "$.a[-1]": `{}`, "$[999999999]": `[]`, "": ``,
	} {
		f.Add(path, []byte(event))
	}
	f.Fuzz(func(t *testing.T, path string, event []byte) {
		found, err := echoed(t, map[string]any{"Parameters": map[string]any{"v.$": path, "t.$": "States.JsonToString(" + path + ")"}}, event)
		if err == nil {
			object := found.(map[string]any)
			if text, err := jsonvalue.Decode([]byte(object["t"].(string))); err != nil || !reflect.DeepEqual(text, object["v"]) {
				t.Errorf("%s is %v, and as text %s (%v)", path, object["v"], object["t"], err)
			}
			if whole, err := echoed(t, map[string]any{"OutputPath": path}, event); err != nil || !reflect.DeepEqual(whole, object["v"]) {
				t.Errorf("%s is %v in a template, and %v (%v) as an output", path, object["v"], whole, err)
			}
		}
		put, err := echoed(t, map[string]any{"Parameters": map[string]any{"new": true}, "ResultPath": path, "OutputPath": path}, event)
		if err != nil {
			return
		}
		if !reflect.DeepEqual(put, map[string]any{"new": true}) {
			t.Errorf("what was put at %s of %s reads as %v", path, event, put)
		}
		if before, ok := decode(t, event).(map[string]any); ok && path != "$" {
			after, err := echoed(t, map[string]any{"Parameters": map[string]any{"new": true}, "ResultPath": path}, event)
			if err != nil {
				t.Fatal(err)
			}
			changed := 0
			for name, value := range after.(map[string]any) {
				if !reflect.DeepEqual(before[name], value) {
					changed++
				}
			}
			if changed > 1 || len(after.(map[string]any)) < len(before) {
				t.Errorf("with a result at %s, %v became %v", path, before, after)
			}
		}
	})
}

func decode(t *testing.T, text []byte) any {
	t.Helper()
	value, err := jsonvalue.Decode(text)
	if err != nil {
		t.Fatal(err)
	}
	return value
}

// A template without paths is what it says, and a document reads and writes as encoding/json reads it.
func FuzzTemplate(f *testing.F) {
	for _, template := range []string{`{"a": [1.50, {"b": null}], "c.": "$.x"}`, `{"a.$": "$", "a": 1}`, `{".$": "$"}`, `{"a.$": "States.UUID()"}`, `[]`, `{"a": 1, "a": 2}`, `{"\ud800": "\u2028"}`} {
		f.Add([]byte(template))
	}
	f.Fuzz(func(t *testing.T, template []byte) {
		value, err := jsonvalue.Decode(template)
		if err != nil {
			return
		}
		if written := states.AppendJSON(nil, value); !reflect.DeepEqual(decode(t, written), value) {
			t.Errorf("%s is written as %s", template, written)
		}
		got, err := echoed(t, map[string]any{"Parameters": value}, []byte(`{"x": 1}`))
		if _, isObject := value.(map[string]any); err != nil || !isObject || strings.Contains(string(states.AppendJSON(nil, value)), `.$"`) {
			return
		}
		if !reflect.DeepEqual(got, value) {
			t.Errorf("the template %s became %v", template, got)
		}
	})
}

// What package asl finds no fault with can be run, and it knows at once.
func FuzzWhatIsCheckedCompiles(f *testing.F) {
	f.Add("S", 30, 300, 1, 2.0, 8, 3, "States.ALL")
	f.Add("é", 99999999, 99999999, 1, 1.0, 31622399, 99999999, "X")
	f.Add("S", 1<<62, 1<<62, 1, 1e300, 2, 1<<40, "")
	f.Fuzz(func(t *testing.T, name string, timeout, whole, interval int, rate float64, longest, attempts int, failure string) {
		if attempts > 1e6 && rate > 1 && rate < 1.01 {
			t.Skip() // a pause that grows a million times before it is the longest is counted pause by pause
		}
		keep := "keep " + name
		machine := asl.Machine{StartAt: name, TimeoutSeconds: whole, States: asl.States{
			name: asl.Task{
				Resource: "echo", TimeoutSeconds: timeout, End: true,
				Retry: []asl.Retrier{{ErrorEquals: []string{failure}, IntervalSeconds: interval, BackoffRate: rate, MaxDelaySeconds: longest, MaxAttempts: attempts}},
				Catch: []asl.Catcher{{ErrorEquals: []string{failure}, ResultPath: asl.Discard, Next: keep}},
			},
			keep: asl.Fail{CausePath: "$$.State.Name"},
		}}
		if machine.Check() != nil {
			return
		}
		definition, err := machine.JSON()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := states.Compile([]byte(definition), resources); err != nil {
			t.Errorf("%s: %v", definition, err)
		}
	})
}

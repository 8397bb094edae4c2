package states_test

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"trade-processing/local/jsonvalue"
	"trade-processing/local/states"
)

// quoted returns a text as JSON.
func quoted(text string) []byte { return states.AppendJSON(nil, text) }

// The deepest readable JSON passes through a whole machine.
func TestTheDeepestEventPasses(t *testing.T) {
	const depth = 10_000
	for _, event := range []string{
		strings.Repeat("[", depth) + strings.Repeat("]", depth),
		strings.Repeat(`{"a":`, depth) + "null" + strings.Repeat("}", depth),
	} {
		got := run(t, machine(`
			"A": {"Type": "Task", "Resource": "echo", "Parameters": {"all.$": "$"}, "OutputPath": "$.all", "Next": "B"},
			"B": {"Type": "Task", "Resource": "echo", "Parameters": {"text.$": "States.JsonToString($)"}, "ResultPath": null, "End": true}`), event, nil)
		if got.text() != event {
			t.Errorf("it became %.100s…", got.text())
		}
	}
}

func TestDocumentsAreReadOnceAndKeptAsText(t *testing.T) {
	const text = ` { "b": 1.0, "a": "\u00e9" } `
	d, err := states.NewDocument([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]any{"a": "é", "b": json.Number("1.0")}
	if got := d.Data(); !reflect.DeepEqual(got, want) {
		t.Errorf("Data is %v", got)
	}
	d.Data().(map[string]any)["seen"] = true
	if _, same := d.Data().(map[string]any)["seen"]; !same {
		t.Error("it was read again")
	}
	if string(d.JSON()) != text || string(states.AppendJSON([]byte("x"), []any{d, d})) != "x["+text+","+text+"]" {
		t.Errorf("its text changed: %s", d.JSON())
	}
}

func TestAppendJSONOrdersMembersByName(t *testing.T) {
	object := map[string]any{}
	for _, name := range strings.Split("qwertzuiopasdfghjklyxcvbnm", "") { // more than fit without allocation
		object[name] = nil
	}
	want := `{"` + strings.Join(strings.Split("abcdefghijklmnopqrstuvwxyz", ""), `":null,"`) + `":null}`
	if got := string(states.AppendJSON(nil, object)); got != want {
		t.Errorf("got %s", got)
	}
}

// drawData draws what Decode can give.
func drawData(t *rapid.T, depth int) states.Data {
	kinds := 5
	if depth > 0 {
		kinds = 7
	}
	switch rapid.IntRange(0, kinds-1).Draw(t, "kind") {
	case 0:
		return nil
	case 1:
		return rapid.Bool().Draw(t, "bool")
	case 2, 3:
		return rapid.String().Draw(t, "text")
	case 4:
		return json.Number(rapid.StringMatching(`-?(0|[1-9][0-9]{0,37})(\.[0-9]{1,10})?([eE][+-]?[0-9]{1,3})?`).Draw(t, "number"))
	case 5:
		list := []any{}
		for range rapid.IntRange(0, 4).Draw(t, "elements") {
			list = append(list, drawData(t, depth-1))
		}
		return list
	default:
		object := map[string]any{}
		for range rapid.IntRange(0, 10).Draw(t, "members") {
			object[rapid.String().Draw(t, "name")] = drawData(t, depth-1)
		}
		return object
	}
}

func TestWhatIsWrittenIsReadBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		data := drawData(t, 4)
		text := states.AppendJSON(nil, data)
		back, err := jsonvalue.Decode(text)
		if err != nil || !reflect.DeepEqual(back, data) {
			t.Fatalf("%s reads as %#v, %v; it was %#v", text, back, err, data)
		}
		if again := states.AppendJSON(nil, back); string(again) != string(text) {
			t.Fatalf("%s became %s", text, again)
		}
	})
}

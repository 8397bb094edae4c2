package states_test

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"trade-processing/local/states"
)

// quoted is a text as JSON.
func quoted(text string) []byte { return states.AppendJSON(nil, text) }

func TestDecodeKeepsNumbersAsTheyAreWritten(t *testing.T) {
	for _, number := range []string{"0", "-0", "1.0", "1.50", "1E+2", "1e-400", "12345678901234567890123456789012345678", "0.1000000000000000055511151231257827"} {
		data, err := states.Decode([]byte(" [" + number + "] "))
		if err != nil {
			t.Fatal(err)
		}
		if got := string(states.AppendJSON(nil, data)); got != "["+number+"]" {
			t.Errorf("%s became %s", number, got)
		}
	}
}

func TestDecodeRefuses(t *testing.T) {
	cases := map[string]struct{ text, want string }{
		"nothing":                     {``, `reading JSON: unexpected EOF`},
		"space":                       {" \n", `reading JSON: unexpected EOF`},
		"a value that is cut off":     {`{"a": [1,`, `reading JSON: unexpected EOF`},
		"a word":                      {`yes`, `reading JSON: invalid character 'y' looking for beginning of value`},
		"a number with a plus":        {`+1`, `reading JSON: invalid character '+' looking for beginning of value`},
		"two values":                  {`1 2`, `reading JSON: there is more behind the value`},
		"a stray bracket":             {`{}}`, `reading JSON: there is more behind the value`},
		"an array that is too deep":   {strings.Repeat("[", 10_001) + strings.Repeat("]", 10_001), `reading JSON: invalid character '[' exceeded max depth`},
		"objects that are too deep":   {strings.Repeat(`{"a":`, 10_001) + "1" + strings.Repeat("}", 10_001), `reading JSON: invalid character '{' exceeded max depth`},
		"depth that is never closed":  {strings.Repeat("[", 1_000_000), `reading JSON: invalid character '[' exceeded max depth`},
		"a control character in text": {"\"a\nb\"", `reading JSON: invalid character '\n' in string literal`},
	}
	for name, test := range cases {
		t.Run(name, func(t *testing.T) {
			data, err := states.Decode([]byte(test.text))
			if err == nil || err.Error() != test.want {
				t.Errorf("got %v, %v; want %s", data, err, test.want)
			}
			if d, err := states.NewDocument([]byte(test.text)); err == nil || d != nil {
				t.Error("it became a document")
			}
		})
	}
}

// The deepest JSON that is read goes through a whole machine.
func TestTheDeepestEventPasses(t *testing.T) {
	const depth = 10_000
	for _, event := range []string{
		strings.Repeat("[", depth) + strings.Repeat("]", depth),
		strings.Repeat(`{"a":`, depth) + "null" + strings.Repeat("}", depth),
	} {
		got := run(t, machine(`
			"A": {"Type": "Choice", "Choices": [{"Variable": "$.a.a", "IsPresent": true, "Next": "B"}], "Default": "C"},
			"B": {"Type": "Task", "Resource": "echo", "Parameters": {"a.$": "$.a"}, "Next": "C"},
			"C": {"Type": "Task", "Resource": "echo", "Next": "D"}, "D": {"Type": "Pass", "End": true}`), event, tasks{"echo": echo})
		if got.text() != event {
			t.Errorf("it became %.100s…", got.text())
		}
		plain, err := states.Decode([]byte(event))
		if err != nil || !reflect.DeepEqual(states.Plain(plain), plain) {
			t.Errorf("Plain changed it, %v", err)
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
	inner := states.Written([]byte(`[1]`))
	if got, want := states.Plain(map[string]any{"x": []any{inner, "y"}}), (map[string]any{"x": []any{[]any{json.Number("1")}, "y"}}); !reflect.DeepEqual(got, want) {
		t.Errorf("Plain gave %v", got)
	}
}

func TestAppendJSONWritesTextsAsTheyAre(t *testing.T) {
	for text, want := range map[string]string{
		"":                           `""`,
		"plain":                      `"plain"`,
		"<a href='x'>&amp;":          `"<a href='x'>&amp;"`,
		"é🙂\u2028\u2029\x7f":         "\"é🙂\u2028\u2029\x7f\"",
		"\"\\/":                      `"\"\\/"`,
		"\b\f\n\r\t\x00\x1f":         `"\b\f\n\r\t\u0000\u001f"`,
		"broken \xff\xc3 and \ufffd": "\"broken \ufffd\ufffd and \ufffd\"",
	} {
		if got := string(quoted(text)); got != want {
			t.Errorf("%q became %s, want %s", text, got, want)
		}
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
		back, err := states.Decode(text)
		if err != nil || !reflect.DeepEqual(back, data) {
			t.Fatalf("%s reads as %#v, %v; it was %#v", text, back, err, data)
		}
		if again := states.AppendJSON(nil, back); string(again) != string(text) {
			t.Fatalf("%s became %s", text, again)
		}
	})
}

func FuzzDecode(f *testing.F) {
	for _, seed := range []string{`{"a": [1.50, "\u00e9\ud83d", null, true]}`, `"\xff"`, `1e999`, `{"a":1,"a":2}`, ` [ ] `, "\"a\x7f\"", `[[[`, `-0`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		data, err := states.Decode(text)
		document, failed := states.NewDocument(text)
		if (err == nil) != (failed == nil) || (err == nil) != json.Valid(text) {
			t.Fatalf("Decode says %v, NewDocument %v, and valid is %t", err, failed, json.Valid(text))
		}
		if err != nil {
			return
		}
		if !reflect.DeepEqual(document.Data(), data) {
			t.Fatalf("the document reads as %#v, want %#v", document.Data(), data)
		}
		written := states.AppendJSON(nil, data)
		if back, err := states.Decode(written); err != nil || !reflect.DeepEqual(back, data) {
			t.Fatalf("%s reads as %#v, %v; want %#v", written, back, err, data)
		}
	})
}

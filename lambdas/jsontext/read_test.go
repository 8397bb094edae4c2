package jsontext

import (
	"bytes"
	"encoding/json"
	"reflect"
	"testing"

	"pgregory.net/rapid"
)

func FuzzRead(f *testing.F) {
	for _, text := range []string{
		`{}`, `[]`, ` { } `, `[ ]`, `{"a":1}`, ` { "a" : [ 1 , -2.5e+3 , "x\"]}" ] , "b\u00e9" : { "c" : null } , "" : true } `, `[[],[[]],{},"",0]`,
		"[\"\xff\xff\"]", `"\ud83d"`, `5`, `null`, `{"a":"\\"}`, `{"a":1,"a":2}`,
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		if !json.Valid(text) {
			t.Skip()
		}
		var want any
		decoder := json.NewDecoder(bytes.NewReader(text))
		decoder.UseNumber()
		if decoder.Decode(&want) != nil {
			t.Skip()
		}
		if got := read(t, bytes.TrimSpace(text)); !reflect.DeepEqual(got, want) {
			t.Errorf("%s is read as %v, want %v", text, got, want)
		}
	})
}

// read reads a value of any kind by what this package offers.
func read(t *testing.T, value []byte) any {
	t.Helper()
	switch value[0] {
	case '{':
		object := map[string]any{}
		for name, member := range Members(value) {
			object[string(name)] = read(t, member)
		}
		return object
	case '[':
		array := []any{}
		for element := range Elements(value) {
			array = append(array, read(t, element))
		}
		return array
	case '"':
		text, err := Text(value)
		if err != nil {
			t.Errorf("%s: %v", value, err)
		}
		return text
	case 't', 'f':
		return value[0] == 't'
	case 'n':
		return nil
	}
	if text, err := Text(value); err == nil {
		t.Errorf("the number %s is the text %q", value, text)
	}
	return json.Number(value)
}

func TestWhoStopsReadingGetsNoMore(t *testing.T) {
	for range Members([]byte(`{"a":1,"b":2}`)) {
		break
	}
	for range Elements([]byte(`[1,2]`)) {
		break
	}
	for range Members([]byte(`[1]`)) {
		t.Error("an array has no members")
	}
	for range Elements([]byte(`{"a":1}`)) {
		t.Error("an object has no elements")
	}
}

func TestReadingAllocatesNothing(t *testing.T) {
	event := []byte(`{"id":"e-1","detail":{"tradeId":"t-1","amount":"1.50","legs":[1,2,3]},"resources":[]}`)
	if allocations := testing.AllocsPerRun(100, func() {
		for range Members(event) { //nolint:revive // it only reads
		}
	}); allocations > 0 {
		t.Errorf("%v allocations", allocations)
	}
}

func TestWhateverIsWrittenIsText(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.String().Draw(t, "text")
		if got, err := Text(AppendString(nil, text)); err != nil || got != text {
			t.Fatalf("%q was read back as %q, %v", text, got, err)
		}
	})
}

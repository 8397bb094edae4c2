package jsonvalue_test

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"trade-processing/local/jsonvalue"
)

func TestDecodeKeepsNumbersAsTheyAreWritten(t *testing.T) {
	for _, number := range []string{"0", "-0", "1.0", "1.50", "1E+2", "1e-400", "12345678901234567890123456789012345678", "0.1000000000000000055511151231257827"} {
		data, err := jsonvalue.Decode([]byte(" [" + number + "] "))
		if err != nil {
			t.Fatal(err)
		}
		if want := []any{json.Number(number)}; !reflect.DeepEqual(data, want) {
			t.Errorf("%s became %v", number, data)
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
			data, err := jsonvalue.Decode([]byte(test.text))
			if err == nil || err.Error() != test.want {
				t.Errorf("got %v, %v; want %s", data, err, test.want)
			}
		})
	}
}

func TestADefinitionHasNoNameTwice(t *testing.T) {
	const twice = `{"a": 1, "b": [{"c": 1, "c": {}}], "a": {"a": 2}}`
	if value, err := jsonvalue.Decode([]byte(twice)); err != nil {
		t.Errorf("as an event: %v, %v", value, err)
	}
	const want = "b[0].c is listed twice\na is listed twice"
	if value, err := jsonvalue.DecodeDefinition([]byte(twice)); err == nil || err.Error() != want {
		t.Errorf("as a definition: %v, %v; want %s", value, err, want)
	}
	if value, err := jsonvalue.DecodeDefinition([]byte(`{"a": {"b": 1}, "b": [{"b": 1}, {"b": 2}]}`)); err != nil {
		t.Errorf("names in different objects: %v, %v", value, err)
	}
}

func FuzzDecode(f *testing.F) {
	for _, seed := range []string{`{"a": [1.50, "\u00e9\ud83d", null, true]}`, `"\xff"`, `1e999`, `{"a":1,"a":2}`, ` [ ] `, "\"a\x7f\"", `[[[`, `-0`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		value, err := jsonvalue.Decode(text)
		if (err == nil) != json.Valid(text) {
			t.Fatalf("Decode says %v, and valid is %t", err, json.Valid(text))
		}
		if strict, failed := jsonvalue.DecodeDefinition(text); failed == nil && !reflect.DeepEqual(strict, value) {
			t.Fatalf("as a definition it is %v, else %v", strict, value)
		}
	})
}

package states_test

import (
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
)

func TestIntrinsicFunctions(t *testing.T) {
	const input = `{"name": "Ann", "n": 12.50, "big": 12345678901234567890123456789012345678, "list": [1, "x"], "object": {"b": "<é>", "a": 1e2}, "none": null,
		"json": "{\"a\": [1.0, \"\\u00e9\"]}", "broken": "{", "template": "Hi {}, {}", "zone": "}"}`
	cases := map[string]struct{ text, want string }{
		"an array of nothing":                {`States.Array()`, `[]`},
		"an array of everything":             {`States.Array('x', 1, -1.5e3, true, false, null, $.name, $.list[1], $$.State.Name)`, `["x",1,-1.5e3,true,false,null,"Ann","x","A"]`},
		"an array in an array":               {`States.Array(States.Array(1), States.Array())`, `[[1],[]]`},
		"spaces stand anywhere":              {` States.Array( 1 , 'a b' ) `, `[1,"a b"]`},
		"escapes in a text":                  {`States.Array('it\\'s \\{\\} \\\\')`, `["it's {} \\"]`},
		"brackets and commas in a text":      {`States.Array('a,b)', '(')`, `["a,b)","("]`},
		"a path with names in brackets":      {`States.Array($['object']['a'])`, `[1e2]`},
		"a format of nothing":                {`States.Format('plain')`, `"plain"`},
		"a format of texts and numbers":      {`States.Format('{} has {}!', $.name, $.n)`, `"Ann has 12.50!"`},
		"a format of literals":               {`States.Format('{}{}{}', 'a', 1, null)`, `"a1null"`},
		"a format of objects":                {`States.Format('{}: {}', $.list, $.object)`, `"[1,\"x\"]: {\"a\":1e2,\"b\":\"<é>\"}"`},
		"a format with escaped braces":       {`States.Format('\\{\\} {} \\{', $.name)`, `"{} Ann {"`},
		"a format from the input":            {`States.Format($.template, $.name, 1)`, `"Hi Ann, 1"`},
		"braces of an argument are no place": {`States.Format('{}{}', '\\{\\}', $.zone)`, `"{}}"`},
		"a format that does not fit":         {`States.Format($.template, 1)`, `failed: States.IntrinsicFailure: States.Format: there are 1 arguments for 2 {}`},
		"a format that is no text":           {`States.Format($.n, 1)`, `failed: States.IntrinsicFailure: States.Format: the first argument is a number, and must be a text`},
		"a text of an object":                {`States.JsonToString($.object)`, `"{\"a\":1e2,\"b\":\"<é>\"}"`},
		"a text of a number":                 {`States.JsonToString($.big)`, `"12345678901234567890123456789012345678"`},
		"a text of null":                     {`States.JsonToString($.none)`, `"null"`},
		"a text of the input as it came":     {`States.JsonToString($)`, string(quoted(input))},
		"a value of a text":                  {`States.StringToJson($.json)`, `{"a":[1.0,"é"]}`},
		"a value of a text made before":      {`States.StringToJson(States.JsonToString($.object))`, `{"a":1e2,"b":"<é>"}`},
		"a value of a broken text":           {`States.StringToJson($.broken)`, `failed: States.IntrinsicFailure: States.StringToJson: reading JSON: unexpected EOF`},
		"a value of a number":                {`States.StringToJson($.n)`, `failed: States.IntrinsicFailure: States.StringToJson: the argument is a number, and must be a text`},
		"a value of an array":                {`States.StringToJson($.list)`, `failed: States.IntrinsicFailure: States.StringToJson: the argument is an array, and must be a text`},
		"a value of null":                    {`States.StringToJson(null)`, `failed: States.IntrinsicFailure: States.StringToJson: the argument is null, and must be a text`},
		"a value of a boolean":               {`States.StringToJson(true)`, `failed: States.IntrinsicFailure: States.StringToJson: the argument is a boolean, and must be a text`},
		"an argument that is not there":      {`States.Array($.nobody)`, `failed: States.Runtime: the path $.nobody leads to nothing`},
		"ten functions in each other":        {strings.Repeat(`States.Array(`, 10) + strings.Repeat(`)`, 10), strings.Repeat(`[`, 10) + strings.Repeat(`]`, 10)},
	}
	for name, test := range cases {
		t.Run(name, func(t *testing.T) {
			got := run(t, machine(`"A": {"Type": "Pass", "Parameters": {"x.$": "`+test.text+`"}, "OutputPath": "$.x", "End": true}`), input, nil)
			if got.text() != test.want {
				t.Errorf("\n got %s\nwant %s", got.text(), test.want)
			}
		})
	}
}

func TestUUIDs(t *testing.T) {
	m := compile(t, machine(`"A": {"Type": "Pass", "Parameters": {"x.$": "States.UUID()"}, "OutputPath": "$.x", "End": true}`))
	form := regexp.MustCompile(`^"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"$`)
	for dice, want := range map[float64]string{
		0:                  `"00000000-0000-4000-8000-000000000000"`,
		0.9999999999999999: `"ffffffff-ffff-4fff-bfff-ffffffffffff"`,
	} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(nil)
			w.random = func() float64 { return dice }
			if got := w.run(t.Context(), m, nil); got.text() != want || !form.MatchString(got.text()) {
				t.Errorf("got %s, want %s", got.text(), want)
			}
		})
	}
}

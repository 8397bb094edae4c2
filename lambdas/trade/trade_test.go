package trade_test

import (
	"errors"
	"strings"
	"testing"

	"trade-processing/lambdas/trade"
)

func TestParseRefusesWhatCannotBeIdentified(t *testing.T) {
	const id = `"tradeId":"t-1"`
	nested := func(levels int) string { // an object containing arrays, with this many levels in all
		return `{` + id + `,"x":` + strings.Repeat("[", levels-1) + strings.Repeat("]", levels-1) + `}`
	}
	for name, test := range map[string]struct{ detail, reason string }{
		"no detail at all":                       {``, "has no detail"},
		"a detail that is null":                  {`null`, "the detail is null"},
		"a detail that is an array":              {`[{` + id + `}]`, "the detail is an array"},
		"a detail that is a string":              {`"{}"`, "the detail is a string"},
		"an object cut off":                      {`{` + id, "not valid JSON: unexpected end of JSON input"},
		"two objects":                            {`{` + id + `}{}`, "not valid JSON"},
		"a single quote":                         {`{'tradeId':'t'}`, "not valid JSON"},
		"a number with a leading zero":           {`{` + id + `,"amount":01}`, "not valid JSON"},
		"NaN":                                    {`{` + id + `,"amount":NaN}`, "not valid JSON"},
		"a byte that is not UTF-8":               {"{" + id + ",\"x\":\"\xff\"}", "not valid UTF-8"},
		"a surrogate in UTF-8":                   {"{" + id + ",\"x\":\"\xed\xa0\x80\"}", "not valid UTF-8"},
		"half a surrogate pair":                  {`{` + id + `,"x":"\ud83d"}`, "half a surrogate pair"},
		"the second half of a pair alone":        {`{` + id + `,"x":"\ude00!"}`, "half a surrogate pair"},
		"two first halves":                       {`{` + id + `,"x":"\ud83d\ud83d"}`, "half a surrogate pair"},
		"half a pair before another escape":      {`{` + id + `,"x":"\ud83d\n12345"}`, "half a surrogate pair"},
		"half a pair in a name":                  {`{` + id + `,"\ud83d":1}`, "half a surrogate pair"},
		"a name twice":                           {`{` + id + `,"amount":1,"amount":2}`, `the name "amount" twice`},
		"a name twice, escaped once":             {`{` + id + `,"amount":1,"\u0061mount":1}`, `the name "amount" twice`},
		"a name twice, further down":             {`{` + id + `,"x":[{"a":1,"b":2,"a":1}]}`, `the name "a" twice`},
		"33 levels":                              {nested(33), "nested deeper than 32 levels"},
		"10,000 levels":                          {nested(10_000), "nested deeper than 32 levels"},
		"a million opening brackets":             {strings.Repeat("[", 1_000_000), "bytes"},
		"300,000 opening brackets":               {strings.Repeat("[", 300_000), "not valid JSON"},
		"more than 64 KiB":                       {`{` + id + `,"x":"` + strings.Repeat("a", trade.MaxBytes) + `"}`, "but only 65536 are allowed"},
		"more than the most that can be escaped": {`{` + id + strings.Repeat(" ", 6*trade.MaxBytes) + `}`, "but only 65536 are allowed"},
		"no tradeId":                             {`{"amount":1}`, "has no tradeId"},
		"a tradeId that is null":                 {`{"tradeId":null}`, "has no tradeId"},
		"a tradeId that is a number":             {`{"tradeId":17}`, "tradeId is a number"},
		"an empty tradeId":                       {`{"tradeId":""}`, "is not 1 to 64 of"},
		"a tradeId of 65 characters":             {`{"tradeId":"` + strings.Repeat("a", 65) + `"}`, "is not 1 to 64 of"},
		"a tradeId with a space":                 {`{"tradeId":"a b"}`, "is not 1 to 64 of"},
		"a tradeId with a letter beyond ASCII":   {`{"tradeId":"ä"}`, "is not 1 to 64 of"},
		"a tradeId with a slash":                 {`{"tradeId":"a/b"}`, "is not 1 to 64 of"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := trade.Parse([]byte(test.detail))
			malformed, ok := errors.AsType[*trade.MalformedError](err)
			if !ok {
				t.Fatalf("error %v, want a MalformedError", err)
			}
			if !strings.Contains(malformed.Reason, test.reason) {
				t.Errorf("reason %q, want one with %q", malformed.Reason, test.reason)
			}
			if len(malformed.Reason) > 300 {
				t.Errorf("a reason of %d bytes, from outside: %.80s...", len(malformed.Reason), malformed.Reason)
			}
			if malformed.ErrorType() != "MalformedTrade" {
				t.Errorf("error type %s", malformed.ErrorType())
			}
		})
	}
}

func TestParseTakesWhatIsOdd(t *testing.T) {
	for name, detail := range map[string]string{
		"white space everywhere":                   " {\n\t\"tradeId\" : \"t-1\" , \"x\" : [ 1 , { } , [ ] ] }\r\n ",
		"all characters that a tradeId may have":   `{"tradeId":"AZaz09._:-"}`,
		"a tradeId of 64 characters":               `{"tradeId":"` + strings.Repeat("a", 64) + `"}`,
		"an escaped tradeId":                       `{"tradeId":"\u0074-1"}`,
		"32 levels":                                `{"tradeId":"t-1","x":` + strings.Repeat("[", 31) + strings.Repeat("]", 31) + `}`,
		"a number that no float holds":             `{"tradeId":"t-1","x":1e999999999}`,
		"the same name in two objects":             `{"tradeId":"t-1","a":{"x":1},"b":{"x":1}}`,
		"a whole surrogate pair":                   `{"tradeId":"t-1","x":"\ud83d\ude00"}`,
		"an escaped backslash before ud83d":        `{"tradeId":"t-1","x":"\\ud83d"}`,
		"brackets in a string":                     `{"tradeId":"t-1","x":"` + strings.Repeat("[", 100) + `"}`,
		"64 KiB once white space is gone":          `{"tradeId":"t-1","x":"` + strings.Repeat("a", trade.MaxBytes-24) + `"}` + strings.Repeat(" ", 1000),
		"64 KiB once escapes are gone":             `{"tradeId":"t-1","x":"` + strings.Repeat(`\u0061`, trade.MaxBytes-24) + `"}`,
		"names in an order that isn't the table's": `{"z":1,"tradeId":"t-1","a":2}`,
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := trade.Parse([]byte(detail)); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestTextIsWhatWasSent(t *testing.T) {
	parsed := mustParse(t, `{"tradeId":"t-1","symbol":"\u0053PY","venue":null,"side":5}`)
	if symbol, ok := parsed.Text("symbol"); !ok || symbol != "SPY" {
		t.Errorf("symbol %q, %v", symbol, ok)
	}
	for _, field := range []string{"venue", "side", "account"} {
		if s, ok := parsed.Text(field); ok || s != "" {
			t.Errorf("%s holds no string, but Text returns %q, %v", field, s, ok)
		}
	}
}

func TestAmountIsSpelledAsInTheCanonicalForm(t *testing.T) {
	parsed := mustParse(t, `{"tradeId":"t-1","amount":1.10,"price":"0.00005861050","quantity":"x","side":true}`)
	for field, want := range map[string]struct {
		spelling string
		readable bool
	}{
		"amount":   {"1.1", true},
		"price":    {"0.00005861050", true},
		"quantity": {"x", false},
		"side":     {"", false},
		"missing":  {"", false},
	} {
		if spelling, _, readable := parsed.Amount(field); spelling != want.spelling || readable != want.readable {
			t.Errorf("%s: %q, %v; want %q, %v", field, spelling, readable, want.spelling, want.readable)
		}
	}
}

func mustParse(t testing.TB, detail string) *trade.Trade {
	t.Helper()
	parsed, err := trade.Parse([]byte(detail))
	if err != nil {
		t.Fatalf("parsing %s: %v", detail, err)
	}
	return parsed
}

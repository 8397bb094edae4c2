package pattern_test

import (
	"bytes"
	"encoding/json"
	"math/big"
	"regexp"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"trade-processing/local/pattern"
)

func TestNumbersCompareAsTheirExactValues(t *testing.T) {
	number := rapid.Custom(func(t *rapid.T) string {
		whole := rapid.Int64Range(-5_000_000_000, 5_000_000_000).Draw(t, "whole")
		text := big.NewInt(whole).String()
		if decimals := rapid.StringMatching(`[0-9]{1,6}`).Draw(t, "decimals"); whole != 5_000_000_000 && whole != -5_000_000_000 {
			text += "." + decimals
		}
		return text
	})
	rapid.Check(t, func(t *rapid.T) {
		bound, value := number.Draw(t, "bound"), number.Draw(t, "value")
		a, _ := new(big.Rat).SetString(value)
		b, _ := new(big.Rat).SetString(bound)
		order := a.Cmp(b)
		for operator, want := range map[string]bool{
			"=": order == 0, "<": order < 0, "<=": order <= 0, ">": order > 0, ">=": order >= 0,
		} {
			p, err := pattern.Compile([]byte(`{"n": [{"numeric": ["` + operator + `", ` + bound + `]}]}`))
			if err != nil {
				t.Fatal(err)
			}
			if got := p.Match(map[string]any{"n": json.Number(value)}); got != want {
				t.Errorf("%s %s %s: %t", value, operator, bound, got)
			}
		}
	})
}

func TestWildcardsAgreeWithARegularExpression(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		pieces := rapid.SliceOfN(rapid.StringMatching(`[ab]{1,2}`), 1, 3).Draw(t, "pieces") // more are too complex
		wildcard := strings.Join(pieces, "*")
		if rapid.Bool().Draw(t, "open start") {
			wildcard = "*" + wildcard
		}
		if rapid.Bool().Draw(t, "open end") {
			wildcard += "*"
		}
		text := rapid.StringMatching(`[ab]{0,12}`).Draw(t, "text")
		want := regexp.MustCompile("^" + strings.ReplaceAll(wildcard, "*", ".*") + "$").MatchString(text)
		p, err := pattern.Compile([]byte(`{"a": [{"wildcard": "` + wildcard + `"}]}`))
		if err != nil {
			t.Fatal(err)
		}
		if got := p.Match(map[string]any{"a": text}); got != want {
			t.Errorf("%q matches %q: %t, want %t", wildcard, text, got, want)
		}
	})
}

// scalar, value and object draw small events from few names and values, so patterns drawn from the same ones match
// often enough.
var (
	scalar = rapid.SampledFrom([]any{"x", "y", json.Number("1"), json.Number("2.0"), true, nil})
	names  = rapid.SampledFrom([]string{"a", "b", "c"})
)

func drawObject(t *rapid.T, depth int) map[string]any {
	object := map[string]any{}
	for range rapid.IntRange(0, 3).Draw(t, "members") {
		object[names.Draw(t, "name")] = drawValue(t, depth-1)
	}
	return object
}

func drawValue(t *rapid.T, depth int) any {
	kind := rapid.IntRange(0, 3).Draw(t, "kind")
	switch {
	case depth <= 0 || kind <= 1:
		return scalar.Draw(t, "scalar")
	case kind == 2:
		return drawObject(t, depth)
	default:
		array := []any{}
		for range rapid.IntRange(0, 3).Draw(t, "elements") {
			array = append(array, drawValue(t, depth-1))
		}
		return array
	}
}

var leaves = rapid.SampledFrom([]string{
	`["x"]`, `["y", 1]`, `[true, null]`, `[{"exists": true}]`, `[{"exists": false}]`, `["x", {"exists": false}]`,
	`[{"anything-but": "x"}]`, `[{"numeric": [">", 1]}]`, `[{"prefix": "x"}]`,
})

func drawPattern(t *rapid.T, depth int) string {
	members := []string{}
	for _, name := range rapid.SliceOfNDistinct(names, 1, 2, rapid.ID).Draw(t, "names") {
		value := leaves.Draw(t, "leaf")
		if depth > 1 && rapid.Bool().Draw(t, "nested") {
			value = drawPattern(t, depth-1)
		}
		members = append(members, `"`+name+`": `+value)
	}
	return "{" + strings.Join(members, ", ") + "}"
}

func TestAnArrayOfOneIsItsElement(t *testing.T) {
	var wrap func(any) any
	wrap = func(value any) any {
		switch value := value.(type) {
		case map[string]any:
			wrapped := map[string]any{}
			for name, member := range value {
				wrapped[name] = []any{wrap(member)}
			}
			return wrapped
		case []any:
			wrapped := []any{}
			for _, element := range value {
				wrapped = append(wrapped, []any{wrap(element)})
			}
			return wrapped
		}
		return value
	}
	rapid.Check(t, func(t *rapid.T) {
		text := drawPattern(t, 3)
		event := drawObject(t, 4)
		p, err := pattern.Compile([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		if got, want := p.Match(wrap(event).(map[string]any)), p.Match(event); got != want {
			t.Errorf("%s on %v: %t wrapped, %t not", text, event, got, want)
		}
	})
}

func TestManyElementsInManyArraysAreNoDetour(t *testing.T) {
	// Twelve arrays of a hundred elements that match except for the last: trying every combination would take longer
	// than the universe lasts.
	var fields, members []string
	for _, name := range strings.Split("abcdefghijkl", "") {
		fields = append(fields, `"`+name+`": {"x": [1], "y": [2]}`)
		members = append(members, `"`+name+`": [`+strings.TrimSuffix(strings.Repeat(`{"x": 1, "y": 2},`, 100), ",")+`]`)
	}
	text := `{"detail": {` + strings.Join(fields, ",") + `, "z": ["no"]}}`
	event := `{"detail": {` + strings.Join(members, ",") + `, "z": "yes"}}`
	if matches(t, text, event) {
		t.Error("it matched")
	}
}

// Checked for each element separately, an absence would search all elements for each: a quarter of a mebibyte of them
// would take minutes.
func TestAnAbsenceIsLookedForOnce(t *testing.T) {
	p, err := pattern.Compile([]byte(`{"legs": {"fee": [{"exists": false}], "parts": {"fee": [{"exists": false}]}}}`))
	if err != nil {
		t.Fatal(err)
	}
	legs := make([]any, 100_000)
	for i := range legs {
		legs[i] = map[string]any{}
	}
	legs[len(legs)-1] = map[string]any{"fee": json.Number("1")}
	if p.Match(map[string]any{"legs": legs}) {
		t.Error("the fee of the last leg was not seen")
	}
	legs[len(legs)-1] = map[string]any{}
	if !p.Match(map[string]any{"legs": legs}) {
		t.Error("no leg has a fee, and yet one was seen")
	}
}

func FuzzCompileAndMatch(f *testing.F) {
	for _, seed := range []string{
		`{"source": ["trading.system1"], "detail": {"amount": [{"numeric": [">", 0, "<=", 5]}]}}`,
		`{"a": [{"prefix": {"equals-ignore-case": "x"}}], "b": [{"anything-but": {"wildcard": ["*x", "y"]}}]}`,
		`{"a": [{"exists": false}, null, true, "10.0.0.1", "::1", {"cidr": "10.0.0.0/8"}, {"suffix": "z"}, -1.5e3]}`,
	} {
		f.Add([]byte(seed), []byte(trade))
	}
	f.Fuzz(func(t *testing.T, text, event []byte) {
		p, err := pattern.Compile(text)
		if (p == nil) == (err == nil) {
			t.Fatalf("pattern %v, error %v", p, err)
		}
		if err != nil {
			if !strings.HasPrefix(err.Error(), "event pattern: ") {
				t.Errorf("the error does not say what it is about: %v", err)
			}
			return
		}
		decoder := json.NewDecoder(strings.NewReader(string(event)))
		decoder.UseNumber()
		var object map[string]any
		if decoder.Decode(&object) != nil {
			return
		}
		// White space means nothing.
		var compact bytes.Buffer
		if err := json.Compact(&compact, text); err != nil {
			t.Fatal(err)
		}
		same, err := pattern.Compile(compact.Bytes())
		if err != nil {
			t.Fatalf("%s is taken, and without its white space it isn't: %v", text, err)
		}
		if begun, got := time.Now(), p.Match(object); got != same.Match(object) || time.Since(begun) > 5*time.Second {
			t.Errorf("%s matches: %t, in %v", text, got, time.Since(begun))
		}
	})
}

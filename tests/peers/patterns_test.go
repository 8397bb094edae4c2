package peers_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os/exec"
	"slices"
	"testing"

	"trade-processing/local/pattern"
)

// answer is what event-ruler says to a pattern: which events match, by their number, or that it refuses it.
type answer struct {
	matched []int
	refusal string
}

func (a *answer) UnmarshalJSON(text []byte) error {
	if err := json.Unmarshal(text, &a.refusal); err == nil {
		return nil
	}
	return json.Unmarshal(text, &a.matched)
}

// match asks event-ruler, which is AWS's own.
func match(t *testing.T, patterns []string, events []map[string]any) []answer {
	t.Helper()
	var raw []json.RawMessage
	for _, text := range patterns {
		raw = append(raw, json.RawMessage(text))
	}
	given, err := json.Marshal(map[string]any{"patterns": raw, "events": events})
	if err != nil {
		t.Fatal(err)
	}
	command := exec.Command("java", "-cp", installed(t, "java")+"/*", "Rules.java")
	command.Stdin = bytes.NewReader(given)
	var answers []answer
	if err := json.Unmarshal(run(t, command), &answers); err != nil {
		t.Fatal(err)
	}
	return answers
}

// event is what a rule sees of an event on the bus.
func event(source, detailType string, detail map[string]any) map[string]any {
	return map[string]any{
		"version": "0", "id": "6a7e8feb-b491-4cf7-a9f1-bf3703467718", "time": "2026-03-02T12:00:00Z", "account": "111122223333",
		"region": "us-east-1", "resources": []any{}, "source": source, "detail-type": detailType, "detail": detail,
	}
}

// decoded returns an event as it comes to the local cloud.
func decoded(t *testing.T, event map[string]any) map[string]any {
	t.Helper()
	text, err := json.Marshal(event)
	if err != nil {
		t.Fatal(err)
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	var again map[string]any
	if err := decoder.Decode(&again); err != nil {
		t.Fatal(err)
	}
	return again
}

// The declared rules take the events of their own source and account, whatever they hold, and no others.
func TestEventRuler(t *testing.T) {
	installed(t, "")
	var patterns, names, own []string
	for _, shape := range []string{"dev", "prod"} {
		for _, r := range declare(t, shape, nil) {
			if text, ok := r.Inputs["eventPattern"].(string); ok {
				patterns, names = append(patterns, text), append(names, shape+" "+address(r))
			}
		}
	}
	var events []map[string]any
	for _, source := range []string{
		"trading.system1", "trading.system2", "trading.system3",
		"trading.system4", "trading.system", "trading.system10", "trading.system1.eu", "trading", "Trading.system1", "trading.system1 ", "trading.*", "aws.events",
	} {
		for _, detailType := range []string{"Trade Event", "trading.system1"} {
			for _, detail := range []map[string]any{{}, {"tradeId": "1"}, {"source": "trading.system1"}, {"tradeId": nil, "a": []any{1, []any{"x"}}}} {
				events, own = append(events, event(source, detailType, detail)), append(own, source)
				stranger := event(source, detailType, detail)
				stranger["account"] = "444455556666"
				events, own = append(events, stranger), append(own, "a stranger's "+source)
			}
		}
	}
	var findings []finding
	for i, answer := range match(t, append(patterns, `{"source": "trading.system1"}`), events) {
		switch {
		case i == len(patterns):
			if answer.refusal == "" {
				t.Error("it doesn't see the fault: a pattern without a list of values")
			}
		case answer.refusal != "":
			findings = append(findings, finding{"refused", names[i], answer.refusal})
		default:
			var sources []string
			for _, number := range answer.matched {
				sources = append(sources, own[number])
			}
			each := len(sources)
			sources = slices.Compact(sources)
			if len(sources) != 1 || each != 8 || patterns[i] != fmt.Sprintf(`{"account":["111122223333"],"source":[%q]}`, sources[0]) {
				findings = append(findings, finding{"another-source", names[i], fmt.Sprintf("%s takes %d events of %q", patterns[i], each, sources)})
			}
		}
	}
	if len(patterns) < 6 {
		t.Errorf("only %d rules were found", len(patterns))
	}
	judged(t, "event-ruler", findings)
}

// The local cloud's matcher answers as AWS's own does. What it refuses by name, $or and names with a dot, is left out.
func TestTheLocalCloudMatchesAsEventRulerDoes(t *testing.T) {
	patterns := []string{
		`{"detail": {"a": ["x", 1, true, null]}}`,
		`{"detail": {"a": ["x", "ab", "abc"], "b": ["y", "ab", "abc", "bc", "zz"]}}`,
		`{"detail": {"c": {"a": ["x", "y"]}}}`,
		`{"detail": {"a": [{"prefix": "ab"}]}}`,
		`{"detail": {"a": [{"prefix": {"equals-ignore-case": "AB"}}]}}`,
		`{"detail": {"a": [{"suffix": "bc"}]}}`,
		`{"detail": {"a": [{"equals-ignore-case": "ABC"}]}}`,
		`{"detail": {"a": [{"wildcard": "a*c"}]}}`,
		`{"detail": {"a": [{"wildcard": "a**c"}]}}`,
		`{"detail": {"a": [{"numeric": [">", 0, "<=", 2.5]}]}}`,
		`{"detail": {"a": [{"numeric": [">", 3, "<", 2]}]}}`,
		`{"detail": {"a": [{"numeric": ["=", 1]}]}}`,
		`{"detail": {"a": [{"cidr": "10.0.0.0/24"}]}}`,
		`{"detail": {"a": [{"cidr": "10.0.0.0/33"}]}}`,
		`{"detail": {"a": [{"exists": true}]}}`,
		`{"detail": {"a": [{"exists": false}]}}`,
		`{"detail": {"c": {"a": [{"exists": false}]}}}`,
		`{"detail": {"a": [{"anything-but": "x"}]}}`,
		`{"detail": {"a": [{"anything-but": ["x", "ab"]}]}}`,
		`{"detail": {"a": [{"anything-but": [1, 3]}]}}`,
		`{"detail": {"a": [{"anything-but": {"prefix": "ab"}}]}}`,
		`{"detail": {"a": [{"anything-but": {"suffix": "c"}}]}}`,
		`{"detail": {"a": [{"anything-but": {"wildcard": "a*c"}}]}}`,
		`{"detail": {"a": []}}`,
		`{"detail": {"a": "x"}}`,
		`{"detail": {"a": [{"prefix": 1}]}}`,
		`{"detail": {"a": [{"no-such-operator": "x"}]}}`,
		`{"detail": {}}`,
		`{}`,
	}
	const seed = 11
	chance := rand.New(rand.NewPCG(seed, seed))
	values := []any{"x", "y", "ab", "abc", "ABC", "abbc", "bc", "zz", "", 1, 1.0, 2.5, 3, -1, true, false, nil, "10.0.0.7", "10.0.1.7", []any{"x", "q"}, []any{"abc", 2}, []any{}, map[string]any{}}
	value := func() any { return values[chance.IntN(len(values))] }
	var events []map[string]any
	for range 400 {
		detail := map[string]any{}
		for _, name := range []string{"a", "b"} {
			if chance.IntN(5) > 0 {
				detail[name] = value()
			}
		}
		switch chance.IntN(3) {
		case 0:
			detail["c"] = map[string]any{"a": value()}
		case 1:
			detail["c.a"] = value() // which matches what c, a would
		}
		events = append(events, event("trading.system1", "Trade Event", detail))
	}
	for i, theirs := range match(t, patterns, events) {
		compiled, err := pattern.Compile([]byte(patterns[i]))
		if (err != nil) != (theirs.refusal != "") {
			t.Errorf("%s: event-ruler says %q, the local cloud %v", patterns[i], theirs.refusal, err)
		}
		if err != nil || theirs.refusal != "" {
			continue
		}
		if n := len(theirs.matched); n == 0 || n == len(events) {
			t.Errorf("%s matches %d of %d events, which proves nothing", patterns[i], n, len(events))
		}
		for number, e := range events {
			if ours := compiled.Match(decoded(t, e)); ours != slices.Contains(theirs.matched, number) {
				t.Errorf("%s and %v: event-ruler says %v, the local cloud %v", patterns[i], e["detail"], !ours, ours)
				break
			}
		}
	}
}

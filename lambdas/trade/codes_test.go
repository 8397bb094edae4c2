package trade_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"testing"

	"trade-processing/lambdas/trade"
)

func TestEveryExampleHasItsViolation(t *testing.T) {
	for _, d := range trade.Codes() {
		var changed map[string]json.RawMessage
		if err := json.Unmarshal([]byte(d.Example), &changed); err != nil {
			t.Errorf("%s: the example is no JSON object: %v", d.Code, err)
			continue
		}
		fields := map[string]any{}
		for name, v := range changed {
			fields[name] = v
		}
		want := []trade.Code{d.Code}
		if d.Code == trade.SourceSystemUnknown {
			want = append(want, trade.SourceSystemMismatch) // the event comes from a source that the stack knows
		}
		if got := codes(t, fields); !equal(got, want) {
			t.Errorf("%s: the example %s gives %v", d.Code, d.Example, got)
		}
	}
}

func TestTheTableIsComplete(t *testing.T) {
	var seen []trade.Code
	for _, d := range trade.Codes() {
		if slices.Contains(seen, d.Code) {
			t.Errorf("%s is listed twice", d.Code)
		}
		seen = append(seen, d.Code)
		if !regexp.MustCompile(`^[A-Z]+(_[A-Z]+)*$`).MatchString(string(d.Code)) {
			t.Errorf("%s is not upper snake case", d.Code)
		}
		if _, known := validDetail()[d.Field]; !known {
			t.Errorf("%s is about %q, which is not a field", d.Code, d.Field)
		}
		if d.Meaning == "" {
			t.Errorf("%s has no meaning", d.Code)
		}
	}
}

// A published code keeps its meaning, and every stored trade says which rules it was judged by.
func TestAChangeOfTheTableChangesTheRulesVersion(t *testing.T) {
	var table []byte
	for _, d := range trade.Codes() {
		table = fmt.Appendln(table, d.Code, d.Field, d.Meaning)
	}
	sum := sha256.Sum256(table)
	const version, digest = "2.0.0", "e21145ea9879a915"
	if got := hex.EncodeToString(sum[:8]); trade.RulesVersion != version || got != digest {
		t.Errorf("the rules are %s with table %s, not %s with %s: raise RulesVersion as its comment says, then set both here",
			trade.RulesVersion, got, version, digest)
	}
}

package main

import (
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"trade-processing/policy/rules"
)

func TestThePageIsWhatThePackSays(t *testing.T) {
	var page strings.Builder
	if err := write(&page, rules.All()); err != nil {
		t.Fatal(err)
	}
	written, err := os.ReadFile("../../docs/policies.md")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(written), page.String()); diff != "" {
		t.Errorf("docs/policies.md is stale; run make policy-docs\n%s", diff)
	}
}

func TestThePageNamesEveryRuleAndOption(t *testing.T) {
	var page strings.Builder
	if err := write(&page, rules.All()); err != nil {
		t.Fatal(err)
	}
	for _, rule := range rules.All() {
		if !strings.Contains(page.String(), "| `"+rule.Name+"` | "+rule.Why+" |") {
			t.Errorf("%s isn't there", rule.Name)
		}
		for _, option := range rule.Options {
			if !strings.Contains(page.String(), "| `"+rule.Name+"` | `"+option.Name+"` |") {
				t.Errorf("option %s of %s isn't there", option.Name, rule.Name)
			}
		}
	}
}

func TestNaturalOrder(t *testing.T) {
	for _, c := range []struct{ first, second string }{
		{"EC2.2", "EC2.18"}, {"CKV_AWS_7", "CKV_AWS_24"}, {"Backup.1", "EC2.2"}, {"EC2.18", "EC2.53"},
	} {
		if natural(c.first, c.second) >= 0 || natural(c.second, c.first) <= 0 {
			t.Errorf("%s isn't before %s", c.first, c.second)
		}
	}
	if natural("SQS.1", "SQS.1") != 0 {
		t.Error("SQS.1 isn't itself")
	}
}

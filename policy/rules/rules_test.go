package rules_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/pulumi/pulumi/sdk/v3/go/property"

	"trade-processing/policy/cases"
	"trade-processing/policy/rules"
)

var today = time.Date(2026, time.June, 30, 12, 0, 0, 0, time.UTC)

func ruleOf(t testing.TB, name string) rules.Rule {
	t.Helper()
	for _, rule := range rules.All() {
		if rule.Name == name {
			return rule
		}
	}
	t.Fatalf("there is no rule %s", name)
	return rules.Rule{}
}

// judge runs the rule of a case on its resources.
func judge(rule rules.Rule, c cases.Case) []rules.Violation {
	if rule.CheckStack != nil {
		return rule.JudgeStack(c.Declare(true), c.Config, today)
	}
	var found []rules.Violation
	for _, declared := range c.Declare(false) {
		found = append(found, rule.Judge(declared, c.Config, today)...)
	}
	return found
}

func TestCases(t *testing.T) {
	for _, c := range cases.All() {
		t.Run(c.Rule+"/"+c.Says, func(t *testing.T) {
			rule := ruleOf(t, c.Rule)
			if rule.Remediate != nil {
				checkRemedy(t, rule, c)
				return
			}
			found := judge(rule, c)
			if len(found) != len(c.Breaks) {
				t.Fatalf("%d violations instead of %d: %v", len(found), len(c.Breaks), found)
			}
			for i, violation := range found {
				if !strings.HasPrefix(violation.Message, c.Breaks[i]) {
					t.Errorf("%q instead of %q", violation.Message, c.Breaks[i])
				}
				if want := c.URN(c.Resources[0]); violation.URN != want {
					t.Errorf("%s is blamed instead of %s", violation.URN, want)
				}
			}
		})
	}
}

func checkRemedy(t *testing.T, rule rules.Rule, c cases.Case) {
	t.Helper()
	given := c.Declare(false)[0]
	mended, changed := rule.Mend(given, c.Config, today)
	if changed != (c.Mended != nil) {
		t.Fatalf("changed is %v: %#v", changed, mended)
	}
	want := given.Properties
	if c.Mended != nil {
		c.Resources = slices.Clone(c.Resources)
		c.Resources[0].Inputs = c.Mended
		want = c.Declare(false)[0].Properties
	}
	if changed && !property.New(mended).Equals(property.New(want)) {
		t.Errorf("%#v instead of %#v", mended, want)
	}
	// A fixed resource needs no more fixing.
	given.Properties = mended
	if again, changed := rule.Mend(given, c.Config, today); changed {
		t.Errorf("mended twice: %#v", again)
	}
}

func TestEveryRuleHasACaseThatBreaksItAndOneThatKeepsIt(t *testing.T) {
	breaking, keeping := map[string]int{}, map[string]int{}
	said := map[string]bool{}
	for _, c := range cases.All() {
		ruleOf(t, c.Rule)
		if len(c.Breaks) > 0 || c.Mended != nil {
			breaking[c.Rule]++
		} else {
			keeping[c.Rule]++
		}
		if said[c.Rule+c.Says] {
			t.Errorf("%s: two cases say %q", c.Rule, c.Says)
		}
		said[c.Rule+c.Says] = true
	}
	for _, rule := range rules.All() {
		if breaking[rule.Name] == 0 || keeping[rule.Name] == 0 {
			t.Errorf("%s: %d cases break it and %d keep it", rule.Name, breaking[rule.Name], keeping[rule.Name])
		}
	}
	if len(rules.All()) < 40 {
		t.Errorf("%d rules", len(rules.All()))
	}
}

func TestEveryRuleSaysWhatItIs(t *testing.T) {
	seen := map[string]bool{}
	name := regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)+$`)
	control := regexp.MustCompile(`^(ours|[A-Z][A-Za-z0-9]+\.[0-9]+|CKV2?_AWS_[0-9]+)$`)
	for _, rule := range rules.All() {
		if !name.MatchString(rule.Name) || seen[rule.Name] {
			t.Errorf("%s: the name is taken, or not of the form a-b", rule.Name)
		}
		seen[rule.Name] = true
		if rule.Family == "" || len(rule.Types) == 0 || len(rule.Controls) == 0 {
			t.Errorf("%s: family, types or controls are missing", rule.Name)
		}
		if !strings.HasSuffix(rule.Why, ".") || len(rule.Why) < 30 {
			t.Errorf("%s: %q is no reason", rule.Name, rule.Why)
		}
		for _, id := range rule.Controls {
			if !control.MatchString(id) {
				t.Errorf("%s: %q is no control", rule.Name, id)
			}
		}
		checks := 0
		for _, has := range []bool{rule.Check != nil, rule.CheckStack != nil, rule.Remediate != nil} {
			if has {
				checks++
			}
		}
		if checks != 1 {
			t.Errorf("%s: %d checks", rule.Name, checks)
		}
		for _, option := range rule.AllOptions() {
			if problems := rule.CheckConfig(map[string]any{option.Name: option.Default}); len(problems) > 0 {
				t.Errorf("%s: a default is wrong: %v", rule.Name, problems)
			}
			if option.Schema["type"] == nil || option.Default == nil || !strings.HasSuffix(option.About, ".") {
				t.Errorf("%s: option %s lacks a type, a default or a sentence", rule.Name, option.Name)
			}
		}
	}
}

// exempting returns a case of sqs-customer-key with an exemption.
func exempting(urn, until string) (rules.Rule, rules.Declared, map[string]any) {
	for _, rule := range rules.All() {
		if rule.Name == "sqs-customer-key" {
			declared := rules.Declared{URN: "urn:pulumi:dev::shop::aws:sqs/queue:Queue::orders", Type: "aws:sqs/queue:Queue", Name: "orders"}
			return rule, declared, map[string]any{"exempt": []any{map[string]any{"urn": urn, "reason": "moves to the new key in July", "until": until}}}
		}
	}
	panic("sqs-customer-key is gone")
}

func TestExemptions(t *testing.T) {
	for name, c := range map[string]struct {
		urn, until string
		want       string // part of the message; "" for none
	}{
		"an exemption holds":                                {"urn:pulumi:dev::shop::aws:sqs/queue:Queue::orders", "2026-12-31", ""},
		"an exemption holds on its last day":                {"urn:pulumi:dev::shop::aws:sqs/queue:Queue::orders", "2026-06-30", ""},
		"an exemption by a pattern holds":                   {"urn:pulumi:dev::*::orders", "2026-12-31", ""},
		"an exemption ends, and the message says so":        {"*::orders", "2026-06-29", "Its exemption (moves to the new key in July) ended on 2026-06-29."},
		"another resource's exemption is none":              {"*::invoices", "2026-12-31", "kmsMasterKeyId has no key."},
		"a pattern fits the whole URN, not a part of it":    {"orders", "2026-12-31", "kmsMasterKeyId has no key."},
		"the characters of regular expressions mean naught": {"urn.*", "2026-12-31", "kmsMasterKeyId has no key."},
	} {
		t.Run(name, func(t *testing.T) {
			rule, declared, config := exempting(c.urn, c.until)
			found := rule.Judge(declared, config, today)
			switch {
			case c.want == "" && len(found) > 0:
				t.Errorf("reported: %v", found)
			case c.want != "" && (len(found) != 1 || !strings.Contains(found[0].Message, c.want)):
				t.Errorf("%v instead of %q", found, c.want)
			}
		})
	}
}

func TestAnExemptResourceIsNotMended(t *testing.T) {
	rule := ruleOf(t, "tags-add-defaults")
	_, declared, config := exempting("*", "2026-12-31")
	config["tags"] = map[string]any{"Owner": "team"}
	if mended, changed := rule.Mend(declared, config, today); changed {
		t.Errorf("%#v", mended)
	}
}

func TestAConfigurationIsCheckedBeyondItsSchema(t *testing.T) {
	for name, c := range map[string]struct {
		rule   string
		config map[string]any
		want   []string
	}{
		"a configuration that is right": {"tags-mandatory", map[string]any{"keys": []any{"Owner"}, "exempt": []any{map[string]any{"urn": "*", "until": "2027-01-31"}}}, nil},
		"an option that the rule doesn't have": {"tags-mandatory", map[string]any{"key": []any{"Owner"}},
			[]string{`tags-mandatory: there is no option "key"; it has exempt, keys`}},
		"a day that no calendar has": {"tags-mandatory", map[string]any{"exempt": []any{map[string]any{"urn": "a", "until": "2027-02-30"}}},
			[]string{`tags-mandatory: the exemption of a ends on "2027-02-30", which is not a date; write it like 2027-01-31`}},
		"days that are none": {"function-runtime", map[string]any{"deprecated": map[string]any{"nodejs24.x": "2028-04-30", "own": "2027-02-30"}},
			[]string{`function-runtime: option deprecated: "2027-02-30", of own, is not a date; write it like 2027-01-31`}},
		"ranges of versions": {"provider-versions", map[string]any{"versions": map[string]any{"aws": ">=6.0.0 <7.0.0", "docker": "4.10.0"}}, nil},
		"a range of versions that is none": {"provider-versions", map[string]any{"versions": map[string]any{"aws": "latest", "docker": ">=4.0.0"}},
			[]string{`provider-versions: option versions: "latest", for aws, is not a version range; write it like ">=6.0.0 <8.0.0"`}},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, ruleOf(t, c.rule).CheckConfig(c.config)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestARuleSaysNothingOfOtherTypes(t *testing.T) {
	other := rules.Declared{URN: "urn:pulumi:prod::shop::acme:index:Thing::it", Type: "acme:index:Thing", Properties: property.NewMap(nil)}
	for _, rule := range rules.All() {
		if found := append(rule.Judge(other, nil, today), rule.JudgeStack([]rules.Declared{other}, nil, today)...); len(found) > 0 {
			t.Errorf("%s: %v", rule.Name, found)
		}
		if _, changed := rule.Mend(other, nil, today); changed {
			t.Errorf("%s mends it", rule.Name)
		}
	}
}

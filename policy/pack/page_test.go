package pack

import (
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"trade-processing/policy/rules"
)

var update = flag.Bool("update", false, "write docs/policies.md anew")

func TestThePageIsWhatThePackSays(t *testing.T) {
	const file = "../../docs/policies.md"
	page := pageOf(t, rules.All())
	if *update {
		if err := os.WriteFile(file, []byte(page), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	written, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(written), page); diff != "" {
		t.Errorf("docs/policies.md is stale; run make policy-docs\n%s", diff)
	}
}

func TestThePageNamesEveryRuleAndOption(t *testing.T) {
	page := pageOf(t, rules.All())
	for _, rule := range rules.All() {
		if !strings.Contains(page, "| `"+rule.Name+"` | "+rule.Why+" |") {
			t.Errorf("%s isn't there", rule.Name)
		}
		for _, option := range rule.Options {
			if !strings.Contains(page, "| `"+rule.Name+"` | `"+option.Name+"` |") {
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

const head = `<!-- Written by "make policy-docs" from the pack itself. Change the rules in policy/rules, not this file. -->
# Policies

The %d rules of policy pack %s %s, by family. How to run, configure and exempt them, and how to write another:
[The policy pack](policy-pack.md). Controls are from AWS's Foundational Security Best Practices (such as SQS.1) or Checkov
(CKV…); "ours" means that neither has a number for it. A mandatory rule stops the update; a rule that is off does nothing
until configuration turns it on.

`

func pageOf(t *testing.T, all []rules.Rule) string {
	t.Helper()
	page := &strings.Builder{}
	fmt.Fprintf(page, head, len(all), Name, Version)
	for _, family := range families(all) {
		fmt.Fprintf(page, "## %s\n\n| rule | why | controls | level |\n|---|---|---|---|\n", family)
		for _, rule := range all {
			if rule.Family == family {
				fmt.Fprintf(page, "| `%s` | %s | %s | %s |\n", rule.Name, cell(rule.Why), strings.Join(rule.Controls, ", "), level(rule))
			}
		}
		fmt.Fprintln(page)
	}
	writeOptions(t, page, all)
	writeTypes(page, all)
	writeControls(page, all)
	return page.String()
}

// families returns the families in the order of their first rules.
func families(all []rules.Rule) []string {
	var names []string
	for _, rule := range all {
		if !slices.Contains(names, rule.Family) {
			names = append(names, rule.Family)
		}
	}
	return names
}

func level(rule rules.Rule) string {
	switch {
	case rule.Level == rules.Off && rule.Remediate != nil:
		return "off, remediates"
	case rule.Level == rules.Off:
		return "off"
	default:
		return "mandatory"
	}
}

func writeOptions(t *testing.T, page *strings.Builder, all []rules.Rule) {
	t.Helper()
	fmt.Fprint(page, "## Options\n\nEvery rule has `enforcementLevel` (`mandatory`, `advisory`, `disabled`) and `exempt`.\n\n"+
		"| rule | option | meaning | default |\n|---|---|---|---|\n")
	for _, rule := range all {
		for _, option := range rule.Options {
			given, err := json.Marshal(option.Default)
			if err != nil {
				t.Fatalf("default of option %s of rule %s: %v", option.Name, rule.Name, err)
			}
			fmt.Fprintf(page, "| `%s` | `%s` | %s | `%s` |\n", rule.Name, option.Name, cell(option.About), cell(unescaped(given)))
		}
	}
	fmt.Fprintln(page)
}

// unescaped returns JSON as a person writes it: the encoder escapes < and > for browsers.
func unescaped(text []byte) string {
	return strings.NewReplacer(`\u003c`, "<", `\u003e`, ">").Replace(string(text))
}

func writeTypes(page *strings.Builder, all []rules.Rule) {
	fmt.Fprint(page, "## What each rule judges\n\n| type | rules |\n|---|---|\n")
	types := map[string][]string{}
	for _, rule := range all {
		for _, judged := range rule.Types {
			types[judged] = append(types[judged], "`"+rule.Name+"`")
		}
	}
	writeIndex(page, types, "`%s`")
}

func writeControls(page *strings.Builder, all []rules.Rule) {
	fmt.Fprint(page, "\n## Controls\n\n| control | rules |\n|---|---|\n")
	controls := map[string][]string{}
	for _, rule := range all {
		for _, control := range rule.Controls {
			if control != rules.Ours {
				controls[control] = append(controls[control], "`"+rule.Name+"`")
			}
		}
	}
	writeIndex(page, controls, "%s")
}

// writeIndex writes a table of names and the rules of each.
func writeIndex(page *strings.Builder, index map[string][]string, format string) {
	for _, name := range slices.SortedFunc(maps.Keys(index), natural) {
		fmt.Fprintf(page, "| "+format+" | %s |\n", name, strings.Join(index[name], ", "))
	}
}

// natural orders names with numbers as people do: EC2.2 before EC2.18.
func natural(a, b string) int {
	if letters := strings.Compare(strings.TrimRight(a, digits), strings.TrimRight(b, digits)); letters != 0 {
		return letters
	}
	if len(a) != len(b) {
		return len(a) - len(b)
	}
	return strings.Compare(a, b)
}

const digits = "0123456789"

// cell makes a string fit into a table cell.
func cell(text string) string { return strings.ReplaceAll(text, "|", `\|`) }

package trade_test

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"trade-processing/lambdas/trade"
)

var update = flag.Bool("update", false, "rewrite docs/violations.md")

// The page is generated from the table that the rules themselves are tested against, so the two can't differ.
func TestThePageOfTheViolationsIsUpToDate(t *testing.T) {
	const file = "../../docs/violations.md"
	want := page()
	if *update {
		if err := os.WriteFile(file, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Errorf("%s is stale; rewrite it with: go -C lambdas test ./trade -run Page -update", file)
	}
}

func page() string {
	var b strings.Builder
	fmt.Fprintf(&b, `<!-- Written by: go -C lambdas test ./trade -run Page -update -->

# Violations

A trade that breaks a rule is recorded with the status `+"`REJECTED`"+` and a list of every rule it breaks, each with
its code, field and message. Codes are stable: a code keeps its name and its meaning. This is version %s of the
rules; every record names the version it was judged by (`+"`rulesVersion`"+`).

Each example is part of a detail: put into a valid trade, it produces that violation.
`, trade.RulesVersion)
	b.WriteString(`
Most fields are those of transaction reports, so that one can be made from the records; their names and values are the
market's. "RTS 22" is Annex I, table 2, of [Commission Delegated Regulation (EU)
2017/590](https://eur-lex.europa.eu/eli/reg_del/2017/590/oj), "RTS 24" the annex of [2017/580](https://eur-lex.europa.eu/eli/reg_del/2017/580/oj),
"CAT" the [Consolidated Audit Trail](https://www.catnmsplan.com)'s specifications for industry members. This is no reporting
engine: what a report must have, whether its fields fit together and whether an identifier exists is not checked.
`)
	var fields []string // in the order in which a trade's violations are reported
	rows, sources := map[string]string{}, map[string]string{}
	for _, d := range trade.Codes() {
		if !slices.Contains(fields, d.Field) {
			fields = append(fields, d.Field)
		}
		if d.Source != "" {
			sources[d.Field] = "\n" + source(d.Source) + ".\n"
		}
		rows[d.Field] += fmt.Sprintf("| `%s` | %s | `%s` |\n", d.Code, cell(d.Meaning), cell(d.Example))
	}
	for _, field := range fields {
		fmt.Fprintf(&b, "\n## `%s`\n%s\n| code | meaning | example |\n|---|---|---|\n%s", field, sources[field], rows[field])
	}
	b.WriteString(`
## When the amount is not checked

The amount is compared with what price and quantity give. Where it can't be, a trade is not rejected for it, and its record's ` + "`amountChecked`" + ` is false;
` + "`amountUncheckedReason`" + ` says why. How the fields decide: [trades](trades.md#amount-price-and-quantity).

| reason | meaning |
|---|---|
`)
	for _, r := range trade.UncheckedReasons() {
		fmt.Fprintf(&b, "| `%s` | %s |\n", r.Reason, cell(r.Meaning))
	}
	b.WriteString(`
## What is not a violation

- A detail that can't be identified as a trade at all (no JSON object, no usable ` + "`tradeId`" + `, a name twice in one
  object, nested deeper than ` + fmt.Sprint(trade.MaxLevels) + ` levels, more than ` + fmt.Sprint(trade.MaxBytes>>10) + ` KiB in its canonical form) is the error ` + "`MalformedTrade`" + `.
  It goes to the validator's dead-letter queue, whole.
- Another trade with the key of a recorded one is the error ` + "`TradeConflict`" + `. It goes to the recorder's dead-letter queue;
  the trade recorded first stays.
- A null field counts as absent.
- Fields that no rule knows are recorded as they arrived.
`)
	return b.String()
}

// source names the report that a field belongs to: RTS 22 if it only has a number.
func source(of string) string {
	if of[0] >= '0' && of[0] <= '9' {
		return "RTS 22, field " + of
	}
	return of
}

// cell makes a string fit into a table cell.
func cell(text string) string { return strings.ReplaceAll(text, "|", `\|`) }

package cost_test

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"

	"trade-processing/internal/cost"
	"trade-processing/internal/terminal"
	"trade-processing/tests/page"
)

const (
	file    = "../../docs/cost.md"
	command = "go test ./internal/cost -run Page -update"
)

// The page is computed from the program and a run of it, so it can't promise what the stack doesn't cost.
func TestThePageIsUpToDate(t *testing.T) {
	want := pageOf(t)
	page.Check(t, file, want, command)
}

// What is promised of a trade's cost: one write, less than a KB of logs, also if each trade is traced, and in production six
// dollars for a million trades with EXPRESS.
func TestWhatATradeCosts(t *testing.T) {
	for _, stack := range []string{"local", "prod"} {
		d, u := measured(t, stack)
		if u.ItemBytes >= 1024 || u.TableUnits > 1.1 || u.LogBytes >= 1000 {
			t.Errorf("%s: a trade is %.0f bytes in %.2f units, and %.0f bytes of logs", stack, u.ItemBytes, u.TableUnits, u.LogBytes)
		}
		if d.Express = true; stack != "prod" {
			continue
		}
		if sum := cost.Sum(cost.Lines(d, u, cost.Assumed, prices(t))); sum.Trades > 6 || !d.Traced || d.Sampled == 0 {
			t.Errorf("a million trades cost %.4f USD, with traces of %v", sum.Trades, d.Sampled)
		}
	}
}

func TestTheREADMESaysTheSame(t *testing.T) {
	d, u := measured(t, "prod")
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	idle := cost.Assumed
	idle.PerSecond = 0
	if sum := fmt.Sprintf("%.0f USD a month", cost.Sum(cost.Lines(d, u, idle, prices(t))).Month); !strings.Contains(string(text), sum) {
		t.Errorf("it doesn't have %s, what an idle stack costs", sum)
	}
	for _, d.Express = range []bool{false, true} {
		sum := fmt.Sprintf("%.2f USD", cost.Sum(cost.Lines(d, u, cost.Assumed, prices(t))).Trades)
		if !d.Express {
			sum = fmt.Sprintf("%.0f USD", cost.Sum(cost.Lines(d, u, cost.Assumed, prices(t))).Trades)
		}
		if !strings.Contains(string(text), sum) {
			t.Errorf("it doesn't have %s, what a million trades cost", sum)
		}
	}
}

func TestEveryPriceIsUsed(t *testing.T) {
	d, u := measured(t, "prod")
	a := cost.Assumed
	a.Insights = true
	used := map[string]bool{}
	for _, d.Express = range []bool{false, true} {
		for _, l := range cost.Lines(d, u, a, prices(t)) {
			used[l.Price.Name+" "+l.Price.Region] = true
		}
	}
	for _, p := range prices(t) {
		if !used[p.Name+" "+p.Region] {
			t.Errorf("nothing costs the price %s in %s", p.Name, p.Region)
		}
	}
}

// AWS's own pricing example of an EXPRESS execution: 100 million of 10 seconds and 64 MB are 62,500,000 GB-seconds, before
// the discount for the hours beyond 1,000. https://aws.amazon.com/step-functions/pricing/
func TestAnExecutionIsBilledAsInAWSsExample(t *testing.T) {
	a := cost.Assumed
	a.ExecutionMS = 10_000
	d := cost.Definition{Region: "us-east-1", Express: true}
	for _, l := range cost.Lines(d, cost.Usage{}, a, prices(t)) {
		switch {
		case l.Service == "Step Functions" && l.What == "executions" && l.Trades != 1:
			t.Errorf("a million executions cost %v", l.Trades)
		case l.Service == "Step Functions" && l.What == "duration" && fmt.Sprintf("%.2f", l.Quantity*100) != "17361.11":
			t.Errorf("100 million executions take %v GB-hours", l.Quantity*100)
		}
	}
	short, shorter := cost.Assumed, cost.Assumed
	short.ExecutionMS, shorter.ExecutionMS = 100.5, 199
	if a, b := cost.Sum(cost.Lines(d, cost.Usage{}, short, prices(t))), cost.Sum(cost.Lines(d, cost.Usage{}, shorter, prices(t))); a.Trades != b.Trades {
		t.Errorf("within a step of 100 ms, executions cost %v and %v", a.Trades, b.Trades)
	}
}

func TestAChoiceSavesWhatItsLinesCost(t *testing.T) {
	d, u := measured(t, "prod")
	of := func(service string) (sum float64) {
		for _, l := range cost.Lines(d, u, cost.Assumed, prices(t)) {
			if l.Service == service {
				sum += l.Month
			}
		}
		return sum
	}
	found := map[string]cost.Line{}
	for _, l := range cost.Choices(d, u, cost.Assumed, prices(t)) {
		found[l.What] = l
	}
	if got := found["vpcEndpoints: [], in a VPC that has them"].Month; fmt.Sprintf("%.4f", -got) != fmt.Sprintf("%.4f", of("PrivateLink")) {
		t.Errorf("without endpoints %v, which cost %v", got, of("PrivateLink"))
	}
	if found["workflowType: EXPRESS"].Trades > -100 || found["workflowType: STANDARD"].What != "" {
		t.Errorf("%v", found)
	}
}

func prices(t testing.TB) []cost.Price {
	t.Helper()
	prices, err := cost.Prices()
	if err != nil {
		t.Fatal(err)
	}
	return prices
}

type run struct {
	d cost.Definition
	u cost.Usage
}

var runs = map[string]run{}

// measured measures each stack once.
func measured(t testing.TB, stack string) (cost.Definition, cost.Usage) {
	t.Helper()
	if _, known := runs[stack]; !known {
		d, u, err := cost.Measure(t.Context(), "../..", stack, cost.Sample)
		if err != nil {
			t.Fatal(err)
		}
		runs[stack] = run{d, u}
	}
	return runs[stack].d, runs[stack].u
}

func pageOf(t *testing.T) string {
	t.Helper()
	d, u := measured(t, "prod")
	table := prices(t)
	standard, express := d, d
	standard.Express, express.Express = false, true
	a, b := cost.Sum(cost.Lines(standard, u, cost.Assumed, table)), cost.Sum(cost.Lines(express, u, cost.Assumed, table))

	var w strings.Builder
	p := func(format string, args ...any) { fmt.Fprintf(&w, format, args...) }
	p("<!-- Written by: %s -->\n\n# Cost\n\n", command)
	p("What stack prod costs: **%.2f USD for a million trades with STANDARD workflows, %.2f with EXPRESS**, and %.2f or %.2f USD for a\n"+
		"month with a million trades. It is computed from what the program declares, what a run of the sample writes, and AWS's\n"+
		"on-demand prices as of %s. Free tiers, taxes, support and discounts are left out. The dashboard's last row estimates\n"+
		"the cost of the traffic, per hour; the bill is what counts.\n\n", a.Trades, b.Trades, a.Month, b.Month, cost.Looked)
	p("With your own stack and rate:\n\n```sh\ntradectl cost --stack prod --rate 50 --compare standard,express\n```\n\n")

	p("## A trade\n\nMeasured with %s trades of the sample (`tradectl sample --seed 1`), which are short. Longer trades, and an API's\n"+
		"answer in the market context, make items larger.\n\n| | mean |\n|---|---|\n", terminal.Count(cost.Sample))
	for _, row := range [][2]string{
		{"state transitions, with the start", fmt.Sprintf("%.2f", u.Transitions)},
		{"event, with its envelope", fmt.Sprintf("%.0f bytes", u.EventBytes)},
		{"item in the table", fmt.Sprintf("%.0f bytes, %.2f write units of 1 KiB", u.ItemBytes, u.TableUnits)},
		{"its entries in the indexes", fmt.Sprintf("%.2f write units", u.IndexUnits)},
		{"log lines of all functions", fmt.Sprintf("%.0f bytes", u.LogBytes)},
	} {
		p("| %s | %s |\n", row[0], row[1])
	}
	p("\nAssumed, because only AWS can tell: a call takes %.0f ms and an execution %.0f ms (the dashboard has both; `--call` and\n"+
		"`--execution`), and the images are without Lambda Insights (`--insights`). AWS rounds a call up to 1 ms, and an EXPRESS\n"+
		"execution to 100 ms and 64 MB.\n\n", cost.Assumed.CallMS, cost.Assumed.ExecutionMS)

	p("## By service\n\nIn USD. The month is the first, with a million trades; storage is as at its end, and grows by as much each month.\n\n")
	p("| service | what | a million trades | a month |\n|---|---|---|---|\n")
	lines(p, cost.Lines(standard, u, cost.Assumed, table))
	p("| **Sum, STANDARD** | | **%.2f** | **%.2f** |\n", a.Trades, a.Month)
	for _, l := range cost.Lines(express, u, cost.Assumed, table) {
		if l.Service == "Step Functions" {
			lines(p, []cost.Line{{Service: "instead, EXPRESS", What: l.What, Trades: l.Trades, Month: l.Month}})
		}
	}
	p("| **Sum, EXPRESS** | | **%.2f** | **%.2f** |\n\n", b.Trades, b.Month)
	p(`Not in the sums: images in ECR and their copies, VPC flow logs, data through the endpoints, requests to KMS, which are few because services reuse data keys for minutes, and in dev the state machine's log of
every step (` + "`workflowLogLevel: ALL`" + `) and a line per call (` + "`functionLogLevel: DEBUG`" + `).

## Other outcomes

| trade | difference |
|---|---|
| rejected, corrected or cancelled | one more read unit: the recorder looks for another version. A rejected one is in both indexes |
| duplicate | the condition fails: one write unit in one region, nothing is replicated |
| dead letter | no item; one SQS message, more transitions for retries and for keeping the event; a redrive counts as another trade |
| replayed | like a duplicate, plus everything else again |

`)
	p("## What changes it\n\nWhat other choices would add, or save if negative, with STANDARD:\n\n| choice | a million trades | a month |\n|---|---|---|\n")
	for _, l := range cost.Choices(standard, u, cost.Assumed, table) {
		p("| %s | %+.2f | %+.2f |\n", l.What, l.Trades, l.Month)
	}
	p("\nEXPRESS has no execution history and no redrive, and time for 3 retries at most. `maxWriteUnits` saves nothing, but limits what a\n" +
		"flood can cost: throttled trades are retried, then dead-lettered.\n\n")
	p("## Prices\n\nIn USD, looked up on %s, from `internal/cost/prices.csv`. `aws` was seen on the page, `quoted` where others\n"+
		"quote it, because AWS loads most figures by script, and `unchecked` nowhere: check it before you rely on it. Other regions are\n"+
		"computed with the prices of us-east-1.\n\n"+
		"| price | region | USD | per | AWS's page | seen |\n|---|---|---|---|---|---|\n", cost.Looked)
	for _, price := range table {
		p("| %s | %s | %v | %s | <%s> | %s |\n", price.Name, price.Region, strconv.FormatFloat(price.USD, 'f', -1, 64), price.Per, price.Source, price.Seen)
	}
	return w.String()
}

func lines(p func(string, ...any), all []cost.Line) {
	for _, l := range all {
		p("| %s | %s | %s | %s |\n", l.Service, l.What, usd(l.Trades), usd(l.Month))
	}
}

func usd(amount float64) string {
	if amount == 0 {
		return ""
	}
	return fmt.Sprintf("%.2f", amount)
}

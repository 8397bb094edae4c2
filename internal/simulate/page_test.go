package simulate

import (
	"fmt"
	"maps"
	"math"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"trade-processing/tests/page"
)

func TestThePageOfTheScaleIsUpToDate(t *testing.T) {
	if runtime.GOARCH != "amd64" {
		t.Skip("other processors round intermediate results in other ways, and a simulation amplifies that")
	}
	const file = "../../docs/scale.md"
	want := pageOf(t)
	page.Check(t, file, want, "go test ./internal/simulate -run Page -update")
}

func pageOf(t *testing.T) string {
	d := prod(t)
	l := LimitsOf(d)
	first := Sustained(d, l)
	burst := func(d *Deployed, l Limits, base, rate float64) *Result {
		return run(t, d, l, Load{Base: base, Lead: 20, Rate: rate, Seconds: 60, Seed: 1, Parcels: 20_000})
	}
	tenfold := burst(d, l, first.Rate, 10*first.Rate)

	var b strings.Builder
	say := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	say("<!-- Written by: go test ./internal/simulate -run Page -update -->\n\n# Scale\n")
	say("What stack `prod`, as it is in this repository, can take in one account under AWS's default quotas in %s, what bursts do to it,", d.Region)
	say("and what to raise, in which order. All of it is simulated from the deployed definition, never measured on AWS:")
	say("[how, and what is assumed](#quotas-and-assumptions). `tradectl simulate` does the same for any stack, quotas and config.\n")
	say("In short: **%s trades a second, sustained**, bound by the quota of StartExecution.", number(first.Rate))
	say("**A tenfold burst from there, %s a second for a minute, loses nothing but is late**: EventBridge retries, so half of its trades",
		number(10*first.Rate))
	say("are recorded after %s and the last after %s; at most %s wait. %s.\n", duration(tenfold.P50), duration(tenfold.Slowest),
		number(float64(tenfold.Backlog)), alarmed(tenfold.Alarms))
	say("The same quota protects the functions: with more executions, calls are throttled, and an event that is throttled too often")
	say("becomes a dead letter. So raise the limits of the functions before those of Step Functions.\n")

	say("## Which limit binds\n\n| limit | trades a second | raise |\n|---|---|---|")
	for _, bound := range Bounds(d, l) {
		passing := ""
		if bound.Passing {
			passing = "; it grows by itself, see below"
		}
		say("| `%s` | %s | %s%s |", bound.Limit, exact(bound.Rate), bound.Change, passing)
	}
	head := func() {
		say("| trades a second | recorded a second | latency p50, p99 | backlog | drain | dead letters | timed out | limits that bind | alarms |")
		say("|---|---|---|---|---|---|---|---|---|")
	}
	rates := []float64{100, 300, 1000, 3000, 10_000, 30_000, 100_000}
	say("\n## Bursts\n\nEach burst is ten times what came before, begins at once and takes a minute; then nothing more comes. If trades go on at a rate r, the")
	say("backlog drains more slowly, by s / (s - r), where s is the sustained rate.\n\n### As it is\n")
	head()
	for _, rate := range rates {
		line(say, burst(d, l, rate/10, rate))
	}
	express := d.express()
	say("\n### With `workflowType: EXPRESS` alone\n\nThis also needs `maxRetries: 3`. It binds at %s trades a second.\n", number(Sustained(&express, LimitsOf(&express)).Rate))
	head()
	for _, rate := range rates[2:] {
		line(say, burst(&express, LimitsOf(&express), rate/10, rate))
	}
	say("\n### With everything raised\n\nIn the order in which limits bind, each to %v times the rate. Apply a row's changes in reverse: what comes first protects", headroom)
	say("what comes last.\n")
	head()
	var steps strings.Builder
	for _, rate := range rates[1:] {
		raised, limits, changes := Raise(d, l, rate)
		line(say, burst(raised, limits, rate/10, rate))
		fmt.Fprintf(&steps, "| %s | %s |\n", number(rate), strings.Join(changes, "; "))
	}
	say("\n| trades a second | changes |\n|---|---|\n%s", strings.TrimSuffix(steps.String(), "\n"))
	say("\n`tradectl simulate` also says what a burst costs. [A trade's cost](cost.md) doesn't depend on the rate, but with STANDARD each retry\nadds a state transition.\n")

	known := Known()
	say("## Quotas and assumptions\n\nAs of %s. `--limit KEY=VALUE` changes one.\n\n| key | %s | what | source |\n|---|---|---|---|", known.Date, d.Region)
	for _, limit := range known.Limits {
		value, source := limit.Value, limit.Kind
		if its, differs := limit.Regions[d.Region]; differs {
			value = its
		}
		if limit.Source != "" {
			source = "[AWS](" + limit.Source + ")"
		}
		what := limit.What
		if limit.Type != "" {
			what = limit.Type + ": " + what
		}
		say("| `%s` | %s %s | %s | %s |", limit.Key, exact(value), limit.Unit, what, source)
	}
	for _, name := range slices.Sorted(maps.Keys(known.Handlers.Microseconds)) {
		say("| `handler.%s` | %v µs | a call of its handler on a whole CPU, without what it calls; a function has a CPU for each 1,769 MB | measured |", name, known.Handlers.Microseconds[name])
	}
	say("\n`make benchmarks` measured the handlers on %s (%s).\n", known.Handlers.Date, known.Handlers.Machine)
	say("A new on-demand table takes `newTableWrites`, and later twice its previous peak: set `tablePeak` for a table that has been busy.")
	say("AWS's quotas are for a whole account: other stacks in it take their share. Above %s trades, they are simulated in parcels", number(20_000))
	say("that share one fate ([decision 90](decisions/0090-burst-simulation.md), which also says what isn't simulated).\n")
	say("The tests compare the simulation with closed forms, [Erlang's formula B, Little's law, M/D/1 and the drain of a")
	say("bucket](../internal/simulate/simulate_test.go), and trade by trade with [the local cloud](../tests/scale/scale_test.go) on its virtual clock.")
	return b.String()
}

func line(say func(string, ...any), r *Result) {
	var limits []string
	for _, hit := range r.Hits {
		limits = append(limits, "`"+hit.Limit+"`")
	}
	say("| %s | %s | %s, %s | %s | %s | %s | %s | %s | %s |", number(r.Rate), number(r.PerSecond), duration(r.P50), duration(r.P99), number(float64(r.Backlog)),
		duration(r.Drain), number(float64(r.DeadLetters)), number(float64(r.TimedOut)), strings.Join(limits, ", "), strings.Join(short(r.Alarms), ", "))
}

func short(alarms []string) []string {
	var names []string
	for _, name := range alarms {
		names = append(names, strings.TrimPrefix(name, "trade-processing-prod-"))
	}
	return names
}

func alarmed(alarms []string) string {
	if len(alarms) == 0 {
		return "No alarm goes off"
	}
	return "Alarms that go off: " + strings.Join(short(alarms), ", ")
}

func exact(n float64) string {
	if n < 1000 {
		return strconv.FormatFloat(n, 'f', -1, 64)
	}
	return thousands(strconv.FormatFloat(n, 'f', 0, 64))
}

func thousands(text string) string {
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}

// number has three significant digits, and thousands.
func number(n float64) string {
	if n == 0 || n < 10 && n == math.Trunc(n) {
		return strconv.FormatFloat(n, 'f', -1, 64)
	}
	digits := int(math.Floor(math.Log10(n))) - 2
	if digits < 0 {
		return strconv.FormatFloat(n, 'g', 3, 64)
	}
	scale := math.Pow(10, float64(digits))
	return thousands(strconv.FormatFloat(math.Round(n/scale)*scale, 'f', 0, 64))
}

func duration(seconds float64) string {
	if seconds < 10 {
		return strconv.FormatFloat(seconds, 'f', 1, 64) + " s"
	}
	d := time.Duration(seconds) * time.Second
	switch {
	case d < 2*time.Minute:
		return fmt.Sprintf("%.0f s", d.Seconds())
	case d < 2*time.Hour:
		return fmt.Sprintf("%.0f min", d.Minutes())
	}
	return fmt.Sprintf("%.1f h", d.Hours())
}

package market

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "rewrite docs/reasons.md")

// The page is generated from the reference data, so it can't promise what the data doesn't have.
func TestThePageOfTheReasonsIsUpToDate(t *testing.T) {
	const file = "../../docs/reasons.md"
	want := page(t)
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
		t.Errorf("%s is stale; rewrite it with: go -C lambdas test ./market -run Page -update", file)
	}
}

func page(t *testing.T) string {
	t.Helper()
	reference, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	b.WriteString("<!-- Written by: go -C lambdas test ./market -run Page -update -->\n\n# Market context\n\n")
	b.WriteString("The enricher never fails a trade because context is missing. If something isn't known, the context's `status`\n" +
		"is `PARTIAL` and `reasons` say why; otherwise it is `COMPLETE` and there are none.\n\n" +
		"## Reasons\n\n| reason | meaning |\n|---|---|\n")
	for _, reason := range Reasons {
		fmt.Fprintf(&b, "| `%s` | %s |\n", reason.Code, reason.Meaning)
	}

	fmt.Fprintf(&b, "\n## Venues\n\n%d venues are known. A trade at any other is still recorded, with the reason `%s`.\n\n"+
		"| MIC | venue | country | time zone | calendar |\n|---|---|---|---|---|\n", len(reference.Venues()), VenueUnknown)
	for _, mic := range reference.Venues() {
		v, _ := reference.Venue(mic)
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s | %s |\n", v.MIC, v.Name, v.Country, v.Zone, v.calendar.Name)
	}

	fmt.Fprintf(&b, "\n## Calendars\n\nA calendar covers whole years. A trade before or after them gets the reason `%s`, and one whose\n"+
		"settlement date is after them gets `%s`. Calendars based on rules reach far; those based on the moon or on\n"+
		"decrees reach as far as their days are listed in `lambdas/market/data/closures.csv`, which explains at the top\n"+
		"how to add a year.\n\n"+
		"| calendar | first day | last day |\n|---|---|---|\n", CalendarNotCovered, SettlementNotCovered)
	for _, name := range slices.Sorted(maps.Keys(reference.calendars)) {
		c := reference.calendars[name]
		fmt.Fprintf(&b, "| %s | %s | %s |\n", name, c.From, c.Until)
	}
	return b.String()
}

package market

import (
	"flag"
	"fmt"
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

	fmt.Fprintf(&b, "\n## Venues\n\n%d venues are known, and %d segments through the venue that operates them: `operatingMic` then names that venue, and\n"+
		"session and days are its. A trade at any other is still recorded, with the reason `%s`.\n\n"+
		"Nothing is claimed outside these dates. A trade on a day that isn't known gets the reason `%s`, one on a trading\n"+
		"day whose hours aren't known `%s`, and one whose settlement day isn't known `%s`.\n"+
		"If what is known ends within %d days, an alarm says so: [how to add a year](runbook.md#a-calendar-ends-soon).\n\n"+
		"| MIC | venue | country | time zone | calendar | days | hours | settlement |\n|---|---|---|---|---|---|---|---|\n",
		len(reference.Venues()), len(reference.segments), VenueUnknown, CalendarNotCovered, HoursNotCovered, SettlementNotCovered, EndsSoonDays)
	for _, mic := range reference.Venues() {
		v, _ := reference.Venue(mic)
		if v.calendar == nil {
			fmt.Fprintf(&b, "| `%s` | %s | | | | | | |\n", v.MIC, v.Name)
			continue
		}
		days := v.calendar.table()
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s | %s | %s | %s | %s |\n",
			v.MIC, v.Name, v.Country, v.TimeZone(), v.calendar.Name, days.covers, spans(days), settlementSpans(v))
	}
	return b.String()
}

func (s span) String() string { return s.from.String() + " to " + s.until.String() }

// spans writes for which of a calendar's days the hours are known.
func spans(days *table) string {
	if len(days.hours) == 0 {
		return "not known"
	}
	if slices.Equal(days.hours, []span{days.covers}) {
		return "the same"
	}
	var texts []string
	for _, s := range days.hours {
		texts = append(texts, s.String())
	}
	return strings.Join(texts, ", ")
}

// settlementSpans writes which calendars a venue's trades settle by, and what those cover.
func settlementSpans(v *Venue) string {
	if len(v.settlement) == 0 {
		return "not known"
	}
	var texts []string
	for _, rule := range slices.Backward(v.settlement) {
		text := rule.calendar.Name
		if rule.calendar != v.calendar {
			text += " " + rule.calendar.table().covers.String()
		}
		if rule.currency != "" {
			text = rule.currency + ": " + text
		}
		if !slices.Contains(texts, text) {
			texts = append(texts, text)
		}
	}
	return strings.Join(texts, ", ")
}

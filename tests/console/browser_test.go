//go:build browser

package console_test

import (
	"cmp"
	"strings"
	"testing"
	"time"
)

// Every view, with and without trades, at both widths and in both schemes, is without violations.
func TestViewsCanBeUsedByEveryone(t *testing.T) {
	t.Parallel()
	w := newWorld(t, time.Hour) // a view that is renewed can't be judged
	b := newBrowser(t)
	b.open(w.address)
	for _, state := range []string{"empty", "full"} {
		pages := []string{"/", "/workflow", "/trades", "/executions", "/letters", "/alarms", "/resources", "/send", "/nothing"}
		if state == "full" {
			w.send(t, 300)
			w.put(t, malformed)
			b.open(w.origin + "/trades")
			trade := eval[string](b, `document.querySelector("tbody a").getAttribute("href")`)
			b.open(w.origin + "/executions?status=FAILED")
			execution := eval[string](b, `document.querySelector("tbody a").getAttribute("href")`)
			pages = append(pages, trade, execution, "/letters?queue=validator", "/redrive?queue=validator", "/trades?source=system1&status=REJECTED")
		}
		for _, path := range pages {
			b.open(w.origin + path)
			name, _, _ := strings.Cut(strings.TrimPrefix(path, "/"), "?")
			b.everyWay(state + "-" + cmp.Or(name, "overview"))
		}
	}
	b.clean(w.origin)
}

// An open overview follows what happens, and whoever was in the middle of something stays there.
func TestTheOverviewFollows(t *testing.T) {
	t.Parallel()
	w := newWorld(t, time.Second)
	b := newBrowser(t)
	b.open(w.address)
	if got := eval[string](b, `document.querySelector(".tiles dd").textContent`); got != "0" {
		t.Fatalf("%s trades are recorded before any was sent", got)
	}
	b.reach("#span-3h")
	w.send(t, 20)
	w.put(t, malformed)
	b.wait(`document.querySelector(".tiles dd").textContent !== "0" && document.querySelector("h1").textContent.includes("1 dead letter")`)
	if got := eval[string](b, `document.activeElement.id`); got != "span-3h" {
		t.Errorf("the focus went from the span to %q", got)
	}
	b.settle("true") // the charts were drawn anew
	b.clean(w.origin)
}

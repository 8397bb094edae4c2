//go:build browser

package console_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"trade-processing/local/queue"
)

// watchKeys numbers the controls that can be seen, and notes which get the focus, whether that shows, and which are clicked, which
// then does nothing.
const watchKeys = `(() => {
	window.focused = []; window.unseen = []; window.clicked = [];
	const controls = [...document.querySelectorAll("a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex='0']")].filter(e => e.checkVisibility());
	controls.forEach((e, i) => e.dataset.k = i);
	document.addEventListener("focusin", ({target}) => {
		const style = getComputedStyle(target), box = target.getBoundingClientRect();
		if (style.outlineStyle === "none" || parseFloat(style.outlineWidth) < 1 || box.right <= 0) unseen.push(target.outerHTML.slice(0, 100));
		if (target.dataset.k && focused.at(-1) !== +target.dataset.k) focused.push(+target.dataset.k);
	});
	document.addEventListener("click", (event) => {
		const control = event.target.closest("[data-k]");
		if (control) clicked.push(+control.dataset.k);
		event.preventDefault(); event.stopImmediatePropagation();
	}, true);
	return controls.map(e => ["A", "BUTTON", "SUMMARY"].includes(e.tagName));
})()`

// Every control of every view gets the focus by Tab, in the order of the page, and shows that it has it. Enter works what a click does.
func TestEveryControlByTheKeyboard(t *testing.T) {
	t.Parallel()
	w := newWorld(t, time.Hour)
	w.send(t, 60)
	w.put(t, malformed)
	b := newBrowser(t)
	b.open(w.address)
	b.open(w.origin + "/trades")
	trade := eval[string](b, `document.querySelector("tbody a").getAttribute("href")`)
	b.open(w.origin + "/executions?status=FAILED")
	execution := eval[string](b, `document.querySelector("tbody a").getAttribute("href")`)
	for _, path := range []string{"/", "/workflow", "/trades", trade, "/executions?status=FAILED", execution, "/letters?queue=validator", "/redrive?queue=validator", "/alarms", "/resources", "/send"} {
		b.open(w.origin + path)
		buttons := eval[[]bool](b, watchKeys)
		var want, clicks []int
		for i, is := range buttons {
			if want = append(want, i); is {
				clicks = append(clicks, i)
			}
		}
		// The parts of a time are stops of their own.
		for range len(buttons) + 10*eval[int](b, `document.querySelectorAll("[type=datetime-local]").length`) {
			b.press(kb.Tab)
			if eval[bool](b, `document.activeElement.matches("a, button, summary")`) {
				b.press(kb.Enter)
			}
		}
		got := eval[[]int](b, `focused`)
		if len(got) > len(want) { // round again
			got = got[:len(want)]
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: Tab goes to the controls %v of %d", path, got, len(want))
		}
		if got := eval[[]int](b, `[...new Set(clicked)].sort((a, b) => a - b)`); !slices.Equal(got, clicks) {
			t.Errorf("%s: Enter works the controls %v, want %v", path, got, clicks)
		}
		for _, unseen := range eval[[]string](b, `unseen`) {
			t.Errorf("%s: nothing shows the focus on %s", path, unseen)
		}
	}
	b.clean(w.origin)
}

// An event is sent, found, and its filters and details are opened, without a mouse.
func TestATradeByTheKeyboard(t *testing.T) {
	t.Parallel()
	w := newWorld(t, time.Hour)
	b := newBrowser(t)
	b.open(w.address)
	b.press(kb.Tab, kb.Enter)
	b.wait(`document.activeElement.id === "main"`) // past header and menu
	b.open(w.origin + "/trades")
	b.reach("a[href='/send']")
	b.press(kb.Enter)
	b.wait(`document.activeElement.id === "dialog-title" && document.activeElement.textContent === "Send events"`)
	b.reach("#events")
	b.do(chromedp.KeyEvent(`{"Source": "trading.system1", "DetailType": "trade", "Detail": "{\"tradeId\": \"by-hand\", \"executedAt\": \"2026-03-09T14:30:00Z\"}"}`))
	b.reach("dialog .go")
	b.press(" ")
	b.wait(`document.activeElement.id === "dialog-title" && document.activeElement.textContent.startsWith("Send 1 event to ")`)
	b.reach("dialog .close")
	b.press(kb.Enter)
	b.wait(`!document.querySelector("dialog").open`)
	if w.recorded(t) {
		t.Fatal("it was sent though nobody confirmed it")
	}
	b.reach("a[href='/send']")
	b.press(kb.Enter)
	b.wait(`document.activeElement.id === "dialog-title"`)
	b.reach("#events")
	b.do(chromedp.KeyEvent(`{"Source": "trading.system1", "DetailType": "trade", "Detail": "{\"tradeId\": \"by-hand\", \"executedAt\": \"2026-03-09T14:30:00Z\"}"}`))
	b.reach("dialog .go")
	b.press(" ")
	b.wait(`document.activeElement.textContent.startsWith("Send 1 event to ")`)
	b.reach("dialog .go")
	b.press(" ")
	b.wait(`document.activeElement.id === "dialog-title" && document.activeElement.textContent === "1 event sent"`)
	for !w.recorded(t) {
		time.Sleep(50 * time.Millisecond)
	}
	b.press(kb.Escape)
	b.wait(`document.querySelector("tbody a")?.textContent === "by-hand"`) // what was done is shown
	b.reach("#find")
	b.do(chromedp.KeyEvent("by-hand"))
	b.press(kb.Enter)
	b.wait(`document.querySelector("h1")?.textContent === "Trade by-hand"`)
	if !eval[bool](b, `document.querySelector("main").textContent.includes("The digest is the trade’s")`) {
		t.Error("the page says nothing of the digest")
	}
	for _, test := range []struct{ status, want string }{{"REC", "by-hand"}, {"REJ", "by-hand"}} {
		b.open(w.origin + "/trades")
		b.reach("[name=source]")
		b.do(chromedp.KeyEvent("system1"))
		b.reach("[name=status]")
		b.do(chromedp.KeyEvent(test.status))
		b.reach(".filter button")
		b.press(kb.Enter)
		b.wait(`location.search.includes("source=system1&status=` + test.status + `")`)
		b.wait(`document.readyState === "complete"`)
	}
	if got := eval[string](b, `document.querySelector("tbody a").textContent`); got != "by-hand" {
		t.Errorf("the filter finds %q", got)
	}
	w.put(t, malformed)
	for eval[int](b, `fetch("/letters?queue=validator").then(r => r.text()).then(t => t.includes("<summary>") ? 1 : 0)`) == 0 {
		time.Sleep(50 * time.Millisecond)
	}
	b.open(w.origin + "/letters?queue=validator")
	b.reach("summary")
	b.press(" ")
	b.wait(`document.querySelector("details").open`)
	b.clean(w.origin)
}

// A redrive by its button, with the keyboard alone: the dialog asks first, and then the event really comes again.
func TestARedriveByItsButton(t *testing.T) {
	t.Parallel()
	w := newWorld(t, time.Second)
	url := w.Stack.Outputs.DeadLetters["recorder"]
	letters, err := w.Cloud.Queue(w.Stack.Outputs.Region, url[strings.LastIndex(url, "/")+1:])
	must(t, err)
	_, err = letters.Send(t.Context(), queue.Draft{Body: `{"event": {"id": "e-1", "source": "trading.system1", "detail-type": "Trade Event", "time": "2026-03-09T14:30:00Z",
		"detail": {"tradeId": "t-1", "executedAt": "2026-03-09T14:30:00Z"}}, "error": {"Error": "States.Timeout", "Cause": "slow"}, "executionArn": "none"}`})
	must(t, err)
	b := newBrowser(t)
	b.open(w.address)
	b.open(w.origin + "/letters?queue=recorder")
	b.reach("[aria-label^='Redrive ']")
	b.do(chromedp.KeyEvent(kb.Enter), chromedp.WaitVisible("dialog[open] .go"), chromedp.KeyEvent(kb.Enter)) // as one that is held down
	if got := eval[string](b, `document.querySelector("dialog h2").textContent`); got != "Redrive this letter?" {
		t.Errorf("the dialog asks %q", got)
	}
	if !eval[bool](b, `document.querySelector("dialog").contains(document.activeElement)`) {
		t.Error("the focus is outside the dialog")
	}
	b.press(kb.Escape)
	if eval[bool](b, `document.querySelector("dialog").open`) || w.recorded(t) {
		t.Error("Escape doesn't close the dialog, or it was redriven before the confirmation")
	}
	b.reach("[aria-label^='Redrive ']")
	b.do(chromedp.KeyEvent(kb.Enter), chromedp.WaitVisible("dialog[open] .go"))
	b.reach("dialog .go")
	b.do(chromedp.KeyEvent(kb.Enter), chromedp.WaitReady("dialog [data-done]"))
	if got := eval[string](b, `document.activeElement.id`); got != "dialog-title" {
		t.Errorf("the focus is on %q, not on what was done", got)
	}
	if got := eval[string](b, `document.querySelector("dialog h2").textContent`); got != "1 letter redriven" {
		t.Errorf("it says %q", got)
	}
	for began := time.Now(); !w.recorded(t); time.Sleep(50 * time.Millisecond) {
		if time.Since(began) > 20*time.Second {
			t.Fatal("the letter's event didn't come again")
		}
	}
	states, err := w.Stack.LetterStates(t.Context())
	must(t, err)
	for _, state := range states {
		if state.Waiting+state.Hidden > 0 {
			t.Errorf("%s still holds a letter", state.Name)
		}
	}
	b.clean(w.origin)
}

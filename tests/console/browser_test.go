//go:build browser

package console_test

import (
	"cmp"
	"context"
	_ "embed"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// axe judges whether people can use a page who can't see it, or use no mouse.
//
//go:embed testdata/axe/axe.min.js
var axe string

// browser is one tab, and what it asked for and complained of.
type browser struct {
	t   *testing.T
	ctx context.Context

	mu        sync.Mutex
	requests  []string
	complains []string
}

// newBrowser starts Chromium. Root needs it without its sandbox.
func newBrowser(t *testing.T) *browser {
	t.Helper()
	program := os.Getenv("CHROMIUM")
	if program == "" {
		t.Fatal("CHROMIUM is the browser's program; make test-console sets it")
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(program), chromedp.NoSandbox, chromedp.UserDataDir(t.TempDir()))
	allocated, end := chromedp.NewExecAllocator(t.Context(), options...)
	t.Cleanup(end)
	ctx, endTab := chromedp.NewContext(allocated)
	t.Cleanup(endTab)
	ctx, late := context.WithTimeout(ctx, 4*time.Minute)
	t.Cleanup(late)
	b := &browser{t: t, ctx: ctx}
	must(t, chromedp.Listen(ctx, func(event any) {
		b.mu.Lock()
		defer b.mu.Unlock()
		switch event := event.(type) {
		case *network.EventRequestWillBeSent:
			b.requests = append(b.requests, event.Request.URL)
		case *runtime.EventExceptionThrown:
			b.complains = append(b.complains, event.ExceptionDetails.Text)
		case *log.EventEntryAdded:
			if event.Entry.Level == log.EntryLevelError && !strings.Contains(event.Entry.Text, "404") {
				b.complains = append(b.complains, event.Entry.Text)
			}
		}
	}))
	_, err := chromedp.Call(ctx, network.Enable, network.EnableParams{})
	must(t, err)
	_, err = chromedp.Call(ctx, log.Enable, cdp.Empty{})
	must(t, err)
	return b
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (b *browser) do(steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	must(b.t, chromedp.Do(b.ctx, steps...))
}

// eval runs a script, and waits for what it promises.
func eval[T any](b *browser, script string) T {
	b.t.Helper()
	value, err := chromedp.Run(b.ctx, chromedp.Evaluate[T](script, chromedp.EvalAwaitPromise))
	must(b.t, err)
	return value
}

// open shows a page.
func (b *browser) open(address string) {
	b.t.Helper()
	b.do(chromedp.Navigate(address), chromedp.WaitReady("main"))
}

// as shows it at a width and in a scheme.
func (b *browser) as(width int64, scheme string) {
	b.t.Helper()
	_, err := chromedp.Call(b.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
	})
	must(b.t, err)
	b.do(chromedp.EmulateViewport(width, 900))
}

// judge runs axe on what is shown.
func (b *browser) judge(name string) {
	b.t.Helper()
	for _, one := range eval[[]string](b, `axe.run(document, {resultTypes: ["violations"]}).then(r => r.violations.flatMap(v => v.nodes.map(n => v.id + ": " + n.html.slice(0, 160) + " " + (n.any[0] || n.all[0] || n.none[0] || {}).message)))`) {
		b.t.Errorf("%s: %s", name, one)
	}
	if eval[bool](b, `document.documentElement.scrollWidth > innerWidth`) {
		b.t.Errorf("%s: the page scrolls sideways", name)
	}
}

// look keeps a picture, if SHOTS names a folder.
func (b *browser) look(name string) {
	b.t.Helper()
	folder := os.Getenv("SHOTS")
	if folder == "" {
		return
	}
	time.Sleep(150 * time.Millisecond) // for the fonts
	picture, err := chromedp.Run(b.ctx, chromedp.FullScreenshot(100))
	must(b.t, err)
	must(b.t, os.WriteFile(filepath.Join(folder, name+".png"), picture, 0o600))
}

// clean fails for what the browser complained of, and for requests to anywhere else.
func (b *browser) clean(origin string) {
	b.t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, complaint := range b.complains {
		b.t.Errorf("the browser complains: %s", complaint)
	}
	for _, asked := range b.requests {
		if !strings.HasPrefix(asked, origin+"/") && !strings.HasPrefix(asked, "data:") && !strings.HasPrefix(asked, "chrome") && asked != "about:blank" {
			b.t.Errorf("the page asks for %s", asked)
		}
	}
}

// Every view, with and without trades, at both widths and in both schemes, is without violations.
func TestViewsCanBeUsedByEveryone(t *testing.T) {
	w := newWorld(t)
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
			eval[any](b, axe+"; null")
			name, _, _ := strings.Cut(strings.TrimPrefix(path, "/"), "?")
			for _, scheme := range []string{"light", "dark"} {
				for _, width := range []int64{1280, 400} {
					b.as(width, scheme)
					shown := fmt.Sprintf("%s-%s-%s-%d", state, cmp.Or(name, "overview"), scheme, width)
					b.look(shown)
					b.judge(shown)
				}
			}
		}
	}
	b.clean(w.origin)
}

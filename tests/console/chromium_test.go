//go:build browser

package console_test

import (
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
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
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
	ctx, late := context.WithTimeout(ctx, 8*time.Minute) // a busy machine needs two
	t.Cleanup(late)
	b := &browser{t: t, ctx: ctx}
	must(t, chromedp.Listen(ctx, func(event any) {
		b.mu.Lock()
		defer b.mu.Unlock()
		switch event := event.(type) {
		case *network.EventRequestWillBeSent:
			b.requests = append(b.requests, event.Request.URL)
		case *page.EventJavascriptDialogOpening:
			b.complains = append(b.complains, "a script says "+event.Message)
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

// everyWay shows it at both widths and in both schemes, judges each, and keeps a picture of it.
func (b *browser) everyWay(name string) {
	b.t.Helper()
	eval[any](b, axe+"; null")
	for _, scheme := range []string{"light", "dark"} {
		for _, width := range []int64{1280, 400} {
			b.as(width, scheme)
			shown := fmt.Sprintf("%s-%s-%d", name, scheme, width)
			b.look(shown)
			b.judge(shown, scheme == "dark")
		}
	}
}

// press presses keys, one after the other.
func (b *browser) press(keys ...string) {
	b.t.Helper()
	for _, key := range keys {
		b.do(chromedp.KeyEvent(key))
	}
}

// wait waits until a script is true, in whatever page is there by then.
func (b *browser) wait(script string) {
	b.t.Helper()
	for {
		is, err := chromedp.Run(b.ctx, chromedp.Evaluate[bool](script))
		if err == nil && is {
			return
		}
		if b.ctx.Err() != nil {
			b.t.Fatalf("waiting for %s: %v", script, err)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// as shows it at a width and in a scheme.
func (b *browser) as(width int64, scheme string) {
	b.t.Helper()
	_, err := chromedp.Call(b.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
	})
	must(b.t, err)
	b.do(chromedp.EmulateViewport(width, 900))
	b.settle(fmt.Sprintf("innerWidth === %d && matchMedia('(prefers-color-scheme: %s)').matches", width, scheme))
}

// settle waits until a condition holds, the charts fit, nothing moves any more, and the result was drawn.
func (b *browser) settle(condition string) {
	b.t.Helper()
	b.wait("document.readyState === 'complete' && (" + condition + `) && document.getAnimations().length === 0 &&
		[...document.querySelectorAll("[data-chart]")].every(box => box.querySelector(".uplot")?.clientWidth === box.clientWidth)`)
	eval[any](b, `document.fonts.ready.then(() => new Promise(drawn => requestAnimationFrame(() => requestAnimationFrame(() => drawn(null)))))`)
}

// judge runs axe on what is shown, for colours alone if the rest has been judged.
func (b *browser) judge(name string, colours bool) {
	b.t.Helper()
	rules := ""
	if colours {
		rules = `, runOnly: ["color-contrast"]`
	}
	for _, one := range eval[[]string](b, `axe.run(document, {resultTypes: ["violations"]`+rules+`}).then(r => r.violations.flatMap(v => v.nodes.map(n => v.id + ": " + n.html.slice(0, 160) + " " + (n.any[0] || n.all[0] || n.none[0] || {}).message)))`) {
		b.t.Errorf("%s: %s", name, one)
	}
	if eval[bool](b, `document.documentElement.scrollWidth > innerWidth`) {
		b.t.Errorf("%s: the page scrolls sideways", name)
		b.t.Log(eval[[]string](b, `[...document.querySelectorAll("*")].filter(e => e.getBoundingClientRect().right > innerWidth).map(e => e.outerHTML.slice(0, 120))`))
	}
}

// look keeps a picture, if SHOTS names a folder.
func (b *browser) look(name string) {
	b.t.Helper()
	folder := os.Getenv("SHOTS")
	if folder == "" {
		return
	}
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
		if !strings.HasPrefix(asked, origin) && !strings.HasPrefix(asked, "data:") && !strings.HasPrefix(asked, "chrome") && asked != "about:blank" {
			b.t.Errorf("the page asks for %s", asked)
		}
	}
}

// reach tabs until what the selector names has the focus.
func (b *browser) reach(selector string) {
	b.t.Helper()
	for range 200 {
		if eval[bool](b, fmt.Sprintf("document.activeElement.matches(%q)", selector)) {
			return
		}
		b.press(kb.Tab)
	}
	b.t.Fatalf("the keyboard doesn't reach %s", selector)
}

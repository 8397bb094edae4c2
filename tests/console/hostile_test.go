//go:build browser

package console_test

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"trade-processing/internal/console"
	"trade-processing/lambdas/function/functiontest"
	"trade-processing/local/metrics"
	"trade-processing/local/queue"
)

// What a careless page would run, load or be led away by.
var markup = []string{
	`<script>alert(1)</script>`, `"><img src=//evil.example/x onerror=alert(1)>`, `' onfocus=alert(1) autofocus tabindex=1 '`, `</title></textarea></pre></style></script><svg onload=alert(1)>`,
	`javascript:alert(1)`, `<iframe srcdoc="<script>parent.alert(1)</script>">`, `<meta http-equiv=refresh content="0;//evil.example">`, `<base href=//evil.example/>`,
	`<a hx-get="//evil.example" hx-trigger="load">`, `<div sse-connect="//evil.example">`, `<form action=//evil.example><button>`, `<link rel=stylesheet href=//evil.example/x.css>`, `{{.Token}}${alert(1)}`,
}

// Strangers write what is in trades and letters, and a link may bring anything. In a browser, it is text wherever it is shown.
func TestHostileTextIsText(t *testing.T) {
	t.Parallel()
	w := newWorld(t, time.Second)
	// In the fields of trades, so in their violations and executions too; a few in each, as every record has its own page.
	all := append(append([]string{}, markup...), functiontest.Hostile()...)
	fields := []string{"comment", "symbol", "venue", "side", "currency", "amount", "price", "exchange", "isin", "account"}
	var entries, paths []string
	for i := 0; i < len(all); i += len(fields) {
		detail := map[string]string{"tradeId": fmt.Sprintf("t-%d", i), "executedAt": "2026-03-09T14:30:00Z"}
		for j, field := range fields[:min(len(fields), len(all)-i)] {
			detail[field] = all[i+j]
		}
		text, err := json.Marshal(detail)
		must(t, err)
		entry, err := json.Marshal(map[string]string{"Source": "trading.system1", "DetailType": all[i], "Detail": string(text)})
		must(t, err)
		entries, paths = append(entries, string(entry)), append(paths, "/trade?id="+detail["tradeId"])
	}
	w.put(t, strings.Join(entries, "\n"))
	// In letters.
	address := w.Stack.Outputs.DeadLetters["recorder"]
	letters, err := w.Cloud.Queue(w.Stack.Outputs.Region, address[strings.LastIndex(address, "/")+1:])
	must(t, err)
	for _, text := range markup {
		body, err := json.Marshal(map[string]any{
			"event": map[string]any{"id": text, "source": text, "detail-type": text, "time": text, "detail": map[string]string{"tradeId": text}},
			"error": map[string]string{"Error": text, "Cause": text}, "executionArn": text,
		})
		must(t, err)
		_, err = letters.Send(t.Context(), queue.Draft{Body: string(body)})
		must(t, err)
	}
	// In an alarm's reason, which is CloudWatch's own text, and in what a link may bring.
	w.Cloud.SetAlarm(w.Stack.Outputs.Region, w.Stack.Outputs.Prefix()+"page", metrics.Alarming, strings.Join(markup, "\r\n"))
	for _, text := range markup {
		for _, path := range []string{"/trade?id=", "/letters?queue=", "/redrive?queue=", "/send?text=", "/trades?since=", "/trades?source=", "/executions?status=", "/execution?arn=", "/?span=", "/"} {
			if text == markup[len(paths)%len(markup)] {
				paths = append(paths, path+url.QueryEscape(text))
			}
		}
	}
	paths = append(paths, "/letters?queue=recorder", "/redrive?queue=recorder", "/trades", "/executions", "/alarms", "/")
	for !w.recorded(t) {
		time.Sleep(50 * time.Millisecond)
	}
	b := newBrowser(t)
	b.open(w.address)
	b.open(w.origin + "/executions")
	for _, path := range eval[[]string](b, `[...document.querySelectorAll("tbody a")].map(a => a.getAttribute("href"))`) {
		paths = append(paths, path)
	}
	check := func(path string) {
		t.Helper()
		b.settle("true")
		for _, found := range eval[[]string](b, `[...document.querySelectorAll("body *")].filter(e =>
			["IMG", "IFRAME", "OBJECT", "EMBED", "BASE", "META", "LINK"].includes(e.tagName) || e.tagName === "SCRIPT" && e.closest("main") ||
			[...e.attributes].some(a => a.name.startsWith("on") || a.name === "srcdoc" || ["href", "action", "hx-get", "hx-post", "sse-connect"].includes(a.name) && !/^[/#]($|[^/])/.test(a.value))).map(e => e.outerHTML.slice(0, 160))`) {
			t.Errorf("%s has %s", path, found)
		}
		if shown := eval[string](b, `document.body.innerText.match(/[^\P{C}\n\t\u{a}]/u)?.[0] ?? ""`); shown != "" {
			t.Errorf("%s shows %q", path, shown)
		}
	}
	for _, path := range paths {
		b.open(w.origin + path)
		check(path)
	}
	// Sent again to an open page.
	b.open(w.origin + "/alarms")
	b.wait(`document.querySelector("main").innerText.includes("onerror=alert(1)")`)
	eval[any](b, `new Promise(sent => document.addEventListener("htmx:sseMessage", () => sent(null)))`)
	check("/alarms, sent again")
	b.clean(w.origin)
	// In a file.
	b.openFile(func(out *strings.Builder) error {
		return console.WriteFile(t.Context(), out, w.Stack, strings.Join(markup, " "))
	})
	check("the file")
}

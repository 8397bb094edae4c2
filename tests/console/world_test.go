//go:build browser

// Package console_test drives the console in a real browser, over a stack that is deployed on the local cloud.
package console_test

import (
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"trade-processing/internal/console"
	"trade-processing/internal/feed"
	"trade-processing/internal/operate"
	"trade-processing/internal/sample"
	"trade-processing/local/cloud"
	"trade-processing/tests/deployed"
)

// world is a deployed stack with its console.
type world struct {
	*deployed.Served
	address string // that opens the console
	origin  string
}

// newWorld deploys stack dev and serves its console, whose views are renewed at these times. Executions are remembered, so that it can show them.
func newWorld(t *testing.T, every time.Duration) *world {
	t.Helper()
	w := &world{Served: deployed.Serve(t, cloud.Options{Executions: 1000}, "../..", "dev", nil)}
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(listener.Addr().String())
	page := console.New(console.Options{Stack: w.Stack, Title: "trade-processing dev", Every: every}, port)
	server := &http.Server{Handler: page.Handler()}
	go server.Serve(listener)            //nolint:errcheck // it ends with the test
	t.Cleanup(func() { server.Close() }) //nolint:errcheck // it ends with the test
	w.address, w.origin = page.Address(), "http://127.0.0.1:"+port
	return w
}

// put sends entries.
func (w *world) put(t *testing.T, entries string) {
	t.Helper()
	if err := w.Stack.Send(t.Context(), feed.FromReader("entries", strings.NewReader(entries)), operate.Sending{AtOnce: 1}); err != nil {
		t.Fatal(err)
	}
}

// malformed is an event on which the validator fails for good.
const malformed = `{"Source": "trading.system1", "DetailType": "trade", "Detail": "{\"tradeId\": \"\"}"}`

// send sends a generated sample.
func (w *world) send(t *testing.T, count int) {
	t.Helper()
	generator, err := sample.New(7, count)
	if err != nil {
		t.Fatal(err)
	}
	reader := generator.Reader()
	defer reader.Close()
	if err := w.Stack.Send(t.Context(), feed.FromReader("sample", reader), operate.Sending{AtOnce: 4}); err != nil {
		t.Fatal(err)
	}
	for !w.recorded(t) { // what was accepted may still be on its way
		time.Sleep(50 * time.Millisecond)
	}
}

// recorded says whether a trade is.
func (w *world) recorded(t *testing.T) bool {
	t.Helper()
	for _, err := range w.Stack.List(t.Context(), operate.Filter{Limit: 1}) {
		if err != nil {
			t.Fatal(err)
		}
		return true
	}
	return false
}

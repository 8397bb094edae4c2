package pipeline_test

import (
	"bytes"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"trade-processing/internal/localrun"
	"trade-processing/internal/terminal"
	"trade-processing/local/cloud"
	"trade-processing/local/states"
	"trade-processing/tests/deployed"
)

// told keeps what is written to it.
type told struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (o *told) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

// failing quotes the request's address in its error.
type quoting struct{}

func (quoting) RoundTrip(r *http.Request) (*http.Response, error) {
	return nil, fmt.Errorf("GET %s: no such service", r.URL)
}

// The address of the API has a token in its path and in its query. Nothing that a run writes may hold it: no log, no
// record, no letter, no visit of a state, no report.
func TestNoOutputHoldsTheSecretsOfTheConfig(t *testing.T) {
	const path, query = "pl4nted-in-the-path", "pl4nted-in-the-query"
	out := &told{}
	here := cloud.New(cloud.Options{
		Images: localrun.Images(), Clock: deployed.Hasty(haste), Logs: out, HTTP: &http.Client{Transport: quoting{}},
		Observe: func(visit states.Visit) { fmt.Fprintf(out, "%+v %v\n", visit, visit.Failure) },
	})
	settings := map[string]string{
		"apiEndpoint": "https://market.example.com/" + path + "/v1?token=" + query, "apiEndpointCidrs": `["203.0.113.0/24"]`,
	}
	s := deployOn(t, here, settings)
	r := s.run(good("a"), aTrade(`{"tradeId": "rejected"}`), aTrade(`{"tradeId": "b d"}`))
	if r.Recorded != 1 || r.Rejected != 1 || r.DeadLettered != 1 {
		t.Fatal(summary(r))
	}
	if logged := out.text.String(); !strings.Contains(logged, "the market data API gave no answer") || !strings.Contains(logged, "https://market.example.com") {
		t.Errorf("the failure isn't told: %s", logged)
	}
	text, err := r.JSON()
	if err != nil {
		t.Fatal(err)
	}
	out.text.Write(text)
	if err := r.WriteText(&terminal.Terminal{Out: out, Getenv: func(string) string { return "" }}); err != nil {
		t.Fatal(err)
	}
	for item := range s.table().Items() {
		text, err := localrun.ItemJSON(item)
		if err != nil {
			t.Fatal(err)
		}
		out.text.Write(text)
	}
	for queue := range here.QueueDepths(region) {
		for _, letter := range s.letters(queue) {
			out.text.WriteString(letter)
		}
	}
	for line := range strings.Lines(out.text.String()) {
		if strings.Contains(line, "pl4nted") {
			t.Errorf("%.500s", line)
		}
	}
}

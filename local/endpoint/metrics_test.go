package endpoint_test

import (
	"testing"
	"time"

	"trade-processing/internal/operate"
	"trade-processing/local/queue"
)

// Metrics are asked as operators' commands ask: with the SDK, which speaks CBOR.
func TestMetricsAreServed(t *testing.T) {
	c, _, config := served(t)
	letters, err := c.Queue(region, "letters")
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if _, err := letters.Send(t.Context(), queue.Draft{Body: "a letter"}); err != nil {
			t.Fatal(err)
		}
	}
	of := func(name, statistic string) operate.Metric {
		return operate.Metric{Namespace: "AWS/SQS", Name: name, Dimensions: map[string]string{"QueueName": "letters"}, Statistic: statistic}
	}
	now := time.Now()
	stack := operate.Stack{Config: config}
	measured, err := stack.Measure(t.Context(), operate.Window{From: now.Add(-time.Hour), To: now.Add(time.Minute), Period: time.Minute},
		[]operate.Metric{of("NumberOfMessagesSent", "Sum"), of("Invented", "Sum"), of("NumberOfMessagesSent", "p50")})
	if err != nil {
		t.Fatal(err)
	}
	if got := measured[0].Sum(); got != 3 {
		t.Errorf("%v letters were sent, want 3", got)
	}
	if len(measured[1].Values) != 0 {
		t.Errorf("a metric that nobody sends has %v", measured[1].Values)
	}
	if got := measured[2].Values; len(got) == 0 || got[0] != 1 {
		t.Errorf("the median letter counts %v, want 1", got)
	}
	if at := measured[0].Times; len(at) == 0 || now.Sub(at[0]) > 2*time.Minute || at[0] != at[0].Truncate(time.Minute) {
		t.Errorf("they were sent at %v, and now is %v", at, now)
	}
	if _, err := stack.Measure(t.Context(), operate.Window{From: now, To: now.Add(-time.Hour), Period: time.Minute}, []operate.Metric{of("NumberOfMessagesSent", "Sum")}); err == nil {
		t.Error("a window that ends before it begins is served")
	}
}

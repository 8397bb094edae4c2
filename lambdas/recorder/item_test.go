package recorder

import (
	"encoding/json"
	"os"
	"testing"
	"time"

	"trade-processing/lambdas/trade"
)

// BenchmarkItem makes the item of a trade and its attributes, as a write sends them.
func BenchmarkItem(b *testing.B) {
	text, err := os.ReadFile("testdata/valid.json")
	if err != nil {
		b.Fatal(err)
	}
	var in Request
	if err := json.Unmarshal(text, &in); err != nil {
		b.Fatal(err)
	}
	t, err := trade.Parse(in.Event.Detail)
	if err != nil {
		b.Fatal(err)
	}
	r, now := &recorder{}, time.Date(2024, 5, 28, 13, 30, 2, 0, time.UTC)
	b.ReportAllocs()
	for b.Loop() {
		item, err := r.newItem(t, in, "1-665d9f2a-0123456789abcdef01234567", now)
		if err != nil {
			b.Fatal(err)
		}
		item.attributes()
	}
}

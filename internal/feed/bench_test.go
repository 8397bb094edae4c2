package feed_test

import (
	"bytes"
	"fmt"
	"testing"

	"trade-processing/internal/feed"
)

// BenchmarkEntries reports entries per second on one core. The local run needs at least 100,000, so that reading is no
// more than a tenth of its work.
func BenchmarkEntries(b *testing.B) {
	const entries = 10_000
	var text bytes.Buffer
	for i := range entries {
		fmt.Fprintf(&text, `{"Source":"trading.system1","DetailType":"Trade Event","Detail":{"tradeId":"lean-spy-20131008-%06d","amount":"35158.2","currency":"USD",`+
			`"sourceSystem":"system1","symbol":"SPY","price":"167.42","quantity":"210","venue":"XNAS","executedAt":"2013-10-08T04:00:17.034-04:00","saleConditions":"2000"}}`+"\n", i)
	}
	b.SetBytes(int64(text.Len()))
	b.ReportAllocs()
	for b.Loop() {
		n := 0
		for _, problem := range feed.FromReader("input", bytes.NewReader(text.Bytes())).Entries(b.Context()) {
			if problem != nil {
				b.Fatal(problem)
			}
			n++
		}
		if n != entries {
			b.Fatalf("%d entries, want %d", n, entries)
		}
	}
	b.ReportMetric(float64(entries*b.N)/b.Elapsed().Seconds(), "entries/s")
}

package pipeline_test

import (
	"encoding/json"
	"fmt"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"trade-processing/internal/localrun"
	"trade-processing/local/cloud"
)

// BenchmarkDurable sends trades to a cloud in a folder, ten to a request of which 16 are on their way at once, as
// `tradectl send` does. Each is accepted durably, and the benchmark ends when all are recorded.
//
//	go test -run '^$' -bench Durable -benchtime 100000x ./tests/pipeline
func BenchmarkDurable(b *testing.B) {
	here, err := cloud.Open(b.TempDir(), cloud.Options{Images: localrun.Images(), Executions: 1000})
	if err != nil {
		b.Fatal(err)
	}
	defer here.Close() //nolint:errcheck // the folder is removed
	s := deployOn(b, here, nil)
	const batch, senders = 10, 16
	var next, recorded atomic.Int64
	used := func() (all time.Duration) {
		var usage syscall.Rusage
		if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
			b.Fatal(err)
		}
		return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
	}
	before := used()
	b.ResetTimer()
	var sending, delivering sync.WaitGroup
	for range senders {
		sending.Go(func() {
			for {
				from := next.Add(batch) - batch
				if from >= int64(b.N) {
					return
				}
				var accepted []*cloud.Accepted
				for i := from; i < min(from+batch, int64(b.N)); i++ {
					detail := fmt.Sprintf(`{"tradeId": "durable-%d", "amount": "1.50", "currency": "USD", "sourceSystem": "system1", "executedAt": "2025-11-24T14:30:00Z"}`, i)
					a, err := here.Accept(region, busName, cloud.Entry{Source: "trading.system1", DetailType: "Trade Event", Detail: json.RawMessage(detail)})
					if err != nil {
						b.Error(err)
						return
					}
					accepted = append(accepted, a)
				}
				here.Keep(accepted...)
				here.Sync()
				for _, a := range accepted {
					delivering.Add(1)
					here.Later(a, func(r cloud.Receipt) {
						defer delivering.Done()
						if len(r.Deliveries) == 1 && r.Deliveries[0].Failure == nil {
							recorded.Add(1)
						}
					})
				}
			}
		})
	}
	sending.Wait()
	delivering.Wait()
	b.StopTimer() // to wait for the replica takes as long for one trade as for many
	if err := here.Drain(b.Context()); err != nil {
		b.Fatal(err)
	}
	here.Sync()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "trades/s")
	b.ReportMetric(float64((used()-before).Microseconds())/float64(b.N), "µs-CPU/trade")
	if n := len(s.trades()); n != b.N || recorded.Load() != int64(b.N) {
		b.Errorf("%d of %d trades are recorded, %d executions succeeded", n, b.N, recorded.Load())
	}
}

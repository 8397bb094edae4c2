package pipeline_test

import (
	"fmt"
	"syscall"
	"testing"
	"time"

	"trade-processing/internal/localrun"
	"trade-processing/internal/report"
	"trade-processing/local/clock"
	"trade-processing/local/cloud"
)

// cpu returns the time that all cores have spent on this process.
func cpu(b *testing.B) time.Duration {
	b.Helper()
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		b.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// measure sends valid trades through a system, and reports how many a second and the CPU that each takes. What a run then
// waits for, the replicas, doesn't count.
func (s *system) measure(b *testing.B, trades int) {
	b.Helper()
	collector := localrun.NewCollector()
	earlier, err := s.pipeline.Take()
	if err != nil {
		b.Fatal(err)
	}
	b.ResetTimer()
	before := cpu(b)
	err = s.pipeline.Process(b.Context(), valid(trades, ""), collector)
	used := cpu(b) - before
	b.StopTimer()
	if err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(trades)/b.Elapsed().Seconds(), "trades/s")
	b.ReportMetric(float64(used.Microseconds())/float64(trades), "µs-CPU/trade")
	r, err := s.pipeline.Report(b.Context(), collector, earlier, report.Run{Lines: int64(trades)})
	if err != nil || !r.Reconciles || r.Recorded != int64(trades) {
		b.Fatal(err, summary(r))
	}
}

// BenchmarkPipeline sends trades through stack local in memory, by how many are on their way at once. One operation is a trade.
func BenchmarkPipeline(b *testing.B) {
	for _, concurrency := range []int{1, 4, 16, 64} {
		b.Run(fmt.Sprintf("concurrency=%d", concurrency), func(b *testing.B) {
			s := deploy(b, cloud.Options{Clock: clock.Real()})
			s.pipeline.Concurrency = concurrency
			b.ReportAllocs()
			s.measure(b, b.N)
		})
	}
}

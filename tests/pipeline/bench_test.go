package pipeline_test

import (
	"fmt"
	"runtime/debug"
	"testing"
	"time"

	"trade-processing/internal/localrun"
	"trade-processing/internal/report"
	"trade-processing/local/clock"
	"trade-processing/local/cloud"
	"trade-processing/tests/paired"
)

// measure sends valid trades through a system, and reports how many a second and the CPU that each takes. What a run then
// waits for, the replicas, doesn't count.
func (s *system) measure(b *testing.B, trades int) (used time.Duration) {
	b.Helper()
	collector := localrun.NewCollector()
	earlier, err := s.pipeline.Take()
	if err != nil {
		b.Fatal(err)
	}
	b.ResetTimer()
	before := paired.CPU(b)
	err = s.pipeline.Process(b.Context(), valid(trades, ""), collector)
	used = paired.CPU(b) - before
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
	return used
}

// BenchmarkPipeline sends trades through stack local in memory, by how many are on their way at once. One operation is
// 1,000 trades.
func BenchmarkPipeline(b *testing.B) {
	for _, concurrency := range []int{1, 4, 16, 64} {
		b.Run(fmt.Sprintf("concurrency=%d", concurrency), func(b *testing.B) {
			s := deploy(b, cloud.Options{Clock: clock.Real()})
			s.pipeline.Concurrency = concurrency
			b.ReportAllocs()
			s.measure(b, 1000*b.N)
		})
	}
}

// BenchmarkGrowthPipeline sends more and more trades as `tradectl local run` does, in as much memory as a flood may take. The most
// memory is the process's so far.
func BenchmarkGrowthPipeline(b *testing.B) {
	for _, trades := range []int{1_000, 10_000, 100_000, 1_000_000, 10_000_000} {
		b.Run(fmt.Sprintf("trades=%d", trades), func(b *testing.B) {
			defer debug.SetMemoryLimit(debug.SetMemoryLimit(managed))
			used := small(b, 100_000).measure(b, trades)
			b.ReportMetric(float64(used.Milliseconds()), "CPU-ms")
			b.ReportMetric(float64(report.PeakMemory()>>20), "peak-MiB")
			b.ReportMetric(0, "ns/op")
		})
	}
}

// BenchmarkCompareWorkflows sends 5,000 trades through a STANDARD and an EXPRESS workflow. Locally, they differ only in what is kept.
func BenchmarkCompareWorkflows(b *testing.B) {
	const trades = 5_000
	sides := [2]string{"EXPRESS", "STANDARD"}
	var taken, used paired.Series
	for n := 0; b.Loop(); n++ {
		for _, side := range paired.Order(n) {
			s := deployWith(b, cloud.Options{Clock: clock.Real()}, map[string]string{"workflowType": sides[side]})
			before, begun := paired.CPU(b), time.Now()
			if err := s.pipeline.Process(b.Context(), valid(trades, ""), localrun.NewCollector()); err != nil {
				b.Fatal(err)
			}
			used.Add(side, float64((paired.CPU(b)-before).Microseconds())/trades)
			taken.Add(side, float64(time.Since(begun).Microseconds())/trades)
			if n := s.table().Count(); n != trades {
				b.Fatalf("%d trades are recorded", n)
			}
		}
	}
	taken.Report(b, "time-per-trade", "µs", sides)
	used.Report(b, "cpu-per-trade", "µs", sides)
	b.ReportMetric(0, "ns/op")
}

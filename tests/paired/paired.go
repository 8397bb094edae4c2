// Package paired helps benchmarks to compare two sides that are measured in turn, so that whatever else the machine does slows both.
package paired

import (
	"math"
	"slices"
	"syscall"
	"testing"
	"time"
)

// Series are measurements of two sides, in pairs.
type Series [2][]float64

// Report reports as a benchmark's metrics the medians of both sides in a unit, how many times as much the second is as the
// first, and within what most pairs differ: the 10th and 90th percentile of the ratio. The sides are in the order of the alphabet, as metrics are.
func (s *Series) Report(b *testing.B, what, unit string, sides [2]string) {
	b.Helper()
	var ratios []float64
	for i := range s[0] {
		ratios = append(ratios, s[1][i]/s[0][i])
	}
	for side, name := range sides {
		b.ReportMetric(Percentile(s[side], 50), what+":"+name+":"+unit)
	}
	for name, percent := range map[string]float64{"ratio": 50, "ratio-p10": 10, "ratio-p90": 90} {
		b.ReportMetric(Percentile(ratios, percent), what+":"+name)
	}
}

// Add adds a measurement of a side.
func (s *Series) Add(side int, value float64) { s[side] = append(s[side], value) }

// Percentile returns the value that so many percent don't exceed.
func Percentile(values []float64, percent float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[max(0, int(math.Ceil(percent/100*float64(len(sorted))))-1)]
}

// Order returns the sides in the order in which the nth pair is measured: neither is always first.
func Order(n int) [2]int { return [2]int{n % 2, 1 - n%2} }

// CPU returns the time that all cores have spent on this process.
func CPU(b *testing.B) time.Duration {
	b.Helper()
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		b.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

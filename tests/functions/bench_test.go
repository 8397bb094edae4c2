package functions_test

import (
	"testing"
	"time"
)

// BenchmarkStart starts each function's program up to its first request for an invocation, and ends it.
func BenchmarkStart(b *testing.B) {
	account := open(b)
	for _, function := range Functions() {
		b.Run(function, func(b *testing.B) {
			var starting time.Duration
			start(b, function, account.ProcessVariables(function)) // builds the program
			for b.Loop() {
				process := start(b, function, account.ProcessVariables(function))
				select {
				case <-process.Ready():
				case <-process.Ended():
					b.Fatalf("it ended at its start: %s", process.State())
				}
				starting += process.ReadyAfter()
				if err := process.Stop(grace); err != nil {
					b.Error(err)
				}
			}
			b.ReportMetric(float64(starting)/float64(b.N), "ns-start")
			b.ReportMetric(0, "ns/op") // which counts the end, too
		})
	}
}

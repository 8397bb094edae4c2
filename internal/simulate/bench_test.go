package simulate

import (
	"fmt"
	"testing"
	"time"
)

// BenchmarkGrowthSimulation simulates more and more trades, 250 a second, as `tradectl simulate` does: above 200,000 in parcels.
func BenchmarkGrowthSimulation(b *testing.B) {
	d := prod(b)
	for n := 1_000; n <= 10_000_000; n *= 10 {
		b.Run(fmt.Sprintf("trades=%d", n), func(b *testing.B) {
			begun := time.Now()
			r := run(b, d, LimitsOf(d), Load{Rate: 250, Seconds: float64(n) / 250, Seed: 1, Parcels: 200_000})
			b.ReportMetric(float64(time.Since(begun).Microseconds())/1000, "ms")
			b.ReportMetric(float64(r.Parcel), "trades/parcel")
			b.ReportMetric(0, "ns/op")
		})
	}
}

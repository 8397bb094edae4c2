package cost_test

import (
	"encoding/json"
	"fmt"
	"testing"

	"trade-processing/internal/cost"
	"trade-processing/internal/engine"
	"trade-processing/internal/localrun"
	"trade-processing/local/cloud"
	"trade-processing/local/provider"
	"trade-processing/stack"
	"trade-processing/tests/paired"
)

// deployWith deploys prod with a list of its config replaced, and reports what that takes and what a month with a million trades
// costs.
func deployWith(b *testing.B, key string, values []string) {
	b.Helper()
	_, usage := measured(b, "prod")
	text, err := json.Marshal(values)
	if err != nil {
		b.Fatal(err)
	}
	// The registry replicates images to the replicas' regions, of which there may be none.
	settings := map[string]string{key: string(text), "manageRegistryReplication": "false"}
	here := cloud.New(cloud.Options{Images: localrun.Images()})
	opened, err := engine.Open(engine.Options{
		Root: "../..", Stack: "prod", Program: stack.DeployFrom("../.."), Providers: engine.InProcess(provider.Of(here)), StandIns: stack.StandIns(),
		Settings: settings,
	})
	if err != nil {
		b.Fatal(err)
	}
	before := paired.CPU(b)
	if _, _, err := opened.Up(b.Context()); err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64((paired.CPU(b)-before).Microseconds())/1000, "engine-CPU-ms")
	b.ReportMetric(float64(len(here.Resources())), "resources")
	b.ReportMetric(cost.Sum(cost.Lines(cost.Define("prod", here), usage, cost.Assumed, prices(b))).Month, "USD-month")
	b.ReportMetric(0, "ns/op")
}

// BenchmarkGrowthSources deploys prod with more and more sources.
func BenchmarkGrowthSources(b *testing.B) {
	for _, n := range []int{1, 5, 10, 15, 20, 25} {
		b.Run(fmt.Sprintf("sources=%d", n), func(b *testing.B) {
			var sources []string
			for i := range n {
				sources = append(sources, fmt.Sprint("system", i+1))
			}
			deployWith(b, "sources", sources)
		})
	}
}

// BenchmarkGrowthRegions deploys prod with more and more regions: its own and replicas.
func BenchmarkGrowthRegions(b *testing.B) {
	replicas := []string{"eu-west-1", "us-west-2", "ap-southeast-2", "eu-central-1"}
	for n := range len(replicas) + 1 {
		b.Run(fmt.Sprintf("regions=%d", n+1), func(b *testing.B) { deployWith(b, "replicaRegions", replicas[:n]) })
	}
}

// BenchmarkGrowthCost computes the first month of prod with more and more trades in it.
func BenchmarkGrowthCost(b *testing.B) {
	d, usage := measured(b, "prod")
	for n := 1_000; n <= 10_000_000; n *= 10 {
		b.Run(fmt.Sprintf("trades=%d", n), func(b *testing.B) {
			assumed := cost.Assumed
			assumed.PerSecond *= float64(n) / cost.Million
			for workflow, express := range map[string]bool{"STANDARD": false, "EXPRESS": true} {
				d.Express = express
				b.ReportMetric(cost.Sum(cost.Lines(d, usage, assumed, prices(b))).Month, workflow+"-USD-month")
			}
			b.ReportMetric(0, "ns/op")
		})
	}
}

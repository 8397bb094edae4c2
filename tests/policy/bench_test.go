package policy_test

import (
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"trade-processing/policy/rules"
	"trade-processing/tests/paired"
)

// judge lets rules judge resources as a preview does.
func judge(b testing.TB, all []rules.Rule, resources []rules.Declared) {
	b.Helper()
	for _, rule := range all {
		if rule.Level == rules.Off {
			continue
		}
		rule.JudgeStack(resources, nil, time.Now())
		for _, r := range resources {
			if found := rule.Judge(r, nil, time.Now()); len(found) > 0 {
				b.Fatal(found)
			}
		}
	}
}

// BenchmarkPack judges prod by all rules, without an engine.
func BenchmarkPack(b *testing.B) {
	resources := declaredBy(b, "prod")
	b.ReportAllocs()
	for b.Loop() {
		judge(b, rules.All(), resources)
	}
}

// BenchmarkUpdate deploys prod on the engine and an empty local cloud, and updates it with nothing changed.
func BenchmarkUpdate(b *testing.B) {
	for _, sort := range []struct {
		name           string
		judged, before bool
	}{{"first", false, false}, {"first-with-pack", true, false}, {"unchanged", false, true}, {"unchanged-with-pack", true, true}} {
		b.Run(sort.name, func(b *testing.B) {
			for b.Loop() {
				b.StopTimer()
				deployment := openProgram(b, "prod", sort.judged)
				if sort.before {
					if _, _, err := deployment.Up(b.Context()); err != nil {
						b.Fatal(err)
					}
				}
				b.StartTimer()
				if _, _, err := deployment.Up(b.Context()); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// used returns the CPU, in milliseconds, that something takes: the median of a few times.
func used(b *testing.B, times int, measured func()) float64 {
	b.Helper()
	var took []float64
	for range times {
		before := paired.CPU(b)
		measured()
		took = append(took, float64((paired.CPU(b)-before).Microseconds())/1000)
	}
	return paired.Percentile(took, 50)
}

// BenchmarkGrowthRules judges prod by more and more rules.
func BenchmarkGrowthRules(b *testing.B) {
	resources, all := declaredBy(b, "prod"), rules.All()
	for _, n := range []int{len(all) / 16, len(all) / 8, len(all) / 4, len(all) / 2, len(all)} {
		b.Run(fmt.Sprintf("rules=%d", n), func(b *testing.B) {
			var some []rules.Rule // from all families
			for i := range n {
				some = append(some, all[i*len(all)/n])
			}
			b.ReportMetric(used(b, 9, func() { judge(b, some, resources) }), "pack-CPU-ms")
			b.ReportMetric(0, "ns/op")
		})
	}
}

// BenchmarkGrowthResources lets all rules judge a stack that has prod's resources many times, and the engine deploy as many that no
// rule concerns.
func BenchmarkGrowthResources(b *testing.B) {
	prod := declaredBy(b, "prod")
	for _, n := range []int{100, 200, 400, 800, 1600} {
		b.Run(fmt.Sprintf("resources=%d", n), func(b *testing.B) {
			resources := many(prod, n)
			b.ReportMetric(used(b, 5, func() { judge(b, rules.All(), resources) }), "pack-CPU-ms")
			desk := open(b, program{stack: "growth", run: func(ctx *pulumi.Context) error {
				for i := range n {
					var thing pulumi.CustomResourceState
					if err := ctx.RegisterResource("random:index:Thing", fmt.Sprint("thing-", i), pulumi.Map{}, &thing); err != nil {
						return err
					}
				}
				return nil
			}})
			b.ReportMetric(used(b, 1, func() {
				if _, _, err := desk.stack.Up(b.Context()); err != nil {
					b.Fatal(err)
				}
			}), "engine-CPU-ms")
			b.ReportMetric(0, "ns/op")
		})
	}
}

// What the pack does for a stack grows no faster than the stack. A rule that looks at all resources for each of them shows in what
// it allocates for that.
func TestTwiceTheResourcesTakeTwiceTheMemory(t *testing.T) {
	some := declaredBy(t, "prod")
	for _, rule := range rules.All() {
		allocated := func(n int) float64 {
			resources := many(some, n)
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			judge(t, []rules.Rule{rule}, resources)
			runtime.ReadMemStats(&after)
			return float64(after.TotalAlloc - before.TotalAlloc)
		}
		if once, twice := allocated(800), allocated(1600); twice > 2.5*once && twice > 1<<20 {
			t.Errorf("%s: %.0f bytes for 800 resources and %.0f for 1600", rule.Name, once, twice)
		}
	}
}

// many returns so many resources, some of them many times.
func many(some []rules.Declared, n int) []rules.Declared {
	var resources []rules.Declared
	for i := range n {
		r := some[i%len(some)]
		r.URN += fmt.Sprint("-", i/len(some))
		resources = append(resources, r)
	}
	return resources
}

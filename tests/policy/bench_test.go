package policy_test

import (
	"testing"
	"time"

	"trade-processing/policy/rules"
)

// judge lets rules judge resources as a preview does.
func judge(b *testing.B, all []rules.Rule, resources []rules.Declared) {
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

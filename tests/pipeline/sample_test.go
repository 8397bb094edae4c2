package pipeline_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"trade-processing/internal/feed"
	"trade-processing/internal/localrun"
	"trade-processing/internal/report"
	"trade-processing/internal/sample"
	"trade-processing/local/cloud"
)

// The contents of a generated sample are known to the trade, and a run must report exactly that. The second time,
// everything that was written is a duplicate, and nothing changes.
func TestASampleComesOutAsPlannedAndNeverTwice(t *testing.T) {
	for _, sized := range []struct {
		seed  uint64
		count int
	}{{1, 1}, {2, sample.Everything}, {3, 2_000}, {4, 3_000}} {
		t.Run(fmt.Sprintf("seed %d, %d entries", sized.seed, sized.count), func(t *testing.T) {
			collector := localrun.NewCollector()
			s := deploy(t, cloud.Options{Observe: localrun.Observe(collector)})
			lines, expected := linesOf(t, sized.seed, sized.count)
			wants(t, expected, s.run(lines...))
			if held := int64(s.table().Count()); held != expected.Recorded+expected.Rejected {
				t.Errorf("the table holds %d items", held)
			}
			for _, stage := range collector.Report(report.Run{}).Stages {
				// The others begin with each matched trade, and may be stopped by their sibling.
				if least := expected.Recorded + expected.Rejected + expected.Duplicates; stage.Name != "end-to-end" && stage.Calls < least {
					t.Errorf("stage %s was timed %d times", stage.Name, stage.Calls)
				}
			}
			before, whole := s.digest(), s.table().Digest()
			wants(t, expected.Again(), s.run(lines...))
			if s.digest() != before || s.table().Digest() != whole {
				t.Error("the table changed")
			}
		})
	}
}

// The table that comes out depends neither on the order of the input nor on how many trades to process at once.
func TestAnyOrderAndAnyConcurrencyGiveTheSameTable(t *testing.T) {
	lines, expected := linesOf(t, 11, 1_500)
	inOrder := deploy(t, cloud.Options{})
	inOrder.pipeline.Concurrency = 1
	wants(t, expected, inOrder.run(lines...))
	want := inOrder.trades()

	chance := rand.New(rand.NewPCG(1, 2))
	for _, concurrency := range []int{1, 2, 64} {
		t.Run(fmt.Sprintf("shuffled, %d at once", concurrency), func(t *testing.T) {
			shuffled := slices.Clone(lines)
			chance.Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
			s := deploy(t, cloud.Options{})
			s.pipeline.Concurrency = concurrency
			// A conflict is two trades with one key, of which the first is recorded: it counts the same whichever comes
			// first.
			wants(t, expected, s.run(shuffled...))
			got := s.trades()
			if !slices.Equal(slices.Sorted(maps.Keys(got)), slices.Sorted(maps.Keys(want))) {
				t.Fatal("the tables have other keys")
			}
			differing := int64(0)
			for key, trade := range got {
				if trade == want[key] {
					continue
				}
				differing++
				// Neither is made up: the loser in one table is in the conflict queue, and won in the other.
				if !slices.ContainsFunc(s.letters(recorderQueue), func(letter string) bool { return strings.Contains(letter, tradeIDOf(want[key])) }) {
					t.Errorf("%s differs, and is not a conflict", key)
				}
			}
			if differing > expected.Conflicts {
				t.Errorf("%d items differ, and there are %d conflicts", differing, expected.Conflicts)
			}
		})
	}
}

func tradeIDOf(trade string) string {
	_, after, _ := strings.Cut(trade, `"tradeId":"`)
	id, _, _ := strings.Cut(after, `"`)
	return `"` + id + `"`
}

// Without conflicts, the tables are equal in all that follows from the trades.
func TestWithoutConflictsTheTablesAreEqual(t *testing.T) {
	lines, expected := linesOf(t, 12, 1_500)
	clean := withoutConflicts(t, lines)
	if int64(len(lines)-len(clean)) < expected.Conflicts {
		t.Fatalf("%d of %d lines are left", len(clean), len(lines))
	}
	digests := map[string]int{}
	chance := rand.New(rand.NewPCG(3, 4))
	for _, concurrency := range []int{1, 2, 64} {
		s := deploy(t, cloud.Options{})
		s.pipeline.Concurrency = concurrency
		if r := s.run(clean...); slices.ContainsFunc(r.DeadLetters, func(l report.DeadLetters) bool { return l.Error == "TradeConflict" }) {
			t.Fatalf("there are conflicts left: %s", summary(r))
		}
		digests[s.digest()] = concurrency
		chance.Shuffle(len(clean), func(i, j int) { clean[i], clean[j] = clean[j], clean[i] })
	}
	if len(digests) != 1 {
		t.Errorf("%d tables came out", len(digests))
	}
}

// withoutConflicts leaves out trades with the id and time of an earlier trade but different content.
func withoutConflicts(t *testing.T, lines []string) (clean []string) {
	t.Helper()
	first := map[string]string{}
	for entry, problem := range feed.FromReader("sample", strings.NewReader(strings.Join(lines, "\n"))).Entries(t.Context()) {
		if problem != nil {
			t.Fatal(problem)
		}
		var detail map[string]json.RawMessage
		if err := json.Unmarshal(entry.Detail, &detail); err != nil {
			t.Fatal(err)
		}
		key, content := string(detail["tradeId"])+string(detail["executedAt"])+string(detail["actionTime"]), string(entry.Detail)
		if earlier, seen := first[key]; !seen {
			first[key] = content
		} else if earlier != content {
			continue
		}
		clean = append(clean, lines[entry.Line-1])
	}
	return clean
}

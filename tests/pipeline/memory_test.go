package pipeline_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strconv"
	"testing"
	"time"

	"github.com/adrg/xdg"

	"trade-processing/internal/localrun"
	"trade-processing/internal/report"
	"trade-processing/local/clock"
	"trade-processing/local/cloud"
)

// small is a cloud that keeps few items in memory, with its temporary folder in the test's. It runs on the real clock: metrics
// take memory by the minute, of which a hasty one makes many on a busy machine.
func small(t testing.TB, items int) *system {
	t.Helper()
	xdg.CacheHome = t.TempDir()
	s := deploy(t, cloud.Options{Memory: items, Clock: clock.Real()})
	t.Cleanup(func() {
		if err := s.pipeline.Cloud.Close(); err != nil {
			t.Error(err)
		}
		if left, _ := filepath.Glob(filepath.Join(xdg.CacheHome, "*", "tables-*")); len(left) > 0 {
			t.Errorf("%q is left", left)
		}
	})
	return s
}

// living returns the bytes in use.
func living() int64 {
	runtime.GC()
	runtime.GC() // what the first one finalized
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// A run whose items don't fit into memory reconciles as any other, and takes no more memory with more trades.
func TestMemoryDoesNotGrowWithTheTrades(t *testing.T) {
	const count, perTrade = 3_000, 200 // in memory, a trade takes 2 KB
	s := small(t, 500)
	if r := s.reconciled(valid(count, "")); r.Recorded != count {
		t.Fatal(summary(r))
	}
	before := living()
	again := s.reconciled(valid(2*count, aTrade(`{"tradeId": 5, "poison": true}`)))
	if again.Recorded != count || again.Duplicates != count || again.DeadLettered != 1 {
		t.Fatal(summary(again))
	}
	if grown := living() - before; grown > count*perTrade {
		t.Errorf("%d more trades take %d bytes more", count, grown)
	}
}

// A trade takes no more allocations than it used to: they were most of a run's time.
func TestATradeAllocatesLittle(t *testing.T) {
	const count, most = 2_000, 320 // it is some 300
	s := deploy(t, cloud.Options{Clock: clock.Real()})
	s.reconciled(valid(1, "")) // what is made once
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	collector := localrun.NewCollector()
	if err := s.pipeline.Process(t.Context(), valid(count, ""), collector); err != nil {
		t.Fatal(err)
	}
	runtime.ReadMemStats(&after)
	if each := (after.Mallocs - before.Mallocs) / count; each > most {
		t.Errorf("%d allocations for each trade, want at most %d", each, most)
	}
}

// ceiling is what a run may take at most, whatever the number of trades: memory that Go manages, and the whole process.
const (
	managed = 448 << 20
	ceiling = 640 << 20
)

// A million trades, or as many as FLOOD says, stay below the ceiling.
func TestFloodBelowTheMemoryCeiling(t *testing.T) {
	flood(t)
	const variable = "FLOOD_CHILD"
	if os.Getenv(variable) == "" { // in a process of its own, whose peak is this test's
		child := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v", "-test.timeout=0")
		child.Env = append(os.Environ(), variable+"=1")
		said, err := child.CombinedOutput()
		if t.Logf("%s", said); err != nil {
			t.Error(err)
		}
		return
	}
	count := 1_000_000
	if more, _ := strconv.Atoi(os.Getenv("FLOOD")); more > 1 {
		count = more
	}
	debug.SetMemoryLimit(managed)
	s := small(t, 100_000)
	begun := time.Now()
	r := s.reconciled(valid(count, ""))
	if r.Recorded != int64(count) {
		t.Fatal(summary(r))
	}
	peak := report.PeakMemory()
	if t.Logf("%d trades in %s, at most %d MiB", count, time.Since(begun).Round(time.Second), peak>>20); peak > ceiling {
		t.Errorf("the ceiling is %d MiB", ceiling>>20)
	}
}

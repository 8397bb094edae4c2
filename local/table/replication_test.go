package table_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"trade-processing/local/clock"
	"trade-processing/local/disk"
	"trade-processing/local/fault"
	"trade-processing/local/metrics"
	"trade-processing/local/table"
)

// global returns two replicas that are both written to.
func global(t testing.TB, c clock.Clock, options table.Options) (home, away *table.Table, replications []*table.Replication) {
	t.Helper()
	options.Clock = c
	home, err := table.New(trades(), options)
	if err != nil {
		t.Fatal(err)
	}
	def := trades()
	def.Region = "eu-west-1"
	if away, err = table.New(def, options); err != nil {
		t.Fatal(err)
	}
	for _, pair := range [][2]*table.Table{{home, away}, {away, home}} {
		r, err := pair[0].Replicate(pair[1], time.Second)
		if err != nil {
			t.Fatal(err)
		}
		replications = append(replications, r)
	}
	return home, away, replications
}

func TestAWriteReachesTheReplicaAfterTheLag(t *testing.T) {
	c := clock.NewVirtual(epoch)
	home, away, replications := global(t, c, table.Options{})
	if err := put(home, trade("T1", 1, "digest", "one")); err != nil {
		t.Fatal(err)
	}
	c.Advance(999 * time.Millisecond)
	if got := get(t, away, "T1", 1); got != nil || replications[0].Pending() != 1 {
		t.Errorf("before the lag has passed the replica has %v, %d pending", got, replications[0].Pending())
	}
	c.Advance(time.Millisecond)
	wantItem(t, get(t, away, "T1", 1), trade("T1", 1, "digest", "one"))
	if replications[0].Pending() != 0 || replications[1].Pending() != 0 {
		t.Error("something is pending still: a replicated write must not come back")
	}
}

// A process that is killed while a replication begins leaves some of the items marked. The next one sends all.
func TestAReplicationThatWasKilledAsItBeganBeginsAgain(t *testing.T) {
	on, c := disk.Memory(), clock.NewVirtual(epoch)
	defer on.Close() //nolint:errcheck // in memory
	options := table.Options{Clock: c, Disk: on}
	home, err := table.New(trades(), options)
	if err != nil {
		t.Fatal(err)
	}
	const items = 5
	for n := range items {
		if err := put(home, trade("T", n)); err != nil {
			t.Fatal(err)
		}
	}
	before := map[string]bool{}
	for key := range on.Scan("\x00", "\xff", false) {
		before[key] = true
	}
	european := trades()
	european.Region = "eu-west-1"
	replicate := func() *table.Table {
		t.Helper()
		away, err := table.New(european, options)
		if err == nil {
			home, err = table.New(trades(), options)
		}
		if err == nil {
			_, err = home.Replicate(away, time.Second)
		}
		if err != nil {
			t.Fatal(err)
		}
		return away
	}
	replicate()
	var written []string // in the order of the keys, the first of which says that it has begun
	for key := range on.Scan("\x00", "\xff", false) {
		if !before[key] {
			written = append(written, key)
		}
	}
	if len(written) != 1+items {
		t.Fatalf("it has written %q", written)
	}
	for _, key := range append(written[:1:1], written[3:]...) {
		on.Write(disk.Change{Key: key, Delete: true})
	}
	away := replicate()
	c.Advance(time.Second)
	if n := away.Count(); n != items {
		t.Errorf("the replica has %d items, want %d", n, items)
	}
}

func TestTheLaterOfTwoWritesWinsInBothReplicas(t *testing.T) {
	for _, tc := range []struct {
		name        string
		first, last int // 0 is home in us-east-1, 1 is away in eu-west-1
		between     time.Duration
		want        string
	}{
		{"home wrote later", 1, 0, time.Millisecond, "last"},
		{"away wrote later", 0, 1, time.Millisecond, "last"},
		{"at the same time the region that sorts last wins", 1, 0, 0, "last"},
		{"in whatever order they wrote", 0, 1, 0, "first"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := clock.NewVirtual(epoch)
			home, away, _ := global(t, c, table.Options{})
			replicas := []*table.Table{home, away}
			if err := put(replicas[tc.first], trade("T1", 1, "digest", "first")); err != nil {
				t.Fatal(err)
			}
			c.Advance(tc.between)
			if err := put(replicas[tc.last], trade("T1", 1, "digest", "last")); err != nil {
				t.Fatal(err)
			}
			c.Advance(time.Minute)
			for _, replica := range replicas {
				wantItem(t, get(t, replica, "T1", 1), trade("T1", 1, "digest", tc.want))
			}
		})
	}
}

func TestReplicasAgreeInTheEnd(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		c := clock.NewVirtual(epoch)
		home, away, _ := global(t, c, table.Options{})
		for i := range rapid.IntRange(1, 60).Draw(rt, "writes") {
			replica := rapid.SampledFrom([]*table.Table{home, away}).Draw(rt, "replica")
			it := trade(rapid.SampledFrom([]string{"A", "B"}).Draw(rt, "id"), 1, "digest", fmt.Sprint(i), "status", rapid.SampledFrom([]string{"x", "y"}).Draw(rt, "status"))
			if err := put(replica, it); err != nil {
				rt.Fatal(err)
			}
			c.Advance(time.Duration(rapid.SampledFrom([]int{0, 1, 400, 1000}).Draw(rt, "ms")) * time.Millisecond)
		}
		c.Advance(time.Second)
		if home.Digest() != away.Digest() {
			rt.Fatal("the replicas differ")
		}
	})
}

func TestANewReplicaGetsWhatIsThere(t *testing.T) {
	c := clock.NewVirtual(epoch)
	home := newTable(t, trades(), c)
	if err := put(home, trade("T1", 1)); err != nil {
		t.Fatal(err)
	}
	def := trades()
	def.Region = "eu-west-1"
	away := newTable(t, def, c)
	replication, err := home.Replicate(away, time.Second)
	if err != nil {
		t.Fatal(err)
	}
	c.Advance(time.Second)
	if away.Count() != 1 {
		t.Error("the replica is empty")
	}
	replication.Stop()
	if err := put(home, trade("T2", 1)); err != nil {
		t.Fatal(err)
	}
	c.Advance(time.Minute)
	if away.Count() != 1 {
		t.Error("a replication that was stopped goes on")
	}
}

func TestDrainWaitsOnTheClock(t *testing.T) {
	c := clock.NewVirtual(epoch)
	home, _, replications := global(t, c, table.Options{})
	if err := put(home, trade("T1", 1)); err != nil {
		t.Fatal(err)
	}
	done := make(chan error)
	go func() { done <- replications[0].Drain(context.Background()) }()
	c.BlockUntil(1)
	c.Advance(time.Second)
	if err := <-done; err != nil {
		t.Error(err)
	}

	if err := put(home, trade("T2", 1)); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := replications[0].Drain(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want the context's error", err)
	}
}

func TestReplicationLatencyIsMeasuredAndCanBeDelayed(t *testing.T) {
	c := clock.NewVirtual(epoch)
	store := metrics.NewStore()
	slow := func(call fault.Call) fault.Fault {
		if call.Operation == "Replicate" && call.Key == "slow" {
			return fault.Fault{Delay: time.Minute}
		}
		return fault.Fault{}
	}
	home, away, _ := global(t, c, table.Options{Metrics: store, Faults: slow})
	for _, id := range []string{"quick", "slow", "behind"} {
		if err := put(home, trade(id, 1)); err != nil {
			t.Fatal(err)
		}
	}
	c.Advance(time.Second)
	if got := away.Count(); got != 1 {
		t.Errorf("%d items arrived, want only the one ahead of the slow one", got)
	}
	// An hour without use doesn't count as latency.
	c.Advance(time.Hour)
	if got := away.Count(); got != 3 {
		t.Errorf("%d items arrived, want all", got)
	}
	maximum, err := metrics.ParseStatistic("Maximum")
	if err != nil {
		t.Fatal(err)
	}
	series := store.Series("AWS/DynamoDB", "ReplicationLatency", map[string]string{"TableName": "trades", "ReceivingRegion": "eu-west-1"})
	if got, _ := series.Value(maximum, epoch, epoch.AddDate(2, 0, 0)); got != 61_000 {
		t.Errorf("the latency was up to %v ms, want 61,000", got)
	}
}

// Few writes don't wait for many: alarms go by their latency.
func TestAWriteIsReplicatedWithTheNextOne(t *testing.T) {
	c, store := clock.NewVirtual(epoch), metrics.NewStore()
	home, _, _ := global(t, c, table.Options{Metrics: store})
	for _, id := range []string{"one", "two"} {
		if err := put(home, trade(id, 1)); err != nil {
			t.Fatal(err)
		}
		c.Advance(time.Minute)
	}
	count, err := metrics.ParseStatistic("SampleCount")
	if err != nil {
		t.Fatal(err)
	}
	series := store.Series("AWS/DynamoDB", "ReplicationLatency", map[string]string{"TableName": "trades", "ReceivingRegion": "eu-west-1"})
	if got, _ := series.Value(count, epoch, epoch.Add(time.Minute)); got != 1 {
		t.Errorf("the latency of %v writes is known, want that of the first", got)
	}
}

func TestTablesThatCanNotBeReplicas(t *testing.T) {
	for _, tc := range []struct {
		name    string
		change  func(*table.Definition)
		problem string
	}{
		{"one without a stream", func(d *table.Definition) { d.Stream = false }, "stream enabled"},
		{"one with another name", func(d *table.Definition) { d.Name = "others" }, "differs in its name, keys or indexes"},
		{"one with other indexes", func(d *table.Definition) {
			d.Indexes = d.Indexes[:1]
			delete(d.Attributes, "status")
		}, "differs in its name, keys or indexes"},
		{"one in the same region", func(d *table.Definition) { d.Region = "us-east-1" }, "has a replica in us-east-1 already"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := clock.NewVirtual(epoch)
			def := trades()
			def.Region = "eu-west-1"
			tc.change(&def)
			_, err := newTable(t, trades(), c).Replicate(newTable(t, def, c), 0)
			if err == nil || !strings.Contains(err.Error(), tc.problem) {
				t.Errorf("got %v, want it to say %q", err, tc.problem)
			}
		})
	}
}

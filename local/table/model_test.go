package table_test

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"pgregory.net/rapid"

	"trade-processing/local/clock"
	"trade-processing/local/disk"
	"trade-processing/local/table"
)

// A model is the simplest thing that behaves like the table should: a map.
type model map[modelKey]item

type modelKey struct {
	id string
	at int64
}

func keyOf(it item) modelKey {
	at, _ := strconv.ParseInt(it["timestamp"].(*n).Value, 10, 64)
	return modelKey{it["tradeId"].(*s).Value, at}
}

// sorted lists the digests of the model's matching items, in key order.
func (m model) sorted(match func(item) bool, less func(a, b modelKey) int) string {
	var keys []modelKey
	for key, it := range m {
		if match(it) {
			keys = append(keys, key)
		}
	}
	slices.SortFunc(keys, less)
	items := make([]item, len(keys))
	for i, key := range keys {
		items[i] = m[key]
	}
	return digests(items)
}

func byKey(a, b modelKey) int {
	return cmp.Or(strings.Compare(a.id, b.id), cmp.Compare(a.at, b.at))
}

func byTime(a, b modelKey) int {
	return cmp.Or(cmp.Compare(a.at, b.at), strings.Compare(a.id, b.id))
}

// Whatever is put, with or without conditions, the table, both of its indexes and its replica have what a map would
// have: in memory, on disk, even if it is opened again, and if it moves from memory to disk.
func TestTheTableBehavesAsAMap(t *testing.T) {
	for name, options := range map[string]func(*disk.Store) table.Options{
		"in memory": func(*disk.Store) table.Options { return table.Options{} },
		"on disk":   func(on *disk.Store) table.Options { return table.Options{Disk: on} },
		"moving": func(on *disk.Store) table.Options {
			return table.Options{Spill: func() (*disk.Store, error) { return on, nil }, Most: 4}
		},
	} {
		t.Run(name, func(t *testing.T) { behavesAsAMap(t, options) })
	}
}

func behavesAsAMap(t *testing.T, options func(*disk.Store) table.Options) {
	var (
		ids      = rapid.SampledFrom([]string{"A", "AA", "B", "A\x00", "A\x00B", "é"})
		times    = rapid.Int64Range(-3, 3)
		sources  = rapid.SampledFrom([]string{"", "one", "two", "two\x00"})
		statuses = rapid.SampledFrom([]string{"RECORDED", "REJECTED"})
	)
	rapid.Check(t, func(t *rapid.T) {
		c := clock.NewVirtual(epoch)
		on := disk.Memory()
		defer on.Close() //nolint:errcheck // in memory
		options := options(on)
		options.Clock = c
		var tb, replica *table.Table
		var replication *table.Replication
		open := func(t *rapid.T) {
			tb, replica, replication = replicated(t, options)
		}
		open(t)
		m := model{}
		serial := 0

		draw := func(t *rapid.T) item {
			serial++
			it := trade(ids.Draw(t, "id"), times.Draw(t, "time"), "status", statuses.Draw(t, "status"), "digest", fmt.Sprintf("d%d", serial))
			if source := sources.Draw(t, "source"); source != "" {
				it["sourceSystem"] = str(source)
			}
			return it
		}
		t.Repeat(map[string]func(*rapid.T){
			"put": func(t *rapid.T) {
				it := draw(t)
				if err := put(tb, it); err != nil {
					t.Fatal(err)
				}
				m[keyOf(it)] = it
			},
			"put if absent": func(t *rapid.T) {
				it := draw(t)
				err := conditional(tb, it, "attribute_not_exists(tradeId)", nil, nil)
				var failed *types.ConditionalCheckFailedException
				if _, there := m[keyOf(it)]; there != errors.As(err, &failed) {
					t.Fatalf("there: %v, error: %v", there, err)
				}
				if err == nil {
					m[keyOf(it)] = it
				}
			},
			"put if rejected": func(t *rapid.T) {
				it := draw(t)
				err := conditional(tb, it, "#s = :r", map[string]string{"#s": "status"}, item{":r": str("REJECTED")})
				old, there := m[keyOf(it)]
				if holds := there && old["status"].(*s).Value == "REJECTED"; holds != (err == nil) {
					t.Fatalf("holds: %v, error: %v", holds, err)
				}
				if err == nil {
					m[keyOf(it)] = it
				}
			},
			"time passes": func(t *rapid.T) {
				c.Advance(time.Duration(rapid.IntRange(0, 1500).Draw(t, "ms")) * time.Millisecond)
			},
			"opened again": func(t *rapid.T) {
				if options.Disk != nil {
					open(t)
				}
			},
			"": func(t *rapid.T) {
				if got := tb.Count(); got != len(m) {
					t.Fatalf("%d items, want %d", got, len(m))
				}
				checkQuery(t, tb, "", "tradeId = :v", ids, func(it item, v string) bool { return it["tradeId"].(*s).Value == v }, m, byKey)
				checkQuery(t, tb, "bySource", "sourceSystem = :v", rapid.SampledFrom([]string{"one", "two", "two\x00"}), func(it item, v string) bool {
					source, ok := it["sourceSystem"].(*s)
					return ok && source.Value == v
				}, m, byTime)
				checkQuery(t, tb, "byStatus", "#s = :v", statuses, func(it item, v string) bool { return it["status"].(*s).Value == v }, m, byTime)
				var all []item
				for it := range tb.Items() {
					all = append(all, it)
				}
				if got, want := digests(all), m.sorted(func(item) bool { return true }, byKey); got != want {
					t.Fatalf("the table holds %q, want %q", got, want)
				}
			},
		})

		// One second after the last write the replica has the same items.
		c.Advance(time.Second)
		if pending := replication.Pending(); pending != 0 {
			t.Fatalf("%d writes are still pending", pending)
		}
		if got, want := replica.Digest(), tb.Digest(); got != want {
			t.Fatalf("the replica has the digest %s, want %s", got, want)
		}
		checkQuery(t, replica, "byStatus", "#s = :v", statuses, func(it item, v string) bool { return it["status"].(*s).Value == v }, m, byTime)
	})
}

// replicated opens a table and its replica.
func replicated(t *rapid.T, options table.Options) (home, away *table.Table, _ *table.Replication) {
	european := trades()
	european.Region = "eu-west-1"
	home, err := table.New(trades(), options)
	if err == nil {
		away, err = table.New(european, options)
	}
	var there *table.Replication
	if err == nil {
		there, err = home.Replicate(away, time.Second)
	}
	if err != nil {
		t.Fatal(err)
	}
	return home, away, there
}

func checkQuery(t *rapid.T, tb *table.Table, index, condition string, values *rapid.Generator[string], match func(item, string) bool, m model, order func(a, b modelKey) int) {
	value := values.Draw(t, "value")
	in := query(index, condition, item{":v": str(value)})
	in.Limit = aws.Int32(rapid.Int32Range(1, 4).Draw(t, "limit"))
	if backwards := rapid.Bool().Draw(t, "backwards"); backwards {
		in.ScanIndexForward = aws.Bool(false)
		forwards := order
		order = func(a, b modelKey) int { return forwards(b, a) }
	}
	var found []item
	for pages := dynamodb.NewQueryPaginator(tb, in); pages.HasMorePages(); {
		out, err := pages.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		found = append(found, out.Items...)
	}
	if got, want := digests(found), m.sorted(func(it item) bool { return match(it, value) }, order); got != want {
		t.Fatalf("%s %q of %q finds %q, want %q", condition, value, index, got, want)
	}
}

package table

import (
	"slices"
	"strings"
	"sync"

	"github.com/cespare/xxhash/v2"
	"github.com/tidwall/btree"
)

// shardCount spreads partitions over locks, so that writers on all cores rarely meet; it is also the number of
// "partitions" that a scan walks in turn.
const shardCount = 64

// A store holds records in the order of their keys within a partition, and points to them from each global secondary
// index. An index is written under the lock of the record's shard, so that it never disagrees with the table; AWS's own
// lags behind by some milliseconds.
type store struct {
	shards  [shardCount]shard
	indexes []*tree
}

type shard struct {
	mu      sync.RWMutex
	records *btree.BTreeG[*record]
}

// A tree is one index, with a lock of its own.
type tree struct {
	mu      sync.RWMutex
	records *btree.BTreeG[*record]
}

func newStore(indexes int) *store {
	s := &store{}
	unlocked := btree.Options{NoLocks: true}
	for i := range s.shards {
		s.shards[i].records = btree.NewBTreeGOptions(func(a, b *record) bool { return a.key < b.key }, unlocked)
	}
	for i := range indexes {
		byIndex := func(a, b *record) bool {
			if a.index[i] != b.index[i] {
				return a.index[i] < b.index[i]
			}
			return a.key < b.key
		}
		s.indexes = append(s.indexes, &tree{records: btree.NewBTreeGOptions(byIndex, unlocked)})
	}
	return s
}

// shard finds the shard of a partition.
func (s *store) shard(partition string) *shard {
	return &s.shards[s.shardNumber(partition)]
}

func (s *store) shardNumber(partition string) int {
	return int(xxhash.Sum64String(partition) % shardCount)
}

// get returns the record of a key, or nil.
func (s *store) get(key *record) *record {
	sh := s.shard(key.partition())
	sh.mu.RLock()
	defer sh.mu.RUnlock()
	found, _ := sh.records.Get(key)
	return found
}

// put stores a record in its shard, which the caller has locked.
func (s *store) put(sh *shard, r *record) {
	old, _ := sh.records.Set(r)
	for i, t := range s.indexes {
		if old != nil && old.index[i] == r.index[i] {
			// The entry stays in place and only points to the new record.
			if r.index[i] == "" {
				continue
			}
			t.mu.Lock()
			t.records.Set(r)
			t.mu.Unlock()
			continue
		}
		t.mu.Lock()
		if old != nil && old.index[i] != "" {
			t.records.Delete(old)
		}
		if r.index[i] != "" {
			t.records.Set(r)
		}
		t.mu.Unlock()
	}
}

// remove takes a record out of its shard, which the caller has locked.
func (s *store) remove(sh *shard, r *record) {
	sh.records.Delete(r)
	for i, t := range s.indexes {
		if r.index[i] == "" {
			continue
		}
		t.mu.Lock()
		t.records.Delete(r)
		t.mu.Unlock()
	}
}

func (s *store) len() int {
	n := 0
	for i := range s.shards {
		sh := &s.shards[i]
		sh.mu.RLock()
		n += sh.records.Len()
		sh.mu.RUnlock()
	}
	return n
}

// walkShard passes the records of one shard after start, which may be nil, until visit answers false.
func (s *store) walkShard(number int, start *record, visit func(*record) bool) {
	sh := &s.shards[number]
	sh.mu.RLock()
	defer sh.mu.RUnlock()
	if start == nil {
		sh.records.Scan(visit)
		return
	}
	sh.records.Ascend(start, func(r *record) bool {
		return r.key == start.key || visit(r)
	})
}

// walk passes the records of a tree from pivot on, in either direction, until visit answers false. A nil pivot is the
// end that comes first.
func walk(records *btree.BTreeG[*record], pivot *record, forward bool, visit func(*record) bool) {
	switch {
	case forward && pivot == nil:
		records.Scan(visit)
	case forward:
		records.Ascend(pivot, visit)
	case pivot == nil:
		records.Reverse(visit)
	default:
		records.Descend(pivot, visit)
	}
}

// all returns every record in the order of keys. The records are shared, so that the list costs eight bytes an item.
func (s *store) all() []*record {
	records := make([]*record, 0, s.len())
	for i := range s.shards {
		sh := &s.shards[i]
		sh.mu.RLock()
		sh.records.Scan(func(r *record) bool {
			records = append(records, r)
			return true
		})
		sh.mu.RUnlock()
	}
	slices.SortFunc(records, func(a, b *record) int { return strings.Compare(a.key, b.key) })
	return records
}

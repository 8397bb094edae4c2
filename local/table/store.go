package table

import (
	"sync"

	"github.com/tidwall/btree"
)

// A store has records in key order, in one tree for the table and one for each global secondary index. One lock guards
// them all, so an index never disagrees with the table; AWS's own indexes lag by some milliseconds.
type store struct {
	mu    sync.RWMutex
	trees []*btree.BTreeG[*record] // by the position of their key in a record
}

func newStore(indexes int) *store {
	s := &store{}
	for i := range 1 + indexes {
		less := func(a, b *record) bool {
			if a.keys[i] != b.keys[i] {
				return a.keys[i] < b.keys[i]
			}
			return a.keys[0] < b.keys[0]
		}
		s.trees = append(s.trees, btree.NewBTreeGOptions(less, btree.Options{NoLocks: true}))
	}
	return s
}

// get returns the record with the primary key of another, or nil.
func (s *store) get(key *record) *record {
	s.mu.RLock()
	defer s.mu.RUnlock()
	found, _ := s.trees[0].Get(key)
	return found
}

// put stores a record. The caller holds the lock.
func (s *store) put(r *record) {
	old, _ := s.trees[0].Set(r)
	for i, tree := range s.trees {
		if i == 0 {
			continue
		}
		if old != nil && old.keys[i] != "" && old.keys[i] != r.keys[i] {
			tree.Delete(old)
		}
		if r.keys[i] != "" {
			tree.Set(r)
		}
	}
}

// clear removes everything.
func (s *store) clear() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, tree := range s.trees {
		tree.Clear()
	}
}

func (s *store) len() int {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.trees[0].Len()
}

// all returns every record in primary key order. The records are shared, so the list costs eight bytes per item.
func (s *store) all() []*record {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.trees[0].Items()
}

// walk passes the records of one tree whose keys are within bounds, excluding start itself, until visit returns false.
// A nil start means the end that comes first.
func (s *store) walk(tree int, bounds keyRange, start *record, forward bool, visit func(*record) bool) {
	guarded := func(r *record) bool {
		key := r.keys[tree]
		switch {
		case start != nil && key == start.keys[tree] && r.keys[0] == start.keys[0]:
			return true
		case !bounds.contains(key):
			// Going backwards, the first record may be on the upper bound, which isn't part of the range.
			return !forward && key >= bounds.low
		}
		return visit(r)
	}
	probe := func(key string) *record { // precedes all records with the key
		r := &record{keys: make([]string, len(s.trees))}
		r.keys[tree] = key
		return r
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	records := s.trees[tree]
	switch {
	case forward && start == nil:
		records.Ascend(probe(bounds.low), guarded)
	case forward:
		records.Ascend(start, guarded)
	case start == nil && bounds.high == "":
		records.Reverse(guarded)
	case start == nil:
		records.Descend(probe(bounds.high), guarded)
	default:
		records.Descend(start, guarded)
	}
}

package table

import (
	"iter"
	"sync"

	"github.com/tidwall/btree"

	"trade-processing/local/disk"
)

// records are a table's items in key order, and the entries of its global secondary indexes: tree 0 is the table, the
// others are the indexes. A store's lock guards them, but for what all returns.
type records interface {
	// get returns the record with a primary key, or nil.
	get(key string) *record
	// put stores a record instead of the old one, nil if there is none, together with further changes of a durable store.
	put(r, old *record, further []disk.Change)
	// hold has what is put from here on written together, by release.
	hold()
	release()
	// asOf returns a record as it was at a time, or nil.
	asOf(r *record, nanos int64) *record
	// walk passes the records of one tree whose keys are within bounds, excluding start itself, until visit returns false.
	// A nil start means the end that comes first.
	walk(tree int, bounds keyRange, start *record, forward bool, visit func(*record) bool)
	// all yields every record in primary key order, as of the call.
	all() iter.Seq[*record]
	len() int
	clear()
}

// A store has the records of a table. One lock guards them all, so an index never disagrees with the table; AWS's own
// indexes lag by some milliseconds.
type store struct {
	mu sync.RWMutex
	records
	move func(full *trees) records // called when they are more than most; nil if they stay in memory
	most int
}

func (s *store) read(key string) *record {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.get(key)
}

// write stores a record. The caller holds the lock.
func (s *store) write(r, old *record, further []disk.Change) {
	s.put(r, old, further)
	if full, ok := s.records.(*trees); ok && s.move != nil && s.len() > s.most {
		s.records, s.move = s.move(full), nil
	}
}

func (s *store) page(tree int, bounds keyRange, start *record, forward bool, visit func(*record) bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	s.walk(tree, bounds, start, forward, visit)
}

func (s *store) snapshot() iter.Seq[*record] {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.all()
}

func (s *store) count() int {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.len()
}

// trees are records in memory, in one tree for the table and one for each index, by the position of their key in a record.
type trees []*btree.Map[string, *record]

var _ records = (*trees)(nil)

func newTrees(indexes int) *trees {
	var s trees
	for range 1 + indexes {
		s = append(s, new(btree.Map[string, *record]))
	}
	return &s
}

func (s trees) get(key string) *record {
	found, _ := s[0].Get(key)
	return found
}

func (s trees) put(r, old *record, _ []disk.Change) {
	for i, tree := range s {
		if old != nil && old.keys[i] != "" && old.keys[i] != r.keys[i] {
			tree.Delete(old.keys[i])
		}
		if r.keys[i] != "" {
			tree.Set(r.keys[i], r)
		}
	}
}

func (trees) asOf(r *record, nanos int64) *record {
	if r.written.nanos > nanos {
		return nil
	}
	return r
}

func (trees) hold() {}

func (trees) release() {}

func (s trees) clear() {
	for _, tree := range s {
		tree.Clear()
	}
}

func (s trees) len() int { return s[0].Len() }

// all shares the records, so it costs eight bytes per item.
func (s trees) all() iter.Seq[*record] {
	list := s[0].Values()
	return func(yield func(*record) bool) {
		for _, r := range list {
			if !yield(r) {
				return
			}
		}
	}
}

func (s trees) walk(tree int, bounds keyRange, start *record, forward bool, visit func(*record) bool) {
	guarded := func(key string, r *record) bool {
		switch {
		case start != nil && key == start.keys[tree]:
			return true
		case !bounds.contains(key):
			// Going backwards, the first record may be on the upper bound, which isn't part of the range.
			return !forward && key >= bounds.low
		}
		return visit(r)
	}
	switch records := s[tree]; {
	case forward && start == nil:
		records.Ascend(bounds.low, guarded)
	case forward:
		records.Ascend(start.keys[tree], guarded)
	case start == nil && bounds.high == "":
		records.Reverse(guarded)
	case start == nil:
		records.Descend(bounds.high, guarded)
	default:
		records.Descend(start.keys[tree], guarded)
	}
}

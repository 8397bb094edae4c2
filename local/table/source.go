package table

import (
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// A source is what a page is read from: the table, or one of its indexes.
type source struct {
	store *store
	def   *Definition
	index int // -1 for the table itself
}

// key is a record's key in the source's order.
func (s source) key(r *record) string {
	if s.index < 0 {
		return r.key
	}
	return r.index[s.index]
}

// probe stands before all records with the given key.
func (s source) probe(key string) *record {
	if s.index < 0 {
		return &record{key: key}
	}
	r := &record{index: make([]string, len(s.def.Indexes))}
	r.index[s.index] = key
	return r
}

// walk passes the records of a range, without start itself, until visit answers false. All keys of the range are in one
// partition.
func (s source) walk(bounds keyRange, start *record, forward bool, visit func(*record) bool) {
	guarded := func(r *record) bool {
		if start != nil && r.key == start.key && s.key(r) == s.key(start) {
			return true
		}
		if key := s.key(r); !bounds.contains(key) {
			// Going back, the first record may lie on the upper bound, which is not part of the range.
			return !forward && key >= bounds.low
		}
		return visit(r)
	}
	pivot := start
	if start == nil && forward {
		pivot = s.probe(bounds.low)
	}
	if start == nil && !forward && bounds.high != "" {
		pivot = s.probe(bounds.high)
	}
	if s.index >= 0 {
		t := s.store.indexes[s.index]
		t.mu.RLock()
		defer t.mu.RUnlock()
		walk(t.records, pivot, forward, guarded)
		return
	}
	sh := s.store.shard(bounds.partition)
	sh.mu.RLock()
	defer sh.mu.RUnlock()
	walk(sh.records, pivot, forward, guarded)
}

// projected names the attributes that an index has; nil is all of them.
func (s source) projected() projection {
	if s.index < 0 || s.def.Indexes[s.index].Projection == types.ProjectionTypeAll {
		return nil
	}
	index := s.def.Indexes[s.index]
	names := projection{}
	for _, name := range slices.Concat(s.def.keys(), index.keys(), index.NonKeyAttributes) {
		names[name] = true
	}
	return names
}

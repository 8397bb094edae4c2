package table

import (
	"hash/maphash"
	"iter"
	"slices"
)

// An Entry is an item as the table holds it, for those who check what it holds: without a copy, past the faults, and
// not counted by any metric.
type Entry struct{ record *record }

// Texts returns the strings and numbers of the item with these names, in one go. What it lacks is empty.
func (e Entry) Texts(names ...string) []string {
	texts := make([]string, len(names))
	d := decoder{rest: e.record.body}
	for range d.count() {
		at := slices.Index(names, d.text())
		value := raw(d.rest)
		d.skip()
		if at >= 0 && (value[0] == kindString || value[0] == kindNumber) {
			texts[at] = value.text()
		}
	}
	return texts
}

// seed is that of every Sum of this process.
var seed = maphash.MakeSeed()

// Sum is a number that the same items share within one process, and different ones hardly ever.
func (e Entry) Sum() uint64 { return maphash.String(seed, e.record.body) }

// Entries yields all items in key order, as of the start of the iteration.
func (t *Table) Entries() iter.Seq[Entry] {
	return func(yield func(Entry) bool) {
		t.catchUp()
		for r := range t.store.snapshot() {
			if !yield(Entry{r}) {
				return
			}
		}
	}
}

// Entry finds an item of a table whose keys are strings, by its key.
func (t *Table) Entry(hash, sort string) (Entry, bool) {
	t.catchUp()
	key := appendKeyText(appendKeyText(nil, hash), sort)
	found := t.store.read(string(key))
	return Entry{found}, found != nil
}

// Differs counts the keys under which two tables, such as replicas of one, don't hold the same item.
func (t *Table) Differs(other *Table) (keys int) {
	t.catchUp()
	other.catchUp()
	next, stop := iter.Pull(other.store.snapshot())
	defer stop()
	its, more := next()
	for mine := range t.store.snapshot() {
		for ; more && its.keys[0] < mine.keys[0]; its, more = next() {
			keys++
		}
		switch {
		case !more || its.keys[0] > mine.keys[0]:
			keys++
			continue
		case its.body != mine.body:
			keys++
		}
		its, more = next()
	}
	for ; more; _, more = next() {
		keys++
	}
	return keys
}

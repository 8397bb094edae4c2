package table

import (
	"encoding/binary"
	"iter"
	"strings"

	"github.com/cespare/xxhash/v2"

	"trade-processing/local/disk"
)

// A file has its records in a store on disk. All keys of it begin with the table's region and name:
//
//	prefix 0    primary key              a record
//	prefix tree index key                the primary key
//	prefix 253  primary key, time        the record of that time, which was overwritten
//	prefix 254  region, number           the primary key of a write that hasn't reached the replica of the region
//	prefix 255  number of the record     the hash of its primary key
type file struct {
	disk   *disk.Store
	prefix string
	number int // of records
	known  filter

	holding bool
	held    []disk.Change
}

const (
	formerTree  = 253
	pendingTree = 254
	numberTree  = 255
)

var _ records = (*file)(nil)

func prefixOf(def Definition) string { return "table/" + def.Region + "/" + def.Name + "/" }

// openFile finds what the store has of a table.
func openFile(on *disk.Store, def Definition) *file {
	f := &file{disk: on, prefix: prefixOf(def)}
	for _, hash := range on.Scan(f.key(numberTree, ""), successor(f.prefix), false) {
		f.number++
		f.known.add(binary.BigEndian.Uint64([]byte(hash)))
	}
	return f
}

// spill moves all records to disk, or returns them as they are if there is no store.
func spill(full *trees, def Definition, open func() (*disk.Store, error)) records {
	on, err := open()
	if err != nil {
		return full
	}
	f := openFile(on, def)
	for r := range full.all() {
		f.put(r, nil, nil)
	}
	return f
}

func (f *file) key(tree int, key string) string { return f.prefix + string([]byte{byte(tree)}) + key }

// bytesOf sorts as the number does.
func bytesOf(number uint64) string { return string(binary.BigEndian.AppendUint64(nil, number)) }

func (f *file) get(key string) *record {
	if !f.known.knows(xxhash.Sum64String(key)) {
		return nil
	}
	f.write() // it may be there
	value, found := f.disk.Get(f.key(0, key))
	if !found {
		return nil
	}
	return readRecord(key, value)
}

func (f *file) put(r, old *record, further []disk.Change) {
	changes := append(append(f.held, further...), disk.Change{Key: f.key(0, r.keys[0]), Value: r.text()})
	for i, key := range r.keys[1:] {
		tree := 1 + i
		if old != nil && old.keys[tree] == key {
			continue
		}
		if old != nil && old.keys[tree] != "" {
			changes = append(changes, disk.Change{Key: f.key(tree, old.keys[tree]), Delete: true})
		}
		if key != "" {
			changes = append(changes, disk.Change{Key: f.key(tree, key), Value: r.keys[0]})
		}
	}
	if old != nil {
		changes = append(changes, disk.Change{Key: f.key(formerTree, old.keys[0]+bytesOf(uint64(old.written.nanos))), Value: old.text()})
	} else {
		f.number++
		hash := xxhash.Sum64String(r.keys[0])
		f.known.add(hash)
		changes = append(changes, disk.Change{Key: f.key(numberTree, bytesOf(uint64(f.number))), Value: bytesOf(hash)})
	}
	if f.held = changes; !f.holding {
		f.write()
	}
}

func (f *file) asOf(r *record, nanos int64) *record {
	if r.written.nanos <= nanos {
		return r
	}
	key := r.keys[0]
	for _, value := range f.disk.Scan(f.key(formerTree, key), f.key(formerTree, key+bytesOf(uint64(nanos)+1)), true) {
		return readRecord(key, value)
	}
	return nil
}

func (f *file) hold() { f.holding = true }

func (f *file) release() {
	f.holding = false
	f.write()
}

// write writes what is held.
func (f *file) write() {
	if len(f.held) > 0 {
		f.disk.Write(f.held...)
		clear(f.held)
		f.held = f.held[:0]
	}
}

func (f *file) walk(tree int, bounds keyRange, start *record, forward bool, visit func(*record) bool) {
	low, high := f.key(tree, bounds.low), f.key(tree+1, "")
	if bounds.high != "" {
		high = f.key(tree, bounds.high)
	}
	if start != nil {
		at := f.key(tree, start.keys[tree])
		if forward {
			low = at + "\x00"
		} else {
			high = at
		}
	}
	for key, value := range f.disk.Scan(low, high, !forward) {
		var r *record
		if tree == 0 {
			r = readRecord(key[len(f.prefix)+1:], value)
		} else {
			r = f.get(value)
		}
		if !visit(r) {
			return
		}
	}
}

func (f *file) all() iter.Seq[*record] {
	return func(yield func(*record) bool) { f.walk(0, keyRange{}, nil, true, yield) }
}

func (f *file) len() int { return f.number }

func (f *file) clear() {
	f.number, f.known = 0, filter{}
	f.disk.Clear(f.prefix, successor(f.prefix))
}

// text is a record's value on disk: its stamp, the number of its keys in indexes, the keys without the
// primary key that ends them, and its body.
func (r *record) text() string {
	var b strings.Builder
	b.Grow(256 + len(r.body))
	b.WriteString(bytesOf(uint64(r.written.nanos)))
	b.WriteByte(byte(len(r.keys) - 1))
	write := func(text string) {
		var size [binary.MaxVarintLen64]byte
		b.Write(binary.AppendUvarint(size[:0], uint64(len(text))))
		b.WriteString(text)
	}
	write(r.written.region)
	for _, key := range r.keys[1:] {
		write(strings.TrimSuffix(key, r.keys[0]))
	}
	b.WriteString(r.body)
	return b.String()
}

func readRecord(key, value string) *record {
	r := withRoom("", int(value[8]))
	r.keys[0] = key
	for i := range 8 {
		r.written.nanos = r.written.nanos<<8 | int64(value[i])
	}
	d := decoder{rest: value[9:]}
	r.written.region = d.text()
	for range value[8] {
		if bare := d.text(); bare != "" {
			r.keys = append(r.keys, bare+key)
		} else {
			r.keys = append(r.keys, "")
		}
	}
	r.body = d.rest
	return r
}

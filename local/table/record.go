package table

import (
	"sync"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// A record is one version of one item. It never changes once made, so that a table, its indexes and its replicas share
// it: an index entry is a pointer.
type record struct {
	// key is the primary key in the order of bytes: hash key, then range key.
	key string
	// hash is the length of the hash key's part of key.
	hash int
	// index holds the key in each global secondary index likewise, and "" where the item lacks one of the index's keys.
	index []string
	// body is the encoded item.
	body string
	// written says when and where, for last-writer-wins between replicas.
	written stamp
}

// A stamp orders the writes of one item over all replicas.
type stamp struct {
	nanos  int64 // Unix time
	region string
}

func (s stamp) after(other stamp) bool {
	if s.nanos != other.nanos {
		return s.nanos > other.nanos
	}
	return s.region > other.region
}

// partition is the hash key's part of the key.
func (r *record) partition() string { return r.key[:r.hash] }

// item builds the SDK's form of the record.
func (r *record) item() map[string]types.AttributeValue { return decodeItem(r.body, nil) }

// encoders keeps buffers between writes.
type encoders struct{ pool sync.Pool }

func (e *encoders) get() *encoder {
	if enc, ok := e.pool.Get().(*encoder); ok {
		return enc
	}
	return &encoder{}
}

func (e *encoders) put(enc *encoder) {
	const keep = 64 << 10 // a single large item must not stay in the pool
	if cap(enc.buf) > keep {
		return
	}
	clear(enc.names)
	enc.buf, enc.names, enc.size = enc.buf[:0], enc.names[:0], 0
	e.pool.Put(enc)
}

// newRecord checks an item against the definition and encodes it.
func (t *Table) newRecord(item map[string]types.AttributeValue) (*record, error) {
	e := t.encoders.get()
	defer t.encoders.put(e)
	if err := e.attributes(item, 1); err != nil {
		return nil, err
	}
	if e.size > maxItemSize {
		return nil, validation("Item size has exceeded the maximum allowed size")
	}
	body := string(e.buf)
	return keyed(t.definition(), body, e)
}

// keyed makes the record of an encoded item, whose keys it checks. The scratch buffer of e is overwritten.
func keyed(def *Definition, body string, e *encoder) (*record, error) {
	r := &record{body: body}
	b := e.buf[:0]
	for i, name := range def.keys() {
		value := attribute(body, name)
		if err := def.keyProblem(name, value); err != nil {
			return nil, err
		}
		b = appendKeyValue(b, value)
		if i == 0 {
			r.hash = len(b)
		}
	}
	// One allocation holds all keys of the record.
	ends := make([]int, 1, 8)
	ends[0] = len(b)
	for _, index := range def.Indexes {
		start, complete := len(b), true
		for _, name := range index.keys() {
			value := attribute(body, name)
			if value == "" {
				complete = false
				continue
			}
			if err := def.indexProblem(index, name, value); err != nil {
				return nil, err
			}
			b = appendKeyValue(b, value)
		}
		if !complete {
			b = b[:start]
		}
		ends = append(ends, len(b))
	}
	keys := string(b)
	e.buf = b
	r.key = keys[:ends[0]]
	if len(def.Indexes) > 0 {
		r.index = make([]string, len(def.Indexes))
		for i := range r.index {
			r.index[i] = keys[ends[i]:ends[i+1]]
		}
	}
	return r, nil
}

// attribute finds one attribute of an encoded item.
func attribute(body, name string) raw {
	d := decoder{rest: body}
	return d.member(name)
}

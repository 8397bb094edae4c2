package table

import (
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"trade-processing/local/awsapi"
)

// A record is one version of one item. It never changes, so a table, its indexes and its replicas share it: an index
// entry is a pointer.
type record struct {
	// keys has the primary key, and then the key in each global secondary index, which ends with the primary key, or "" if
	// the item lacks one of the index's attributes. A key's bytes sort like its values: hash key, then range key.
	keys []string
	// body is the encoded item.
	body string
	// written says when and where, for last-writer-wins between replicas.
	written stamp
}

// withRoom returns a record with a body and an empty primary key, and room for the keys of so many indexes: in one piece
// if they are few, because the garbage collector looks at every piece of every item.
func withRoom(body string, indexes int) *record {
	const few = 3
	if 1+indexes > few {
		return &record{body: body, keys: make([]string, 1, 1+indexes)}
	}
	both := &struct {
		record
		room [few]string
	}{record: record{body: body}}
	both.keys = both.room[:1]
	return &both.record
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

// item builds the SDK's form of the record, or only the attributes named in keep if keep isn't nil.
func (r *record) item(keep map[string]bool) map[string]types.AttributeValue {
	d := decoder{rest: r.body}
	return d.attributes(keep)
}

// newRecord checks an item against the definition and encodes it.
func (d *Definition) newRecord(item map[string]types.AttributeValue) (*record, error) {
	e := encoders.Get().(*encoder)
	defer e.release()
	if err := e.attributes(item, 1); err != nil {
		return nil, err
	}
	if e.size > maxItemSize {
		return nil, awsapi.Validation("Item size has exceeded the maximum allowed size")
	}
	r := withRoom(string(e.buf), len(d.Indexes))
	names := append(make([]string, 0, 8), d.keys()...)
	for _, index := range d.Indexes {
		names = append(names, index.keys()...)
	}
	values := attributes(r.body, names)
	b := e.buf[:0]
	ends := make([]int, 1, 8)
	for i, name := range d.keys() {
		value := values[i]
		if err := d.keyProblem(name, value); err != nil {
			return nil, err
		}
		b = appendKeyValue(b, value)
	}
	ends[0] = len(b)
	values = values[len(d.keys()):]
	for _, index := range d.Indexes {
		start, complete := len(b), true
		for i, name := range index.keys() {
			value := values[i]
			if value == "" {
				complete = false
				continue
			}
			if err := d.indexProblem(index, name, value); err != nil {
				return nil, err
			}
			b = appendKeyValue(b, value)
		}
		values = values[len(index.keys()):]
		if complete {
			b = append(b, b[:ends[0]]...)
		} else {
			b = b[:start]
		}
		ends = append(ends, len(b))
	}
	e.buf = b
	keys := string(b) // one allocation for all keys of the record
	r.keys[0] = keys[:ends[0]]
	for i := range d.Indexes {
		r.keys = append(r.keys, keys[ends[i]:ends[i+1]])
	}
	return r, nil
}

// Limits of a key's values, in bytes.
const (
	maxHashKey  = 2048
	maxRangeKey = 1024
)

// appendKeyValue writes a key attribute so that byte order is DynamoDB's value order, and no value's bytes are a prefix
// of another's: strings and binaries escape 0x00 and end with 0x00 0x01.
func appendKeyValue(b []byte, value raw) []byte {
	text := value.text()
	if value[0] == kindNumber {
		n, _ := parseNumber(text) // in normal form already
		return n.appendKey(b)
	}
	return appendKeyText(b, text)
}

// appendKeyText writes a string or binary.
func appendKeyText(b []byte, text string) []byte { return append(appendKeyPrefix(b, text), 0x00, 0x01) }

// appendKeyPrefix writes the beginning of a string or binary.
func appendKeyPrefix(b []byte, text string) []byte {
	return append(b, strings.ReplaceAll(text, "\x00", "\x00\xFF")...)
}

// successor returns the smallest string above all that start with prefix; "" if there is none.
func successor(prefix string) string {
	for i := len(prefix) - 1; i >= 0; i-- {
		if prefix[i] != 0xFF {
			return prefix[:i] + string([]byte{prefix[i] + 1})
		}
	}
	return ""
}

// keyProblem checks a value of the primary key, found in an encoded item.
func (d *Definition) keyProblem(name string, value raw) error {
	if value == "" {
		return awsapi.Validation("One or more parameter values were invalid: Missing the key %s in the item", name)
	}
	if want := string(d.Attributes[name]); value.typeName() != want {
		return awsapi.Validation("One or more parameter values were invalid: Type mismatch for key %s expected: %s actual: %s",
			name, want, value.typeName())
	}
	if noun := emptyNoun(value); noun != "" {
		return awsapi.Validation("One or more parameter values are not valid. "+
			"The AttributeValue for a key attribute cannot contain an empty %s value. Key: %s", noun, name)
	}
	return d.keySize(value, name == d.HashKey)
}

// indexProblem checks a value of an index's key.
func (d *Definition) indexProblem(index Index, name string, value raw) error {
	if want := string(d.Attributes[name]); value.typeName() != want {
		return awsapi.Validation("One or more parameter values were invalid: Type mismatch for Index Key %s Expected: %s Actual: %s IndexName: %s",
			name, want, value.typeName(), index.Name)
	}
	if noun := emptyNoun(value); noun != "" {
		return awsapi.Validation("One or more parameter values are not valid. "+
			"A value specified for a secondary index key is not supported. "+
			"The AttributeValue for a key attribute cannot contain an empty %s value. IndexName: %s, IndexKey: %s",
			noun, index.Name, name)
	}
	return d.keySize(value, name == index.HashKey)
}

func (d *Definition) keySize(value raw, hash bool) error {
	size := len(value.text())
	switch {
	case value[0] == kindNumber:
	case hash && size > maxHashKey:
		return awsapi.Validation("One or more parameter values were invalid: Size of hashkey has exceeded the maximum size limit of2048 bytes")
	case !hash && size > maxRangeKey:
		return awsapi.Validation("One or more parameter values were invalid: Aggregated size of all range keys has exceeded the size limit of 1024 bytes")
	}
	return nil
}

func emptyNoun(value raw) string {
	switch {
	case value[0] == kindString && value.text() == "":
		return "string"
	case value[0] == kindBinary && value.text() == "":
		return "binary"
	}
	return ""
}

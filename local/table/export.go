package table

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"strings"
)

// exportVersion begins every export; another version is another format.
const exportVersion = "local table export 1\n"

// Export writes all items in the order of their keys, with the time and region of their last write, for Import into a
// table with the same keys.
//
//	file   = version text(keys) record… uvarint 0
//	record = uvarint(1+length of body) body varint(nanoseconds) text(region) CRC-32C
//
// It streams: it needs no more memory than one item and a pointer to each. Writes that are still on their way between
// replicas are not part of it; drain the replications first.
func (t *Table) Export(w io.Writer) error {
	t.catchUp()
	out := bufio.NewWriterSize(w, 1<<16)
	def := t.definition()
	e := encoder{buf: []byte(exportVersion)}
	e.text(def.exportKeys())
	// A bufio.Writer keeps its first error for Flush.
	_, _ = out.Write(e.buf)
	for _, r := range t.store.all() {
		e.buf = binary.AppendUvarint(e.buf[:0], uint64(1+len(r.body)))
		e.buf = append(e.buf, r.body...)
		e.buf = binary.AppendVarint(e.buf, r.written.nanos)
		e.text(r.written.region)
		e.buf = binary.LittleEndian.AppendUint32(e.buf, crc32.Checksum(e.buf, castagnoli()))
		_, _ = out.Write(e.buf)
	}
	_ = out.WriteByte(0)
	if err := out.Flush(); err != nil {
		return fmt.Errorf("exporting table %s: %w", def.Name, err)
	}
	return nil
}

func castagnoli() *crc32.Table { return crc32.MakeTable(crc32.Castagnoli) }

// exportKeys says which keys the exported items have.
func (d *Definition) exportKeys() string {
	types := make([]string, 0, 2)
	for _, key := range d.keys() {
		types = append(types, key+" "+string(d.Attributes[key]))
	}
	return strings.Join(types, ", ")
}

// Import adds what Export wrote, and sends it to the replicas; a later write of the same item stays. An export that was
// cut off, changed or made for other keys is an error, and what came before the damage has been imported.
func (t *Table) Import(r io.Reader) error {
	def := t.definition()
	in := &importer{reader: bufio.NewReaderSize(r, 1<<16)}
	if err := in.begin(def); err != nil {
		return fmt.Errorf("importing table %s: %w", def.Name, err)
	}
	for item := 1; ; item++ {
		body, written, err := in.next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err == nil {
			err = t.importRecord(def, body, written)
		}
		if err != nil {
			return fmt.Errorf("importing table %s: item %d: %w", def.Name, item, err)
		}
	}
}

func (t *Table) importRecord(def *Definition, body string, written stamp) error {
	e := t.encoders.get()
	defer t.encoders.put(e)
	r, err := keyed(def, body, e)
	if err != nil {
		return err
	}
	r.written = written
	t.accept(r, *t.outgoing.Load())
	t.forward()
	return nil
}

type importer struct {
	reader *bufio.Reader
	sum    uint32
}

// ReadByte reads for the binary package, and into the checksum.
func (in *importer) ReadByte() (byte, error) {
	b, err := in.reader.ReadByte()
	if err == nil {
		in.sum = crc32.Update(in.sum, castagnoli(), []byte{b})
	}
	return b, err
}

func (in *importer) bytes(length uint64, limit uint64) ([]byte, error) {
	if length > limit {
		return nil, errDamaged
	}
	b := make([]byte, length)
	if _, err := io.ReadFull(in.reader, b); err != nil {
		return nil, errCutOff
	}
	in.sum = crc32.Update(in.sum, castagnoli(), b)
	return b, nil
}

var (
	errDamaged = errors.New("the export is damaged; export it again")
	errCutOff  = errors.New("the export is cut off; export it again")
)

func (in *importer) begin(def *Definition) error {
	version, err := in.bytes(uint64(len(exportVersion)), uint64(len(exportVersion)))
	if err != nil || string(version) != exportVersion {
		return fmt.Errorf("it does not start with %q: it is no export of a table, or one of another version", exportVersion)
	}
	keys, err := in.text()
	if err != nil {
		return err
	}
	if want := def.exportKeys(); keys != want {
		return fmt.Errorf("its items have the keys %s, the table has %s", keys, want)
	}
	return nil
}

func (in *importer) text() (string, error) {
	length, err := binary.ReadUvarint(in)
	if err != nil {
		return "", errCutOff
	}
	const longest = 4 * maxKeyName
	text, err := in.bytes(length, longest)
	return string(text), err
}

// next reads one record; io.EOF says that the export ended where it should.
func (in *importer) next() (body string, written stamp, err error) {
	in.sum = 0
	length, err := binary.ReadUvarint(in)
	if err != nil {
		return "", stamp{}, errCutOff
	}
	if length == 0 {
		return "", stamp{}, io.EOF
	}
	// An encoded item is a little longer than what counts towards its limit.
	encoded, err := in.bytes(length-1, 2*maxItemSize)
	if err != nil {
		return "", stamp{}, err
	}
	if written.nanos, err = binary.ReadVarint(in); err != nil {
		return "", stamp{}, errCutOff
	}
	if written.region, err = in.text(); err != nil {
		return "", stamp{}, err
	}
	want := in.sum
	sum, err := in.bytes(4, 4)
	if err != nil {
		return "", stamp{}, err
	}
	if binary.LittleEndian.Uint32(sum) != want || !wellFormed(string(encoded)) {
		return "", stamp{}, errDamaged
	}
	return string(encoded), written, nil
}

// wellFormed tells whether an encoded item can be decoded.
func wellFormed(body string) bool {
	c := checker{rest: body}
	return c.attributes(1) && c.rest == ""
}

// A checker walks an encoding as a decoder does, but trusts nothing.
type checker struct{ rest string }

func (c *checker) count() (int, bool) {
	value, n := binary.Uvarint([]byte(c.rest[:min(len(c.rest), binary.MaxVarintLen64)]))
	if n <= 0 || value > uint64(len(c.rest)) {
		return 0, false
	}
	c.rest = c.rest[n:]
	return int(value), true
}

func (c *checker) text() bool {
	n, ok := c.count()
	if !ok || n > len(c.rest) {
		return false
	}
	c.rest = c.rest[n:]
	return true
}

func (c *checker) times(each func() bool) bool {
	n, ok := c.count()
	for range n {
		if !ok || !each() {
			return false
		}
	}
	return ok
}

func (c *checker) attributes(depth int) bool {
	return c.times(func() bool { return c.text() && c.value(depth) })
}

func (c *checker) value(depth int) bool {
	if c.rest == "" || depth > maxNesting {
		return false
	}
	kind := c.rest[0]
	c.rest = c.rest[1:]
	switch kind {
	case kindString, kindBinary:
		return c.text()
	case kindNumber:
		before := c.rest
		if !c.text() {
			return false
		}
		d := decoder{rest: before}
		_, err := parseNumber(d.text())
		return err == nil
	case kindTrue, kindFalse, kindNull:
		return true
	case kindList:
		return c.times(func() bool { return c.value(depth + 1) })
	case kindMap:
		return c.attributes(depth + 1)
	case kindStringSet, kindNumberSet, kindBinarySet:
		return c.times(c.text)
	}
	return false
}

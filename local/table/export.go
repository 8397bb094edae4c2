package table

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"time"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
)

// exported is one item as a line of an export, with the time and region of its last write.
type exported struct {
	Nanos  int64
	Region string
	Item   json.RawMessage // as in DynamoDB's API, attributes in order of their names
}

// Export writes all items, one JSON line each, in key order, for Import into a table with the same keys. Writes still
// in transit between replicas aren't included; drain the replications first.
func (t *Table) Export(w io.Writer) error { return t.ExportAsOf(w, time.Unix(0, math.MaxInt64)) }

// ExportAsOf writes the items as they were at a time. Only a table on disk still has what was overwritten since.
func (t *Table) ExportAsOf(w io.Writer, at time.Time) error {
	t.catchUp()
	out := bufio.NewWriterSize(w, 1<<16)
	encoder := json.NewEncoder(out)
	for r := range t.store.snapshot() {
		if r = t.store.asOf(r, at.UnixNano()); r == nil {
			continue
		}
		item, err := attributevalue.MarshalMapJSON(r.item(nil))
		if err == nil {
			item, err = inOrder(item)
		}
		if err == nil {
			err = encoder.Encode(exported{r.written.nanos, r.written.region, item})
		}
		if err != nil {
			return fmt.Errorf("exporting table %s: %w", t.definition().Name, err)
		}
	}
	if err := out.Flush(); err != nil {
		return fmt.Errorf("exporting table %s: %w", t.definition().Name, err)
	}
	return nil
}

// inOrder sorts the members of an item: the SDK writes them in the random order of Go's maps.
func inOrder(item []byte) ([]byte, error) {
	var members any
	if err := json.Unmarshal(item, &members); err != nil {
		return nil, err
	}
	return json.Marshal(members)
}

// Import adds what Export wrote, and sends it to the replicas; a later write of the same item stays. Everything before
// an error has been imported.
func (t *Table) Import(r io.Reader) error {
	def := t.definition()
	decoder := json.NewDecoder(bufio.NewReaderSize(r, 1<<16))
	for number := 1; ; number++ {
		var line exported
		err := decoder.Decode(&line)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err == nil {
			err = t.restore(def, line)
		}
		if err != nil {
			return fmt.Errorf("importing table %s: item %d: %w", def.Name, number, err)
		}
	}
}

func (t *Table) restore(def *Definition, line exported) error {
	item, err := attributevalue.UnmarshalMapJSON(line.Item)
	if err != nil {
		return err
	}
	r, err := def.newRecord(item)
	if err != nil {
		return err
	}
	r.written = stamp{nanos: line.Nanos, region: line.Region}
	t.store.mu.Lock()
	t.accept(r, *t.outgoing.Load(), nil)
	t.store.mu.Unlock()
	t.forward()
	return nil
}

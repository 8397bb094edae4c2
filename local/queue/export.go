package queue

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/google/uuid"
)

// exported is one message as a line of an export. Times are Unix nanoseconds.
type exported struct {
	ID          uuid.UUID            `json:"id"`
	Body        string               `json:"body"`
	Attributes  map[string]Attribute `json:"attributes,omitempty"`
	TraceHeader string               `json:"traceHeader,omitempty"`
	Source      string               `json:"deadLetterSource,omitempty"`
	Sent        int64                `json:"sent"`
	Arrived     int64                `json:"arrived"`
	Visible     int64                `json:"visible"`
	Received    int64                `json:"received,omitempty"`
	Receives    int                  `json:"receives,omitempty"`
}

// Export writes all messages, a line of JSON each, in the order of their arrival, for Import into another queue.
func (q *Queue) Export(w io.Writer) error {
	out := bufio.NewWriter(w)
	encoder := json.NewEncoder(out)
	encoder.SetEscapeHTML(false)
	for _, m := range q.snapshot() {
		line := exported{
			ID: m.id, Body: m.body, Attributes: m.attributes, TraceHeader: m.trace, Source: m.source,
			Sent: m.sent, Arrived: m.arrived, Visible: m.visible, Received: m.received, Receives: m.receives,
		}
		if err := encoder.Encode(line); err != nil {
			return fmt.Errorf("exporting queue %s: %w", q.Definition().Name, err)
		}
	}
	if err := out.Flush(); err != nil {
		return fmt.Errorf("exporting queue %s: %w", q.Definition().Name, err)
	}
	return nil
}

// Import adds what Export wrote, behind the messages that are there. Receipt handles from before the export mean
// nothing to this queue; messages that were in flight become visible when they would have.
func (q *Queue) Import(r io.Reader) error {
	decoder := json.NewDecoder(bufio.NewReader(r))
	decoder.DisallowUnknownFields()
	for number := 1; ; number++ {
		var line exported
		err := decoder.Decode(&line)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err == nil && (line.Body == "" || line.Receives < 0) {
			err = errors.New("a message needs a body and a number of receives that is not negative")
		}
		if err != nil {
			return fmt.Errorf("importing queue %s: message %d: %w", q.Definition().Name, number, err)
		}
		q.restore(line)
	}
}

func (q *Queue) restore(line exported) {
	q.mu.Lock()
	defer q.mu.Unlock()
	m := &stored{
		id: line.ID, body: line.Body, attributes: line.Attributes, trace: line.TraceHeader, source: line.Source,
		sent: line.Sent, arrived: line.Arrived, visible: line.Visible, received: line.Received, receives: line.Receives,
	}
	q.add(m, q.clock.Now())
	if _, hidden := q.hidden.Get(m); hidden && m.receives > 0 {
		q.flying++
	}
}

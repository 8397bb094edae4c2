package queue

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// Export writes all messages, one JSON line each, in order of arrival, for Import into another queue.
func (q *Queue) Export(w io.Writer) error {
	out := bufio.NewWriter(w)
	encoder := json.NewEncoder(out)
	for _, m := range q.snapshot() {
		m, there := q.whole(m)
		if !there {
			continue
		}
		if err := encoder.Encode(m); err != nil {
			return fmt.Errorf("exporting queue %s: %w", q.Definition().Name, err)
		}
	}
	if err := out.Flush(); err != nil {
		return fmt.Errorf("exporting queue %s: %w", q.Definition().Name, err)
	}
	return nil
}

// Import adds what Export wrote, after the existing messages. Receipt handles from before the export mean nothing to
// this queue; messages that were in flight become visible when they would have.
func (q *Queue) Import(r io.Reader) error {
	decoder := json.NewDecoder(bufio.NewReader(r))
	decoder.DisallowUnknownFields()
	for number := 1; ; number++ {
		m := &stored{}
		err := decoder.Decode(m)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err == nil {
			err = Draft{Body: m.Body, Attributes: m.Attributes}.check()
		}
		if err != nil {
			return fmt.Errorf("importing queue %s: message %d: %w", q.Definition().Name, number, err)
		}
		q.mu.Lock()
		q.add(m, q.clock.Now())
		q.mu.Unlock()
	}
}

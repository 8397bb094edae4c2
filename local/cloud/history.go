package cloud

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/klauspost/compress/s2"

	"trade-processing/local/states"
)

// finish returns an execution that has ended as the cloud keeps it, in memory and in the folder: its events and then the
// rest, compressed to a quarter, in one piece in which the garbage collector has nothing to follow.
func (e *Execution) finish(w *writer) string {
	w.number(0) // no event's id
	for _, s := range []string{e.ARN, e.Name, e.Machine, e.Version, e.Alias, e.Trace, e.status} {
		w.string([]byte(s))
	}
	w.string(e.Input())
	w.string(e.output)
	w.failure(e.failure)
	w.time(e.Started)
	w.time(e.ended)
	w.data = s2.Encode(w.data[:cap(w.data)], w.b)
	saved := string(w.data)
	writers.Put(w)
	return saved
}

// readExecution reads what finish has returned, and returns the events too.
func readExecution(saved string) (e *Execution, events []states.Event, err error) {
	text, err := s2.Decode(nil, []byte(saved))
	if err != nil {
		return nil, nil, fmt.Errorf("decompressing: %w", err)
	}
	r := reader{rest: text}
	events = r.events()
	e = &Execution{stop: func(error) {}, kept: true, saved: saved}
	for _, event := range events {
		if event.Type == "ExecutionRedriven" {
			e.redrives, e.redriven = e.redrives+1, event.At
		}
	}
	for _, s := range []*string{&e.ARN, &e.Name, &e.Machine, &e.Version, &e.Alias, &e.Trace, &e.status} {
		*s = string(r.string())
	}
	// Not the whole text is held.
	e.input, e.output, e.failure = states.Written(bytes.Clone(r.string())), bytes.Clone(r.string()), r.failure()
	e.Started, e.ended = r.time(), r.time()
	return e, events, r.failed
}

// short strings aren't worth looking for.
const short = 32

// writer writes numbers and strings. A long string that is there already is written as the number of its first one: a
// state's output is the next one's input.
type writer struct {
	b     []byte
	known [][2]int // from where to where the long ones are in b
	data  []byte
}

var writers = sync.Pool{New: func() any { return new(writer) }}

func newWriter() *writer {
	w := writers.Get().(*writer)
	w.b, w.known = w.b[:0], w.known[:0]
	return w
}

func (w *writer) event(event states.Event) {
	w.number(event.ID)
	w.number(event.Previous)
	w.time(event.At)
	w.string([]byte(event.Type))
	w.string([]byte(event.State))
	w.string([]byte(event.Resource))
	switch what := event.Data.(type) {
	case nil:
		w.string(nil)
	case *states.Document:
		w.string(what.JSON())
	default:
		w.data = states.AppendJSON(w.data[:0], what)
		w.string(w.data)
	}
	w.failure(event.Failure)
}

func (w *writer) number(n int64) { w.b = binary.AppendVarint(w.b, n) }

func (w *writer) time(t time.Time) { w.number(t.UnixNano()) }

func (w *writer) string(s []byte) {
	if len(s) < short {
		w.number(-1 - int64(len(s)))
		w.b = append(w.b, s...)
		return
	}
	for i, at := range w.known {
		if at[1]-at[0] == len(s) && string(w.b[at[0]:at[1]]) == string(s) {
			w.number(int64(i))
			return
		}
	}
	w.number(int64(len(w.known)))
	w.number(int64(len(s)))
	from := len(w.b)
	w.b = append(w.b, s...)
	w.known = append(w.known, [2]int{from, len(w.b)})
}

func (w *writer) failure(f *states.Failure) {
	switch {
	case f == nil:
		w.number(0)
		return
	case f.Stopped:
		w.number(2)
	default:
		w.number(1)
	}
	w.string([]byte(f.Name))
	w.string([]byte(f.Cause))
}

// reader reads what a writer has written. After the first error, everything is empty.
type reader struct {
	rest   []byte
	known  [][]byte
	failed error
}

func (r *reader) number() int64 {
	n, size := binary.Varint(r.rest)
	if size <= 0 {
		r.rest, r.failed = nil, errors.New("it is cut off")
		return 0
	}
	r.rest = r.rest[size:]
	return n
}

// events reads all until the id 0, or until there are no more.
func (r *reader) events() (events []states.Event) {
	for len(r.rest) > 0 {
		id := r.number()
		if id == 0 {
			break
		}
		event := states.Event{ID: id, Previous: r.number(), At: r.time(), Type: string(r.string()), State: string(r.string()), Resource: string(r.string())}
		if data := r.string(); len(data) > 0 {
			event.Data = states.Written(data)
		}
		event.Failure = r.failure()
		events = append(events, event)
	}
	return events
}

func (r *reader) time() time.Time { return time.Unix(0, r.number()) }

func (r *reader) string() []byte {
	at := r.number()
	size := -1 - at
	switch {
	case at >= 0 && at < int64(len(r.known)):
		return r.known[at]
	case at >= 0:
		size = r.number()
	}
	if size < 0 || size > int64(len(r.rest)) {
		r.rest, r.failed = nil, errors.New("it is cut off")
		return nil
	}
	s := r.rest[:size:size]
	if r.rest = r.rest[size:]; at >= 0 {
		r.known = append(r.known, s)
	}
	return s
}

func (r *reader) failure() *states.Failure {
	kind := r.number()
	if kind == 0 {
		return nil
	}
	return &states.Failure{Name: string(r.string()), Cause: string(r.string()), Stopped: kind == 2}
}

// Package queue is one standard SQS queue in memory, on an injected clock and under the queue's own definition:
// visibility timeout and retention.
//
// Nothing runs in the background. The effects of time are applied when the queue is next used.
package queue

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"iter"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/tidwall/btree"

	"trade-processing/local/awsapi"
	"trade-processing/local/clock"
	"trade-processing/local/disk"
	"trade-processing/local/fault"
	"trade-processing/local/metrics"
)

// Options are what a queue works with.
type Options struct {
	Clock clock.Clock
	// Faults may delay or fail each operation; nil for none. The key of a call is a message's body, or empty if there is
	// none.
	Faults fault.Hook
	// Metrics receives what SQS sends to CloudWatch; nil for none.
	Metrics *metrics.Store
	// Random provides message ids. It must be safe for concurrent use.
	Random io.Reader
	// Disk has the queue's messages, with those that an earlier queue of its ARN left; nil: they are in memory.
	Disk *disk.Store
	// Spill opens a store for the bodies of messages in memory when there are more than Most messages. If it fails they
	// stay in memory. Nil: they always do.
	Spill func() (*disk.Store, error)
	Most  int
}

// A Queue is safe for concurrent use.
type Queue struct {
	clock  clock.Clock
	faults fault.Hook
	random io.Reader
	disk   *disk.Store
	spill  func() (*disk.Store, error)
	most   int

	sent, received, deletions *metrics.Series
	gauges                    []func() // each ends one

	mu      sync.Mutex
	def     Definition
	deleted bool
	serial  uint64

	all    *btree.BTreeG[*stored] // by arrival
	ready  *btree.BTreeG[*stored] // those that can be received, by arrival
	hidden *btree.BTreeG[*stored] // those in flight, by when they become visible
}

// namespace is that of SQS's metrics, which have the dimension QueueName: events are counted, contents are sampled when
// alarms are evaluated. Ages are in seconds.
const namespace = "AWS/SQS"

// New returns an empty queue, or reports every problem with its definition.
func New(def Definition, options Options) (*Queue, error) {
	if err := def.Validate(); err != nil {
		return nil, err
	}
	byArrival := func(a, b *stored) bool { return a.serial < b.serial }
	byTime := func(a, b *stored) bool {
		if a.Visible != b.Visible {
			return a.Visible < b.Visible
		}
		return a.serial < b.serial
	}
	tree := func(less func(a, b *stored) bool) *btree.BTreeG[*stored] {
		return btree.NewBTreeGOptions(less, btree.Options{NoLocks: true})
	}
	q := &Queue{
		clock: options.Clock, faults: options.Faults, random: options.Random, disk: options.Disk, spill: options.Spill, most: options.Most, def: def,
		all: tree(byArrival), ready: tree(byArrival), hidden: tree(byTime),
	}
	if err := q.restore(); err != nil {
		return nil, err
	}
	gauges := map[string]func(State) float64{
		"ApproximateNumberOfMessagesVisible":    func(s State) float64 { return float64(s.Visible) },
		"ApproximateNumberOfMessagesNotVisible": func(s State) float64 { return float64(s.InFlight) },
		"ApproximateAgeOfOldestMessage":         func(s State) float64 { return s.Oldest.Seconds() },
	}
	sent := []string{"NumberOfMessagesSent", "NumberOfMessagesReceived", "NumberOfMessagesDeleted"}
	dimensions := map[string]string{"QueueName": def.Name}
	for place, series := range []**metrics.Series{&q.sent, &q.received, &q.deletions} {
		*series = options.Metrics.Series(namespace, sent[place], dimensions)
	}
	for name, read := range gauges {
		sent = append(sent, name)
		q.gauges = append(q.gauges, options.Metrics.Gauge(namespace, name, dimensions, func(now time.Time) float64 { return read(q.state(now)) }))
	}
	options.Metrics.Declare(namespace, sent...)
	return q, nil
}

// Definition returns the queue's current definition.
func (q *Queue) Definition() Definition {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.def
}

// Update changes the queue's attributes, as SetQueueAttributes. Its name, URL and ARN can't change.
func (q *Queue) Update(def Definition) error {
	if err := def.Validate(); err != nil {
		return err
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if def.Name != q.def.Name || def.URL != q.def.URL || def.ARN != q.def.ARN {
		return fmt.Errorf("queue %q: its name, URL and ARN can't change; make another queue", q.def.Name)
	}
	q.def = def
	return nil
}

// Delete ends the queue with all messages in it. Every later operation answers QueueDoesNotExist.
func (q *Queue) Delete() {
	for _, end := range q.gauges {
		end()
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	q.deleted = true
	for _, tree := range []*btree.BTreeG[*stored]{q.all, q.ready, q.hidden} {
		tree.Clear()
	}
	q.clearFiles()
}

// Send puts a message into the queue and returns it. Errors are API errors with SQS's codes, wrapped as by the SDK's
// client.
func (q *Queue) Send(ctx context.Context, d Draft) (Message, error) {
	return serve(ctx, q, "SendMessage", d.Body, func(now time.Time) (Message, error) {
		if err := d.check(); err != nil {
			return Message{}, err
		}
		id, err := uuid.NewRandomFromReader(q.random)
		if err != nil {
			return Message{}, fmt.Errorf("making a message id: %w", err)
		}
		m := &stored{ID: id, Body: d.Body, TraceHeader: d.TraceHeader, Attributes: d.Attributes, Sent: now.UnixNano(), Visible: now.UnixNano()}
		sent := m.message("")
		q.add(m, now)
		q.sent.Add(now, 1)
		return sent, nil
	})
}

// Receive returns up to limit messages, 1 to 10, and hides them for the visibility timeout, or for the queue's own if
// it is nil. It doesn't wait for messages.
func (q *Queue) Receive(ctx context.Context, limit int, visibility *time.Duration) ([]Message, error) {
	return serve(ctx, q, "ReceiveMessage", "", func(now time.Time) ([]Message, error) {
		if limit < 1 || limit > maxBatch {
			return nil, awsapi.Error("InvalidParameterValue", "Value %d for parameter MaxNumberOfMessages is invalid. Reason: Must be between 1 and 10, if provided.", limit)
		}
		hide := q.def.Visibility
		if visibility != nil {
			hide = *visibility
		}
		if err := checkVisibility(hide); err != nil {
			return nil, err
		}
		if flying := q.hidden.Len(); flying >= maxInFlight {
			return nil, awsapi.Error("OverLimit", "Too many messages in flight: %d.", flying)
		}
		var messages []Message
		for len(messages) < limit {
			m, found := q.ready.PopMin()
			if !found {
				break
			}
			m.Receives++
			m.First = cmp.Or(m.First, now.UnixNano())
			whole, _ := q.whole(*m) // under the lock it isn't gone
			messages = append(messages, whole.message(m.receipt()))
			q.hide(m, now, hide)
		}
		q.received.Add(now, float64(len(messages)))
		return messages, nil
	})
}

// Acknowledge deletes a received message, like DeleteMessage. If the message is gone, or has been received again since,
// that is not an error and nothing changes.
func (q *Queue) Acknowledge(ctx context.Context, handle string) error {
	_, err := serve(ctx, q, "DeleteMessage", "", func(now time.Time) (struct{}, error) {
		m, err := q.find(handle)
		if m != nil {
			q.remove(m)
			q.deletions.Add(now, 1)
		}
		return struct{}{}, err
	})
	return err
}

// Purge deletes all messages, also those in flight.
func (q *Queue) Purge(ctx context.Context) error {
	_, err := serve(ctx, q, "PurgeQueue", "", func(time.Time) (struct{}, error) {
		for _, tree := range []*btree.BTreeG[*stored]{q.all, q.ready, q.hidden} {
			tree.Clear()
		}
		q.clearFiles()
		return struct{}{}, nil
	})
	return err
}

// ChangeVisibility hides a received message for a time that starts now.
func (q *Queue) ChangeVisibility(ctx context.Context, handle string, d time.Duration) error {
	_, err := serve(ctx, q, "ChangeMessageVisibility", "", func(now time.Time) (struct{}, error) {
		if err := checkVisibility(d); err != nil {
			return struct{}{}, err
		}
		m, err := q.find(handle)
		if err != nil {
			return struct{}{}, err
		}
		if m == nil {
			return struct{}{}, awsapi.Error("InvalidParameterValue", "Value %s for parameter ReceiptHandle is invalid. Reason: Message does not exist or is not available for visibility timeout change.", handle)
		}
		if _, flying := q.hidden.Delete(m); !flying {
			return struct{}{}, awsapi.Error("MessageNotInflight", "The message referred to isn't in flight.")
		}
		q.hide(m, now, d)
		return struct{}{}, nil
	})
	return err
}

func checkVisibility(d time.Duration) error {
	if d < 0 || d > maxVisibility {
		return awsapi.Error("InvalidParameterValue", "Value %d for parameter VisibilityTimeout is invalid. Reason: Must be between 0 and 43200.", int(d.Seconds()))
	}
	return nil
}

// serve runs one operation under the queue's lock: faults, the effects of time, and the SDK's wrapping of errors.
func serve[T any](ctx context.Context, q *Queue, operation, key string, run func(now time.Time) (T, error)) (T, error) {
	call := fault.Call{Service: "sqs", Operation: operation, Resource: q.Definition().Name}
	return awsapi.Serve(ctx, q.clock, q.faults, call, func() string { return key }, func() (answer T, err error) {
		q.mu.Lock()
		defer q.mu.Unlock()
		if q.deleted {
			return answer, awsapi.Error("QueueDoesNotExist", "The specified queue does not exist.")
		}
		now := q.clock.Now()
		q.advance(now)
		return run(now)
	})
}

// add files a new message.
func (q *Queue) add(m *stored, now time.Time) {
	q.serial++
	m.serial = q.serial
	q.file(m)
	q.all.Set(m)
	if m.Visible > now.UnixNano() {
		q.hidden.Set(m)
	} else {
		q.ready.Set(m)
	}
}

// hide hides a received message for a time. Zero is fine: it can be received again at once, but not by the same call,
// which continues after it.
func (q *Queue) hide(m *stored, now time.Time, d time.Duration) {
	m.Visible = now.Add(d).UnixNano()
	q.hidden.Set(m)
	q.refile(m)
}

// remove removes a message permanently.
func (q *Queue) remove(m *stored) {
	q.all.Delete(m)
	q.hidden.Delete(m)
	q.ready.Delete(m)
	q.unfile(m)
}

// advance applies the effects of time: messages beyond their retention are gone, and those no longer hidden can be
// received.
func (q *Queue) advance(now time.Time) {
	oldest := now.Add(-q.def.Retention).UnixNano()
	for m, found := q.all.Min(); found && m.Sent <= oldest; m, found = q.all.Min() {
		q.remove(m)
	}
	for m, found := q.hidden.Min(); found && m.Visible <= now.UnixNano(); m, found = q.hidden.Min() {
		q.hidden.Delete(m)
		q.ready.Set(m)
	}
}

// State is how much is in a queue.
type State struct {
	Visible  int           // can be received
	InFlight int           // were received and are hidden
	Oldest   time.Duration // the age of the oldest message; zero if there is none
}

// Depth returns the number of all messages.
func (s State) Depth() int { return s.Visible + s.InFlight }

// State says how much is in the queue now.
func (q *Queue) State() State { return q.state(q.clock.Now()) }

func (q *Queue) state(now time.Time) State {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.advance(now)
	s := State{Visible: q.ready.Len(), InFlight: q.hidden.Len()}
	if m, found := q.all.Min(); found {
		s.Oldest = now.Sub(time.Unix(0, m.Sent))
	}
	return s
}

// Messages yields all messages in order of arrival, without receiving them, as of the start of the iteration.
func (q *Queue) Messages() iter.Seq[Message] {
	return func(yield func(Message) bool) {
		for _, m := range q.snapshot() {
			if m, there := q.whole(m); there && !yield(m.message("")) {
				return
			}
		}
	}
}

// snapshot copies all messages except their bodies, in order of arrival.
func (q *Queue) snapshot() []stored {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.advance(q.clock.Now())
	messages := make([]stored, 0, q.all.Len())
	q.all.Scan(func(m *stored) bool {
		messages = append(messages, *m)
		return true
	})
	return messages
}

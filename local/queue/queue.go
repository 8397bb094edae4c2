// Package queue is one standard SQS queue in memory, on an injected clock and under the queue's own definition: delay,
// visibility timeout, retention, message size, redrive to a dead-letter queue.
//
// Nothing runs in the background. Whatever the passing of time brings about has happened when the queue is next looked
// at.
package queue

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aws/smithy-go"
	"github.com/google/uuid"
	"github.com/tidwall/btree"

	"trade-processing/local/clock"
	"trade-processing/local/fault"
	"trade-processing/local/metrics"
)

// Options are what a queue works with.
type Options struct {
	Clock clock.Clock
	// Faults may delay or fail each operation; nil for none. The key of a call is a message's body, and empty where there
	// is none.
	Faults fault.Hook
	// Metrics receives what SQS sends to CloudWatch; nil for none.
	Metrics *metrics.Store
	// Random makes the ids of messages; nil is crypto/rand. It must be safe for use by many goroutines.
	Random io.Reader
}

// A Queue is safe for use by many goroutines.
type Queue struct {
	clock    clock.Clock
	faults   fault.Hook
	random   io.Reader
	measures measures

	deleted atomic.Bool

	mu      sync.Mutex
	def     Definition
	redrive *Redrive
	allow   RedriveAllow
	serial  uint64
	purged  time.Time

	all     *btree.BTreeG[*stored] // by arrival
	bySent  *btree.BTreeG[*stored] // by the time of the first send, which a redrive keeps
	ready   *btree.BTreeG[*stored] // those that can be received, by arrival
	hidden  *btree.BTreeG[*stored] // the others, by when they become visible
	flying  int                    // of hidden, those that were received
	expired int                    // in all, since the queue was made
}

// New makes an empty queue, or reports everything that is wrong with its definition.
func New(def Definition, options Options) (*Queue, error) {
	if err := def.Validate(); err != nil {
		return nil, err
	}
	byArrival := func(a, b *stored) bool { return a.serial < b.serial }
	byTime := func(time func(*stored) int64) func(a, b *stored) bool {
		return func(a, b *stored) bool {
			if ta, tb := time(a), time(b); ta != tb {
				return ta < tb
			}
			return a.serial < b.serial
		}
	}
	tree := func(less func(a, b *stored) bool) *btree.BTreeG[*stored] {
		return btree.NewBTreeGOptions(less, btree.Options{NoLocks: true})
	}
	q := &Queue{
		clock: options.Clock, faults: options.Faults, random: options.Random, def: def, allow: RedriveAllow{Permission: "allowAll"},
		all: tree(byArrival), ready: tree(byArrival),
		bySent: tree(byTime(func(m *stored) int64 { return m.sent })),
		hidden: tree(byTime(func(m *stored) int64 { return m.visible })),
	}
	if q.random == nil {
		q.random = rand.Reader
	}
	q.measures = newMeasures(options.Metrics, q)
	return q, nil
}

// Definition returns what the queue is now.
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

// SetRedrive sends messages that were received too often to a dead-letter queue; nil ends that. The dead-letter queue's
// own policy must allow it.
func (q *Queue) SetRedrive(r *Redrive) error {
	if r != nil {
		if r.MaxReceives < 1 || r.MaxReceives > 1000 {
			return fmt.Errorf("queue %q: redrive policy: a maxReceiveCount of %d is not between 1 and 1000", q.Definition().Name, r.MaxReceives)
		}
		if r.DeadLetter == nil || r.DeadLetter == q {
			return fmt.Errorf("queue %q: redrive policy: the dead-letter queue must be another queue", q.Definition().Name)
		}
		if arn := q.Definition().ARN; !r.DeadLetter.allows(arn) {
			return fmt.Errorf("queue %q: redrive policy: the redrive-allow policy of %q does not let %s use it",
				q.Definition().Name, r.DeadLetter.Definition().Name, arn)
		}
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	q.redrive = r
	return nil
}

// SetRedriveAllow says which queues may use this one as their dead-letter queue. A new queue lets all. Redrives that
// are set up already stay.
func (q *Queue) SetRedriveAllow(r RedriveAllow) error {
	if err := r.Validate(); err != nil {
		return fmt.Errorf("queue %q: %w", q.Definition().Name, err)
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	q.allow = r
	return nil
}

func (q *Queue) allows(arn string) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.allow.allows(arn)
}

// Delete ends the queue with all messages in it. Every later operation answers QueueDoesNotExist.
func (q *Queue) Delete() {
	q.measures.remove()
	q.deleted.Store(true)
	q.mu.Lock()
	defer q.mu.Unlock()
	q.clear()
}

func (q *Queue) clear() {
	for _, tree := range []*btree.BTreeG[*stored]{q.all, q.bySent, q.ready, q.hidden} {
		tree.Clear()
	}
	q.flying = 0
}

// Send puts a message into the queue and returns it. Errors are API errors with SQS's codes, wrapped as the SDK's
// client wraps them.
func (q *Queue) Send(ctx context.Context, d Draft) (Message, error) {
	return serve(ctx, q, "SendMessage", d.Body, func(now time.Time) (Message, error) {
		if err := d.check(q.def); err != nil {
			return Message{}, err
		}
		id, err := uuid.NewRandomFromReader(q.random)
		if err != nil {
			return Message{}, fmt.Errorf("making a message id: %w", err)
		}
		delay := q.def.Delay
		if d.Delay != nil {
			delay = *d.Delay
		}
		m := &stored{
			id: id, body: d.Body, attributes: d.Attributes, trace: d.TraceHeader,
			sent: now.UnixNano(), arrived: now.UnixNano(), visible: now.Add(delay).UnixNano(),
		}
		q.add(m, now)
		q.measures.sent.Add(now, 1)
		q.measures.sentSize.Add(now, float64(len(d.Body)))
		return m.message(""), nil
	})
}

// Purge deletes all messages. SQS allows it once a minute.
func (q *Queue) Purge(ctx context.Context) error {
	_, err := serve(ctx, q, "PurgeQueue", "", func(now time.Time) (struct{}, error) {
		if !q.purged.IsZero() && now.Sub(q.purged) < time.Minute {
			return struct{}{}, apiError("PurgeQueueInProgress", "Only one PurgeQueue operation on %s is allowed every 60 seconds.", q.def.Name)
		}
		q.purged = now
		q.clear()
		return struct{}{}, nil
	})
	return err
}

// serve runs one operation under the queue's lock: what every operation checks, the faults, the passing of time, and
// the SDK's wrapping of errors.
func serve[T any](ctx context.Context, q *Queue, operation, key string, run func(now time.Time) (T, error)) (T, error) {
	var none T
	wrap := func(err error) error {
		return &smithy.OperationError{ServiceID: "SQS", OperationName: operation, Err: err}
	}
	if err := ctx.Err(); err != nil {
		return none, wrap(&smithy.CanceledError{Err: err})
	}
	call := fault.Call{Service: "sqs", Operation: operation, Resource: q.Definition().Name}
	out, err := fault.Serve(ctx, q.clock, q.faults, call, func() string { return key }, func() (T, error) {
		q.mu.Lock()
		defer q.mu.Unlock()
		if q.deleted.Load() {
			return none, apiError("QueueDoesNotExist", "The specified queue does not exist.")
		}
		now := q.clock.Now()
		q.advance(now)
		return run(now)
	})
	if err != nil {
		return none, wrap(err)
	}
	return out, nil
}

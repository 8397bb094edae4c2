package table

import (
	"context"
	"encoding/binary"
	"math"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"trade-processing/local/awsapi"
	"trade-processing/local/disk"
	"trade-processing/local/fault"
	"trade-processing/local/metrics"
)

// A Replication carries the writes of one replica of a global table to another, each after a lag, in the order they
// were made. If both replicas wrote the same item, the later write wins; at the same nanosecond, that of the region
// whose name sorts last.
//
// It has no goroutine: writes that are due are applied when the receiving replica is next used, and little by little
// when the sending one is written. On a virtual clock it is deterministic.
type Replication struct {
	from, to *Table
	lag      time.Duration
	latency  *metrics.Series // in milliseconds; the sending region keeps it

	// applying is held while writes are taken off the queue and applied, so they stay in order. It is never taken under a
	// table's lock.
	applying sync.Mutex

	mu      sync.Mutex // guards the queue; may be taken under a table's lock
	pending []delayed
	number  uint64 // of the last write that was sent
	taken   int    // of pending, from its beginning
	// due is when the first pending write is due, in Unix nanoseconds; the largest time if none is pending. It saves
	// readers the lock.
	due atomic.Int64
}

type delayed struct {
	record *record
	number uint64
	sent   int64 // Unix nanoseconds, as below
	due    int64 // never before the previous write's
}

// Replicate sends the table's contents, and then every later write, to another replica. Both must have a stream and the
// same name, keys and indexes. For replicas that are all written to, replicate in every direction.
//
// The fault hook sees each write as operation Replicate and may delay it. Its error is ignored: replication retries
// until it succeeds.
func (t *Table) Replicate(to *Table, lag time.Duration) (*Replication, error) {
	from, other := t.definition(), to.definition()
	switch {
	case t == to:
		return nil, awsapi.Validation("a table can not be its own replica")
	case !from.Stream || !other.Stream:
		return nil, awsapi.Validation("Table needs to have stream enabled with new and old images to be replicated: %s", from.Name)
	case from.Name != other.Name || !from.sameKeys(*other):
		return nil, awsapi.Validation("the replica of table %s in %s differs in its name, keys or indexes", from.Name, other.Region)
	case from.Region == other.Region:
		return nil, awsapi.Validation("table %s has a replica in %s already", from.Name, other.Region)
	}
	r := &Replication{from: t, to: to, lag: lag, latency: t.series("ReplicationLatency", map[string]string{"ReceivingRegion": other.Region})}
	r.due.Store(math.MaxInt64)
	t.attach(&t.outgoing, r)
	to.attach(&to.incoming, r)
	r.begin()
	return r, nil
}

// begin sends what the table holds; on a store that knows the replication, what hasn't arrived yet.
func (r *Replication) begin() {
	t, now := r.from, r.from.clock.Now().UnixNano()
	t.store.mu.Lock()
	defer t.store.mu.Unlock()
	if t.disk != nil {
		if _, known := t.disk.Get(r.key()); known {
			for key, primary := range t.disk.Scan(r.key()+"\x00", successor(r.key()), false) {
				r.number = binary.BigEndian.Uint64([]byte(key[len(r.key()):]))
				r.enqueue(t.store.get(primary), r.number, now)
			}
			return
		}
		t.disk.Clear(r.key(), successor(r.key())) // of a process that was killed while it began
		defer t.disk.Write(disk.Change{Key: r.key()})
	}
	for record := range t.store.all() {
		number, changes := r.mark(record)
		if t.disk != nil {
			t.disk.Write(changes...)
		}
		r.enqueue(record, number, now)
	}
}

// key is that of the replication in a store. Those of the writes that haven't arrived begin with it.
func (r *Replication) key() string {
	return prefixOf(*r.from.definition()) + string([]byte{pendingTree}) + r.to.definition().Region + "/"
}

func (r *Replication) change(number uint64) disk.Change {
	return disk.Change{Key: r.key() + string(binary.BigEndian.AppendUint64(nil, number))}
}

// mark numbers a write, and returns the change that keeps it until it has arrived, if there is a disk. The caller holds
// the store's lock.
func (r *Replication) mark(record *record) (uint64, []disk.Change) {
	r.number++
	if r.from.disk == nil {
		return r.number, nil
	}
	change := r.change(r.number)
	change.Value = record.keys[0]
	return r.number, []disk.Change{change}
}

// Stop ends the replication; what is pending is dropped.
func (r *Replication) Stop() {
	r.from.detach(&r.from.outgoing, r)
	r.to.detach(&r.to.incoming, r)
	if r.from.disk != nil {
		r.from.disk.Clear(r.key(), successor(r.key()))
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.pending, r.taken = nil, 0
	r.due.Store(math.MaxInt64)
}

func (t *Table) attach(list *atomic.Pointer[[]*Replication], r *Replication) {
	t.mu.Lock()
	defer t.mu.Unlock()
	longer := append(slices.Clone(*list.Load()), r)
	list.Store(&longer)
}

func (t *Table) detach(list *atomic.Pointer[[]*Replication], r *Replication) {
	t.mu.Lock()
	defer t.mu.Unlock()
	shorter := slices.DeleteFunc(slices.Clone(*list.Load()), func(other *Replication) bool { return other == r })
	list.Store(&shorter)
}

// Pending returns the number of writes that have not reached the other replica.
func (r *Replication) Pending() int {
	r.apply(math.MaxInt)
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.pending) - r.taken
}

// Drain waits on the clock until every earlier write has been applied, or the context ends.
func (r *Replication) Drain(ctx context.Context) error {
	for {
		if r.Pending() == 0 {
			return nil
		}
		wait := time.Unix(0, r.due.Load()).Sub(r.to.clock.Now())
		if err := r.to.clock.Sleep(ctx, max(wait, 0)); err != nil {
			return err
		}
	}
}

// enqueue adds a write; the caller holds the store's lock, so versions of one item are queued in the order they were
// made.
func (r *Replication) enqueue(record *record, number uint64, now int64) {
	due := now + r.lag.Nanoseconds()
	if hook := r.from.faults; hook != nil {
		call := fault.Call{
			Service: "dynamodb", Operation: "Replicate", Resource: r.from.definition().Name,
			Key: attribute(record.body, r.from.definition().HashKey).text(),
		}
		due += hook(call).Delay.Nanoseconds()
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if n := len(r.pending); n > r.taken {
		due = max(due, r.pending[n-1].due)
	} else {
		r.due.Store(due)
	}
	r.pending = append(r.pending, delayed{record: record, number: number, sent: now, due: due})
}

// next takes the first writes that are due, but at most so many.
func (r *Replication) next(now int64, most int) []delayed {
	r.mu.Lock()
	defer r.mu.Unlock()
	end := r.taken
	for end < len(r.pending) && end-r.taken < most && r.pending[end].due <= now {
		end++
	}
	due := slices.Clone(r.pending[r.taken:end])
	clear(r.pending[r.taken:end])
	r.taken = end
	switch {
	case end == len(r.pending):
		r.pending, r.taken = r.pending[:0], 0
		r.due.Store(math.MaxInt64)
		return due
	case end > 1024 && end > len(r.pending)/2:
		r.pending = slices.Delete(r.pending, 0, end)
		r.taken = 0
	}
	r.due.Store(r.pending[r.taken].due)
	return due
}

// So many writes are applied at once: on disk, that is one write. None waits longer than patience for others, because alarms
// go by its latency.
const (
	together = 32
	patience = time.Second
)

// ripe reports whether so many are due, or the first has been for so long.
func (r *Replication) ripe(now time.Time) bool {
	if due := r.due.Load(); due > now.UnixNano() || due <= now.Add(-patience).UnixNano() {
		return due <= now.UnixNano()
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	last := r.taken + together - 1
	return last < len(r.pending) && r.pending[last].due <= now.UnixNano()
}

// apply applies what is due, but at most limit writes.
func (r *Replication) apply(limit int) {
	now := r.to.clock.Now()
	if r.due.Load() > now.UnixNano() {
		return
	}
	r.applying.Lock()
	defer r.applying.Unlock()
	r.applyLocked(now, limit)
}

func (r *Replication) applyLocked(now time.Time, limit int) {
	for limit > 0 {
		due := r.next(now.UnixNano(), min(limit, together))
		if len(due) == 0 {
			return
		}
		limit -= len(due)
		r.deliver(due)
		for _, d := range due { // It arrived when it was due, however late the replica is used.
			r.latency.Add(time.Unix(0, d.due), float64(d.due-d.sent)/1e6)
		}
	}
}

// deliver stores writes in the replica. It doesn't pass them on: every replica sends its own to all others.
func (r *Replication) deliver(due []delayed) {
	to := r.to.store
	to.mu.Lock()
	defer to.mu.Unlock()
	to.hold()
	for _, d := range due {
		r.to.accept(d.record, nil, r.arrived(d))
	}
	to.release()
}

// arrived is the change that forgets a write.
func (r *Replication) arrived(d delayed) []disk.Change {
	if r.from.disk == nil {
		return nil
	}
	change := r.change(d.number)
	change.Delete = true
	return []disk.Change{change}
}

// accept stores a write made elsewhere, unless there is a later one, with further changes of a store. The caller holds the
// store's lock.
func (t *Table) accept(r *record, onward []*Replication, further []disk.Change) {
	old := t.store.get(r.keys[0])
	if old == nil || r.written.after(old.written) {
		t.send(r, old, onward, t.clock.Now().UnixNano(), further)
	} else if len(further) > 0 {
		t.disk.Write(further...)
	}
}

// send stores a record, and sends it to replicas. The caller holds the store's lock.
func (t *Table) send(r, old *record, to []*Replication, now int64, further []disk.Change) {
	numbers := make([]uint64, len(to))
	for i, replication := range to {
		number, changes := replication.mark(r)
		numbers[i], further = number, append(further, changes...)
	}
	t.store.write(r, old, further)
	for i, replication := range to {
		replication.enqueue(r, numbers[i], now)
	}
}

// catchUp applies everything that is due from other replicas.
func (t *Table) catchUp() {
	for _, r := range *t.incoming.Load() {
		r.apply(math.MaxInt)
	}
}

// forward applies some of what is due to the other replicas, so a queue stays short even if they aren't used.
func (t *Table) forward() {
	for _, r := range *t.outgoing.Load() {
		now := r.to.clock.Now()
		if !r.ripe(now) || !r.applying.TryLock() {
			continue
		}
		r.applyLocked(now, together)
		r.applying.Unlock()
	}
}

package clock

import (
	"cmp"
	"context"
	"sync"
	"time"

	"github.com/tidwall/btree"
)

// Virtual is a clock that stands still until it is told to advance.
//
// Sleepers are woken in order of time, and for equal times in order of calling. A woken goroutine runs concurrently
// with the one that advances, so a driver that needs every step in order advances by single steps and lets the
// goroutines settle in between:
//
//	for synctest.Wait(); c.AdvanceToNext(); synctest.Wait() {
//	}
//
// BlockUntil is the way to settle without testing/synctest.
type Virtual struct {
	advancing sync.Mutex // one Advance at a time, so that time never runs back

	mu     sync.Mutex
	added  *sync.Cond // to alarms
	now    time.Time
	alarms *btree.BTreeG[*alarm] // the first one to ring comes first
	set    uint64                // how many alarms were ever set
}

var _ Clock = (*Virtual)(nil)

// NewVirtual returns a clock that stands at now.
func NewVirtual(now time.Time) *Virtual {
	v := &Virtual{now: now, alarms: btree.NewBTreeGOptions(earlier, btree.Options{NoLocks: true})}
	v.added = sync.NewCond(&v.mu)
	return v
}

// Now returns the time the clock was advanced to.
func (v *Virtual) Now() time.Time {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.now
}

// Sleep waits until the clock has been advanced by d.
func (v *Virtual) Sleep(ctx context.Context, d time.Duration) error {
	if ctx.Err() != nil || d <= 0 {
		return context.Cause(ctx)
	}
	woken := make(chan struct{})
	a := v.after(d, func() { close(woken) })
	select {
	case <-woken:
		return nil
	case <-ctx.Done():
		v.unset(a)
		return context.Cause(ctx)
	}
}

// WithTimeout ends the context when the clock has been advanced by d.
func (v *Virtual) WithTimeout(parent context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	c := &timeout{Context: parent, done: make(chan struct{})}
	if err := parent.Err(); err != nil {
		c.end(err) // at once, as of context.WithTimeout
	}
	stopFollowing := context.AfterFunc(parent, func() { c.end(parent.Err()) })
	if d <= 0 {
		c.deadline = v.Now()
		c.end(context.DeadlineExceeded)
		return c, func() { stopFollowing() }
	}
	a := v.after(d, func() { c.end(context.DeadlineExceeded) })
	c.deadline = a.due
	return c, func() {
		stopFollowing()
		v.unset(a)
		c.end(context.Canceled)
	}
}

// Advance moves the clock by d and wakes all sleepers that are due, each at their own time.
func (v *Virtual) Advance(d time.Duration) {
	v.advancing.Lock()
	defer v.advancing.Unlock()
	end := v.Now().Add(d)
	for v.ring(end) {
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.now.Before(end) {
		v.now = end
	}
}

// AdvanceToNext moves the clock to the next time at which somebody wakes or times out, and wakes only the first of
// them. It returns false, and moves nothing, if nobody is waiting.
func (v *Virtual) AdvanceToNext() bool {
	v.advancing.Lock()
	defer v.advancing.Unlock()
	return v.ring(time.Time{})
}

// BlockUntil returns when at least n sleepers and timeouts are waiting for the clock.
func (v *Virtual) BlockUntil(n int) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for v.alarms.Len() < n {
		v.added.Wait()
	}
}

// ring moves to the first alarm up to end (the zero time: any) and rings it.
func (v *Virtual) ring(end time.Time) bool {
	v.mu.Lock()
	a, waiting := v.alarms.Min()
	if !waiting || !end.IsZero() && a.due.After(end) {
		v.mu.Unlock()
		return false
	}
	v.alarms.Delete(a)
	v.now = a.due
	v.mu.Unlock()
	a.ring() // unlocked: it may look at the clock
	return true
}

func (v *Virtual) after(d time.Duration, ring func()) *alarm {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.set++
	a := &alarm{due: v.now.Add(d), order: v.set, ring: ring}
	v.alarms.Set(a)
	v.added.Broadcast()
	return a
}

func (v *Virtual) unset(a *alarm) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.alarms.Delete(a)
}

// alarm is something to do at a time.
type alarm struct {
	due   time.Time
	order uint64 // decides between alarms of the same time
	ring  func()
}

func earlier(a, b *alarm) bool {
	return cmp.Or(a.due.Compare(b.due), cmp.Compare(a.order, b.order)) < 0
}

// timeout is a context that a virtual clock ends. It isn't a wrapped context.WithCancel, because contexts derived from
// such a wrapper would end with Canceled instead of DeadlineExceeded, as context.WithTimeout's do.
type timeout struct {
	context.Context // the parent, for its values
	deadline        time.Time
	done            chan struct{}

	mu    sync.Mutex
	err   error
	after []func() // run when it ends
}

func (c *timeout) Deadline() (time.Time, bool) {
	if parent, ok := c.Context.Deadline(); ok && parent.Before(c.deadline) {
		return parent, true
	}
	return c.deadline, true
}

func (c *timeout) Done() <-chan struct{} { return c.done }

func (c *timeout) Err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err
}

func (c *timeout) end(err error) {
	c.mu.Lock()
	if c.err != nil {
		c.mu.Unlock()
		return
	}
	c.err = err
	close(c.done)
	after := c.after
	c.after = nil
	c.mu.Unlock()
	for _, f := range after {
		if f != nil {
			f()
		}
	}
}

// AfterFunc is what package context asks for, to end derived contexts with this one and not in a goroutine of their
// own.
func (c *timeout) AfterFunc(f func()) (stop func() bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err != nil {
		go f()
		return func() bool { return false }
	}
	at := len(c.after)
	c.after = append(c.after, f)
	return func() bool {
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.err != nil || c.after[at] == nil {
			return false
		}
		c.after[at] = nil
		return true
	}
}

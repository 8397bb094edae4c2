package clock

import (
	"context"
	"slices"
	"sync"
	"time"
)

// Virtual is a clock that stands still until a test moves it. It is safe for
// concurrent use.
type Virtual struct {
	mu     sync.Mutex
	now    time.Time
	timers []*timer      // in order of time, and of making where times are equal
	change chan struct{} // closed and made anew whenever a timer is added
}

type timer struct {
	at   time.Time
	fire func()
}

// NewVirtual makes a clock that shows the given time.
func NewVirtual(now time.Time) *Virtual {
	return &Virtual{now: now, change: make(chan struct{})}
}

// Now is the time that the clock was last moved to.
func (v *Virtual) Now() time.Time {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.now
}

// Advance moves the clock by d and wakes what is due on the way, in order.
// Each sleeper sees the time that it asked for.
func (v *Virtual) Advance(d time.Duration) {
	v.mu.Lock()
	end := v.now.Add(d)
	for len(v.timers) > 0 && !v.timers[0].at.After(end) {
		due := v.timers[0]
		v.timers = v.timers[1:]
		v.now = due.at
		v.mu.Unlock()
		due.fire()
		v.mu.Lock()
	}
	v.now = end
	v.mu.Unlock()
}

// Next is when the next sleeper or timeout is due, or false when nobody waits.
func (v *Virtual) Next() (time.Time, bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if len(v.timers) == 0 {
		return time.Time{}, false
	}
	return v.timers[0].at, true
}

// BlockUntil returns when at least n sleepers and timeouts wait, so that a
// test can advance the clock after its goroutines have reached their waits.
func (v *Virtual) BlockUntil(n int) {
	for {
		v.mu.Lock()
		waiting, change := len(v.timers), v.change
		v.mu.Unlock()
		if waiting >= n {
			return
		}
		<-change
	}
}

// Sleep waits until the clock was moved by d.
func (v *Virtual) Sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	woken := make(chan struct{})
	stop := v.after(d, func() { close(woken) })
	defer stop()
	select {
	case <-woken:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// WithTimeout returns a context that ends when the clock was moved by d.
func (v *Virtual) WithTimeout(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	stop := v.after(d, func() { cancel(context.DeadlineExceeded) })
	return timedOut{ctx}, func() {
		stop()
		cancel(context.Canceled)
	}
}

// timedOut tells a timeout by Err too, as the standard library's contexts do.
type timedOut struct{ context.Context }

func (t timedOut) Err() error {
	if err := t.Context.Err(); err == nil {
		return nil
	}
	if cause := context.Cause(t.Context); cause == context.DeadlineExceeded { //nolint:errorlint // the very value set above
		return cause
	}
	return t.Context.Err()
}

// after has fire called when the clock was moved by d.
func (v *Virtual) after(d time.Duration, fire func()) (stop func()) {
	v.mu.Lock()
	defer v.mu.Unlock()
	t := &timer{at: v.now.Add(d), fire: fire}
	at, _ := slices.BinarySearchFunc(v.timers, t, func(a, b *timer) int {
		if a.at.After(b.at) {
			return 1
		}
		return -1 // equal times: behind those that are there
	})
	v.timers = slices.Insert(v.timers, at, t)
	close(v.change)
	v.change = make(chan struct{})
	return func() {
		v.mu.Lock()
		defer v.mu.Unlock()
		if i := slices.Index(v.timers, t); i >= 0 {
			v.timers = slices.Delete(v.timers, i, i+1)
		}
	}
}

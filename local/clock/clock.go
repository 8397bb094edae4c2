// Package clock is the local cloud's time. Everything that waits, times out or stamps takes a Clock, so a test or a
// simulation can drive hours of retries in microseconds and get the same answer every time.
package clock

import (
	"context"
	"time"
)

// Clock tells the time and waits for it. It is safe for concurrent use.
type Clock interface {
	Now() time.Time

	// Sleep waits for d, or until ctx ends; it then returns the cause. A d of zero or less does not wait.
	Sleep(ctx context.Context, d time.Duration) error

	// WithTimeout is context.WithTimeout by this clock: the context ends with context.DeadlineExceeded d from now. Call
	// cancel when the work is done.
	WithTimeout(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc)
}

// Real returns the wall clock. Keep it: it reuses the goroutines of Go.
func Real() Clock { return &real{} }

type real struct{ workers workers }

func (*real) Now() time.Time { return time.Now() }

func (*real) Sleep(ctx context.Context, d time.Duration) error {
	if ctx.Err() != nil || d <= 0 {
		return context.Cause(ctx)
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (*real) WithTimeout(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, d)
}

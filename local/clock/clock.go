// Package clock is the time that the local cloud runs on: the machine's own,
// or one that a test moves by hand.
package clock

import (
	"context"
	"time"
)

// Clock tells the time and lets it pass.
type Clock interface {
	Now() time.Time

	// Sleep returns after d, or earlier with the reason when ctx ends.
	Sleep(ctx context.Context, d time.Duration) error

	// WithTimeout returns a context that ends with context.DeadlineExceeded
	// when d has passed on this clock. Call cancel to release it.
	WithTimeout(ctx context.Context, d time.Duration) (_ context.Context, cancel context.CancelFunc)
}

// Real is the machine's clock.
func Real() Clock { return realClock{} }

type realClock struct{}

func (realClock) Now() time.Time { return time.Now() }

func (realClock) Sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
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

func (realClock) WithTimeout(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, d)
}

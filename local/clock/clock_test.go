package clock_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"trade-processing/local/clock"
)

var epoch = time.Date(2026, 1, 2, 9, 30, 0, 0, time.UTC)

func TestSleepersWakeInOrderAtTheTimeTheyAskedFor(t *testing.T) {
	v := clock.NewVirtual(epoch)
	woken := make(chan time.Duration, 3)
	for i, d := range []time.Duration{3 * time.Second, time.Second, 2 * time.Second} {
		go func() {
			if err := v.Sleep(context.Background(), d); err != nil {
				t.Error(err)
			}
			woken <- d
		}()
		v.BlockUntil(i + 1)
	}
	for want := time.Second; want <= 3*time.Second; want += time.Second {
		v.Advance(time.Second)
		if got := <-woken; got != want {
			t.Errorf("woke the sleeper of %s, want %s", got, want)
		}
	}
	if next, waiting := v.Next(); waiting {
		t.Errorf("somebody still waits for %s", next)
	}
}

func TestASleepEndsWithItsContext(t *testing.T) {
	v := clock.NewVirtual(epoch)
	reason := errors.New("the execution was stopped")
	ctx, stop := context.WithCancelCause(context.Background())
	go func() { v.BlockUntil(1); stop(reason) }()
	if err := v.Sleep(ctx, time.Hour); !errors.Is(err, reason) {
		t.Errorf("got %v, want the reason of the context", err)
	}
}

func TestATimeoutEndsItsContextOnTheClock(t *testing.T) {
	for name, c := range map[string]clock.Clock{"real": clock.Real(), "virtual": clock.NewVirtual(epoch)} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := c.WithTimeout(context.Background(), 20*time.Millisecond)
			defer cancel()
			if err := ctx.Err(); err != nil {
				t.Fatalf("ended before its time: %v", err)
			}
			if v, ok := c.(*clock.Virtual); ok {
				v.Advance(20 * time.Millisecond)
			}
			<-ctx.Done()
			if err := ctx.Err(); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("ended with %v, want deadline exceeded", err)
			}
		})
	}
}

func TestAReleasedTimeoutLeavesNothingWaiting(t *testing.T) {
	v := clock.NewVirtual(epoch)
	ctx, cancel := v.WithTimeout(context.Background(), time.Minute)
	cancel()
	if _, waiting := v.Next(); waiting {
		t.Error("the timeout still waits")
	}
	if err := ctx.Err(); !errors.Is(err, context.Canceled) {
		t.Errorf("ended with %v, want canceled", err)
	}
}

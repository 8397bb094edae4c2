package clock_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"trade-processing/local/clock"
)

// scheduled runs tasks that sleep, wait for each other and time out, and says what they did in which order.
func scheduled(t *testing.T, seed uint64) string {
	t.Helper()
	s := clock.NewScheduler(noon, rand.New(rand.NewPCG(seed, 0)).IntN)
	var said strings.Builder
	say := func(format string, args ...any) {
		fmt.Fprintf(&said, s.Now().Format("05.000 ")+format+"\n", args...)
	}
	err := s.Run(func() {
		for i := range 5 {
			s.Go(func() {
				ctx, cancel := s.WithTimeout(t.Context(), time.Second)
				defer cancel()
				child, stop := context.WithCancel(ctx)
				defer stop()
				grandchild, stop := s.WithTimeout(child, time.Hour)
				defer stop()
				err := s.Sleep(grandchild, time.Duration(i%3)*700*time.Millisecond)
				say("%d slept: %v", i, err)
				done := make(chan struct{})
				clock.Go(s, func() {
					say("%d's own task", i)
					close(done)
				})
				clock.Wait(s, done, ctx.Done())
				say("%d waited: %v", i, ctx.Err())
			})
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	return said.String()
}

func TestASeedIsAnOrder(t *testing.T) {
	orders := map[string]bool{}
	for seed := range uint64(50) {
		first := scheduled(t, seed)
		if again := scheduled(t, seed); again != first {
			t.Fatalf("seed %d gave\n%s\nand then\n%s", seed, first, again)
		}
		if !strings.Contains(first, "01.000 2 slept: context deadline exceeded") || !strings.Contains(first, "00.700 4 slept: <nil>") {
			t.Fatalf("seed %d: %s", seed, first)
		}
		orders[first] = true
	}
	if len(orders) < 25 {
		t.Errorf("50 seeds gave %d orders", len(orders))
	}
}

func TestASchedulerTellsOfTasksThatNeverEnd(t *testing.T) {
	s := clock.NewScheduler(noon, func(int) int { return 0 })
	if err := s.Run(func() { s.Wait(make(chan struct{})) }); err == nil || !strings.Contains(err.Error(), "1 tasks wait") {
		t.Errorf("got %v", err)
	}
}

func TestAParentsEndIsASleepersEnd(t *testing.T) {
	s := clock.NewScheduler(noon, func(int) int { return 0 })
	why := errors.New("interrupted")
	err := s.Run(func() {
		parent, cancel := context.WithCancelCause(t.Context())
		s.Go(func() {
			ctx, stop := s.WithTimeout(parent, time.Hour)
			defer stop()
			if err := s.Sleep(ctx, time.Minute); !errors.Is(err, why) || ctx.Err() != context.Canceled {
				t.Errorf("Sleep answered %v, the context %v", err, ctx.Err())
			}
		})
		s.Wait()
		cancel(why)
	})
	if err != nil || !s.Now().Equal(noon) {
		t.Errorf("got %v at %s", err, s.Now())
	}
}

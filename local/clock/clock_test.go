package clock_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"trade-processing/local/clock"
)

var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

func TestSleepersWakeInTheOrderOfTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := clock.NewVirtual(noon)
		var mu sync.Mutex
		var woken []string
		for _, s := range []int{3, 1, 2, 1} {
			go func() {
				if err := c.Sleep(t.Context(), time.Duration(s)*time.Second); err != nil {
					t.Error(err)
				}
				mu.Lock()
				defer mu.Unlock()
				woken = append(woken, fmt.Sprintf("%ds at %s", s, c.Now().Format(time.TimeOnly)))
			}()
		}
		for synctest.Wait(); c.AdvanceToNext(); synctest.Wait() {
		}
		want := []string{"1s at 12:00:01", "1s at 12:00:01", "2s at 12:00:02", "3s at 12:00:03"}
		if !slices.Equal(woken, want) {
			t.Errorf("woken %q, want %q", woken, want)
		}
	})
}

func TestASleeperThatSleepsAgainKeepsItsPlaceInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := clock.NewVirtual(noon)
		var slept time.Duration
		go func() {
			for range 3 {
				if err := c.Sleep(t.Context(), 10*time.Second); err != nil {
					t.Error(err)
				}
			}
			slept = c.Now().Sub(noon)
		}()
		for synctest.Wait(); c.AdvanceToNext(); synctest.Wait() {
		}
		if slept != 30*time.Second {
			t.Errorf("three naps of 10 s took %s", slept)
		}
	})
}

func TestAdvanceWakesOnlyThoseWhoseTimeHasCome(t *testing.T) {
	c := clock.NewVirtual(noon)
	early, late := make(chan error, 1), make(chan error, 1)
	go func() { early <- c.Sleep(t.Context(), time.Minute) }()
	go func() { late <- c.Sleep(t.Context(), time.Hour) }()
	c.BlockUntil(2)
	c.Advance(time.Minute)
	if err := <-early; err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-late:
		t.Fatalf("a sleeper of one hour woke after a minute: %v", err)
	default:
	}
	if got := c.Now(); !got.Equal(noon.Add(time.Minute)) {
		t.Errorf("the clock stands at %s", got)
	}
	c.Advance(time.Hour)
	if err := <-late; err != nil {
		t.Fatal(err)
	}
}

func TestNobodyWaitsAfterTheirContextEnded(t *testing.T) {
	for name, c := range map[string]clock.Clock{"real": clock.Real(), "virtual": clock.NewVirtual(noon)} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			slept := make(chan error)
			go func() { slept <- c.Sleep(ctx, time.Hour) }()
			cancel()
			if err := <-slept; !errors.Is(err, context.Canceled) {
				t.Errorf("Sleep answered %v", err)
			}
			if err := c.Sleep(ctx, -time.Second); !errors.Is(err, context.Canceled) {
				t.Errorf("Sleep of no time with an ended context answered %v", err)
			}
		})
	}
	c := clock.NewVirtual(noon)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := c.Sleep(ctx, time.Hour); !errors.Is(err, context.Canceled) {
		t.Fatalf("Sleep answered %v", err)
	}
	if c.AdvanceToNext() {
		t.Error("an alarm was left behind by a sleeper that gave up")
	}
}

func TestASleeperIsToldWhyItsContextEnded(t *testing.T) {
	why := errors.New("interrupted")
	for name, c := range map[string]clock.Clock{"real": clock.Real(), "virtual": clock.NewVirtual(noon)} {
		ctx, cancel := context.WithCancelCause(t.Context())
		slept := make(chan error)
		go func() { slept <- c.Sleep(ctx, time.Hour) }()
		cancel(why)
		if err := <-slept; !errors.Is(err, why) {
			t.Errorf("%s: Sleep answered %v", name, err)
		}
	}
}

func TestSleepingNoTimeDoesNotWait(t *testing.T) {
	for name, c := range map[string]clock.Clock{"real": clock.Real(), "virtual": clock.NewVirtual(noon)} {
		for _, d := range []time.Duration{0, -time.Hour} {
			if err := c.Sleep(t.Context(), d); err != nil {
				t.Errorf("%s: Sleep(%s) answered %v", name, d, err)
			}
		}
	}
}

func TestTheRealClockSleepsAndTimesOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begun := time.Now()
		if err := clock.Real().Sleep(t.Context(), 90*time.Minute); err != nil {
			t.Fatal(err)
		}
		if got := clock.Real().Now().Sub(begun); got != 90*time.Minute {
			t.Errorf("slept %s", got)
		}
		ctx, cancel := clock.Real().WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if err := clock.Real().Sleep(ctx, time.Hour); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Sleep past the timeout answered %v", err)
		}
	})
}

func TestTimeoutsOnTheVirtualClock(t *testing.T) {
	type contexts struct{ parent, timed, child context.Context }
	cases := map[string]struct {
		parentTimeout time.Duration // zero: none
		then          func(c *clock.Virtual, cancelParent, cancel context.CancelFunc)
		want          error
	}{
		"the context lives before its time": {
			then: func(c *clock.Virtual, _, _ context.CancelFunc) { c.Advance(time.Minute - 1) },
		},
		"the context ends by its deadline": {
			then: func(c *clock.Virtual, _, _ context.CancelFunc) { c.Advance(time.Minute) },
			want: context.DeadlineExceeded,
		},
		"cancel ends it before": {
			then: func(c *clock.Virtual, _, cancel context.CancelFunc) { cancel(); c.Advance(time.Minute) },
			want: context.Canceled,
		},
		"cancel after the deadline changes nothing": {
			then: func(c *clock.Virtual, _, cancel context.CancelFunc) { c.Advance(time.Minute); cancel() },
			want: context.DeadlineExceeded,
		},
		"the parent's end is its end": {
			then: func(_ *clock.Virtual, cancelParent, _ context.CancelFunc) { cancelParent() },
			want: context.Canceled,
		},
		"a parent's earlier deadline counts": {
			parentTimeout: time.Second,
			then:          func(c *clock.Virtual, _, _ context.CancelFunc) { c.Advance(time.Second) },
			want:          context.DeadlineExceeded,
		},
	}
	for name, test := range cases {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := clock.NewVirtual(noon)
				type key struct{}
				var made contexts
				var cancelParent context.CancelFunc
				made.parent, cancelParent = context.WithCancel(context.WithValue(t.Context(), key{}, "value"))
				defer cancelParent()
				due := noon.Add(time.Minute)
				if test.parentTimeout > 0 {
					due = noon.Add(test.parentTimeout)
					var cancel context.CancelFunc
					made.parent, cancel = c.WithTimeout(made.parent, test.parentTimeout)
					defer cancel()
				}
				var cancel context.CancelFunc
				made.timed, cancel = c.WithTimeout(made.parent, time.Minute)
				defer cancel()
				var cancelChild context.CancelFunc
				made.child, cancelChild = context.WithCancel(made.timed)
				defer cancelChild()

				if made.timed.Value(key{}) != "value" {
					t.Error("the parent's values are out of reach")
				}
				if got, ok := made.timed.Deadline(); !ok || !got.Equal(due) {
					t.Errorf("deadline %s, want %s", got, due)
				}
				test.then(c, cancelParent, cancel)
				synctest.Wait()
				for name, ctx := range map[string]context.Context{"the context": made.timed, "its child": made.child} {
					if !errors.Is(ctx.Err(), test.want) {
						t.Errorf("%s ended with %v, want %v", name, ctx.Err(), test.want)
					}
					select {
					case <-ctx.Done():
						if test.want == nil {
							t.Errorf("%s is done", name)
						}
					default:
						if test.want != nil {
							t.Errorf("%s is not done", name)
						}
					}
				}
			})
		})
	}
}

func TestATimeoutOfNoTimeHasEnded(t *testing.T) {
	c := clock.NewVirtual(noon)
	ctx, cancel := c.WithTimeout(t.Context(), 0)
	defer cancel()
	if !errors.Is(ctx.Err(), context.DeadlineExceeded) {
		t.Errorf("it ended with %v", ctx.Err())
	}
	if c.AdvanceToNext() {
		t.Error("an alarm was set for it")
	}
}

func TestCancelledTimeoutsLeaveNoAlarm(t *testing.T) {
	c := clock.NewVirtual(noon)
	for range 100 {
		_, cancel := c.WithTimeout(t.Context(), time.Minute)
		cancel()
	}
	if c.AdvanceToNext() {
		t.Error("an alarm was left behind")
	}
}

package fault_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"trade-processing/local/clock"
	"trade-processing/local/fault"
)

func TestAFaultDecidesWhatACallAnswers(t *testing.T) {
	broken := errors.New("broken")
	for _, tc := range []struct {
		name    string
		hook    fault.Hook
		answer  string
		err     error
		applied bool
	}{
		{"no hook", nil, "served", nil, true},
		{"a hook that lets the call pass", func(fault.Call) fault.Fault { return fault.Fault{} }, "served", nil, true},
		{"an error before the call takes effect", func(fault.Call) fault.Fault { return fault.Fault{Err: broken} }, "", broken, false},
		{"an error after it took effect", func(fault.Call) fault.Fault { return fault.Fault{Err: broken, Applied: true} }, "", broken, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			applied := false
			answer, err := fault.Serve(t.Context(), clock.Real(), tc.hook, fault.Call{}, func() string { return "" }, func() (string, error) {
				applied = true
				return "served", nil
			})
			if answer != tc.answer || !errors.Is(err, tc.err) || applied != tc.applied {
				t.Errorf("answer %q, error %v, applied %v", answer, err, applied)
			}
		})
	}
}

func TestADelayPassesOnTheClockBeforeTheCall(t *testing.T) {
	c := clock.NewVirtual(time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC))
	slow := func(call fault.Call) fault.Fault {
		if call.Key != "key" {
			t.Errorf("the hook saw the key %q", call.Key)
		}
		return fault.Fault{Delay: time.Minute}
	}
	serve := func(ctx context.Context) (time.Time, error) {
		return fault.Serve(ctx, c, slow, fault.Call{}, func() string { return "key" }, func() (time.Time, error) { return c.Now(), nil })
	}
	served := make(chan time.Time)
	start := c.Now()
	go func() {
		at, err := serve(context.Background())
		if err != nil {
			t.Error(err)
		}
		served <- at
	}()
	c.BlockUntil(1)
	c.Advance(time.Minute)
	if got := (<-served).Sub(start); got != time.Minute {
		t.Errorf("served after %v", got)
	}

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := serve(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("a caller that leaves during the delay: %v", err)
	}
}

package cloud_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"trade-processing/local/awsapi"
	"trade-processing/local/clock"
	"trade-processing/local/cloud"
	"trade-processing/local/fault"
	"trade-processing/local/states"
)

// What can go wrong between the bus and the end of an execution, and what becomes of the event.
func TestDeliveriesThatFail(t *testing.T) {
	throttled := awsapi.Error("ThrottlingException", "Rate exceeded")
	for name, tc := range map[string]struct {
		operation string
		fault     fault.Fault
		first     int // calls that fail; negative: all
		outcomes  string
		kept      int // messages for what couldn't be delivered
		least     time.Duration
		most      time.Duration
	}{
		"a start that is throttled is retried": {
			"StartExecution", fault.Fault{Err: throttled}, 3, "hello kept", 0, 0, 7 * time.Second,
		},
		"a start whose answer is lost happens again": {
			"StartExecution", fault.Fault{Err: throttled, Applied: true}, 1, "hello kept; hello duplicate", 0, 0, time.Second,
		},
		"a start that never works is given up after a day, and kept": {
			"StartExecution", fault.Fault{Err: throttled}, -1, "failed: ThrottlingException, kept in undelivered as ThrottlingException", 1, 20 * time.Hour, 24 * time.Hour,
		},
		"an execution is stopped by somebody": {
			"StopExecution", fault.Fault{Err: &states.Failure{Name: cloud.Aborted, Stopped: true}}, -1, "failed: Aborted", 0, 0, 0,
		},
		"an execution that ends before it would be stopped": {
			"StopExecution", fault.Fault{Delay: time.Hour, Err: &states.Failure{Name: states.TimedOut, Stopped: true}}, -1, "hello kept", 0, 0, 0,
		},
	} {
		t.Run(name, func(t *testing.T) {
			calls := 0
			scheduler := clock.NewScheduler(noon, func(int) int { return 0 })
			random := rand.New(rand.NewPCG(1, 1)).Uint64 // one thing runs at a time
			w := newWorldWith(t, cloud.Options{Clock: scheduler, Random: random, Faults: func(call fault.Call) fault.Fault {
				if call.Service == "lambda" {
					return fault.Fault{Delay: time.Millisecond}
				}
				if call.Operation != tc.operation {
					return fault.Fault{}
				}
				if calls++; tc.first >= 0 && calls > tc.first {
					return fault.Fault{}
				}
				return tc.fault
			}})
			var got string
			entry := cloud.Entry{Source: "shop", DetailType: "Order", Detail: []byte(`{"id": "1"}`)}
			if err := scheduler.Run(func() { got = w.putEntry(entry) }); err != nil {
				t.Fatal(err)
			}
			if got != tc.outcomes {
				t.Errorf("got %q, want %q", got, tc.outcomes)
			}
			if took := scheduler.Now().Sub(noon); took < tc.least || took > tc.most && tc.most > 0 {
				t.Errorf("it took %s", took)
			}
			if kept := w.QueueDepths(here)["undelivered"]; kept != int64(tc.kept) {
				t.Errorf("%d messages were kept, want %d", kept, tc.kept)
			}
		})
	}
}

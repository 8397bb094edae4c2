// Package scale compares the simulation of bursts with the local cloud.
package scale_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/lambda"

	"trade-processing/internal/engine"
	"trade-processing/internal/localrun"
	"trade-processing/internal/simulate"
	"trade-processing/lambdas/function"
	"trade-processing/local/clock"
	"trade-processing/local/cloud"
	"trade-processing/local/provider"
	"trade-processing/stack"
)

// took is how long the calls of each function take. Together with the times of arrival they leave no two events at the same
// moment, whose order would be anybody's.
var took = map[string]time.Duration{"validator": 31_415_927, "enricher": 27_182_819, "recorder": 67_712_345}

const (
	trades = 150
	apart  = 3_141_593 * time.Nanosecond
)

// asleep is a function that only takes its time.
type asleep struct {
	clock clock.Clock
	d     time.Duration
}

func (a asleep) Invoke(ctx context.Context, _ []byte) ([]byte, error) {
	return []byte("{}"), a.clock.Sleep(ctx, a.d)
}

// The local cloud has reserved concurrency and the state machine's retries, and none of AWS's other limits. Under these, each
// trade must end at the same moment here and there, and in the same way.
func TestTheSimulationIsRightAboutEachTradeOnTheLocalCloud(t *testing.T) {
	here := cloud.New(cloud.Options{Images: localrun.Images()})
	opened, err := engine.Open(engine.Options{
		Root: "../..", Stack: "local", Program: stack.DeployFrom("../.."), Providers: engine.InProcess(provider.Of(here)),
		Settings: map[string]string{"validatorReservedConcurrency": "6", "recorderReservedConcurrency": "2", "maxRetries": "4"},
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := opened.Up(t.Context()); err != nil {
		t.Fatal(err)
	}
	var saved bytes.Buffer
	if err := here.Save(t.Context(), &saved); err != nil {
		t.Fatal(err)
	}

	there, lost := onTheLocalCloud(t, saved.Bytes())
	var resources []simulate.Resource
	for _, r := range here.Resources() {
		resources = append(resources, simulate.Resource{Type: r.Type, Region: r.Region, Inputs: r.Inputs})
	}
	d, err := simulate.Read(resources)
	if err != nil {
		t.Fatal(err)
	}
	limits := simulate.Limits{"concurrency": 1000, "entriesPerRequest": 1, "sdkAttempts": 1}
	for _, f := range d.Functions {
		limits["handler."+f.Image] = took[f.Image].Seconds() * min(1, f.MemoryMB/1769)
	}
	load := simulate.Load{Rate: trades, Seconds: 1, Parcels: math.MaxInt32, Jitter: func() float64 { return 1 }}
	for i := range trades {
		load.Arrivals = append(load.Arrivals, (time.Duration(i) * apart).Seconds())
	}
	r, err := simulate.Run(t.Context(), d, limits, load)
	if err != nil {
		t.Fatal(err)
	}
	if lost == 0 || len(there) == 0 {
		t.Fatalf("%d trades were recorded and %d lost: the limits don't show", len(there), lost)
	}
	if int(r.Recorded) != len(there) || int(r.DeadLetters) != lost {
		t.Errorf("simulated: %d recorded and %d dead letters; on the local cloud %d and %d", r.Recorded, r.DeadLetters, len(there), lost)
	}
	t.Logf("%d of %d trades recorded; the slowest took %.3f s", len(there), trades, r.Slowest)
	slices.Sort(there)
	for share, simulated := range map[float64]float64{0.5: r.P50, 0.95: r.P95, 0.99: r.P99, 1: r.Slowest} {
		real := there[int(math.Ceil(share*float64(len(there))))-1].Seconds()
		if math.Abs(real-simulated) > 1e-5 {
			t.Errorf("the latency of %.0f %%: simulated %.6f s, on the local cloud %.6f s", 100*share, simulated, real)
		}
	}
}

// onTheLocalCloud returns how long each trade took that was recorded, and how many are dead letters.
func onTheLocalCloud(t *testing.T, saved []byte) (recorded []time.Duration, lost int) {
	s := clock.NewScheduler(time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC), func(int) int { return 0 })
	images := map[string]cloud.Image{}
	for name := range localrun.Images() {
		images[name] = func(function.Environment, cloud.Services) (lambda.Handler, error) { return asleep{s, took[name]}, nil }
	}
	made := uint64(0)
	there := cloud.New(cloud.Options{Clock: s, Images: images, Random: func() uint64 {
		made++
		return math.MaxUint32<<32 | made // each another, and as jitter as good as 1: every pause is the longest
	}})
	var problem error
	stuck := s.Run(func() {
		if problem = there.Load(bytes.NewReader(saved), int64(len(saved))); problem != nil {
			return
		}
		for i := range trades {
			s.Go(func() {
				_ = s.Sleep(t.Context(), time.Duration(i)*apart)
				begun := s.Now()
				receipt, err := there.PutEvent(t.Context(), "us-east-1", "trade-processing-local", cloud.Entry{
					Source: "trading.system1", DetailType: "Trade Event", Detail: json.RawMessage(`{}`),
				})
				switch {
				case err != nil || len(receipt.Deliveries) != 1:
					problem = fmt.Errorf("event %d, %d deliveries: %w", i, len(receipt.Deliveries), err)
				case receipt.Deliveries[0].Failure != nil:
					lost++
				default:
					recorded = append(recorded, s.Now().Sub(begun))
				}
			})
		}
	})
	if problem != nil || stuck != nil {
		t.Fatal(problem, stuck)
	}
	depth := int64(0)
	for _, n := range there.QueueDepths("us-east-1") {
		depth += n
	}
	if int(depth) != lost {
		t.Fatalf("%d executions failed, and the queues hold %d letters", lost, depth)
	}
	return recorded, lost
}

package simulate

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"math/rand/v2"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// prod reads the stack prod as its golden resource graph has it, whose own test keeps it current.
func prod(t testing.TB) *Deployed {
	t.Helper()
	text, err := os.ReadFile("../../stack/testdata/prod.graph.json")
	if err != nil {
		t.Fatal(err)
	}
	var nodes []struct {
		URN, Provider string
		Inputs        map[string]any
	}
	if err := json.Unmarshal(text, &nodes); err != nil {
		t.Fatal(err)
	}
	var resources []Resource
	for _, node := range nodes {
		types, _, _ := strings.Cut(node.URN, "::")
		resources = append(resources, Resource{Type: types[strings.LastIndex(types, "$")+1:], Region: node.Provider, Inputs: node.Inputs})
	}
	d, err := Read(resources)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func run(t testing.TB, d *Deployed, l Limits, load Load) *Result {
	t.Helper()
	r, err := Run(t.Context(), d, l, load)
	if err != nil {
		t.Fatal(err)
	}
	if r.Recorded+r.DeadLetters+r.TimedOut != r.Trades {
		t.Fatalf("of %d trades, %d were recorded, %d dead-lettered and %d timed out", r.Trades, r.Recorded, r.DeadLetters, r.TimedOut)
	}
	return r
}

// However long a burst lasts, its simulation ends when nobody waits for it any more.
func TestASimulationIsInterrupted(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	stop()
	d, l := one(0.1, 0.2)
	if _, err := Run(ctx, d, l, Load{Rate: 1, Base: 1, Seconds: 1e18, Parcels: 10}); !errors.Is(err, context.Canceled) {
		t.Errorf("it ends with %v", err)
	}
}

// one is a stack with one function, whose calls take some time in the median and of one in a hundred, and no limit.
func one(median, p99 float64) (*Deployed, Limits) {
	d := &Deployed{
		Region: "us-east-1", Type: "EXPRESS", Timeout: 300,
		Groups:    [][]Task{{{State: "Do", Letters: "letters"}}},
		Functions: []Function{{Name: "f", Image: "f", MemoryMB: 1769, Timeout: 60}},
		Routes:    []Route{{Rule: "rule", Letters: "undelivered", Attempts: 185, Age: 86400}},
	}
	return d, Limits{"runtimeMedian": median, "runtimeP99": p99, "entriesPerRequest": 1}
}

// about fails unless got is within a share of what theory says.
func about(t *testing.T, what string, got, want, within float64) {
	t.Helper()
	if math.Abs(got-want) > within*want {
		t.Errorf("%s: %.5g; in theory %.5g, within %.0f %%", what, got, want, 100*within)
	}
}

// Calls that nothing queues or retries are lost in a share that depends only on the mean of their durations: Erlang's
// formula B.
func TestThrottledCallsAreThoseOfErlangB(t *testing.T) {
	for _, p99 := range []float64{0.1, 1} { // of durations that don't vary, and of some that do
		const concurrency, rate = 20, 180
		d, l := one(0.1, p99)
		d.Functions[0].Reserved = concurrency
		offered := rate * l.mean(d.Functions[0])
		blocked := 1.0
		for n := 1.0; n <= concurrency; n++ {
			blocked = offered * blocked / (n + offered*blocked)
		}
		r := run(t, d, l, Load{Lead: 10, Base: rate, Rate: rate, Seconds: 2000, Seed: 7, Parcels: math.MaxInt32})
		about(t, "share of throttled calls", float64(r.DeadLetters)/float64(r.Trades), blocked, 0.03)
	}
}

// As many are in a system on average as come in the time that one stays: Little's law.
func TestAsManyAreOnTheirWayAsLittlesLawSays(t *testing.T) {
	d, l := prod(t), LimitsOf(prod(t))
	l["coldStart"] = 0
	r := run(t, d, l, Load{Rate: 250, Seconds: 400, Seed: 3, Parcels: math.MaxInt32})
	about(t, "trade-seconds on their way", r.inFlight, r.latency, 1e-6)
	recorders := slices.IndexFunc(d.Functions, func(f Function) bool { return f.Writes })
	about(t, "seconds in calls of the recorder", r.busy, r.calls*l.mean(d.Functions[recorders]), 0.01)

	// So it is with parcels of many trades, whose calls are spread.
	apart := run(t, d, l, Load{Base: 250, Rate: 250, Seconds: 400, Seed: 3, Parcels: 2000})
	about(t, "seconds in calls of the recorder, in parcels", apart.busy, apart.calls*l.mean(d.Functions[recorders]), 0.05)
}

// A bucket of one token is a queue with a constant service time: M/D/1.
func TestTheWaitForABucketIsThatOfAQueue(t *testing.T) {
	const rate, n = 100.0, 400_000
	for _, busy := range []float64{0.3, 0.7, 0.9} {
		random, b := rand.New(rand.NewPCG(1, 2)), newBucket("", rate, 1)
		now, waited := 0.0, 0.0
		for range n {
			now += gap(random, 1, busy*rate)
			waited += b.wait(now, 1, 1)
		}
		about(t, "mean wait", waited/n, busy/(2*rate*(1-busy)), 0.05)
	}
}

func TestABucketDrainsAsItsSizeAndRateSay(t *testing.T) {
	b := newBucket("", 300, 1300)
	last := 0.0
	for range 4300 {
		last = b.wait(0, 1, 1)
	}
	about(t, "the last of 4,300", last, (4300-1300)/300.0, 1e-9)

	// What it refuses comes again, and no faster than it fills.
	d, l := one(0.01, 0.01)
	l["starts"], l["startBucket"], l["retryFirst"], l["retryMost"] = 300, 1300, 0.5, 0.5
	r := run(t, d, l, Load{Arrivals: make([]float64, 4300), Rate: 4300, Seconds: 1, Seed: 1, Parcels: math.MaxInt32})
	about(t, "the last of 4,300 that were refused", r.Slowest, (4300-1300)/300.0, 0.1)
}

func TestASeedGivesTheSameResultAgain(t *testing.T) {
	d := prod(t)
	load := Load{Base: 200, Lead: 20, Rate: 2000, Seconds: 30, Seed: 5, Parcels: 10_000}
	first, second := run(t, d, LimitsOf(d), load), run(t, d, LimitsOf(d), load)
	if !reflect.DeepEqual(first, second) {
		t.Errorf("%+v, and then %+v", first, second)
	}
	load.Seed++
	if reflect.DeepEqual(first, run(t, d, LimitsOf(d), load)) {
		t.Error("another seed gives the same result")
	}
}

// Parcels are an approximation: of limits that don't bind, of one that delays, and of one that refuses.
func TestParcelsBehaveAsTheirTrades(t *testing.T) {
	d := prod(t)
	for name, rate := range map[string]float64{"below the limits": 280, "above them": 3000} {
		t.Run(name, func(t *testing.T) {
			load := Load{Base: rate / 10, Lead: 20, Rate: rate, Seconds: 60, Seed: 2, Parcels: math.MaxInt32}
			exact := run(t, d, LimitsOf(d), load)
			load.Parcels = 3000
			rough := run(t, d, LimitsOf(d), load)
			about(t, "median latency", rough.P50, exact.P50, 0.1)
			about(t, "recorded a second", rough.PerSecond, exact.PerSecond, 0.25)
			if rate == 280 {
				return // then a parcel more or less makes the backlog
			}
			about(t, "backlog", float64(rough.Backlog), float64(exact.Backlog), 0.2)
		})
	}
}

func TestJustBelowTheSustainedRateNothingWaits(t *testing.T) {
	d := prod(t)
	for _, kind := range []string{"STANDARD", "EXPRESS"} {
		stack := *d
		if kind == "EXPRESS" {
			stack = d.express()
		}
		l := LimitsOf(&stack)
		l["coldStart"] = 0
		first := Sustained(&stack, l)
		for share, calm := range map[float64]bool{0.9: true, 1.1: false} {
			rate := share * first.Rate
			r := run(t, &stack, l, Load{Base: rate, Lead: 20, Rate: rate, Seconds: 120, Seed: 1, Parcels: 100_000})
			hit := slices.ContainsFunc(r.Hits, func(h Hit) bool { return h.Limit == first.Limit })
			if hit == calm || calm && r.Drain > 1 {
				t.Errorf("%s at %.0f a second, of which %s allows %.0f: drained in %.1f s, bound by %v", kind, rate, first.Limit, first.Rate, r.Drain, r.Hits)
			}
		}
	}
}

func TestAlarmsGoOffThatMust(t *testing.T) {
	d := prod(t)
	express := d.express()
	slow := LimitsOf(d)
	slow["starts"], slow["startBucket"], slow["transitions"], slow["transitionBucket"], slow["concurrency"] = 6000, 6000, 100, 100, 1e6
	narrow := d.express()
	narrow.Table.MaxWrites = 250
	for name, c := range map[string]struct {
		d     *Deployed
		l     Limits
		load  Load
		alarm []string
	}{
		"nothing is wrong":                 {d, LimitsOf(d), Load{Base: 100, Lead: 20, Rate: 200, Seconds: 300}, nil},
		"events wait for their executions": {d, LimitsOf(d), Load{Base: 300, Lead: 20, Rate: 3000, Seconds: 60}, []string{"late"}},
		"calls are throttled until events are dead letters": {&express, LimitsOf(&express), Load{Base: 500, Lead: 20, Rate: 5000, Seconds: 240},
			[]string{"validator-throttles", "validator-dead-letters-depth", "workflow-failed", "page"}},
		"executions are cut off": {d, slow, Load{Rate: 1000, Seconds: 120}, []string{"workflow-throttled", "workflow-timed-out", "page"}},
		"writes are throttled": {&narrow, LimitsOf(&narrow), Load{Rate: 500, Seconds: 300},
			[]string{"trades-write-throttles", "recorder-errors", "recorder-dead-letters-depth"}},
	} {
		t.Run(name, func(t *testing.T) {
			c.load.Seed, c.load.Parcels = 1, 50_000
			r := run(t, c.d, c.l, c.load)
			for _, name := range c.alarm {
				if !slices.Contains(r.Alarms, "trade-processing-prod-"+name) {
					t.Errorf("%s didn't go off; those that did: %s", name, strings.Join(r.Alarms, ", "))
				}
			}
			if c.alarm == nil && len(r.Alarms) > 0 {
				t.Errorf("there went off %s", strings.Join(r.Alarms, ", "))
			}
		})
	}
}

func TestWhatIsRaisedIsEnough(t *testing.T) {
	d := prod(t)
	for _, rate := range []float64{1000, 10_000, 100_000} {
		raised, l, steps := Raise(d, LimitsOf(d), rate)
		if first := Bounds(raised, l)[0]; first.Rate < rate {
			t.Errorf("%s still allows only %.0f of %.0f a second after %q", first.Limit, first.Rate, rate, steps)
		}
		r := run(t, raised, l, Load{Base: rate / 10, Lead: 20, Rate: rate, Seconds: 60, Seed: 1, Parcels: 50_000})
		if lost := float64(r.DeadLetters+r.TimedOut) / float64(r.Trades); lost > 0.001 || r.Drain > 60 {
			t.Errorf("at %.0f a second, %d dead letters and %d timed out, drained in %.0f s", rate, r.DeadLetters, r.TimedOut, r.Drain)
		}
	}
}

func TestALimitThatIsNoneIsRefused(t *testing.T) {
	l := LimitsOf(prod(t))
	for _, wrong := range []string{"", "starts", "starts=", "starts=many", "starts=-1", "starts=NaN", "starts=Inf", "begins=1"} {
		if err := l.Set(wrong); err == nil {
			t.Errorf("%q was taken", wrong)
		}
	}
	if err := l.Set("starts=1000"); err != nil || l["starts"] != 1000 {
		t.Errorf("%v, %v", l["starts"], err)
	}
}

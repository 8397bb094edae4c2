// Package simulate runs a stack's definition under AWS's quotas as a discrete-event simulation: how many trades it takes,
// and what a burst does to it.
//
// Trades move in parcels of equal size, which share one fate. Limits count every trade of a parcel; the calls of a parcel
// that a limit upstream lets through over some time are spread over that time. A parcel of one trade is exact.
package simulate

import (
	"context"
	"math"
	"slices"
	"strings"

	"trade-processing/local/metrics"
)

// Load is how trades arrive: independently of each other, at a base rate for a while, and then in a burst.
type Load struct {
	Base    float64 // trades a second before the burst
	Lead    float64 // seconds before the burst
	Rate    float64 // trades a second in the burst
	Seconds float64 // of the burst, after which nothing more comes
	Seed    uint64
	Parcels int // at most about so many

	// To compare with another system: when trades arrive, instead, and what is random in the pauses of a state's retries.
	Arrivals []float64
	Jitter   func() float64
}

// Result is what became of a burst. Times are in seconds.
type Result struct {
	Rate        float64  `json:"rate"`
	Base        float64  `json:"base"`
	Trades      int64    `json:"trades"`
	Recorded    int64    `json:"recorded"`
	DeadLetters int64    `json:"deadLetters"` // kept in queues
	TimedOut    int64    `json:"timedOut"`    // executions cut off, which nothing catches
	Retries     int64    `json:"retries"`     // of states
	Parcel      int64    `json:"parcel"`      // trades that are simulated as one
	PerSecond   float64  `json:"recordedPerSecond"`
	P50         float64  `json:"p50"` // latency: from being sent to being recorded
	P95         float64  `json:"p95"`
	P99         float64  `json:"p99"`
	Slowest     float64  `json:"slowest"`
	Backlog     int64    `json:"backlog"` // the most trades on their way at once
	Drain       float64  `json:"drain"`   // from the burst's end until nothing is on its way
	Hits        []Hit    `json:"limits"`
	Alarms      []string `json:"alarms"`

	inFlight, busy float64 // trade-seconds on their way, and in calls of the last function
	latency        float64 // the sum of all latencies of recorded trades
	calls          float64 // of the last function, throttled ones with them
}

// Hit is a limit that refused or delayed trades.
type Hit struct {
	Limit  string  `json:"limit"`
	First  float64 `json:"first"`  // since the burst began
	Trades int64   `json:"trades"` // a trade counts each time
}

type kind uint8

const (
	arrive  kind = iota // at the producer
	route               // PutEvents has taken it
	start               // EventBridge tries to start an execution
	enter               // the execution enters a group of states
	again               // a state's retry
	call                // a state calls its function
	write               // the function tries to write to the table
	end                 // the call ends well
	fail                // the call ends in an error that is retried
	release             // the last of a parcel's calls has ended
	letter              // a dead letter has been sent
)

// Run simulates a load, until ctx ends.
func Run(ctx context.Context, d *Deployed, limits Limits, load Load) (*Result, error) {
	w, alarms, err := newWorld(d, limits, load)
	if err != nil {
		return nil, err
	}
	if err := w.run(ctx, alarms); err != nil {
		return nil, err
	}
	return w.told(alarms.alarms), nil
}

const minute, halfHour = 60, 1800

func (w *world) run(ctx context.Context, alarms *watch) error {
	w.come(0)
	next := 0.0
	for len(w.agenda.events) > 0 {
		e := w.agenda.next()
		for ; e.at >= next+minute; next += minute {
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			w.advance(next + minute - 1e-3)
			alarms.evaluate(w.time())
			if math.Mod(next+minute, halfHour) == 0 {
				for i := range w.places {
					w.ceiling = max(w.ceiling, 2*w.places[i].peak)
				}
				for i := range w.places {
					w.raise(&w.places[i])
				}
			}
		}
		w.advance(e.at)
		w.happen(e)
	}
	alarms.evaluate(w.time())
	return nil
}

func (w *world) advance(to float64) {
	to = max(to, w.now)
	w.result.inFlight += w.inFlight * (to - w.now)
	last := &w.functions[w.tasks[len(w.tasks)-1].Function]
	w.result.busy += last.running * (to - w.now)
	if w.now < w.load.Lead && to >= w.load.Lead { // what counts is what bounds the burst
		for _, b := range w.buckets {
			b.hit = 0
		}
	}
	w.now = to
}

// come plans the next parcel after a time.
func (w *world) come(after float64) {
	load, n := w.load, len(w.parcels)
	if load.Arrivals != nil {
		if n < len(load.Arrivals) {
			w.send(load.Arrivals[n], 0)
		}
		return
	}
	rate := load.Base
	if after >= load.Lead {
		rate = load.Rate
	}
	at := math.Inf(1)
	if rate > 0 {
		at = after + gap(w.random, w.weight, rate)
	}
	if after < load.Lead && at >= load.Lead {
		rate = load.Rate
		at = load.Lead + gap(w.random, w.weight, rate)
	}
	if at >= load.Lead+load.Seconds {
		return
	}
	apart := 0.0
	if w.weight > 1 {
		apart = w.weight / rate
	}
	w.send(at, apart)
}

func (w *world) send(at, apart float64) {
	p := parcel{arrived: at, apart: apart, route: uint8(len(w.parcels) % len(w.Routes))}
	w.parcels = append(w.parcels, p)
	w.running = append(w.running, make([]running, len(w.tasks))...)
	w.agenda.plan(event{at: at, kind: arrive, parcel: int32(len(w.parcels) - 1)})
}

func (w *world) happen(e event) {
	p := &w.parcels[e.parcel]
	switch e.kind {
	case arrive:
		w.come(w.now)
		p = &w.parcels[e.parcel]
		w.inFlight += w.weight
		if w.counts(p) {
			w.result.Trades += int64(w.weight)
		}
		w.result.Backlog = max(w.result.Backlog, int64(w.inFlight))
		w.plan(w.delay(p, w.put, w.weight/w.limits["entriesPerRequest"]), route, e.parcel, 0)
	case route:
		w.plan(w.delay(p, w.invoke, w.weight)+w.limits["deliverySeconds"], start, e.parcel, 0)
	case start:
		w.start(e.parcel, p)
	case enter:
		w.enter(e.parcel, p)
	case again:
		w.plan(w.transition(p, 1), call, e.parcel, int(e.task))
	case call:
		if !p.over && !w.cut(p) {
			w.call(e.parcel, p, int(e.task))
		}
	case write:
		w.write(e.parcel, int(e.task))
	case end, fail:
		w.ended(e, p)
	case release:
		w.release(e.parcel, int(e.task))
	case letter:
		w.keep(w.tasks[e.task].Letters)
		w.failed.Add(w.time(), w.weight)
		w.opened -= w.weight
		w.settle(p)
	}
}

func (w *world) counts(p *parcel) bool { return p.arrived >= w.load.Lead }

func (w *world) told(alarms *metrics.Alarms) *Result {
	r := &w.result
	r.Rate, r.Base, r.Parcel = w.load.Rate, w.load.Base, int64(w.weight)
	slices.Sort(w.latencies)
	at := func(share float64) float64 {
		if len(w.latencies) == 0 {
			return 0
		}
		return w.latencies[int(math.Ceil(share*float64(len(w.latencies))))-1]
	}
	r.P50, r.P95, r.P99, r.Slowest = at(0.5), at(0.95), at(0.99), at(1)
	if r.Recorded > 0 {
		r.PerSecond = float64(r.Recorded) / max(w.load.Seconds, w.lastRecorded-w.load.Lead)
	}
	r.Drain = max(0, w.lastSettled-w.load.Lead-w.load.Seconds)
	for _, b := range w.buckets {
		if b.hit > 0 {
			r.Hits = append(r.Hits, Hit{b.name, b.first - w.load.Lead, int64(b.hit)})
		}
	}
	slices.SortStableFunc(r.Hits, func(a, b Hit) int {
		if a.First < b.First {
			return -1
		}
		return 1
	})
	for _, change := range alarms.WentOff() {
		if !slices.Contains(r.Alarms, change.Alarm) {
			r.Alarms = append(r.Alarms, change.Alarm)
		}
	}
	if slices.ContainsFunc(r.Alarms, func(name string) bool { return strings.Contains(w.Page.Rule, ":alarm:"+name+`"`) }) {
		r.Alarms = append(r.Alarms, w.Page.Name)
	}
	slices.Sort(r.Alarms)
	return r
}

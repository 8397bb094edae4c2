// Package simulate runs a stack's definition under AWS's quotas as a discrete-event simulation: how many trades it takes,
// and what a burst does to it.
//
// Trades move in parcels of equal size, which share one fate. Limits count every trade of a parcel; the calls of a parcel
// that a limit upstream lets through over some time are spread over that time. A parcel of one trade is exact.
package simulate

import (
	"fmt"
	"iter"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"trade-processing/local/clock"
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

// parcel is some trades of one source.
type parcel struct {
	arrived, started float64
	apart            float64 // the time over which its trades are spread; 0 for one trade
	attempts         int16   // to start it
	route            uint8
	group, left      uint8
	over             bool
}

// running is a task's call.
type running struct {
	begun, writing, held float64
	tries, writes        uint8
}

// function is a Lambda function at work.
type function struct {
	Function
	pool                      *pool
	environments, running     float64
	work, cold                float64
	runtime, write            spread
	calls, fresh              *bucket
	throttles, errors, lasted *metrics.Series
}

// pool is concurrency that functions share.
type pool struct {
	*bucket
	limit, running float64
}

// place is where writes go: the table, or an index.
type place struct {
	*bucket
	units      float64
	share      float64 // of trades that are written here
	peak, used float64 // of a second
	second     float64
	partitions []*bucket
	throttles  *metrics.Series
}

type queue struct{ depth, since float64 }

type world struct {
	*Deployed
	load    Load
	weight  float64
	random  *rand.Rand
	jitter  func() float64
	agenda  agenda
	parcels []parcel
	running []running // by parcel and task
	tasks   []Task

	put, invoke, starts, transitions, open *bucket
	ceiling                                float64 // of table and indexes
	functions                              []function
	places                                 []place
	queues                                 map[string]*queue
	failed, timedOut, held, late           *metrics.Series
	undelivered                            map[string]*metrics.Series
	limits                                 Limits
	buckets                                []*bucket

	now, opened, inFlight, lastSettled, lastRecorded float64
	latencies                                        []float64
	result                                           Result
}

// begin is when a simulation begins, by the clock of its alarms.
var begin = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func (w *world) time() time.Time { return begin.Add(time.Duration(w.now * float64(time.Second))) }

// Run simulates a load.
func Run(d *Deployed, limits Limits, load Load) (*Result, error) {
	w, alarms, err := newWorld(d, limits, load)
	if err != nil {
		return nil, err
	}
	w.run(alarms)
	return w.told(alarms.alarms), nil
}

func newWorld(d *Deployed, limits Limits, load Load) (*world, *watch, error) {
	w := &world{
		Deployed: d, load: load, limits: limits, random: rand.New(rand.NewPCG(load.Seed, 1)),
		queues: map[string]*queue{}, undelivered: map[string]*metrics.Series{},
	}
	if w.jitter = load.Jitter; w.jitter == nil {
		w.jitter = w.random.Float64
	}
	w.weight = max(1, math.Ceil(load.Rate*load.Seconds/float64(max(1, load.Parcels))))
	alarms := newWatch()
	w.put = w.bucket("putEvents", limits.of("putEvents"), limits.of("putEvents"))
	w.invoke = w.bucket("invocations", limits.of("invocations"), limits.of("invocations"))
	w.starts = w.bucket("starts", limits.of("starts"), limits.of("startBucket"))
	w.transitions = w.bucket("transitions", limits.of("transitions"), limits.of("transitionBucket"))
	w.open = w.bucket("openExecutions", 0, limits.of("openExecutions"))
	for _, group := range d.Groups {
		w.tasks = append(w.tasks, group...)
	}
	w.failed, w.timedOut = alarms.on(d.Alarms, "ExecutionsFailed", d.Workflow), alarms.on(d.Alarms, "ExecutionsTimedOut", d.Workflow)
	w.held, w.late = alarms.on(d.Alarms, "ExecutionThrottled", d.Workflow), alarms.on(d.Alarms, "EndToEndLatency", "")
	shared := &pool{bucket: w.bucket("concurrency", 0, 0), limit: unreserved(d, limits)}
	for _, f := range d.Functions {
		w.functions = append(w.functions, w.function(f, shared, alarms))
	}
	w.ceiling = max(limits.of("newTableWrites"), 2*limits["tablePeak"])
	w.places = append(w.places, w.place("table", limits["itemUnits"], 1, 0, alarms.series("AWS/DynamoDB", "WriteThrottleEvents", map[string]string{"TableName": d.Table.Name})))
	for _, index := range d.Table.Indexes {
		share, groups := 1.0, len(d.Routes) // each source has its own shards
		if rejections(index) {
			share, groups = limits["rejected"], 1
		}
		throttles := alarms.series("AWS/DynamoDB", "WriteThrottleEvents", map[string]string{"TableName": d.Table.Name, "GlobalSecondaryIndexName": index})
		w.places = append(w.places, w.place(index, limits["indexUnits"], share, groups*int(limits[shards]), throttles))
	}
	for _, name := range d.queues() {
		q := &queue{}
		w.queues[name] = q
		alarms.gauge("ApproximateNumberOfMessagesVisible", name, func() float64 { return q.depth })
		alarms.gauge("ApproximateAgeOfOldestMessage", name, func() float64 {
			if q.depth == 0 {
				return 0
			}
			return w.now - q.since
		})
	}
	for _, r := range d.Routes {
		w.undelivered[r.Rule] = alarms.on(d.Alarms, "FailedInvocations", r.Rule)
	}
	return w, alarms, alarms.watch(d.Alarms)
}

func (w *world) bucket(name string, rate, size float64) *bucket {
	b := newBucket(name, rate, size)
	w.buckets = append(w.buckets, b)
	return b
}

func (w *world) function(f Function, shared *pool, alarms *watch) function {
	own := shared
	if f.Reserved > 0 {
		own = &pool{bucket: w.bucket("concurrency of "+f.Image, 0, 0), limit: f.Reserved}
	}
	calls := own.limit * w.limits.of("callsPerEnvironment")
	dimensions := map[string]string{"FunctionName": f.Name}
	made := function{
		Function: f, pool: own, work: w.limits[handler+f.Image] / f.cpus(), cold: w.limits["coldStart"],
		runtime: newSpread(w.limits["runtimeMedian"], w.limits["runtimeP99"]), write: newSpread(w.limits["writeMedian"], w.limits["writeP99"]),
		calls:     w.bucket("calls of "+f.Image, calls, calls),
		fresh:     w.bucket("new environments of "+f.Image, w.limits.of("newEnvironments"), w.limits.of("newEnvironmentsBucket")),
		throttles: alarms.series("AWS/Lambda", "Throttles", dimensions), errors: alarms.series("AWS/Lambda", "Errors", dimensions),
		lasted: alarms.series("AWS/Lambda", "Duration", dimensions),
	}
	// The base rate has been there for long, and keeps so many environments busy at its peaks.
	busy := w.load.Base * w.limits.mean(f)
	made.environments = min(own.limit, math.Ceil(busy+3*math.Sqrt(busy)))
	return made
}

// rejections reports whether only rejected trades are in an index, which the recorder decides by its keys.
func rejections(index string) bool { return strings.Contains(index, "Status") }

func (w *world) place(name string, units, share float64, partitions int, throttles *metrics.Series) place {
	p := place{bucket: w.bucket("writes to "+name, 0, 0), units: units, share: share, throttles: throttles}
	rate := w.limits.of("partitionWrites")
	for range partitions {
		p.partitions = append(p.partitions, newBucket("", rate, rate))
	}
	w.raise(&p)
	p.tokens = p.size
	return p
}

// raise lets a place take what DynamoDB allows by now.
func (w *world) raise(p *place) {
	p.rate = min(w.ceiling, w.limits.of("tableWrites"))
	if w.Table.MaxWrites > 0 {
		p.rate = min(p.rate, w.Table.MaxWrites)
	}
	p.size = p.rate
}

func (w *world) plan(after float64, k kind, parcel int32, task int) {
	w.agenda.plan(event{at: w.now + after, kind: k, parcel: parcel, task: uint8(task)})
}

const minute, halfHour = 60, 1800

func (w *world) run(alarms *watch) {
	w.come(0)
	next := 0.0
	for len(w.agenda.events) > 0 {
		e := w.agenda.next()
		for ; e.at >= next+minute; next += minute {
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

// delay takes tokens for a parcel, and spreads its trades as far apart as the bucket does.
func (w *world) delay(p *parcel, b *bucket, tokens float64) float64 {
	wait := b.wait(w.now, tokens, w.weight)
	if wait > 0 && w.weight > 1 {
		p.apart = max(p.apart, tokens/b.rate)
	}
	return wait
}

// transition passes a number of states, one after another.
func (w *world) transition(p *parcel, states float64) float64 {
	wait := w.delay(p, w.transitions, states*w.weight)
	if wait > 0 {
		w.held.Add(w.time(), w.weight)
	}
	return wait + w.limits["transitionSeconds"]
}

func (w *world) start(n int32, p *parcel) {
	full := w.opened+w.weight > w.limits.of("openExecutions")
	if full {
		w.open.note(w.now, w.weight)
	}
	if full || !w.starts.has(w.now, w.weight, w.weight) {
		p.attempts++
		r := w.Routes[p.route]
		if int(p.attempts) > r.Attempts || w.now-p.arrived > r.Age {
			w.undelivered[r.Rule].Add(w.time(), w.weight)
			w.keep(r.Letters)
			w.settle(p)
			return
		}
		pause := min(w.limits["retryFirst"]*math.Pow(2, float64(p.attempts-1)), w.limits["retryMost"])
		w.plan(pause*w.random.Float64(), start, n, 0)
		return
	}
	w.starts.take(w.weight)
	if p.attempts > 0 && w.weight > 1 {
		p.apart = max(p.apart, w.weight/w.starts.rate)
	}
	w.opened += w.weight
	p.started = w.now
	w.plan(w.transition(p, 1), enter, n, 0)
}

func (w *world) enter(n int32, p *parcel) {
	group, first := w.Groups[p.group], 0
	for _, earlier := range w.Groups[:p.group] {
		first += len(earlier)
	}
	p.left = uint8(len(group))
	states := float64(len(group))
	if len(group) > 1 {
		states++
	}
	wait := w.transition(p, states)
	for i := range group {
		w.plan(wait, call, n, first+i)
	}
}

// cut ends an execution that has used up its time.
func (w *world) cut(p *parcel) bool {
	if w.now-p.started <= w.Timeout {
		return false
	}
	p.over = true
	w.timedOut.Add(w.time(), w.weight)
	w.opened -= w.weight
	if w.counts(p) {
		w.result.TimedOut += int64(w.weight)
	}
	w.left(p)
	return true
}

func (w *world) at(n int32, task int) *running { return &w.running[int(n)*len(w.tasks)+task] }

func (w *world) call(n int32, p *parcel, task int) {
	f, c := &w.functions[w.tasks[task].Function], w.at(n, task)
	work, writing := f.work+f.runtime.one(w.random), 0.0
	if f.Writes {
		writing = f.write.one(w.random)
	}
	held := w.weight
	if p.apart > 0 {
		held *= (work + writing) / (work + writing + p.apart)
	}
	if task == len(w.tasks)-1 {
		w.result.calls += w.weight
	}
	// As many calls as the environments serve in a second, as many at once as are reserved, and as many new environments
	// as Lambda makes.
	fresh := max(0, f.running+held-f.environments)
	full := f.pool.running+held > f.pool.limit+1e-9
	if full {
		f.pool.note(w.now, w.weight)
	}
	if full || !f.calls.has(w.now, w.weight, w.weight) || fresh > 0 && !f.fresh.has(w.now, fresh, w.weight) {
		f.throttles.Add(w.time(), w.weight)
		w.retry(n, p, task)
		return
	}
	f.calls.take(w.weight)
	f.throttles.Add(w.time(), 0)
	f.running += held
	f.pool.running += held
	if fresh > 0 {
		f.fresh.take(fresh)
		f.environments += fresh
		if w.random.Float64()*held < fresh {
			work += f.cold
		}
	}
	*c = running{begun: w.now, writing: writing, held: held, tries: c.tries}
	switch {
	case work+writing > f.Timeout:
		w.plan(f.Timeout, fail, n, task)
	case f.Writes:
		w.plan(work, write, n, task)
	default:
		w.plan(work, end, n, task)
	}
}

func (w *world) write(n int32, task int) {
	f, c := &w.functions[w.tasks[task].Function], w.at(n, task)
	if w.store() {
		w.plan(c.writing, end, n, task)
		return
	}
	c.writes++
	pause := w.random.Float64() * math.Pow(2, float64(c.writes))
	switch left := c.begun + f.Timeout - w.now; {
	case float64(c.writes) >= w.limits["sdkAttempts"]:
		w.plan(0, fail, n, task)
	case pause > left:
		w.plan(max(0, left), fail, n, task)
	default:
		w.plan(pause, write, n, task)
	}
}

// store writes a parcel to the table and its indexes, or nowhere.
func (w *world) store() bool {
	// The first of the partitions that a place's trades go to, one each; -1: it gets none. A table has up to 20 indexes.
	var first [21]int
	for i := range w.places {
		place := &w.places[i]
		if first[i] = -1; place.share < 1 && w.random.Float64() >= place.share {
			continue
		}
		first[i] = 0
		ok := place.has(w.now, min(place.units*w.weight, place.size), w.weight)
		if n := len(place.partitions); n > 0 && ok {
			first[i] = w.random.IntN(n)
			for b, units := range place.spread(first[i], w.weight) {
				ok = ok && b.has(w.now, units, 0)
			}
			if !ok {
				place.note(w.now, w.weight)
			}
		}
		if !ok {
			place.throttles.Add(w.time(), w.weight)
			return false
		}
	}
	for i := range w.places {
		place := &w.places[i]
		if first[i] < 0 {
			continue
		}
		place.take(place.units * w.weight)
		for b, units := range place.spread(first[i], w.weight) {
			b.take(units)
		}
		if second := math.Floor(w.now); second != place.second {
			place.second, place.used = second, 0
		}
		place.used += place.units * w.weight
		place.peak = max(place.peak, place.used)
	}
	return true
}

// spread goes through the partitions that get some trades, and what each gets.
func (p *place) spread(first int, trades float64) iter.Seq2[*bucket, float64] {
	return func(yield func(*bucket, float64) bool) {
		n := len(p.partitions)
		used := min(n, int(trades))
		for i := range used {
			if !yield(p.partitions[(first+i)%n], p.units*trades/float64(used)) {
				return
			}
		}
	}
}

func (w *world) ended(e event, p *parcel) {
	task := int(e.task)
	f, c := &w.functions[w.tasks[task].Function], w.at(e.parcel, task)
	f.lasted.Add(w.time(), 1000*(w.now-c.begun))
	if p.apart > 0 {
		w.plan(p.apart, release, e.parcel, task)
	} else {
		w.release(e.parcel, task)
	}
	if e.kind == fail {
		f.errors.Add(w.time(), w.weight)
	} else {
		f.errors.Add(w.time(), 0)
	}
	if p.over || w.cut(p) {
		return
	}
	if e.kind == fail {
		w.retry(e.parcel, p, task)
		return
	}
	if p.left--; p.left > 0 {
		return
	}
	if p.group++; int(p.group) < len(w.Groups) {
		w.plan(0, enter, e.parcel, 0)
		return
	}
	took := w.now - p.arrived
	w.late.Add(w.time(), 1000*took)
	w.opened -= w.weight
	if w.counts(p) {
		w.result.Recorded += int64(w.weight)
		w.latencies = append(w.latencies, took)
		w.lastRecorded = w.now
	}
	w.result.latency += took * w.weight
	w.left(p)
}

func (w *world) release(n int32, task int) {
	f, c := &w.functions[w.tasks[task].Function], w.at(n, task)
	f.running -= c.held
	f.pool.running -= c.held
}

// retry plans a state's next try, or fails the execution. The first failure stops the states beside it.
func (w *world) retry(n int32, p *parcel, task int) {
	c, r := w.at(n, task), w.tasks[task].Retry
	if int(c.tries) >= r.MaxAttempts {
		p.over = true
		w.plan(w.transition(p, 1), letter, n, task)
		return
	}
	pause := r.IntervalSeconds * math.Pow(r.BackoffRate, float64(c.tries))
	if r.MaxDelaySeconds > 0 {
		pause = min(pause, r.MaxDelaySeconds)
	}
	if r.JitterStrategy == "FULL" {
		pause *= w.jitter()
	}
	c.tries++
	if w.counts(p) {
		w.result.Retries += int64(w.weight)
	}
	w.plan(pause, again, n, task)
}

func (w *world) keep(name string) {
	q := w.queues[name]
	if q.depth == 0 {
		q.since = w.now
	}
	q.depth += w.weight
}

// settle ends a parcel in a dead-letter queue.
func (w *world) settle(p *parcel) {
	if w.counts(p) {
		w.result.DeadLetters += int64(w.weight)
	}
	w.left(p)
}

func (w *world) left(p *parcel) {
	p.over = true
	w.inFlight -= w.weight
	w.lastSettled = w.now
}

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

// watch evaluates the alarms on metrics that a simulation has.
type watch struct {
	store  *metrics.Store
	alarms *metrics.Alarms
	clock  *clock.Virtual
	known  map[string]bool
}

func newWatch() *watch {
	v := &watch{store: metrics.NewStore(), clock: clock.NewVirtual(begin), known: map[string]bool{}}
	v.alarms = metrics.NewAlarms(v.store, v.clock)
	return v
}

func (v *watch) series(namespace, metric string, dimensions map[string]string) *metrics.Series {
	v.known[fmt.Sprint(namespace, metric, dimensions)] = true
	return v.store.Series(namespace, metric, dimensions)
}

// on returns the series that an alarm on a metric of something looks at; nil, which takes no values, if there is none.
func (v *watch) on(alarms []metrics.Alarm, metric, of string) *metrics.Series {
	for _, alarm := range alarms {
		for _, value := range alarm.Dimensions {
			if alarm.Metric == metric && strings.HasSuffix(value, of) {
				return v.series(alarm.Namespace, metric, alarm.Dimensions)
			}
		}
	}
	return nil
}

func (v *watch) gauge(metric, queue string, read func() float64) {
	dimensions := map[string]string{"QueueName": queue}
	v.known[fmt.Sprint("AWS/SQS", metric, dimensions)] = true
	v.store.Gauge("AWS/SQS", metric, dimensions, func(time.Time) float64 { return read() })
}

func (v *watch) watch(alarms []metrics.Alarm) error {
	for _, alarm := range alarms {
		if !v.known[fmt.Sprint(alarm.Namespace, alarm.Metric, alarm.Dimensions)] {
			continue
		}
		if err := v.alarms.Put(alarm); err != nil {
			return err
		}
	}
	return nil
}

func (v *watch) evaluate(now time.Time) {
	v.clock.Advance(now.Sub(v.clock.Now()))
	v.alarms.Evaluate()
}

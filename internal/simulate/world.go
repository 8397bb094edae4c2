package simulate

import (
	"math"
	"math/rand/v2"
	"time"

	"trade-processing/local/metrics"
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

func (w *world) plan(after float64, k kind, parcel int32, task int) {
	w.agenda.plan(event{at: w.now + after, kind: k, parcel: parcel, task: uint8(task)})
}

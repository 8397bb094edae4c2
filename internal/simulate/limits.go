package simulate

import (
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"trade-processing/lambdas/recorder"
)

// Limit is a quota of AWS, or an assumption about what AWS doesn't say or this machine can't measure.
type Limit struct {
	Key     string
	Kind    string // quota, assumed or measured
	Type    string // of the workflow that it is for; empty: any
	Value   float64
	Regions map[string]float64 // where it differs
	Unit    string
	What    string
	Source  string // AWS's page
}

// Data is what simulations begin with.
type Data struct {
	Date     string
	Limits   []Limit
	Handlers struct { // `make benchmarks` measures and writes them
		Date, Machine string
		Microseconds  map[string]float64 // of a call on a whole CPU, by what a function's code is called
	}
}

var (
	//go:embed limits.json
	limits []byte
	//go:embed handlers.json
	handlers []byte
)

// Known returns the data that simulations begin with.
func Known() Data {
	var data Data
	if err := errors.Join(json.Unmarshal(limits, &data), json.Unmarshal(handlers, &data.Handlers)); err != nil {
		panic(err) // they are part of this program
	}
	return data
}

// Limits are the values that count for a stack, by key. What is absent has no limit.
type Limits map[string]float64

const (
	shards  = "shards"
	handler = "handler." // and what a function's code is called: seconds of a whole CPU
)

// LimitsOf returns the default limits of a stack.
func LimitsOf(d *Deployed) Limits {
	known, l := Known(), Limits{shards: recorder.Shards}
	for _, limit := range known.Limits {
		if limit.Type == "" || limit.Type == d.Type {
			l[limit.Key] = limit.Value
			if value, differs := limit.Regions[d.Region]; differs {
				l[limit.Key] = value
			}
		}
	}
	for name, micro := range known.Handlers.Microseconds {
		l[handler+name] = micro / 1e6
	}
	return l
}

// Set changes a limit, such as starts=1000.
func (l Limits) Set(text string) error {
	key, value, _ := strings.Cut(text, "=")
	number, err := strconv.ParseFloat(value, 64)
	if _, known := l[key]; !known {
		return fmt.Errorf("%q is not a limit; there are %s", key, strings.Join(slices.Sorted(maps.Keys(l)), ", "))
	}
	if err != nil || !(number >= 0) || math.IsInf(number, 0) {
		return fmt.Errorf("%s: %q is not a number of 0 or more", key, value)
	}
	l[key] = number
	return nil
}

func (l Limits) of(key string) float64 {
	if value, limited := l[key]; limited {
		return value
	}
	return math.Inf(1)
}

// cpus is the share of a CPU that a function has: a whole one at 1,769 MB
// (https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html).
func (f Function) cpus() float64 { return min(1, f.MemoryMB/1769) }

// mean is how long a call takes on average, without a cold start.
func (l Limits) mean(f Function) float64 {
	took := l[handler+f.Image]/f.cpus() + newSpread(l["runtimeMedian"], l["runtimeP99"]).mean()
	if f.Writes {
		took += newSpread(l["writeMedian"], l["writeP99"]).mean()
	}
	return took
}

// unreserved is the concurrency that functions without their own share.
func unreserved(d *Deployed, l Limits) float64 {
	left := l.of("concurrency")
	for _, f := range d.Functions {
		left -= f.Reserved
	}
	return left
}

// transitions is what a trade costs if nothing is retried: the start, each state entered, as cost.md counts.
func (d *Deployed) transitions() float64 {
	n := 1
	for _, group := range d.Groups {
		n += len(group)
		if len(group) > 1 {
			n++
		}
	}
	return float64(n)
}

// Bound is what one limit allows.
type Bound struct {
	Limit   string  `json:"limit"`
	Rate    float64 `json:"tradesPerSecond"`
	Change  string  `json:"change"` // what to raise
	Passing bool    `json:"passing,omitempty"`
}

// Bounds returns how many trades a second each limit allows, the first to bind first. A passing one gives way by itself.
func Bounds(d *Deployed, l Limits) []Bound {
	bounds := []Bound{
		{"putEvents", l.of("putEvents") * l["entriesPerRequest"], "quota: PutEvents", false},
		{"invocations", l.of("invocations"), "quota: Invocations", false},
		{"starts", l.of("starts"), "quota: StartExecution", false},
		{"transitions", l.of("transitions") / d.transitions(), "quota: StateTransition", false},
		{"tableWrites", l.of("tableWrites") / l["itemUnits"], "quota: write throughput of a table", false},
		{"newTableWrites", max(l.of("newTableWrites"), 2*l["tablePeak"]) / max(l["itemUnits"], l["indexUnits"]), "warm throughput of the table", true},
		{"shards", l.of("partitionWrites") * l[shards] * float64(len(d.Routes)) / l["indexUnits"], "Shards of lambdas/recorder", false},
		{"keyRequests", l.of("keyRequests") / l["busKeyRequests"], "quota: cryptographic operations", false},
	}
	if d.Type == "STANDARD" {
		bounds[2].Change, bounds[3].Change = "workflowType: EXPRESS; or "+bounds[2].Change, "workflowType: EXPRESS; or "+bounds[3].Change
	}
	if d.Table.MaxWrites > 0 {
		bounds = append(bounds, Bound{"maxWriteUnits", d.Table.MaxWrites / l["itemUnits"], "maxWriteUnits", false})
	}
	pool, shared := unreserved(d, l), 0.0
	for _, f := range d.Functions {
		limit, change := f.Reserved, f.Image+"ReservedConcurrency"
		if limit == 0 {
			limit, change = pool, "quota: concurrent executions"
			shared += l.mean(f)
		}
		bounds = append(bounds, Bound{"calls of " + f.Image, limit * l.of("callsPerEnvironment"), change, false})
		if f.Reserved > 0 {
			bounds = append(bounds, Bound{"concurrency of " + f.Image, limit / l.mean(f), change, false})
		}
	}
	if shared > 0 {
		bounds = append(bounds, Bound{"concurrency", pool / shared, "quota: concurrent executions", false})
	}
	slices.SortStableFunc(bounds, func(a, b Bound) int {
		if a.Rate < b.Rate {
			return -1
		}
		return int(max(-1, min(1, a.Rate-b.Rate)))
	})
	return bounds
}

// Sustained returns the first limit that binds and doesn't give way.
func Sustained(d *Deployed, l Limits) Bound {
	bounds := Bounds(d, l)
	return bounds[slices.IndexFunc(bounds, func(b Bound) bool { return !b.Passing })]
}

// headroom is what limits allow beyond the rate they are raised for: trades don't come evenly, and retries come on top.
const headroom = 1.5

// Raise changes config and quotas, in the order in which they bind, until all of them allow a rate.
func Raise(from *Deployed, limits Limits, rate float64) (*Deployed, Limits, []string) {
	d, l, done := *from, maps.Clone(limits), []string(nil)
	d.Functions = slices.Clone(d.Functions)
	note := func(format string, args ...any) { done = append(done, fmt.Sprintf(format, args...)) }
	wanted := rate * headroom
	for range 100 { // each step raises one limit for good
		bounds := Bounds(&d, l)
		if bounds[0].Rate >= wanted {
			return &d, l, done
		}
		switch key := bounds[0].Limit; {
		case (key == "starts" || key == "transitions") && d.Type == "STANDARD":
			d = d.express()
			for name, value := range LimitsOf(&d) {
				if strings.HasPrefix(name, "start") || strings.HasPrefix(name, "transition") {
					l[name] = value
				}
			}
			for _, name := range []string{"transitions", "transitionBucket", "openExecutions"} {
				delete(l, name)
			}
			note("workflowType: EXPRESS, maxRetries: %d", d.Groups[0][0].Retry.MaxAttempts)
		case strings.Contains(key, "calls of ") || strings.Contains(key, "concurrency of "):
			i := slices.IndexFunc(d.Functions, func(f Function) bool { return strings.HasSuffix(key, " of "+f.Image) })
			d.reserve(i, l, wanted, note)
		case key == "concurrency":
			l[key] += wanted * l.mean(d.Functions[0])
			note("quota: %s to %.0f", key, l[key])
		default:
			short := wanted / bounds[0].Rate
			switch key {
			case "newTableWrites":
				l["tablePeak"] = math.Ceil(wanted * max(l["itemUnits"], l["indexUnits"]) / 2)
				note("warm throughput of the table: %.0f write units", 2*l["tablePeak"])
				continue
			case "maxWriteUnits":
				d.Table.MaxWrites = math.Ceil(d.Table.MaxWrites * short)
				note("maxWriteUnits: %.0f", d.Table.MaxWrites)
				continue
			case "starts":
				l["startBucket"] = math.Ceil(l["startBucket"] * short)
			}
			l[key] = math.Ceil(l[key] * short)
			note("%s to %.0f", bounds[0].Change, l[key])
		}
	}
	return &d, l, done
}

// mostReserved is the most that the config takes.
const mostReserved = 10_000

func (d *Deployed) reserve(i int, l Limits, rate float64, note func(string, ...any)) {
	f := &d.Functions[i]
	needed := math.Ceil(max(rate/l["callsPerEnvironment"], rate*l.mean(*f))/10) * 10
	if f.Reserved > 0 && needed <= mostReserved {
		f.Reserved = needed
		note("%sReservedConcurrency: %.0f", f.Image, needed)
	} else if f.Reserved > 0 {
		f.Reserved = 0
		note("%sReservedConcurrency: 0, which is unreserved; the config takes up to %d", f.Image, mostReserved)
	}
	const unreservable = 100
	total, most := 0.0, float64(unreservable)
	for _, f := range d.Functions {
		total += f.Reserved
		if f.Reserved == 0 {
			most += math.Ceil(max(rate/l["callsPerEnvironment"], rate*l.mean(f)))
		}
	}
	if total+most > l["concurrency"] {
		l["concurrency"] = total + most
		note("quota: concurrent executions to %.0f", l["concurrency"])
	}
}

// express returns the stack with a workflow of that type, which has time for three retries.
func (d Deployed) express() Deployed {
	const most = 3
	d.Type = "EXPRESS"
	groups := d.Groups
	d.Groups = nil
	for _, group := range groups {
		group = slices.Clone(group)
		for i := range group {
			group[i].Retry.MaxAttempts = min(most, group[i].Retry.MaxAttempts)
		}
		d.Groups = append(d.Groups, group)
	}
	d.Timeout = min(d.Timeout, 300)
	return d
}

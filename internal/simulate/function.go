package simulate

import (
	"math"

	"trade-processing/local/metrics"
)

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

func (w *world) release(n int32, task int) {
	f, c := &w.functions[w.tasks[task].Function], w.at(n, task)
	f.running -= c.held
	f.pool.running -= c.held
}

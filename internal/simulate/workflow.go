package simulate

import "math"

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

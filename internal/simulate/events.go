package simulate

import (
	"math"
	"math/rand/v2"
)

// event is something that happens to a parcel of trades at a time. Events at the same time happen in the order in which
// they were planned.
type event struct {
	at     float64 // seconds
	number uint32
	parcel int32
	kind   kind
	task   uint8
}

// agenda is a binary heap of events.
type agenda struct {
	events []event
	number uint32
}

func (e event) before(o event) bool { return e.at < o.at || e.at == o.at && e.number < o.number }

func (a *agenda) plan(e event) {
	a.number++
	e.number = a.number
	a.events = append(a.events, e)
	i := len(a.events) - 1
	for i > 0 && e.before(a.events[(i-1)/2]) {
		a.events[i] = a.events[(i-1)/2]
		i = (i - 1) / 2
	}
	a.events[i] = e
}

func (a *agenda) next() event {
	first, last := a.events[0], a.events[len(a.events)-1]
	a.events = a.events[:len(a.events)-1]
	n := len(a.events)
	for i := 0; n > 0; {
		child := 2*i + 1
		if child+1 < n && a.events[child+1].before(a.events[child]) {
			child++
		}
		if child >= n || last.before(a.events[child]) {
			a.events[i] = last
			break
		}
		a.events[i] = a.events[child]
		i = child
	}
	return first
}

// bucket is a token bucket. One with an infinite rate is always full.
type bucket struct {
	name               string
	rate, size, tokens float64
	at                 float64 // when tokens was right
	hit                float64 // trades that it refused or delayed, each time counted
	first              float64 // when it did so first
}

func newBucket(name string, rate, size float64) *bucket {
	return &bucket{name: name, rate: rate, size: size, tokens: size}
}

func (b *bucket) fill(now float64) {
	b.tokens = min(b.size, b.tokens+(now-b.at)*b.rate)
	b.at = now
}

// has reports whether n tokens are there; if not, that many trades are refused.
func (b *bucket) has(now, n, trades float64) bool {
	if math.IsInf(b.rate, 1) {
		return true
	}
	b.fill(now)
	// A little less is enough: the sum of many small fillings isn't exact.
	if b.tokens+1e-9 < n {
		b.note(now, trades)
		return false
	}
	return true
}

func (b *bucket) take(n float64) {
	if !math.IsInf(b.rate, 1) {
		b.tokens -= n
	}
}

// wait takes n tokens, and returns how long to wait for them, behind all who wait already.
func (b *bucket) wait(now, n, trades float64) float64 {
	if math.IsInf(b.rate, 1) {
		return 0
	}
	b.fill(now)
	b.tokens -= n
	if b.tokens >= 0 {
		return 0
	}
	b.note(now, trades)
	return -b.tokens / b.rate
}

func (b *bucket) note(now, trades float64) {
	if b.hit == 0 {
		b.first = now
	}
	b.hit += trades
}

// spread is a log-normal distribution of durations.
type spread struct{ mu, sigma float64 }

func newSpread(median, p99 float64) spread {
	const z99 = 2.3263478740408408 // the standard normal distribution's 99th percentile
	if median <= 0 {
		return spread{math.Inf(-1), 0}
	}
	return spread{math.Log(median), max(0, math.Log(p99/median)/z99)}
}

func (s spread) mean() float64 { return math.Exp(s.mu + s.sigma*s.sigma/2) }

func (s spread) one(r *rand.Rand) float64 {
	if s.sigma == 0 {
		return math.Exp(s.mu)
	}
	return math.Exp(s.mu + s.sigma*r.NormFloat64())
}

// gap is the time in which n trades come that come independently of each other.
func gap(r *rand.Rand, n, rate float64) float64 {
	const many = 30 // then the normal distribution is close enough
	if n > many {
		return max(0, n+math.Sqrt(n)*r.NormFloat64()) / rate
	}
	sum := 0.0
	for range int(n) {
		sum += r.ExpFloat64()
	}
	return sum / rate
}

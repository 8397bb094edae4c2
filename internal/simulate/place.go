package simulate

import (
	"iter"
	"math"
	"strings"

	"trade-processing/local/metrics"
)

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

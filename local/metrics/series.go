package metrics

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/DataDog/sketches-go/ddsketch"
	"github.com/DataDog/sketches-go/ddsketch/mapping"
	"github.com/DataDog/sketches-go/ddsketch/store"
)

// A Series is one metric with one set of dimensions. A nil Series is valid and has no data.
type Series struct {
	mapping mapping.IndexMapping
	mu      sync.Mutex
	buckets []*bucket // by time, at most Retention of them
}

// A bucket has the values of one minute.
type bucket struct {
	minute        int64 // since the Unix epoch
	count         float64
	sum, min, max float64
	sketch        *ddsketch.DDSketch
}

// Add records one value. As in CloudWatch, values older than Retention before the newest one, and non-finite numbers,
// are dropped.
func (s *Series) Add(at time.Time, value float64) {
	if s == nil || math.IsNaN(value) || math.IsInf(value, 0) {
		return
	}
	minute := floorMinute(at)
	s.mu.Lock()
	defer s.mu.Unlock()
	b := s.bucket(minute)
	if b == nil {
		return
	}
	if b.count == 0 || value < b.min {
		b.min = value
	}
	if b.count == 0 || value > b.max {
		b.max = value
	}
	b.count++
	b.sum += value
	// The only errors are for values that aren't finite, or beyond 1e308.
	_ = b.sketch.Add(value)
}

func floorMinute(at time.Time) int64 {
	seconds := at.Unix()
	minute := seconds / 60
	if seconds%60 < 0 {
		minute--
	}
	return minute
}

func (s *Series) empty() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.buckets) == 0
}

// bucket finds or creates the bucket of a minute; nil if it is too old.
func (s *Series) bucket(minute int64) *bucket {
	n := len(s.buckets)
	if n > 0 && s.buckets[n-1].minute == minute {
		return s.buckets[n-1]
	}
	keep := int64(Retention / time.Minute)
	if n > 0 && minute <= s.buckets[n-1].minute-keep {
		return nil
	}
	i, found := s.search(minute)
	if found {
		return s.buckets[i]
	}
	b := &bucket{minute: minute, sketch: ddsketch.NewDDSketchFromStoreProvider(s.mapping, store.DefaultProvider)}
	s.buckets = slices.Insert(s.buckets, i, b)
	newest := s.buckets[len(s.buckets)-1].minute
	old, _ := s.search(newest - keep + 1)
	s.buckets = slices.Delete(s.buckets, 0, old)
	return b
}

func (s *Series) search(minute int64) (int, bool) {
	return slices.BinarySearchFunc(s.buckets, minute, func(b *bucket, minute int64) int { return cmp.Compare(b.minute, minute) })
}

// A Statistic is a way to reduce a period's values to one number.
type Statistic struct {
	name       string
	percentile float64 // of p50 and the like, from 0 to 1
}

// ParseStatistic reads Sum, Average, Minimum, Maximum, SampleCount and the percentiles p0 to p100. Any other, such as a
// trimmed mean, is refused.
func ParseStatistic(name string) (Statistic, error) {
	switch name {
	case "Sum", "Average", "Minimum", "Maximum", "SampleCount":
		return Statistic{name: name}, nil
	}
	if digits, ok := strings.CutPrefix(name, "p"); ok {
		percent, err := strconv.ParseFloat(digits, 64)
		if err == nil && percent >= 0 && percent <= 100 {
			return Statistic{name: name, percentile: percent / 100}, nil
		}
	}
	return Statistic{}, fmt.Errorf("statistic %q is not supported: use Sum, Average, Minimum, Maximum, SampleCount or a percentile such as p99", name)
}

// Value returns the statistic of all values from start to end, excluding end, both rounded down to a minute; false if
// there are none. Percentiles are within 1 %.
func (s *Series) Value(statistic Statistic, start, end time.Time) (float64, bool) {
	if s == nil {
		return 0, false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	from, _ := s.search(floorMinute(start))
	to, _ := s.search(floorMinute(end))
	return statistic.of(s.buckets[from:max(from, to)])
}

func (s Statistic) of(buckets []*bucket) (float64, bool) {
	if len(buckets) == 0 {
		return 0, false
	}
	all := bucket{min: math.Inf(1), max: math.Inf(-1)}
	for _, b := range buckets {
		all.count += b.count
		all.sum += b.sum
		all.min = min(all.min, b.min)
		all.max = max(all.max, b.max)
	}
	switch s.name {
	case "Sum":
		return all.sum, true
	case "Average":
		return all.sum / all.count, true
	case "Minimum":
		return all.min, true
	case "Maximum":
		return all.max, true
	case "SampleCount":
		return all.count, true
	}
	sketch := buckets[0].sketch
	if len(buckets) > 1 {
		sketch = sketch.Copy()
		for _, b := range buckets[1:] {
			// Sketches of one store share a mapping, so they always merge.
			_ = sketch.MergeWith(b.sketch)
		}
	}
	value, err := sketch.GetValueAtQuantile(s.percentile)
	// The extremes are known exactly, and limit the sketch's estimate.
	return min(max(value, all.min), all.max), err == nil
}

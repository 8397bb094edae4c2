// Package metrics is the local cloud's CloudWatch: it keeps metrics in one-minute buckets, reads them from log lines in
// the embedded metric format, and evaluates the deployed alarms.
package metrics

import (
	"encoding/binary"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/DataDog/sketches-go/ddsketch/mapping"
)

// Limits of the store.
const (
	// Retention is how far back a metric reaches: what an alarm on a period of a day looks at. It limits memory in a
	// simulation of many days; an alarm that looks back further is refused.
	Retention = 72 * time.Hour
	// maxSeries guards against a dimension with a value per trade, which would also cost a fortune on CloudWatch.
	maxSeries = 10_000
	// accuracy is the relative error of percentiles.
	accuracy = 0.01
)

// ErrTooManySeries means that metrics have more combinations of dimensions than the store keeps.
var ErrTooManySeries = fmt.Errorf("more than %d combinations of metric and dimensions: "+
	"a dimension probably holds an id; make it a property instead", maxSeries)

// A Store has the metrics of one account and region. A nil Store keeps nothing. It is safe for concurrent use.
type Store struct {
	mapping mapping.IndexMapping

	mu       sync.RWMutex
	series   map[string]*Series
	named    map[*Series]Metric
	gauges   map[*Series]func(now time.Time) float64
	declared map[string][]string // the metrics of a namespace, if declared

	formats formats
}

// NewStore returns an empty store.
func NewStore() *Store {
	m, err := mapping.NewDefaultMapping(accuracy)
	if err != nil {
		// Only an accuracy outside 0 to 1 is an error.
		panic(fmt.Sprintf("metrics: accuracy %v: %v", accuracy, err))
	}
	return &Store{
		mapping:  m,
		series:   map[string]*Series{},
		named:    map[*Series]Metric{},
		gauges:   map[*Series]func(time.Time) float64{},
		declared: map[string][]string{},
	}
}

// Declare says that a service sends only these metrics to its own namespace. An alarm on any other metric there would
// be OK forever, and is refused instead. A nil store ignores it.
func (s *Store) Declare(namespace string, names ...string) {
	if s == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.declared[namespace] = slices.Sorted(slices.Values(names))
}

// check refuses a metric that is known never to be sent.
func (s *Store) check(namespace, name string) error {
	s.mu.RLock()
	defer s.mu.RUnlock()
	names, is := s.declared[namespace]
	if !is || slices.Contains(names, name) {
		return nil
	}
	return fmt.Errorf("the local cloud sends no metric %s %s; of %s it sends %s", namespace, name, namespace, strings.Join(names, ", "))
}

// Series finds or creates the series of a metric with exactly these dimensions. Services keep it and add to it without
// further lookups. A nil store returns a nil series, which drops everything.
func (s *Store) Series(namespace, name string, dimensions map[string]string) *Series {
	if s == nil {
		return nil
	}
	series, err := s.find(namespace, name, dimensions)
	if err != nil {
		// Services have a handful of series each; only log lines can create many, and they get an error.
		return nil
	}
	return series
}

func (s *Store) find(namespace, name string, dimensions map[string]string) (*Series, error) {
	id := identity(namespace, name, dimensions)
	s.mu.RLock()
	series, found := s.series[id]
	s.mu.RUnlock()
	if found {
		return series, nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if series, found = s.series[id]; found {
		return series, nil
	}
	if len(s.series) >= maxSeries {
		return nil, ErrTooManySeries
	}
	series = &Series{mapping: s.mapping}
	s.series[id] = series
	s.named[series] = Metric{Namespace: namespace, Name: name, Dimensions: maps.Clone(dimensions)}
	return series, nil
}

// Lookup finds a metric's series without creating it; nil if there is none.
func (s *Store) Lookup(metric Metric) *Series {
	return s.lookup(metric.Namespace, metric.Name, metric.Dimensions)
}

// Metrics lists those that have data, by namespace, name and dimensions.
func (s *Store) Metrics() []Metric {
	s.mu.RLock()
	defer s.mu.RUnlock()
	var listed []Metric
	for _, id := range slices.Sorted(maps.Keys(s.series)) {
		if series := s.series[id]; !series.empty() {
			listed = append(listed, s.named[series])
		}
	}
	return listed
}

// lookup finds a series without creating it.
func (s *Store) lookup(namespace, name string, dimensions map[string]string) *Series {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.series[identity(namespace, name, dimensions)]
}

// identity returns equal strings for equal metrics and different ones for others: every string preceded by its length.
func identity(namespace, name string, dimensions map[string]string) string {
	const enough = 256 // mostly, so that nothing grows
	id := make([]byte, 0, enough)
	write := func(text string) {
		id = binary.AppendUvarint(id, uint64(len(text)))
		id = append(id, text...)
	}
	write(namespace)
	write(name)
	for _, dimension := range slices.Sorted(maps.Keys(dimensions)) {
		write(dimension)
		write(dimensions[dimension])
	}
	return string(id)
}

// Gauge samples a series from read whenever alarms are evaluated: the depth of a queue, the age of its oldest message.
// The returned function ends it. A nil store samples nothing.
func (s *Store) Gauge(namespace, name string, dimensions map[string]string, read func(now time.Time) float64) (remove func()) {
	series := s.Series(namespace, name, dimensions)
	if series == nil {
		return func() {}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.gauges[series] = read
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.gauges, series)
	}
}

// Sample adds the present value of every gauge to its series.
func (s *Store) Sample(now time.Time) {
	s.mu.RLock()
	gauges := maps.Clone(s.gauges)
	s.mu.RUnlock()
	// The callbacks take their own locks, so ours must be free.
	for series, read := range gauges {
		series.Add(now, read(now))
	}
}

package metrics

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"sync"
	"time"

	"github.com/tidwall/gjson"
)

// Limits of the embedded metric format.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
const (
	maxFormatDimensions = 30
	maxFormatMetrics    = 100
	maxFormatValues     = 100
	maxDimensionValue   = 1024 // characters
)

// Ingest takes one line of a function's log. A line without an _aws object at
// its top is no metric and answers false. A line that has one but breaks the
// format is an error that says how; nothing of it is kept.
//
// What the line says about its metrics is compiled once and found again by its
// text: a function writes the same few forms for every trade.
func (s *Store) Ingest(line []byte) (bool, error) {
	if s == nil || !bytes.Contains(line, []byte(`"_aws"`)) {
		return false, nil
	}
	if !gjson.ValidBytes(line) {
		return false, errors.New("embedded metrics: the line is not JSON")
	}
	text := string(line)
	header := gjson.Get(text, "_aws")
	if !header.IsObject() {
		return false, nil
	}
	var stamp, directives gjson.Result
	header.ForEach(func(key, value gjson.Result) bool {
		switch key.Str {
		case "Timestamp":
			stamp = value
		case "CloudWatchMetrics":
			directives = value
		}
		return true
	})
	if stamp.Type != gjson.Number || stamp.Num != math.Trunc(stamp.Num) || math.Abs(stamp.Num) > math.MaxInt64/2 {
		return true, fmt.Errorf("embedded metrics: _aws.Timestamp is %s, not a number of milliseconds", describe(stamp))
	}
	f, err := s.formats.find(directives.Raw)
	if err != nil {
		return true, fmt.Errorf("embedded metrics: %w", err)
	}
	return true, s.record(f, text, time.UnixMilli(int64(stamp.Num)))
}

// describe quotes the beginning of a JSON value for a message.
func describe(value gjson.Result) string {
	const enough = 40
	switch {
	case !value.Exists():
		return "missing"
	case len(value.Raw) > enough:
		return value.Raw[:enough] + "…"
	default:
		return value.Raw
	}
}

// A format is a compiled CloudWatchMetrics array: which members of a line are
// read, and which series they go to.
type format struct {
	slots map[string]int // members of the line that are dimensions or metrics
	sets  []*formatSet
}

// A formatSet is one set of dimensions of one directive, with its metrics.
type formatSet struct {
	namespace  string
	dimensions []slot
	metrics    []slot

	mu     sync.RWMutex
	series map[string][]*Series // by the values of the dimensions
}

type slot struct {
	name  string
	index int
}

// formats keeps compiled formats by their text.
type formats struct {
	mu   sync.RWMutex
	text map[string]*format
}

// maxFormats bounds the formats that are kept; they start over when full.
const maxFormats = 256

func (f *formats) find(text string) (*format, error) {
	f.mu.RLock()
	found := f.text[text]
	f.mu.RUnlock()
	if found != nil {
		return found, nil
	}
	compiled, err := compileFormat(text)
	if err != nil {
		return nil, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.text == nil || len(f.text) >= maxFormats {
		f.text = map[string]*format{}
	}
	f.text[text] = compiled
	return compiled, nil
}

func compileFormat(text string) (*format, error) {
	directives := gjson.Parse(text)
	if !directives.IsArray() {
		return nil, fmt.Errorf("_aws.CloudWatchMetrics is %s, not a list", describe(directives))
	}
	f := &format{slots: map[string]int{}}
	for i, directive := range directives.Array() {
		if err := f.compile(directive); err != nil {
			return nil, fmt.Errorf("_aws.CloudWatchMetrics[%d]: %w", i, err)
		}
	}
	return f, nil
}

func (f *format) compile(directive gjson.Result) error {
	if !directive.IsObject() {
		return fmt.Errorf("it is %s, not an object", describe(directive))
	}
	namespace := directive.Get("Namespace")
	if namespace.Type != gjson.String || namespace.Str == "" {
		return fmt.Errorf("its Namespace is %s, not a name", describe(namespace))
	}
	metrics, err := f.metricSlots(directive.Get("Metrics"))
	if err != nil {
		return err
	}
	sets := directive.Get("Dimensions")
	if !sets.IsArray() {
		return fmt.Errorf("its Dimensions is %s, not a list of lists", describe(sets))
	}
	for _, set := range sets.Array() {
		if !set.IsArray() {
			return fmt.Errorf("its Dimensions has %s, not a list of names", describe(set))
		}
		names := set.Array()
		if len(names) > maxFormatDimensions {
			return fmt.Errorf("a set of %d dimensions is more than %d", len(names), maxFormatDimensions)
		}
		fs := &formatSet{namespace: namespace.Str, metrics: metrics, series: map[string][]*Series{}}
		for _, name := range names {
			if name.Type != gjson.String || name.Str == "" {
				return fmt.Errorf("its Dimensions has %s, not a name", describe(name))
			}
			fs.dimensions = append(fs.dimensions, f.slot(name.Str))
		}
		f.sets = append(f.sets, fs)
	}
	return nil
}

func (f *format) metricSlots(metrics gjson.Result) ([]slot, error) {
	if !metrics.IsArray() {
		return nil, fmt.Errorf("its Metrics is %s, not a list", describe(metrics))
	}
	var slots []slot
	for _, metric := range metrics.Array() {
		name := metric.Get("Name")
		if name.Type != gjson.String || name.Str == "" {
			return nil, fmt.Errorf("a metric's Name is %s, not a name", describe(name))
		}
		if resolution := metric.Get("StorageResolution"); resolution.Exists() && resolution.Num != 60 {
			return nil, fmt.Errorf("metric %s: StorageResolution %s is not supported, only 60", name.Str, describe(resolution))
		}
		slots = append(slots, f.slot(name.Str))
	}
	if len(slots) > maxFormatMetrics {
		return nil, fmt.Errorf("%d metrics are more than %d", len(slots), maxFormatMetrics)
	}
	return slots, nil
}

func (f *format) slot(name string) slot {
	index, known := f.slots[name]
	if !known {
		index = len(f.slots)
		f.slots[name] = index
	}
	return slot{name: name, index: index}
}

// record reads the members that the format names and adds them to their
// series. Everything is checked before anything is added.
func (s *Store) record(f *format, line string, at time.Time) error {
	var few [16]gjson.Result // enough for the functions' own lines, on the stack
	members := few[:]
	if len(f.slots) > len(few) {
		members = make([]gjson.Result, len(f.slots))
	}
	gjson.Parse(line).ForEach(func(key, value gjson.Result) bool {
		if i, wanted := f.slots[key.Str]; wanted {
			members[i] = value
		}
		return true
	})
	for _, set := range f.sets {
		if err := set.check(members); err != nil {
			return fmt.Errorf("embedded metrics of namespace %s: %w", set.namespace, err)
		}
	}
	for _, set := range f.sets {
		series, err := set.find(s, members)
		if err != nil {
			return err
		}
		for i, metric := range set.metrics {
			value := members[metric.index]
			if value.Type == gjson.Number {
				series[i].Add(at, value.Num)
				continue
			}
			value.ForEach(func(_, element gjson.Result) bool {
				series[i].Add(at, element.Num)
				return true
			})
		}
	}
	return nil
}

func (set *formatSet) check(members []gjson.Result) error {
	for _, dimension := range set.dimensions {
		value := members[dimension.index]
		if value.Type != gjson.String || value.Str == "" {
			return fmt.Errorf("dimension %s is %s, not a text", dimension.name, describe(value))
		}
		if len(value.Str) > maxDimensionValue {
			return fmt.Errorf("dimension %s is longer than %d characters", dimension.name, maxDimensionValue)
		}
	}
	for _, metric := range set.metrics {
		value := members[metric.index]
		switch {
		case value.Type == gjson.Number:
		case value.IsArray():
			if err := checkValues(metric.name, value.Array()); err != nil {
				return err
			}
		default:
			return fmt.Errorf("metric %s is %s, neither a number nor a list of numbers", metric.name, describe(value))
		}
	}
	return nil
}

func checkValues(metric string, values []gjson.Result) error {
	if len(values) > maxFormatValues {
		return fmt.Errorf("metric %s has %d values, more than %d", metric, len(values), maxFormatValues)
	}
	for _, value := range values {
		if value.Type != gjson.Number {
			return fmt.Errorf("metric %s has the value %s, not a number", metric, describe(value))
		}
	}
	return nil
}

// find looks up the series of the set's metrics under the line's dimensions.
func (set *formatSet) find(s *Store, members []gjson.Result) ([]*Series, error) {
	var scratch [256]byte
	key := scratch[:0]
	for _, dimension := range set.dimensions {
		value := members[dimension.index].Str
		key = binary.AppendUvarint(key, uint64(len(value)))
		key = append(key, value...)
	}
	set.mu.RLock()
	found := set.series[string(key)]
	set.mu.RUnlock()
	if found != nil {
		return found, nil
	}
	dimensions := make(map[string]string, len(set.dimensions))
	for _, dimension := range set.dimensions {
		dimensions[dimension.name] = members[dimension.index].Str
	}
	found = make([]*Series, 0, len(set.metrics))
	for _, metric := range set.metrics {
		series, err := s.find(set.namespace, metric.name, dimensions)
		if err != nil {
			return nil, err
		}
		found = append(found, series)
	}
	set.mu.Lock()
	defer set.mu.Unlock()
	set.series[string(key)] = found
	return found, nil
}

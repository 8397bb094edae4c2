package metrics

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
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
	maxDimensionValue   = 1024 // characters
)

// Ingest takes one line of a function's log. A line without a top-level _aws object is not a metric. A line with one
// that breaks the format is an error that says how, and nothing of it is kept.
//
// The line's metric directives are compiled once and cached by their text: a function writes the same few forms for
// every trade.
func (s *Store) Ingest(line []byte) error {
	if s == nil || !bytes.Contains(line, []byte(`"_aws"`)) {
		return nil
	}
	if !gjson.ValidBytes(line) {
		return errors.New("embedded metrics: the line is not JSON")
	}
	text := string(line)
	header := gjson.Get(text, "_aws")
	if !header.IsObject() {
		return nil
	}
	stamp := header.Get("Timestamp")
	if stamp.Type != gjson.Number || stamp.Num != math.Trunc(stamp.Num) || math.Abs(stamp.Num) > math.MaxInt64/2 {
		return fmt.Errorf("embedded metrics: _aws.Timestamp is %s, not a number of milliseconds", describe(stamp))
	}
	f, err := s.formats.find(header.Get("CloudWatchMetrics").Raw)
	if err != nil {
		return fmt.Errorf("embedded metrics: _aws.CloudWatchMetrics: %w", err)
	}
	return s.record(f, text, time.UnixMilli(int64(stamp.Num)))
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

// A format is a compiled CloudWatchMetrics array: which members of a line are read, and which series they go to.
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

// A slot is a member of the line to read, and its position among them.
type slot struct {
	name  string
	index int
}

// formats keeps compiled formats by their text.
type formats struct {
	mu   sync.RWMutex
	text map[string]*format
}

// maxFormats limits the cached formats; the cache starts over when full.
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
	var directives []struct {
		Namespace  string
		Dimensions [][]string
		Metrics    []struct {
			Name              string
			StorageResolution *int
		}
	}
	if text == "" {
		return nil, errors.New("it is missing")
	}
	if err := json.Unmarshal([]byte(text), &directives); err != nil {
		return nil, err
	}
	f := &format{slots: map[string]int{}}
	slotOf := func(member string) slot {
		index, known := f.slots[member]
		if !known {
			index = len(f.slots)
			f.slots[member] = index
		}
		return slot{member, index}
	}
	for _, directive := range directives {
		if directive.Namespace == "" || len(directive.Metrics) > maxFormatMetrics {
			return nil, fmt.Errorf("a directive has namespace %q and %d metrics, and needs a name and at most %d",
				directive.Namespace, len(directive.Metrics), maxFormatMetrics)
		}
		var metrics []slot
		for _, metric := range directive.Metrics {
			if metric.Name == "" || metric.StorageResolution != nil && *metric.StorageResolution != 60 {
				return nil, fmt.Errorf("metric %q: it needs a name, and no StorageResolution but 60 is supported", metric.Name)
			}
			metrics = append(metrics, slotOf(metric.Name))
		}
		for _, dimensions := range directive.Dimensions {
			if len(dimensions) > maxFormatDimensions {
				return nil, fmt.Errorf("a set of %d dimensions is more than %d", len(dimensions), maxFormatDimensions)
			}
			set := &formatSet{namespace: directive.Namespace, metrics: metrics, series: map[string][]*Series{}}
			for _, dimension := range dimensions {
				set.dimensions = append(set.dimensions, slotOf(dimension))
			}
			f.sets = append(f.sets, set)
		}
	}
	return f, nil
}

// record reads the members named by the format and adds them to their series. Everything is checked before anything is
// added.
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
			series[i].Add(at, members[metric.index].Num)
		}
	}
	return nil
}

func (set *formatSet) check(members []gjson.Result) error {
	for _, dimension := range set.dimensions {
		if value := members[dimension.index]; value.Type != gjson.String || value.Str == "" || len(value.Str) > maxDimensionValue {
			return fmt.Errorf("dimension %s is %s, not a text of at most %d characters", dimension.name, describe(value), maxDimensionValue)
		}
	}
	for _, metric := range set.metrics {
		if value := members[metric.index]; value.Type != gjson.Number {
			return fmt.Errorf("metric %s is %s, not a number", metric.name, describe(value))
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

package metrics

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"sync"
	"time"

	"trade-processing/lambdas/jsontext"
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
	if !json.Valid(line) {
		return errors.New("embedded metrics: the line is not JSON")
	}
	header := member(line, "_aws")
	if kindOf(header) != '{' {
		return nil
	}
	stamp := member(header, "Timestamp")
	milliseconds := number(stamp)
	if !isNumber(stamp) || milliseconds != math.Trunc(milliseconds) || math.Abs(milliseconds) > math.MaxInt64/2 {
		return fmt.Errorf("embedded metrics: _aws.Timestamp is %s, not a number of milliseconds", describe(stamp))
	}
	f, err := s.formats.find(member(header, "CloudWatchMetrics"))
	if err != nil {
		return fmt.Errorf("embedded metrics: _aws.CloudWatchMetrics: %w", err)
	}
	return s.record(f, line, time.UnixMilli(int64(milliseconds)))
}

// member returns an object's first member of a name, as it is written; nil if there is none.
func member(object []byte, name string) []byte {
	for other, value := range jsontext.Members(object) {
		if string(other) == name {
			return value
		}
	}
	return nil
}

// kindOf returns a value's first byte; 0 if there is none.
func kindOf(value []byte) byte {
	if len(value) == 0 {
		return 0
	}
	return value[0]
}

func isNumber(value []byte) bool {
	kind := kindOf(value)
	return kind == '-' || '0' <= kind && kind <= '9'
}

// number reads a number; it is infinite if it is too large.
func number(value []byte) float64 {
	n, _ := strconv.ParseFloat(string(value), 64)
	return n
}

// textOf reads a text; false if the value is another.
func textOf(value []byte) (text string, ok bool) {
	if kindOf(value) != '"' {
		return "", false
	}
	text, err := jsontext.Text(value)
	return text, err == nil
}

// describe quotes the beginning of a JSON value for a message.
func describe(value []byte) string {
	const enough = 40
	switch {
	case value == nil:
		return "missing"
	case len(value) > enough:
		return string(value[:enough]) + "…"
	default:
		return string(value)
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

func (f *formats) find(text []byte) (*format, error) {
	f.mu.RLock()
	found := f.text[string(text)]
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
	f.text[string(text)] = compiled
	return compiled, nil
}

func compileFormat(text []byte) (*format, error) {
	var directives []struct {
		Namespace  string
		Dimensions [][]string
		Metrics    []struct {
			Name              string
			StorageResolution *int
		}
	}
	if text == nil {
		return nil, errors.New("it is missing")
	}
	if err := json.Unmarshal(text, &directives); err != nil {
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
func (s *Store) record(f *format, line []byte, at time.Time) error {
	var few [16][]byte // enough for the functions' own lines, on the stack
	members := few[:]
	if len(f.slots) > len(few) {
		members = make([][]byte, len(f.slots))
	}
	for name, value := range jsontext.Members(line) {
		if i, wanted := f.slots[string(name)]; wanted {
			members[i] = value
		}
	}
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
			series[i].Add(at, number(members[metric.index]))
		}
	}
	return nil
}

func (set *formatSet) check(members [][]byte) error {
	for _, dimension := range set.dimensions {
		value := members[dimension.index]
		if kindOf(value) == '"' && len(`""`) < len(value) && len(value) <= len(`""`)+maxDimensionValue {
			continue // however it is written
		}
		if text, ok := textOf(value); !ok || text == "" || len(text) > maxDimensionValue {
			return fmt.Errorf("dimension %s is %s, not a text of at most %d characters", dimension.name, describe(value), maxDimensionValue)
		}
	}
	for _, metric := range set.metrics {
		if value := members[metric.index]; !isNumber(value) {
			return fmt.Errorf("metric %s is %s, not a number", metric.name, describe(value))
		}
	}
	return nil
}

// find looks up the series of the set's metrics under the line's dimensions.
func (set *formatSet) find(s *Store, members [][]byte) ([]*Series, error) {
	var scratch [256]byte
	key := scratch[:0]
	for _, dimension := range set.dimensions {
		key = append(key, members[dimension.index]...) // with its quotation marks, so that no two sets have one key
	}
	set.mu.RLock()
	found := set.series[string(key)]
	set.mu.RUnlock()
	if found != nil {
		return found, nil
	}
	dimensions := make(map[string]string, len(set.dimensions))
	for _, dimension := range set.dimensions {
		dimensions[dimension.name], _ = textOf(members[dimension.index])
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

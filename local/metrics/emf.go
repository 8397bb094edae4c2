package metrics

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
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

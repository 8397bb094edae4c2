package metrics

import (
	"fmt"
	"sync"

	"github.com/tidwall/gjson"
)

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

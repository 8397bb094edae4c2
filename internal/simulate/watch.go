package simulate

import (
	"fmt"
	"strings"
	"time"

	"trade-processing/local/clock"
	"trade-processing/local/metrics"
)

// watch evaluates the alarms on metrics that a simulation has.
type watch struct {
	store  *metrics.Store
	alarms *metrics.Alarms
	clock  *clock.Virtual
	known  map[string]bool
}

func newWatch() *watch {
	v := &watch{store: metrics.NewStore(), clock: clock.NewVirtual(begin), known: map[string]bool{}}
	v.alarms = metrics.NewAlarms(v.store, v.clock)
	return v
}

func (v *watch) series(namespace, metric string, dimensions map[string]string) *metrics.Series {
	v.known[fmt.Sprint(namespace, metric, dimensions)] = true
	return v.store.Series(namespace, metric, dimensions)
}

// on returns the series that an alarm on a metric of something looks at; nil, which takes no values, if there is none.
func (v *watch) on(alarms []metrics.Alarm, metric, of string) *metrics.Series {
	for _, alarm := range alarms {
		for _, value := range alarm.Dimensions {
			if alarm.Metric == metric && strings.HasSuffix(value, of) {
				return v.series(alarm.Namespace, metric, alarm.Dimensions)
			}
		}
	}
	return nil
}

func (v *watch) gauge(metric, queue string, read func() float64) {
	dimensions := map[string]string{"QueueName": queue}
	v.known[fmt.Sprint("AWS/SQS", metric, dimensions)] = true
	v.store.Gauge("AWS/SQS", metric, dimensions, func(time.Time) float64 { return read() })
}

func (v *watch) watch(alarms []metrics.Alarm) error {
	for _, alarm := range alarms {
		if !v.known[fmt.Sprint(alarm.Namespace, alarm.Metric, alarm.Dimensions)] {
			continue
		}
		if err := v.alarms.Put(alarm); err != nil {
			return err
		}
	}
	return nil
}

func (v *watch) evaluate(now time.Time) {
	v.clock.Advance(now.Sub(v.clock.Now()))
	v.alarms.Evaluate()
}

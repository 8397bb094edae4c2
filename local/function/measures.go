package function

import (
	"time"

	"trade-processing/local/metrics"
)

// namespace is that of Lambda's metrics.
const namespace = "AWS/Lambda"

// measures are a function's metrics, all with the dimension FunctionName. Duration is in milliseconds.
type measures struct {
	invocations, errors, throttles, duration, concurrent *metrics.Series
}

func newMeasures(store *metrics.Store, name string) measures {
	store.Declare(namespace, "ConcurrentExecutions", "Duration", "Errors", "Invocations", "Throttles")
	series := func(metric string) *metrics.Series {
		return store.Series(namespace, metric, map[string]string{"FunctionName": name})
	}
	return measures{
		invocations: series("Invocations"), errors: series("Errors"), throttles: series("Throttles"),
		duration: series("Duration"), concurrent: series("ConcurrentExecutions"),
	}
}

// entered counts an incoming call. A throttled one is not an invocation.
func (m measures) entered(now time.Time, a admission) {
	if a.refusal != "" {
		m.throttles.Add(now, 1)
		return
	}
	m.throttles.Add(now, 0)
	m.invocations.Add(now, 1)
	m.concurrent.Add(now, float64(a.running))
}

// left counts the end of an invocation.
func (m measures) left(now, started time.Time, err error) {
	m.duration.Add(now, float64(now.Sub(started).Nanoseconds())/1e6)
	if err != nil {
		m.errors.Add(now, 1)
	} else {
		m.errors.Add(now, 0)
	}
}

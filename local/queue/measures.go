package queue

import (
	"time"

	"trade-processing/local/metrics"
)

// namespace is that of SQS's metrics.
const namespace = "AWS/SQS"

// measures are a queue's metrics, all with the dimension QueueName: what happens is counted, what is there is sampled
// when alarms are evaluated. Ages are in seconds, sizes in bytes.
type measures struct {
	sent, sentSize, received, deleted *metrics.Series
	gauges                            []func() // each ends one
}

func newMeasures(store *metrics.Store, q *Queue) measures {
	store.Declare(namespace, "ApproximateAgeOfOldestMessage", "ApproximateNumberOfMessagesDelayed",
		"ApproximateNumberOfMessagesNotVisible", "ApproximateNumberOfMessagesVisible",
		"NumberOfMessagesDeleted", "NumberOfMessagesReceived", "NumberOfMessagesSent", "SentMessageSize")
	dimensions := map[string]string{"QueueName": q.def.Name}
	series := func(name string) *metrics.Series { return store.Series(namespace, name, dimensions) }
	m := measures{
		sent: series("NumberOfMessagesSent"), sentSize: series("SentMessageSize"),
		received: series("NumberOfMessagesReceived"), deleted: series("NumberOfMessagesDeleted"),
	}
	for name, read := range map[string]func(State) float64{
		"ApproximateNumberOfMessagesVisible":    func(s State) float64 { return float64(s.Visible) },
		"ApproximateNumberOfMessagesNotVisible": func(s State) float64 { return float64(s.InFlight) },
		"ApproximateNumberOfMessagesDelayed":    func(s State) float64 { return float64(s.Delayed) },
		"ApproximateAgeOfOldestMessage":         func(s State) float64 { return s.Oldest.Seconds() },
	} {
		m.gauges = append(m.gauges, store.Gauge(namespace, name, dimensions, func(now time.Time) float64 { return read(q.state(now)) }))
	}
	return m
}

func (m measures) remove() {
	for _, end := range m.gauges {
		end()
	}
}

package table

import (
	"time"

	"trade-processing/local/metrics"
)

// namespace is that of DynamoDB's metrics.
const namespace = "AWS/DynamoDB"

// measures are a table's metrics, all with the dimension TableName. ThrottledRequests and SystemErrors have Operation
// too, ReplicationLatency, in milliseconds, has ReceivingRegion. Like DynamoDB's own they have no data as long as
// nothing happens.
type measures struct {
	store  *metrics.Store
	table  string
	checks *metrics.Series // failed conditions: the duplicates of a busy table
}

func newMeasures(store *metrics.Store, def Definition) measures {
	store.Declare(namespace, "ConditionalCheckFailedRequests", "ReadThrottleEvents", "ReplicationLatency",
		"SystemErrors", "ThrottledRequests", "WriteThrottleEvents")
	return measures{
		store: store, table: def.Name,
		checks: store.Series(namespace, "ConditionalCheckFailedRequests", map[string]string{"TableName": def.Name}),
	}
}

// failed counts an error under the metric that DynamoDB has for it.
func (m measures) failed(now time.Time, operation string, err error) {
	switch errorCode(err) {
	case "ConditionalCheckFailedException":
		m.checks.Add(now, 1)
	case "ProvisionedThroughputExceededException", "ThrottlingException", "RequestLimitExceeded":
		m.count(now, "ThrottledRequests", operation)
		event := "ReadThrottleEvents"
		if operation == "PutItem" {
			event = "WriteThrottleEvents"
		}
		m.store.Series(namespace, event, map[string]string{"TableName": m.table}).Add(now, 1)
	case "InternalServerError":
		m.count(now, "SystemErrors", operation)
	}
}

func (m measures) count(now time.Time, metric, operation string) {
	m.store.Series(namespace, metric, map[string]string{"TableName": m.table, "Operation": operation}).Add(now, 1)
}

// latency finds the series of the time that writes take to another replica, which the sending region keeps.
func (m measures) latency(receiver string) *metrics.Series {
	return m.store.Series(namespace, "ReplicationLatency", map[string]string{"TableName": m.table, "ReceivingRegion": receiver})
}

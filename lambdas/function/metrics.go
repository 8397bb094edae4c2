package function

import (
	"encoding/json"
	"log/slog"
	"strconv"
	"time"

	"trade-processing/lambdas/jsontext"
)

// unitMilliseconds is the one unit that the functions name. A count has none, as none is needed: each line would be longer.
const unitMilliseconds = "Milliseconds"

type metric struct {
	name, unit string
	value      int64
}

// measure sets a metric. The last value of a name counts, because a line has each metric only once.
func (c *Call) measure(name, unit string, value int64) {
	for i := range c.metrics {
		if c.metrics[i].name == name {
			c.metrics[i].value = value
			return
		}
	}
	if c.metrics == nil {
		c.metrics = make([]metric, 0, 4) // enough for most lines
	}
	c.metrics = append(c.metrics, metric{name, unit, value})
}

// appendLine writes the one line of the invocation, with its metrics in CloudWatch's embedded metric format
// (https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html).
// CloudWatch Logs extracts the metrics from it, so there is no call to a metrics API on the hot path. The line carries
// the same ids as every log line, and the properties.
//
// It is built by hand: through a map and encoding/json it would cost more than the whole validation of a trade.
func (c *Call) appendLine(b []byte, now time.Time, level slog.Level, message string) []byte {
	b = append(b, `{"timestamp":"`...)
	b = append(now.UTC().AppendFormat(b, timeFormat), '"')
	b = appendField(b, "level", level.String())
	b = appendField(b, "msg", message)
	if len(c.metrics) > 0 {
		b = c.appendDirective(b, now)
	}
	b = appendField(b, "Environment", c.settings.stack)
	b = appendField(b, "Function", c.settings.function)
	b = appendField(b, "tradeId", c.tradeID())
	b = appendField(b, "eventId", c.request.Event.ID)
	b = appendField(b, "executionArn", c.request.ExecutionARN)
	b = appendField(b, "traceId", c.TraceID)
	for _, m := range c.metrics {
		b = appendName(b, m.name)
		b = strconv.AppendInt(b, m.value, 10)
	}
	for _, p := range c.properties {
		b = appendName(b, p.Key)
		b = appendJSON(b, p.Value.Any())
	}
	return append(b, '}', '\n')
}

// appendDirective writes what tells CloudWatch which of the line's members are metrics.
func (c *Call) appendDirective(b []byte, now time.Time) []byte {
	b = append(b, `,"_aws":{"Timestamp":`...)
	b = strconv.AppendInt(b, now.UnixMilli(), 10)
	b = append(b, `,"CloudWatchMetrics":[{"Namespace":`...)
	b = jsontext.AppendString(b, c.settings.namespace)
	b = append(b, `,"Dimensions":[["Environment","Function"]],"Metrics":[`...)
	for i, m := range c.metrics {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, `{"Name":`...)
		b = jsontext.AppendString(b, m.name)
		if m.unit != "" {
			b = append(b, `,"Unit":"`...)
			b = append(append(b, m.unit...), '"')
		}
		b = append(b, '}')
	}
	return append(b, `]}]}`...)
}

// appendField writes a member that is a string, as nearly all are, without making it an interface first.
func appendField(b []byte, name, text string) []byte {
	return jsontext.AppendString(appendName(b, name), text)
}

func appendName(b []byte, name string) []byte {
	return append(jsontext.AppendString(append(b, ','), name), ':')
}

// appendJSON writes a property. A value that JSON can't represent is written as the resulting error: a metrics line must
// never fail a trade.
func appendJSON(b []byte, value any) []byte {
	if text, ok := value.(string); ok {
		return jsontext.AppendString(b, text)
	}
	encoded, err := json.Marshal(value)
	if err != nil {
		return jsontext.AppendString(b, err.Error())
	}
	return append(b, encoded...)
}

package endpoint

import (
	"context"
	"strings"

	"github.com/aws/smithy-go/encoding/cbor"

	"trade-processing/local/awsapi"
)

const (
	metricAlarmType    = "aws:cloudwatch/metricAlarm:MetricAlarm"
	compositeAlarmType = "aws:cloudwatch/compositeAlarm:CompositeAlarm"
)

// describeAlarms lists alarms with their current state.
func describeAlarms(e *Endpoint, _ context.Context, region string, body []byte) (any, error) {
	asked, err := cbor.Decode(body)
	if err != nil {
		return nil, awsapi.Error("SerializationException", "%v", err)
	}
	given, _ := asked.(cbor.Map)
	types := map[string]bool{"MetricAlarm": true} // what AWS lists by default
	prefix := cbor.String("")
	for name, value := range given {
		switch name {
		case "AlarmNamePrefix":
			prefix, _ = value.(cbor.String)
		case "AlarmTypes":
			types = map[string]bool{}
			listed, _ := value.(cbor.List)
			for _, one := range listed {
				if name, ok := one.(cbor.String); ok {
					types[string(name)] = true
				}
			}
		default:
			return nil, awsapi.Error("ValidationError", "%s of DescribeAlarms is not supported here", name)
		}
	}
	e.cloud.EvaluateAlarms()
	isMetric := map[string]bool{}
	for _, r := range e.cloud.Resources() {
		if r.Region == region && (r.Type == metricAlarmType || r.Type == compositeAlarmType) {
			isMetric[r.ID] = r.Type == metricAlarmType
		}
	}
	metric, composite := cbor.List{}, cbor.List{}
	for _, status := range e.cloud.AlarmStatus(region) {
		alarm := cbor.Map{
			"AlarmName": cbor.String(status.Alarm), "StateValue": cbor.String(status.State), "StateReason": cbor.String(status.Reason),
		}
		switch {
		case !strings.HasPrefix(status.Alarm, string(prefix)):
		case isMetric[status.Alarm] && types["MetricAlarm"]:
			metric = append(metric, alarm)
		case !isMetric[status.Alarm] && types["CompositeAlarm"]:
			composite = append(composite, alarm)
		}
	}
	return cbor.Map{"MetricAlarms": metric, "CompositeAlarms": composite}, nil
}

package endpoint

import (
	"context"
	"slices"
	"strings"

	"trade-processing/local/awsapi"
)

const (
	metricAlarmType    = "aws:cloudwatch/metricAlarm:MetricAlarm"
	compositeAlarmType = "aws:cloudwatch/compositeAlarm:CompositeAlarm"
)

var alarmOperations = map[string]operation{
	"DescribeAlarms": serve((*Endpoint).describeAlarms),
	"GetMetricData":  serve((*Endpoint).getMetricData),
}

type describeAlarmsInput struct {
	AlarmNamePrefix string
	AlarmNames      []string
	AlarmTypes      []string
	StateValue      string
}

// describeAlarms lists alarms with their current state, all on one page.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_DescribeAlarms.html
func (e *Endpoint) describeAlarms(_ context.Context, region string, in describeAlarmsInput) (any, error) {
	if in.AlarmNamePrefix != "" && len(in.AlarmNames) > 0 {
		return nil, awsapi.Error("ValidationError", "AlarmNamePrefix and AlarmNames can't be given together")
	}
	if len(in.AlarmTypes) == 0 {
		in.AlarmTypes = []string{"MetricAlarm"} // what AWS lists by default
	}
	e.cloud.EvaluateAlarms()
	answer := object{"MetricAlarms": []any{}, "CompositeAlarms": []any{}}
	for _, status := range e.cloud.AlarmStatus(region) {
		kind := "MetricAlarm"
		declared, found := e.cloud.Read(metricAlarmType, region, status.Alarm)
		if !found {
			kind = "CompositeAlarm"
			declared, found = e.cloud.Read(compositeAlarmType, region, status.Alarm)
		}
		if !found || !slices.Contains(in.AlarmTypes, kind) || !strings.HasPrefix(status.Alarm, in.AlarmNamePrefix) ||
			len(in.AlarmNames) > 0 && !slices.Contains(in.AlarmNames, status.Alarm) ||
			in.StateValue != "" && in.StateValue != string(status.State) {
			continue
		}
		alarm := object{
			"AlarmName": status.Alarm, "StateValue": string(status.State), "StateReason": status.Reason, "AlarmArn": declared.Outputs["arn"],
			"AlarmDescription": declared.Inputs["alarmDescription"], "AlarmActions": declared.Inputs["alarmActions"],
		}
		answer[kind+"s"] = append(answer[kind+"s"].([]any), alarm)
	}
	return answer, nil
}

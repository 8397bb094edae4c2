package endpoint

import (
	"context"
	"slices"
	"strings"
	"time"

	"trade-processing/local/awsapi"
	"trade-processing/local/cloud"
	"trade-processing/local/metrics"
)

var alarmOperations = map[string]operation{
	"DescribeAlarms": serve((*Endpoint).describeAlarms),
	"GetMetricData":  serve((*Endpoint).getMetricData),
	"ListMetrics":    serve((*Endpoint).listMetrics), "DescribeAlarmHistory": serve((*Endpoint).describeAlarmHistory), "SetAlarmState": serve((*Endpoint).setAlarmState),
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
		declared, found := e.cloud.Read(cloud.MetricAlarmType, region, status.Alarm)
		if !found {
			kind = "CompositeAlarm"
			declared, found = e.cloud.Read(cloud.CompositeAlarmType, region, status.Alarm)
		}
		if !found || !slices.Contains(in.AlarmTypes, kind) || !strings.HasPrefix(status.Alarm, in.AlarmNamePrefix) ||
			len(in.AlarmNames) > 0 && !slices.Contains(in.AlarmNames, status.Alarm) ||
			in.StateValue != "" && in.StateValue != string(status.State) {
			continue
		}
		since := status.Since
		if since.IsZero() {
			since = e.began
		}
		alarm := object{
			"StateUpdatedTimestamp": moment(since), "StateTransitionedTimestamp": moment(since), "ActionsEnabled": true,
			"AlarmName": status.Alarm, "StateValue": string(status.State), "StateReason": status.Reason, "AlarmArn": declared.Outputs["arn"],
			"AlarmDescription": declared.Inputs["alarmDescription"], "AlarmActions": declared.Inputs["alarmActions"],
		}
		answer[kind+"s"] = append(answer[kind+"s"].([]any), alarm)
	}
	return answer, nil
}

// setAlarmState serves https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_SetAlarmState.html
func (e *Endpoint) setAlarmState(_ context.Context, region string, in struct{ AlarmName, StateValue, StateReason string }) (any, error) {
	switch metrics.State(in.StateValue) {
	case metrics.OK, metrics.Alarming, metrics.InsufficientData:
	default:
		return nil, awsapi.Error("ValidationError", "StateValue is %q; it is OK, ALARM or INSUFFICIENT_DATA", in.StateValue)
	}
	if !e.cloud.SetAlarm(region, in.AlarmName, metrics.State(in.StateValue), in.StateReason) {
		return nil, awsapi.Error("ResourceNotFound", "There is no alarm %s", in.AlarmName)
	}
	return object{}, nil
}

// describeAlarmHistory lists the changes into ALARM since the local cloud began, the newest first; others aren't kept.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_DescribeAlarmHistory.html
func (e *Endpoint) describeAlarmHistory(_ context.Context, region string, in struct {
	AlarmName, HistoryItemType, ScanBy, NextToken string
	AlarmTypes                                    []string
	StartDate, EndDate                            *moment
	MaxRecords                                    int
}) (any, error) {
	changes := slices.DeleteFunc(e.cloud.AlarmChanges(region), func(change metrics.Change) bool {
		return in.AlarmName != "" && change.Alarm != in.AlarmName || in.HistoryItemType != "" && in.HistoryItemType != "StateUpdate" ||
			in.StartDate != nil && change.At.Before(time.Time(*in.StartDate)) || in.EndDate != nil && !change.At.Before(time.Time(*in.EndDate))
	})
	if in.ScanBy != "TimestampAscending" {
		slices.Reverse(changes)
	}
	name := func(change metrics.Change) string { return change.Alarm + change.At.String() }
	found, next, err := page(changes, name, in.NextToken, in.MaxRecords, 100, 100)
	if err != nil {
		return nil, err
	}
	var listed []any
	for _, change := range found {
		kind := "MetricAlarm"
		if _, metric := e.cloud.Read(cloud.MetricAlarmType, region, change.Alarm); !metric {
			kind = "CompositeAlarm"
		}
		listed = append(listed, object{
			"AlarmName": change.Alarm, "AlarmType": kind, "Timestamp": moment(change.At), "HistoryItemType": "StateUpdate",
			"HistorySummary": "Alarm updated to ALARM: " + change.Reason,
		})
	}
	return paged("AlarmHistoryItems", listed, "NextToken", next), nil
}

package operate

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	alarmtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	tabletypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/sfn"

	"trade-processing/lambdas/function"
	"trade-processing/lambdas/recorder"
)

// Status is how a stack is doing.
type Status struct {
	Environment string    `json:"environment"`
	Region      string    `json:"region"`
	Since       time.Time `json:"since"` // what is counted happened from here to Until
	Until       time.Time `json:"until"`

	Sources  []SourceFlow `json:"sources"`
	Outcomes []Count      `json:"outcomes"`

	// Latency is from an event to its record, in the last minutes that had any.
	Latency []Count `json:"latencyMilliseconds"`

	Alarms     []Alarm        `json:"alarms"` // those that aren't OK first
	Queues     []QueueState   `json:"queues"`
	Replicas   []ReplicaState `json:"replicas"`
	Deployment Deployment     `json:"deployment"`
}

// SourceFlow is what came from a source system.
type SourceFlow struct {
	Source string  `json:"source"`
	Events float64 `json:"events"`        // for which the workflow was started
	Failed float64 `json:"undeliverable"` // for which it could not be started
}

// Count is a number of something.
type Count struct {
	Name  string  `json:"name"`
	Value float64 `json:"value"`
}

// Alarm is an alarm of the stack.
type Alarm struct {
	Name   string    `json:"name"` // without the stack's prefix
	State  string    `json:"state"`
	Since  time.Time `json:"since"`
	Reason string    `json:"reason"`
	About  string    `json:"-"` // what it means
	Pages  bool      `json:"-"` // it pages somebody
}

// ReplicaState is a replica of the table, or the table itself if it is missing.
type ReplicaState struct {
	Region string `json:"region"`
	Status string `json:"status"`
	// LagMilliseconds is how far it was behind when something was last replicated; nil: nothing was, in the window.
	LagMilliseconds *float64 `json:"lagMilliseconds"`
}

// Deployment is the version of the workflow that new events start, and of the functions that it calls.
type Deployment struct {
	Versions  []string           `json:"workflowVersions"` // two while a deployment shifts
	At        time.Time          `json:"at"`               // of the workflow's
	Functions []DeployedFunction `json:"functions"`
}

// DeployedFunction is the version of a function that its alias leads to.
type DeployedFunction struct {
	Name    string    `json:"name"`
	Version string    `json:"version"`
	At      time.Time `json:"at"`
}

// Status queries everything at once.
func (s *Stack) Status(ctx context.Context, window time.Duration) (*Status, error) {
	now := time.Now().UTC()
	found := &Status{Environment: s.Outputs.Environment, Region: s.Outputs.Region, Since: now.Add(-window), Until: now}
	asked := []func(context.Context, *Status) error{s.measureFlow, s.measureLatency, s.findAlarms, s.findReplicas, s.findWorkflow, s.findFunctions,
		func(ctx context.Context, status *Status) (err error) {
			status.Queues, err = s.LetterStates(ctx)
			return err
		},
	}
	problems := make([]error, len(asked))
	var asking sync.WaitGroup
	for i, ask := range asked {
		asking.Go(func() { problems[i] = ask(ctx, found) })
	}
	asking.Wait()
	if err := distinct(problems...); err != nil {
		return nil, err
	}
	return found, nil
}

func (s *Stack) recorderMetric(name, statistic string) Metric {
	return Metric{
		Namespace: function.MetricsNamespace, Name: name, Statistic: statistic,
		Dimensions: map[string]string{"Environment": s.Outputs.Environment, "Function": recorder.Name},
	}
}

// ruleMetric is a metric of a source's rule. https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-monitoring.html
func (s *Stack) ruleMetric(source, name string) Metric {
	dimensions := map[string]string{"RuleName": s.Outputs.Prefix() + "from-" + source}
	if s.Outputs.EventBusName != "default" {
		dimensions["EventBusName"] = s.Outputs.EventBusName
	}
	return Metric{Namespace: "AWS/Events", Name: name, Dimensions: dimensions, Statistic: "Sum"}
}

func (s *Stack) measureFlow(ctx context.Context, status *Status) error {
	var metrics []Metric
	for _, source := range s.Outputs.Sources() {
		metrics = append(metrics, s.ruleMetric(source, "Invocations"), s.ruleMetric(source, "FailedInvocations"))
	}
	outcomes := []struct{ shown, metric, statistic string }{
		{"recorded", recorder.EndToEndLatency, "SampleCount"}, {"rejected", recorder.TradesRejected, "Sum"},
		{"duplicates", recorder.DuplicateTrades, "Sum"}, {"rejected again", recorder.DuplicateRejections, "Sum"},
		{"conflicts", recorder.TradeConflicts, "Sum"},
	}
	for _, outcome := range outcomes {
		metrics = append(metrics, s.recorderMetric(outcome.metric, outcome.statistic))
	}
	for _, name := range []string{"ExecutionsFailed", "ExecutionsTimedOut", "ExecutionsAborted"} {
		metrics = append(metrics, Metric{Namespace: "AWS/States", Name: name, Dimensions: map[string]string{"StateMachineArn": s.Outputs.StateMachineARN}, Statistic: "Sum"})
	}
	all, err := s.Measure(ctx, Window{From: status.Since, To: status.Until, Period: time.Minute}, metrics)
	if err != nil {
		return err
	}
	for i, source := range s.Outputs.Sources() {
		status.Sources = append(status.Sources, SourceFlow{Source: source, Events: all[2*i].Sum(), Failed: all[2*i+1].Sum()})
	}
	all = all[2*len(status.Sources):]
	for i, outcome := range outcomes {
		status.Outcomes = append(status.Outcomes, Count{outcome.shown, all[i].Sum()})
	}
	for i, shown := range []string{"failed executions", "timed-out executions", "aborted executions"} {
		status.Outcomes = append(status.Outcomes, Count{shown, all[len(outcomes)+i].Sum()})
	}
	return nil
}

func (s *Stack) measureLatency(ctx context.Context, status *Status) error {
	percentiles := []string{"p50", "p95", "p99"}
	var metrics []Metric
	for _, percentile := range percentiles {
		metrics = append(metrics, s.recorderMetric(recorder.EndToEndLatency, percentile))
	}
	all, err := s.Measure(ctx, Window{From: status.Since, To: status.Until, Period: 5 * time.Minute}, metrics)
	if err != nil {
		return err
	}
	for i, percentile := range percentiles {
		if last := len(all[i].Values) - 1; last >= 0 {
			status.Latency = append(status.Latency, Count{percentile, all[i].Values[last]})
		}
	}
	return nil
}

func (s *Stack) findAlarms(ctx context.Context, status *Status) (err error) {
	status.Alarms, err = s.Alarms(ctx)
	return err
}

// Alarms lists the stack's alarms: those that ring first, those that are OK last.
func (s *Stack) Alarms(ctx context.Context) ([]Alarm, error) {
	pages := cloudwatch.NewDescribeAlarmsPaginator(s.CloudWatch(), &cloudwatch.DescribeAlarmsInput{
		AlarmNamePrefix: aws.String(s.Outputs.Prefix()), AlarmTypes: []alarmtypes.AlarmType{alarmtypes.AlarmTypeMetricAlarm, alarmtypes.AlarmTypeCompositeAlarm},
	})
	var alarms []Alarm
	note := func(name, reason, about *string, state alarmtypes.StateValue, since *time.Time, pages bool) {
		alarms = append(alarms, Alarm{
			Name: strings.TrimPrefix(aws.ToString(name), s.Outputs.Prefix()), State: string(state), Since: aws.ToTime(since).UTC(),
			Reason: aws.ToString(reason), About: aws.ToString(about), Pages: pages,
		})
	}
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("looking at the alarms %s*: %w", s.Outputs.Prefix(), err)
		}
		for _, alarm := range page.MetricAlarms {
			note(alarm.AlarmName, alarm.StateReason, alarm.AlarmDescription, alarm.StateValue, alarm.StateUpdatedTimestamp, false)
		}
		for _, alarm := range page.CompositeAlarms {
			note(alarm.AlarmName, alarm.StateReason, alarm.AlarmDescription, alarm.StateValue, alarm.StateUpdatedTimestamp, true)
		}
	}
	order := map[string]int{"ALARM": 0, "INSUFFICIENT_DATA": 1, "OK": 2}
	slices.SortFunc(alarms, func(a, b Alarm) int { return cmp.Or(order[a.State]-order[b.State], strings.Compare(a.Name, b.Name)) })
	return alarms, nil
}

func (s *Stack) findReplicas(ctx context.Context, status *Status) error {
	if len(s.Outputs.ReplicaRegions) == 0 {
		return nil
	}
	told, err := s.DynamoDB().DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: &s.Outputs.TradeTableName})
	if _, gone := errors.AsType[*tabletypes.ResourceNotFoundException](err); gone {
		// Whoever lost the table needs the rest more than ever.
		status.Replicas = []ReplicaState{{Region: s.Outputs.Region, Status: "MISSING"}}
		for _, region := range s.Outputs.ReplicaRegions {
			status.Replicas = append(status.Replicas, ReplicaState{Region: region, Status: "UNKNOWN"})
		}
		return nil
	}
	if err == nil && told.Table == nil {
		err = errNoAnswer
	}
	if err != nil {
		return fmt.Errorf("looking at the table %s: %w", s.Outputs.TradeTableName, err)
	}
	known := map[string]string{}
	for _, replica := range told.Table.Replicas {
		known[aws.ToString(replica.RegionName)] = string(replica.ReplicaStatus)
	}
	var metrics []Metric
	for _, region := range s.Outputs.ReplicaRegions {
		metrics = append(metrics, Metric{
			Namespace: "AWS/DynamoDB", Name: "ReplicationLatency", Statistic: "Average",
			Dimensions: map[string]string{"TableName": s.Outputs.TradeTableName, "ReceivingRegion": region},
		})
	}
	all, err := s.Measure(ctx, Window{From: status.Since, To: status.Until, Period: time.Minute}, metrics)
	if err != nil {
		return err
	}
	for i, region := range s.Outputs.ReplicaRegions {
		replica := ReplicaState{Region: region, Status: cmp.Or(known[region], "MISSING")}
		if last := len(all[i].Values) - 1; last >= 0 {
			replica.LagMilliseconds = &all[i].Values[last]
		}
		status.Replicas = append(status.Replicas, replica)
	}
	return nil
}

func (s *Stack) findWorkflow(ctx context.Context, status *Status) error {
	if s.Outputs.StateMachineAliasARN == "" {
		return nil // an earlier program didn't export it
	}
	told, err := s.SFN().DescribeStateMachineAlias(ctx, &sfn.DescribeStateMachineAliasInput{StateMachineAliasArn: &s.Outputs.StateMachineAliasARN})
	if err != nil {
		return fmt.Errorf("looking at the alias %s: %w", s.Outputs.StateMachineAliasARN, err)
	}
	status.Deployment.At = aws.ToTime(told.UpdateDate).UTC()
	for _, route := range told.RoutingConfiguration {
		version := aws.ToString(route.StateMachineVersionArn)
		status.Deployment.Versions = append(status.Deployment.Versions, version[strings.LastIndex(version, ":")+1:])
	}
	return nil
}

// modified is how Lambda writes times. https://docs.aws.amazon.com/lambda/latest/api/API_GetFunctionConfiguration.html
const modified = "2006-01-02T15:04:05.000-0700"

func (s *Stack) findFunctions(ctx context.Context, status *Status) error {
	client := s.Lambda()
	for _, name := range slices.Sorted(maps.Keys(s.Outputs.FunctionAliases)) {
		function, alias := s.Outputs.FunctionNames[name], s.Outputs.FunctionAliases[name]
		told, err := client.GetFunctionConfiguration(ctx, &lambda.GetFunctionConfigurationInput{FunctionName: &function, Qualifier: &alias})
		if err != nil {
			return fmt.Errorf("looking at the function %s: %w", function, err)
		}
		at, err := time.Parse(modified, aws.ToString(told.LastModified))
		if err != nil {
			return fmt.Errorf("looking at the function %s: %w", function, errNoAnswer)
		}
		status.Deployment.Functions = append(status.Deployment.Functions, DeployedFunction{name, aws.ToString(told.Version), at.UTC()})
	}
	return nil
}

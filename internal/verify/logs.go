package verify

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sfn/types"
	"github.com/aws/aws-sdk-go-v2/service/xray"

	"trade-processing/internal/terminal"
)

// logLines returns the lines of a log group since the verification began that match a filter pattern.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html
func (v *verification) logLines(ctx context.Context, group, pattern string) ([]string, error) {
	var lines []string
	pages := cloudwatchlogs.NewFilterLogEventsPaginator(v.clients.logs, &cloudwatchlogs.FilterLogEventsInput{
		LogGroupName: aws.String(group), FilterPattern: aws.String(pattern), StartTime: aws.Int64(v.began.Add(-skewAllowed).UnixMilli()),
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("reading the log group %s: %w", group, err)
		}
		for _, event := range page.Events {
			lines = append(lines, aws.ToString(event.Message))
		}
	}
	return lines, nil
}

// readLogs checks that the state machine logs what it is set to log: every execution at level ALL, the failed ones at
// level ERROR, such as the malformed trade's.
func (v *verification) readLogs(ctx context.Context, result *Result) error {
	machine, err := v.clients.machines.DescribeStateMachine(ctx, &sfn.DescribeStateMachineInput{
		StateMachineArn: aws.String(v.Outputs.StateMachineARN),
		IncludedData:    types.IncludedDataMetadataOnly, // the definition is encrypted, and not needed
	})
	if err != nil {
		return fmt.Errorf("looking at the state machine %s: %w", v.Outputs.StateMachineARN, err)
	}
	if machine.TracingConfiguration == nil || !machine.TracingConfiguration.Enabled {
		result.problem("the state machine doesn't trace its executions")
	}
	level, group := logging(machine.LoggingConfiguration)
	if group == "" {
		result.problem("the state machine logs at level %s to no log group", level)
		return nil
	}
	var executions []string
	if level == types.LogLevelAll {
		for _, trade := range v.trades {
			if arn := textOf(trade.item, "executionArn"); arn != "" {
				executions = append(executions, arn)
			}
		}
	}
	if v.malformed != nil {
		for _, letter := range v.malformed.letters {
			if letter.ExecutionARN != "" { // none was started for an event that couldn't be delivered
				executions = append(executions, letter.ExecutionARN)
			}
		}
	}
	if len(executions) == 0 {
		result.Outcome = Skipped
		result.found("at level %s the malformed trade's execution should be in %s, but its ARN isn't known", level, group)
		return nil
	}
	missing := map[string]bool{}
	for _, arn := range executions {
		missing[arn] = true
	}
	err = v.await(ctx, v.Timeout, func(ctx context.Context) (bool, error) {
		for arn := range maps.Clone(missing) {
			lines, err := v.logLines(ctx, group, fmt.Sprintf(`{ $.execution_arn = %q }`, arn))
			if err != nil {
				return false, err
			}
			if len(lines) > 0 {
				delete(missing, arn)
			}
		}
		return len(missing) == 0, nil
	})
	if errors.Is(err, errTimeout) {
		for _, arn := range slices.Sorted(maps.Keys(missing)) {
			result.problem("%s has nothing about execution %s after %v, at level %s", group, arn, v.Timeout, level)
		}
		return nil
	}
	if err != nil {
		return err
	}
	result.found("%s in %s, at level %s", terminal.Plural(len(executions), "execution"), group, level)
	return nil
}

// logging returns what a state machine logs, and into which log group.
func logging(configuration *types.LoggingConfiguration) (types.LogLevel, string) {
	if configuration == nil {
		return types.LogLevelOff, ""
	}
	for _, destination := range configuration.Destinations {
		if group := destination.CloudWatchLogsLogGroup; group != nil {
			_, name, _ := strings.Cut(aws.ToString(group.LogGroupArn), ":log-group:")
			return configuration.Level, strings.TrimSuffix(name, ":*")
		}
	}
	return configuration.Level, ""
}

// tracesAtOnce is the most traces X-Ray returns in one answer.
// https://docs.aws.amazon.com/xray/latest/api/API_BatchGetTraces.html
const tracesAtOnce = 5

// findTraces checks that X-Ray has the trace named by at least one record. Not all need to be there: the services
// between the bus and the recorder may sample by the account's rules, regardless of the producer's wish to be traced.
func (v *verification) findTraces(ctx context.Context, result *Result) error {
	var ids []string
	for _, trade := range v.trades {
		if id := textOf(trade.item, "traceId"); traceID.MatchString(id) {
			ids = append(ids, id)
		}
	}
	if len(ids) == 0 {
		result.problem("no record names its trace")
		return nil
	}
	origins := map[string]bool{}
	var traced int
	err := v.await(ctx, v.Timeout, func(ctx context.Context) (bool, error) {
		traced = 0
		for batch := range slices.Chunk(ids, tracesAtOnce) {
			answer, err := v.clients.traces.BatchGetTraces(ctx, &xray.BatchGetTracesInput{TraceIds: batch})
			if err != nil {
				return false, fmt.Errorf("asking X-Ray for traces: %w", err)
			}
			for _, trace := range answer.Traces {
				if len(trace.Segments) > 0 {
					traced++
				}
				for _, segment := range trace.Segments {
					var read struct{ Origin string }
					if json.Unmarshal([]byte(aws.ToString(segment.Document)), &read) == nil && read.Origin != "" {
						origins[read.Origin] = true
					}
				}
			}
		}
		return traced > 0, nil
	})
	if errors.Is(err, errTimeout) {
		result.problem("X-Ray has no trace of the %s within %v: %s", terminal.Plural(len(ids), "trade"), v.Timeout, list(ids))
		return nil
	}
	if err != nil {
		return err
	}
	result.found("%d of %s, with segments of %s", traced, terminal.Plural(len(ids), "trade"), list(slices.Sorted(maps.Keys(origins))))
	return nil
}

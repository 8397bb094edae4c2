package operate

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	logtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sfn/types"

	"trade-processing/internal/exitcode"
	"trade-processing/lambdas/recorder"
)

// ExecutionStatuses are the statuses that an execution can have.
var ExecutionStatuses = []string{"RUNNING", "SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED", "PENDING_REDRIVE"}

// Execution is a run of the workflow.
type Execution struct {
	ARN     string     `json:"executionArn"`
	Name    string     `json:"name"`
	Status  string     `json:"status"`
	Started time.Time  `json:"started,omitzero"`
	Ended   *time.Time `json:"ended,omitempty"`
	Error   string     `json:"error,omitempty"`
	Cause   string     `json:"cause,omitempty"`
	Version string     `json:"stateMachineVersionArn,omitempty"`
	Redrive int        `json:"redriveCount,omitempty"`
}

// Took returns how long it ran; -1 if it is running, or its begin isn't known.
func (e Execution) Took() time.Duration {
	if e.Ended == nil || e.Started.IsZero() {
		return -1
	}
	return e.Ended.Sub(e.Started)
}

// Step is an event of an execution.
type Step struct {
	ID       int64     `json:"id"`
	Time     time.Time `json:"time"`
	Type     string    `json:"type"`
	State    string    `json:"state,omitempty"`    // that it belongs to
	Resource string    `json:"resource,omitempty"` // that is called, such as lambda:invoke
	Error    string    `json:"error,omitempty"`
	Cause    string    `json:"cause,omitempty"`
	Previous int64     `json:"previous,omitempty"` // the id of the step before it in its branch
}

// Timeline is an execution with all its events.
type Timeline struct {
	Execution
	Input  string `json:"input,omitempty"` // the event, as JSON
	Output string `json:"output,omitempty"`
	Steps  []Step `json:"steps"`
}

// ExecutionFilter selects executions. Zero fields match all.
type ExecutionFilter struct {
	Status       string
	Since, Until time.Time // when it began
}

// Machine is what is to be known of the state machine before executions are looked for.
type Machine struct {
	Express  bool
	LogLevel string
}

// Machine describes the state machine.
func (s *Stack) Machine(ctx context.Context) (Machine, error) {
	told, err := s.SFN().DescribeStateMachine(ctx, &sfn.DescribeStateMachineInput{
		StateMachineArn: &s.Outputs.StateMachineARN, IncludedData: types.IncludedDataMetadataOnly, // the definition is encrypted, and not needed
	})
	if err != nil {
		return Machine{}, fmt.Errorf("looking at the state machine %s: %w", s.Outputs.StateMachineARN, err)
	}
	machine := Machine{Express: told.Type == types.StateMachineTypeExpress}
	if told.LoggingConfiguration != nil {
		machine.LogLevel = string(told.LoggingConfiguration.Level)
	}
	return machine, nil
}

// Executions finds executions, newest first. Those of an EXPRESS workflow come from its log group, as AWS doesn't list them
// (https://docs.aws.amazon.com/step-functions/latest/apireference/API_ListExecutions.html): at log level ERROR, it has only those that
// failed, and without their begin.
func (s *Stack) Executions(ctx context.Context, machine Machine, f ExecutionFilter) iter.Seq2[Execution, error] {
	if machine.Express {
		return s.loggedExecutions(ctx, f)
	}
	return func(yield func(Execution, error) bool) {
		pages := sfn.NewListExecutionsPaginator(s.SFN(), &sfn.ListExecutionsInput{
			StateMachineArn: &s.Outputs.StateMachineARN, StatusFilter: types.ExecutionStatus(f.Status),
		})
		for pages.HasMorePages() {
			page, err := pages.NextPage(ctx)
			if err != nil {
				yield(Execution{}, fmt.Errorf("listing executions of %s: %w", s.Outputs.StateMachineARN, err))
				return
			}
			for _, one := range page.Executions {
				began := aws.ToTime(one.StartDate).UTC()
				switch {
				case !f.Until.IsZero() && began.After(f.Until):
					continue
				case began.Before(f.Since):
					return // the list is in order of time
				}
				found := Execution{
					ARN: aws.ToString(one.ExecutionArn), Name: aws.ToString(one.Name), Status: string(one.Status), Started: began, Ended: one.StopDate,
					Version: aws.ToString(one.StateMachineVersionArn), Redrive: int(aws.ToInt32(one.RedriveCount)),
				}
				if !yield(found, nil) {
					return
				}
			}
		}
	}
}

// logged is a line of the workflow's log.
// https://docs.aws.amazon.com/step-functions/latest/dg/cw-logs.html
type logged struct {
	ID       string `json:"id"`
	Previous string `json:"previous_event_id"`
	Type     string `json:"type"`
	ARN      string `json:"execution_arn"`
	At       string `json:"event_timestamp"` // milliseconds since 1970
	Details  struct {
		Name, Error, Cause, Resource, ResourceType string
	} `json:"details"`
}

func (l logged) time() time.Time {
	milliseconds, _ := strconv.ParseInt(l.At, 10, 64)
	return time.UnixMilli(milliseconds).UTC()
}

// readWorkflowLog calls add for each line of the workflow's log that matches a pattern.
func (s *Stack) readWorkflowLog(ctx context.Context, pattern string, q LogQuery, add func(logged)) error {
	return filterGroup(ctx, s.CloudWatchLogs(), s.workflowLog(), pattern, q, func(events []logtypes.FilteredLogEvent) bool {
		for _, event := range events {
			var line logged
			if json.Unmarshal([]byte(aws.ToString(event.Message)), &line) == nil && line.ARN != "" {
				add(line)
			}
		}
		return true
	})
}

var endings = map[string]string{"ExecutionSucceeded": "SUCCEEDED", "ExecutionFailed": "FAILED", "ExecutionTimedOut": "TIMED_OUT", "ExecutionAborted": "ABORTED"}

func (e *Execution) note(line logged) {
	at := line.time()
	if line.Type == "ExecutionStarted" {
		e.Started = at
	} else if ended, any := endings[line.Type]; any {
		e.Status, e.Ended, e.Error, e.Cause = ended, &at, line.Details.Error, line.Details.Cause
	}
}

// began returns when it began or, if that isn't known, when it ended.
func (e Execution) began() time.Time {
	if e.Started.IsZero() && e.Ended != nil {
		return *e.Ended
	}
	return e.Started
}

func (s *Stack) loggedExecutions(ctx context.Context, f ExecutionFilter) iter.Seq2[Execution, error] {
	return func(yield func(Execution, error) bool) {
		found := map[string]*Execution{}
		err := s.readWorkflowLog(ctx, `{ $.type = "Execution*" }`, LogQuery{Since: f.Since, Until: f.Until}, func(line logged) {
			if found[line.ARN] == nil {
				found[line.ARN] = &Execution{ARN: line.ARN, Name: recorder.ExecutionName(line.ARN), Status: "RUNNING"}
			}
			found[line.ARN].note(line)
		})
		if err != nil {
			yield(Execution{}, err)
			return
		}
		var all []Execution
		for _, one := range found {
			if f.Status == "" || one.Status == f.Status {
				all = append(all, *one)
			}
		}
		slices.SortFunc(all, func(a, b Execution) int { return b.began().Compare(a.began()) })
		for _, one := range all {
			if !yield(one, nil) {
				return
			}
		}
	}
}

// executionARN completes what the table keeps of an execution's ARN: what follows the state machine's, which for EXPRESS is a
// name and an id. A whole ARN stays one.
func (s *Stack) executionARN(name string) string {
	kind := ":execution:"
	switch {
	case name == "" || strings.HasPrefix(name, "arn:"):
		return name
	case strings.Contains(name, ":"):
		kind = ":express:"
	}
	return strings.Replace(s.Outputs.StateMachineARN, ":stateMachine:", kind, 1) + ":" + name
}

// Timeline finds an execution with its events. It goes by its ARN or by what follows the state machine in that. The error is
// exitcode.NotFound if it isn't there.
func (s *Stack) Timeline(ctx context.Context, id string) (*Timeline, error) {
	arn := s.executionARN(id)
	if strings.Contains(arn, ":express:") {
		return s.loggedTimeline(ctx, arn)
	}
	client := s.SFN()
	told, err := client.DescribeExecution(ctx, &sfn.DescribeExecutionInput{ExecutionArn: &arn})
	var missing *types.ExecutionDoesNotExist
	switch {
	case errors.As(err, &missing):
		return nil, exitcode.With(exitcode.NotFound, fmt.Errorf("there is no execution %s: Step Functions keeps them for 90 days", arn))
	case err != nil:
		return nil, fmt.Errorf("looking at execution %s: %w", arn, err)
	}
	found := &Timeline{Input: aws.ToString(told.Input), Output: aws.ToString(told.Output), Execution: Execution{
		ARN: arn, Name: aws.ToString(told.Name), Status: string(told.Status), Started: aws.ToTime(told.StartDate).UTC(), Ended: told.StopDate,
		Error: aws.ToString(told.Error), Cause: aws.ToString(told.Cause), Version: aws.ToString(told.StateMachineVersionArn), Redrive: int(aws.ToInt32(told.RedriveCount)),
	}}
	pages := sfn.NewGetExecutionHistoryPaginator(client, &sfn.GetExecutionHistoryInput{ExecutionArn: &arn, IncludeExecutionData: aws.Bool(false)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("reading the history of execution %s: %w", arn, err)
		}
		for _, event := range page.Events {
			found.Steps = append(found.Steps, step(event))
		}
	}
	found.name()
	return found, nil
}

// name gives each step the state that it belongs to: its own, or that of the event before it.
func (t *Timeline) name() {
	states := map[int64]string{}
	for i, step := range t.Steps {
		if step.State == "" && !strings.HasPrefix(step.Type, "Execution") {
			t.Steps[i].State = states[step.Previous]
		}
		states[step.ID] = t.Steps[i].State
	}
}

// step reads an event of a history, whose details depend on its type.
func step(e types.HistoryEvent) Step {
	s := Step{ID: e.Id, Previous: e.PreviousEventId, Time: aws.ToTime(e.Timestamp).UTC(), Type: string(e.Type)}
	failed := func(name, cause *string) { s.Error, s.Cause = aws.ToString(name), aws.ToString(cause) }
	switch {
	case e.StateEnteredEventDetails != nil:
		s.State = aws.ToString(e.StateEnteredEventDetails.Name)
	case e.StateExitedEventDetails != nil:
		s.State = aws.ToString(e.StateExitedEventDetails.Name)
	case e.TaskScheduledEventDetails != nil:
		s.Resource = aws.ToString(e.TaskScheduledEventDetails.ResourceType) + ":" + aws.ToString(e.TaskScheduledEventDetails.Resource)
	case e.TaskFailedEventDetails != nil:
		failed(e.TaskFailedEventDetails.Error, e.TaskFailedEventDetails.Cause)
	case e.TaskStartFailedEventDetails != nil:
		failed(e.TaskStartFailedEventDetails.Error, e.TaskStartFailedEventDetails.Cause)
	case e.TaskSubmitFailedEventDetails != nil:
		failed(e.TaskSubmitFailedEventDetails.Error, e.TaskSubmitFailedEventDetails.Cause)
	case e.TaskTimedOutEventDetails != nil:
		failed(e.TaskTimedOutEventDetails.Error, e.TaskTimedOutEventDetails.Cause)
	case e.ExecutionFailedEventDetails != nil:
		failed(e.ExecutionFailedEventDetails.Error, e.ExecutionFailedEventDetails.Cause)
	case e.ExecutionTimedOutEventDetails != nil:
		failed(e.ExecutionTimedOutEventDetails.Error, e.ExecutionTimedOutEventDetails.Cause)
	case e.ExecutionAbortedEventDetails != nil:
		failed(e.ExecutionAbortedEventDetails.Error, e.ExecutionAbortedEventDetails.Cause)
	}
	return s
}

func (s *Stack) loggedTimeline(ctx context.Context, arn string) (*Timeline, error) {
	found := &Timeline{Execution: Execution{ARN: arn, Name: recorder.ExecutionName(arn), Status: "RUNNING"}}
	err := s.readWorkflowLog(ctx, fmt.Sprintf(`{ $.execution_arn = %q }`, arn), LogQuery{}, func(line logged) {
		found.note(line)
		one := Step{Time: line.time(), Type: line.Type, State: line.Details.Name, Error: line.Details.Error, Cause: line.Details.Cause}
		one.ID, _ = strconv.ParseInt(line.ID, 10, 64)
		one.Previous, _ = strconv.ParseInt(line.Previous, 10, 64)
		if line.Details.Resource != "" {
			one.Resource = line.Details.ResourceType + ":" + line.Details.Resource
		}
		found.Steps = append(found.Steps, one)
	})
	if err != nil {
		return nil, err
	}
	if len(found.Steps) == 0 {
		return nil, exitcode.With(exitcode.NotFound, fmt.Errorf("the log group %s has nothing about execution %s: at log level ERROR, only failures are in it", s.workflowLog(), arn))
	}
	slices.SortFunc(found.Steps, func(a, b Step) int { return int(a.ID - b.ID) })
	found.name()
	return found, nil
}

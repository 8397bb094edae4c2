package operate

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sfn/types"
	"golang.org/x/time/rate"

	"trade-processing/internal/exitcode"
)

// Redrivable is how long after its end Step Functions can redrive an execution.
// https://docs.aws.amazon.com/step-functions/latest/apireference/API_RedriveExecution.html
const Redrivable = 14 * 24 * time.Hour

// GetExecutionHistory's bucket and its refill a second.
// https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html
const (
	historyBucket = 400
	historyRefill = 20
)

// WithoutLetter finds the executions that left their event in no queue, oldest first: those that ran out of time, those
// that somebody stopped, and those that failed and whose dead letter couldn't be sent.
func (s *Stack) WithoutLetter(ctx context.Context, f ExecutionFilter) ([]Execution, error) {
	machine, err := s.Machine(ctx)
	if err != nil {
		return nil, err
	}
	if machine.Express {
		return nil, exitcode.Usagef("the workflow is EXPRESS, and Step Functions can't redrive its executions: replay the minutes in which they ran, with `tradectl replay`")
	}
	client, limit := s.SFN(), rate.NewLimiter(historyRefill, historyBucket)
	var found []Execution
	for _, status := range []types.ExecutionStatus{types.ExecutionStatusTimedOut, types.ExecutionStatusAborted, types.ExecutionStatusFailed} {
		if f.Status != "" && f.Status != string(status) {
			continue
		}
		f := f
		f.Status = string(status)
		for execution, err := range s.Executions(ctx, machine, f) {
			if err != nil {
				return nil, err
			}
			if status == types.ExecutionStatusFailed {
				if err := limit.Wait(ctx); err != nil {
					return nil, context.Cause(ctx)
				}
				if sent, err := endedInFail(ctx, client, execution.ARN); err != nil {
					return nil, err
				} else if sent {
					continue
				}
			}
			found = append(found, execution)
		}
	}
	slices.SortStableFunc(found, func(a, b Execution) int { return a.Started.Compare(b.Started) })
	return found, nil
}

// lastEvents are the most that there can be from a Fail state on: it, the Parallel state around it, and the execution fail.
const lastEvents = 3

// endedInFail reports whether an execution ended in a Fail state, where the workflow goes only once a dead letter was sent.
func endedInFail(ctx context.Context, client *sfn.Client, arn string) (bool, error) {
	last, err := client.GetExecutionHistory(ctx, &sfn.GetExecutionHistoryInput{
		ExecutionArn: &arn, ReverseOrder: true, MaxResults: lastEvents, IncludeExecutionData: aws.Bool(false),
	})
	if err != nil {
		return false, fmt.Errorf("reading the history of execution %s: %w", arn, err)
	}
	return slices.ContainsFunc(last.Events, func(e types.HistoryEvent) bool { return e.Type == types.HistoryEventTypeFailStateEntered }), nil
}

// Resumed is the outcome of an execution that resumes where it stopped. One that can't be redriven is Left.
const Resumed Outcome = "resumed"

// Resume redrives executions: each goes on where it stopped, with its input, definition and ARN.
func (s *Stack) Resume(ctx context.Context, executions []Execution, perSecond float64, told func(e Execution, outcome Outcome, reason string)) error {
	client, limit := s.SFN(), rate.NewLimiter(rate.Limit(perSecond), 1)
	for _, e := range executions {
		if err := limit.Wait(ctx); err != nil {
			return context.Cause(ctx)
		}
		_, err := client.RedriveExecution(ctx, &sfn.RedriveExecutionInput{ExecutionArn: &e.ARN})
		_, gone := errors.AsType[*types.ExecutionDoesNotExist](err)
		_, never := errors.AsType[*types.ExecutionNotRedrivable](err)
		switch {
		case gone || never:
			told(e, Left, Reason(err))
		case err != nil:
			return fmt.Errorf("redriving execution %s: %w", e.ARN, err)
		default:
			told(e, Resumed, "")
		}
	}
	return nil
}

package asl

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// AnyError matches every error except States.DataLimitExceeded and States.Runtime, which it can't catch.
const AnyError = "States.ALL"

// DataLimitExceeded is data of more than 256 KiB. It can only be caught by this name.
const DataLimitExceeded = "States.DataLimitExceeded"

// Retrier repeats a state that ended in one of its errors.
type Retrier struct {
	ErrorEquals     []string `json:"ErrorEquals"`
	IntervalSeconds int      `json:"IntervalSeconds"` // the pause before the first retry
	BackoffRate     float64  `json:"BackoffRate"`     // the factor by which each further pause grows
	MaxDelaySeconds int      `json:"MaxDelaySeconds"` // the longest pause
	MaxAttempts     int      `json:"MaxAttempts"`     // retries, not calls; 0 is never
	JitterStrategy  Jitter   `json:"JitterStrategy,omitempty"`
}

// Jitter says how a pause is randomised.
type Jitter string

// FullJitter waits any time between zero and the pause, so that many executions' retries don't come in waves.
const FullJitter Jitter = "FULL"

// Catcher continues from a state that ended in one of its errors, after all retries.
type Catcher struct {
	ErrorEquals []string   `json:"ErrorEquals"`
	ResultPath  ResultPath `json:"ResultPath,omitempty"`
	Next        string     `json:"Next"`
}

// pause returns the longest pause before retry n, counted from 0.
func (r Retrier) pause(n int) int {
	grown := float64(r.IntervalSeconds) * math.Pow(r.BackoffRate, float64(n))
	return int(math.Ceil(math.Min(grown, float64(r.MaxDelaySeconds))))
}

// maxNumber is the largest TimeoutSeconds and MaxAttempts.
// https://docs.aws.amazon.com/step-functions/latest/dg/state-task.html,
// https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html
const maxNumber = 99999999

// problems follows the language's own rules and AWS's limits.
func (r Retrier) problems(last bool) []string {
	found := errorNames("retrier", r.ErrorEquals, last)
	if r.IntervalSeconds < 1 {
		found = append(found, fmt.Sprintf("IntervalSeconds is %d, but must be at least 1", r.IntervalSeconds))
	}
	if !(r.BackoffRate >= 1 && r.BackoffRate <= math.MaxFloat64) { // nor is it infinite, or not a number
		found = append(found, fmt.Sprintf("BackoffRate is %v, but must be at least 1", r.BackoffRate))
	}
	if r.MaxDelaySeconds <= r.IntervalSeconds || r.MaxDelaySeconds >= 31622400 {
		found = append(found, fmt.Sprintf("MaxDelaySeconds is %d, but must be above IntervalSeconds and below 31622400", r.MaxDelaySeconds))
	}
	if r.MaxAttempts < 0 || r.MaxAttempts > maxNumber {
		found = append(found, fmt.Sprintf("MaxAttempts is %d, but must be from 0 to %d", r.MaxAttempts, maxNumber))
	}
	return found
}

// raised are the errors that Step Functions itself raises; no others may begin with States.
// https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html
var raised = []string{
	AnyError, DataLimitExceeded, "States.TaskFailed", "States.Timeout", "States.Runtime", "States.ResultPathMatchFailure",
	"States.NoChoiceMatched", "States.IntrinsicFailure", "States.BranchFailed", "States.ExceedToleratedFailureThreshold",
	"States.HeartbeatTimeout", "States.Http.Socket", "States.ItemReaderFailed", "States.ParameterPathFailure",
	"States.Permissions", "States.QueryEvaluationError", "States.ResultWriterFailed",
}

// errorNames checks the errors of a retrier or catcher, which may be the last of its state.
func errorNames(kind string, names []string, last bool) []string {
	var found []string
	if len(names) == 0 || slices.Contains(names, "") {
		found = append(found, "a "+kind+" names no error")
	}
	if slices.Contains(names, AnyError) && (len(names) > 1 || !last) {
		found = append(found, AnyError+" must be alone, in the last "+kind)
	}
	for _, name := range names {
		if strings.HasPrefix(name, "States.") && !slices.Contains(raised, name) {
			found = append(found, fmt.Sprintf("%s is not an error that Step Functions raises", name))
		}
	}
	return found
}

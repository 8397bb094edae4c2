package states

import (
	"context"
	"errors"
	"fmt"
)

// The error names that machines here raise or treat specially.
// https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html
const (
	AllErrors              = "States.ALL"
	TaskFailed             = "States.TaskFailed"
	TimedOut               = "States.Timeout"
	RuntimeError           = "States.Runtime"
	DataLimitExceeded      = "States.DataLimitExceeded"
	ResultPathMatchFailure = "States.ResultPathMatchFailure"
)

// reserved are all the error names that Step Functions itself uses.
var reserved = []string{
	AllErrors, TaskFailed, TimedOut, RuntimeError, DataLimitExceeded, ResultPathMatchFailure, "States.NoChoiceMatched",
	"States.IntrinsicFailure", "States.BranchFailed", "States.ExceedToleratedFailureThreshold", "States.HeartbeatTimeout",
	"States.Http.Socket", "States.ItemReaderFailed", "States.ParameterPathFailure", "States.Permissions",
	"States.QueryEvaluationError", "States.ResultWriterFailed",
}

// Failure is how a state, and in the end an execution, fails.
type Failure struct {
	Name  string // such as States.Timeout, or a function's error type
	Cause string
	// Stopped says that the execution didn't fail, but ran out of time or was aborted.
	Stopped bool
}

func (f *Failure) Error() string {
	switch {
	case f.Cause == "":
		return f.Name
	case f.Name == "":
		return f.Cause
	}
	return f.Name + ": " + f.Cause
}

// data returns what a Catch puts into its state's input.
func (f *Failure) data() Data {
	return map[string]any{"Error": f.Name, "Cause": f.Cause}
}

func fail(name, format string, args ...any) *Failure {
	return &Failure{Name: name, Cause: fmt.Sprintf(format, args...)}
}

// failureOf turns an error into a failure. An execution stopped from outside has none: nothing in the machine may retry
// or catch that.
func failureOf(ctx context.Context, err error) (*Failure, bool) {
	if ctx.Err() != nil {
		return nil, false
	}
	if failure, ok := errors.AsType[*Failure](err); ok {
		return failure, true
	}
	return fail(TaskFailed, "%v", err), true
}

// matches reports whether a Retry or Catch with these names covers a failure. Nothing covers States.Runtime, and no
// wildcard States.DataLimitExceeded.
func matches(names []string, failure *Failure) bool {
	if failure.Name == RuntimeError {
		return false
	}
	for _, name := range names {
		switch {
		case name == failure.Name:
			return true
		case failure.Name == DataLimitExceeded:
		case name == AllErrors, name == TaskFailed && failure.Name != TimedOut:
			return true
		}
	}
	return false
}

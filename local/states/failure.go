package states

import (
	"context"
	"errors"
	"fmt"
	"slices"
)

// The error names of the States Language that machines here raise.
const (
	AllErrors              = "States.ALL"
	TaskFailed             = "States.TaskFailed"
	TimedOut               = "States.Timeout"
	RuntimeError           = "States.Runtime"
	DataLimitExceeded      = "States.DataLimitExceeded"
	NoChoiceMatched        = "States.NoChoiceMatched"
	ParameterPathFailure   = "States.ParameterPathFailure"
	ResultPathMatchFailure = "States.ResultPathMatchFailure"
	IntrinsicFailure       = "States.IntrinsicFailure"
)

// Failure is how a state, and in the end an execution, fails.
type Failure struct {
	Name  string // such as States.Timeout, or the error type that a function gave
	Cause string
}

func (f *Failure) Error() string {
	if f.Cause == "" {
		return f.Name
	}
	return f.Name + ": " + f.Cause
}

// data is what a Catch puts into its state's input.
func (f *Failure) data() Data {
	return map[string]any{"Error": f.Name, "Cause": f.Cause}
}

func fail(name, format string, args ...any) *Failure {
	return &Failure{Name: name, Cause: fmt.Sprintf(format, args...)}
}

// failureOf reads an error as a failure. An execution that was stopped from
// outside has none: nothing in the machine may retry or catch that.
func failureOf(ctx context.Context, err error) (*Failure, bool) {
	if stopped(ctx) {
		return nil, false
	}
	if failure, ok := errors.AsType[*Failure](err); ok {
		return failure, true
	}
	return fail(TaskFailed, "%v", err), true
}

func stopped(ctx context.Context) bool {
	return ctx.Err() != nil
}

// uncatchable are the errors that not even States.ALL covers.
var uncatchable = []string{RuntimeError, DataLimitExceeded}

// matches tells whether a Retry or Catch with these names covers a failure.
func matches(names []string, failure *Failure) bool {
	for _, name := range names {
		switch name {
		case failure.Name:
			return true
		case AllErrors:
			if !slices.Contains(uncatchable, failure.Name) {
				return true
			}
		case TaskFailed:
			if failure.Name != TimedOut && !slices.Contains(uncatchable, failure.Name) {
				return true
			}
		}
	}
	return false
}

package functions_test

import (
	"errors"
	"io"
	"testing"
	"time"

	lambdas "trade-processing/lambdas/function"
	"trade-processing/lambdas/function/functiontest"

	"trade-processing/internal/localrun"
	"trade-processing/local/clock"
	"trade-processing/local/function"
)

func TestWithinTheLocalCloud(t *testing.T) { check(t, startLocal) }

// startLocal creates a function's handler as the local cloud does and runs it in this process.
func startLocal(t *testing.T, account *Account, name string) Instance {
	t.Helper()
	variables := account.Variables(name)
	handler, err := localrun.Images()[name](lambdas.Environment{
		Getenv: func(name string) string { return variables[name] }, Output: io.Discard, Now: time.Now,
	}, account.Services())
	if err != nil {
		t.Fatal(err)
	}
	definition := function.Definition{Name: name, ARN: "arn:aws:lambda:us-east-1:000000000000:function:" + name, Handler: handler}
	made, err := function.New(definition, function.Options{
		Clock: clock.Real(), Pool: function.NewPool(), RequestID: func() string { return "request" },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(made.Close)
	return local{made, definition}
}

type local struct {
	function   *function.Function
	definition function.Definition
}

// Invoke gives the function the invocation's timeout, which elsewhere is the function's own.
func (l local) Invoke(t *testing.T, invocation functiontest.Invocation) (functiontest.Answer, error) {
	l.definition.Timeout = invocation.Timeout
	if err := l.function.Update(l.definition, function.Latest); err != nil {
		return functiontest.Answer{}, err
	}
	answer, err := l.function.Invoke(t.Context(), function.Call{Payload: invocation.Payload, TraceHeader: invocation.TraceHeader})
	if failed, ok := errors.AsType[*function.Error](err); ok {
		if failed.Type == "Sandbox.Timedout" {
			return functiontest.Answer{}, functiontest.ErrTimedOut
		}
		return functiontest.Answer{Error: &functiontest.Error{Type: failed.Type, Message: failed.Message}}, nil
	}
	return functiontest.Answer{Payload: answer.Payload}, err
}

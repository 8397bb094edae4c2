package function

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"

	"trade-processing/local/clock"
	"trade-processing/local/fault"
)

// Call is one synchronous invocation.
type Call struct {
	Qualifier   string // a version or an alias; empty: Latest
	TraceHeader string // X-Ray's; the handler finds it in its context
	Payload     []byte
}

// Answer is what a handler answered.
type Answer struct {
	Payload []byte
	Version string // that ran
}

// Invoke runs a call to its end. A failed call is an *Error; any other error comes from a fault, or is the reason why
// ctx ended.
//
// When ctx ends, the caller goes but the handler stays, as with Lambda: it may well finish its work.
func (f *Function) Invoke(ctx context.Context, call Call) (Answer, error) {
	def, version, err := f.resolve(call.Qualifier)
	if err != nil {
		return Answer{}, err
	}
	request := fault.Call{Service: "lambda", Operation: "Invoke", Resource: def.Name}
	return fault.Serve(ctx, f.options.Clock, f.options.Faults, request, func() string { return string(call.Payload) }, func() (Answer, error) {
		payload, err := f.invoke(ctx, def, call)
		if err != nil {
			return Answer{}, err
		}
		return Answer{Payload: payload, Version: version}, nil
	})
}

func (f *Function) invoke(ctx context.Context, def Definition, call Call) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, context.Cause(ctx)
	}
	now := f.options.Clock.Now()
	admitted := f.options.Pool.enter(f.share)
	f.measures.entered(now, admitted)
	if admitted.refusal != "" {
		return nil, &Error{Type: "Lambda.TooManyRequestsException", Message: "Rate Exceeded. (Reason: " + admitted.refusal + ")"}
	}

	limited, cancel := f.options.Clock.WithTimeout(f.alive, def.Timeout)
	i := &invocation{
		function: f, admitted: admitted, started: now, cancel: cancel,
		handler: def.Handler, payload: call.Payload,
		timeout: def.Timeout, id: f.options.RequestID(), done: make(chan struct{}),
	}
	i.about.AwsRequestID, i.about.InvokedFunctionArn = i.id, qualified(def.ARN, call.Qualifier)
	i.ctx = lambdacontext.NewContext(limited, &i.about)
	i.ctx = context.WithValue(i.ctx, "x-amzn-trace-id", call.TraceHeader) //nolint:staticcheck // the key that aws-lambda-go sets
	clock.Go(f.options.Clock, func() { i.settle(i.call()) })              // so that its caller can abandon a handler that ignores its deadline
	return i.wait(ctx, limited)
}

// An invocation is a running call. It ends once: with the handler's answer or by its timeout.
type invocation struct {
	function *Function
	admitted admission
	started  time.Time
	cancel   context.CancelFunc

	ctx     context.Context
	about   lambdacontext.LambdaContext
	handler lambda.Handler
	payload []byte
	timeout time.Duration
	id      string

	ended  atomic.Bool
	done   chan struct{} // closed when the two below are set
	answer []byte
	err    error
}

// wait waits until the invocation ends or its caller goes.
func (i *invocation) wait(caller, limited context.Context) ([]byte, error) {
	c := i.function.options.Clock
	clock.Wait(c, i.done, limited.Done(), caller.Done())
	if limited.Err() != nil {
		i.expire(limited)
		clock.Wait(c, i.done, caller.Done())
	}
	if i.ended.Load() {
		<-i.done // at once, or as soon as it is counted
		return i.answer, i.err
	}
	// Nobody waits for the timeout any more, but it must still end the call.
	clock.Go(c, func() {
		clock.Wait(c, limited.Done())
		i.expire(limited)
	})
	return nil, context.Cause(caller)
}

// expire ends the invocation if its time is over. Otherwise the function was closed; the handler is told, and may still
// answer.
func (i *invocation) expire(limited context.Context) {
	if errors.Is(limited.Err(), context.DeadlineExceeded) {
		i.settle(nil, &Error{
			Type:    "Sandbox.Timedout",
			Message: fmt.Sprintf("RequestId: %s Error: Task timed out after %.2f seconds", i.id, i.timeout.Seconds()),
		})
	}
}

// settle ends the invocation, unless it has already ended: a late handler's answer is lost.
func (i *invocation) settle(answer []byte, err error) {
	if !i.ended.CompareAndSwap(false, true) {
		return
	}
	if err == nil && len(answer) > maxResponse {
		err = &Error{
			Type:    "Function.ResponseSizeTooLarge",
			Message: fmt.Sprintf("Response payload size (%d bytes) exceeded maximum allowed payload size (%d bytes).", len(answer), maxResponse),
		}
	}
	if err == nil {
		i.answer = answer
	}
	i.err = err
	f := i.function
	f.options.Pool.leave(f.share, i.admitted)
	f.measures.left(f.options.Clock.Now(), i.started, err)
	close(i.done)
	i.cancel()
}

// call runs the handler as aws-lambda-go does.
func (i *invocation) call() (answer []byte, err error) {
	defer func() {
		if value := recover(); value != nil {
			answer, err = nil, failed(value)
		}
	}()
	answer, err = i.handler.Invoke(i.ctx, i.payload)
	if err != nil {
		return nil, failed(err)
	}
	return answer, nil
}

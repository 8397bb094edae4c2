// Package function runs a Lambda function's handler under the function's own
// definition: timeout, reserved concurrency, published versions and aliases,
// the limits of the payload, and the metrics that Lambda keeps.
package function

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambda/messages"
	"github.com/aws/aws-lambda-go/lambdacontext"

	"trade-processing/local/clock"
	"trade-processing/local/fault"
	"trade-processing/local/metrics"
)

// Limits of functions.
// https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
const (
	maxPayload = 6 << 20 // bytes of a synchronous request, and of its answer
	maxTimeout = 15 * time.Minute

	// AccountConcurrency is how many calls an account may run at a time in a
	// region, and unreserved how much of it no function may reserve.
	AccountConcurrency = 1000
	unreserved         = 100
)

// Latest is the version that is not published.
const Latest = "$LATEST"

// Definition is what a function is created from.
type Definition struct {
	Name    string
	ARN     string        // without a version
	Timeout time.Duration // default: 3 s, as Lambda's
	// ReservedConcurrency is how many calls may run at a time: 0 refuses all,
	// nil takes from what the account has unreserved.
	ReservedConcurrency *int
	Handler             lambda.Handler
}

// Options are what a function works with.
type Options struct {
	Clock clock.Clock
	// Faults may delay or fail each call; nil for none. The key of a call is
	// its payload.
	Faults fault.Hook
	// Metrics receives what Lambda sends to CloudWatch; nil for none.
	Metrics *metrics.Store
	// RequestID makes the id of a call; it must be safe for concurrent use.
	RequestID func() string
	// Pool is the concurrency that the functions of one account and region
	// share.
	Pool *Pool
}

// Function is safe for use by many goroutines.
type Function struct {
	options Options
	running atomic.Int64

	mu       sync.RWMutex
	versions map[string]Definition // Latest among them
	aliases  map[string]string     // to a version

	invocations, failures, throttles, duration, concurrent *metrics.Series
}

// New makes a function. Update publishes versions of it.
func New(def Definition, options Options) (*Function, error) {
	f := &Function{options: options, versions: map[string]Definition{}, aliases: map[string]string{}}
	series := func(name string) *metrics.Series {
		return options.Metrics.Series("AWS/Lambda", name, map[string]string{"FunctionName": def.Name})
	}
	f.invocations, f.failures, f.throttles = series("Invocations"), series("Errors"), series("Throttles")
	f.duration, f.concurrent = series("Duration"), series("ConcurrentExecutions")
	return f, f.Update(def, Latest)
}

// Update replaces the function's definition and, unless version is Latest,
// publishes it as that version. What was published before stays as it is.
func (f *Function) Update(def Definition, version string) error {
	if def.Timeout == 0 {
		def.Timeout = 3 * time.Second
	}
	switch {
	case def.Handler == nil:
		return fmt.Errorf("function %s has no handler", def.Name)
	case def.Timeout < time.Second || def.Timeout > maxTimeout:
		return fmt.Errorf("function %s: the timeout is %s; it is 1s to %s", def.Name, def.Timeout, maxTimeout)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.options.Pool.reserve(def.Name, def.ReservedConcurrency); err != nil {
		return err
	}
	f.versions[Latest] = def
	f.versions[version] = def
	return nil
}

// SetAlias points an alias at a published version.
func (f *Function) SetAlias(name, version string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if _, found := f.versions[version]; !found {
		return fmt.Errorf("function %s has no version %s; it has %v", f.versions[Latest].Name, version, slices.Sorted(maps.Keys(f.versions)))
	}
	f.aliases[name] = version
	return nil
}

// DeleteAlias removes an alias; one that isn't there is no error.
func (f *Function) DeleteAlias(name string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.aliases, name)
}

// Close gives back the concurrency that the function reserved.
func (f *Function) Close() {
	f.mu.RLock()
	defer f.mu.RUnlock()
	f.options.Pool.release(f.versions[Latest].Name)
}

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

// Error is how a call failed. Type is the error type that Step Functions
// matches on: the function's own, or Lambda's, such as
// Lambda.TooManyRequestsException.
type Error struct {
	Type, Message string
}

func (e *Error) Error() string { return e.Type + ": " + e.Message }

// Invoke runs a call to its end. A failed call is an *Error.
func (f *Function) Invoke(ctx context.Context, call Call) (Answer, error) {
	def, version, err := f.resolve(call.Qualifier)
	if err != nil {
		return Answer{}, err
	}
	request := fault.Call{Service: "lambda", Operation: "Invoke", Resource: def.Name}
	return fault.Serve(ctx, f.options.Clock, f.options.Faults, request, func() string { return string(call.Payload) }, func() (Answer, error) {
		payload, err := f.invoke(ctx, def, version, call)
		return Answer{Payload: payload, Version: version}, err
	})
}

func (f *Function) resolve(qualifier string) (Definition, string, error) {
	f.mu.RLock()
	defer f.mu.RUnlock()
	version := qualifier
	if version == "" {
		version = Latest
	}
	if target, isAlias := f.aliases[version]; isAlias {
		version = target
	}
	def, found := f.versions[version]
	if !found {
		return def, "", &Error{"Lambda.ResourceNotFoundException", "Function not found: " + f.versions[Latest].ARN + ":" + qualifier}
	}
	return def, version, nil
}

func (f *Function) invoke(ctx context.Context, def Definition, version string, call Call) ([]byte, error) {
	now := f.options.Clock.Now()
	if len(call.Payload) > maxPayload {
		return nil, &Error{"Lambda.RequestTooLargeException", fmt.Sprintf("%d byte payload is too large for the RequestResponse invocation type (limit %d bytes)", len(call.Payload), maxPayload)}
	}
	concurrency := f.running.Add(1)
	defer f.running.Add(-1)
	release, allowed := f.options.Pool.enter(def.ReservedConcurrency, concurrency)
	if !allowed {
		f.throttles.Add(now, 1)
		return nil, &Error{"Lambda.TooManyRequestsException", "Rate Exceeded."}
	}
	defer release()
	f.invocations.Add(now, 1)
	f.concurrent.Add(now, float64(concurrency))

	answer, err := f.run(ctx, def, version, call)
	ended := f.options.Clock.Now()
	f.duration.Add(ended, float64(ended.Sub(now).Microseconds())/1000)
	if err == nil && len(answer) > maxPayload {
		err = &Error{"Function.ResponseSizeTooLarge", fmt.Sprintf("Response payload size exceeded maximum allowed payload size (%d bytes).", maxPayload)}
	}
	if err != nil {
		f.failures.Add(ended, 1)
		return nil, err
	}
	f.failures.Add(ended, 0)
	return answer, nil
}

// run calls the handler in a goroutine of its own, so that the timeout ends
// the call of a handler that does not look at its context.
func (f *Function) run(ctx context.Context, def Definition, version string, call Call) ([]byte, error) {
	limited, cancel := f.options.Clock.WithTimeout(ctx, def.Timeout)
	defer cancel()
	id := f.options.RequestID()
	arn := def.ARN + ":" + call.Qualifier
	if call.Qualifier == "" {
		arn = def.ARN
	}
	inside := lambdacontext.NewContext(limited, &lambdacontext.LambdaContext{AwsRequestID: id, InvokedFunctionArn: arn})
	inside = context.WithValue(inside, "x-amzn-trace-id", call.TraceHeader) //nolint:staticcheck // the key that aws-lambda-go sets

	type result struct {
		answer []byte
		err    error
	}
	done := make(chan result, 1)
	go func() {
		answer, err := guarded(inside, def.Handler, call.Payload)
		done <- result{answer, err}
	}()
	select {
	case r := <-done:
		if r.err != nil {
			return nil, errorOf(r.err)
		}
		return r.answer, nil
	case <-limited.Done():
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		return nil, &Error{"Sandbox.Timedout", fmt.Sprintf("RequestId: %s Error: Task timed out after %.2f seconds", id, def.Timeout.Seconds())}
	}
}

// guarded turns a panic that leaves the handler into the end of the sandbox.
func guarded(ctx context.Context, handler lambda.Handler, payload []byte) (answer []byte, err error) {
	defer func() {
		if value := recover(); value != nil {
			err = &Error{"Runtime.ExitError", fmt.Sprintf("Runtime exited with error: panic: %v", value)}
		}
	}()
	return handler.Invoke(ctx, payload)
}

// errorOf names an error as aws-lambda-go does: by its own type where it is
// the runtime's, else by the Go type's name.
func errorOf(err error) *Error {
	if already, ok := errors.AsType[*Error](err); ok {
		return already
	}
	if response, ok := err.(messages.InvokeResponse_Error); ok { //nolint:errorlint // aws-lambda-go doesn't unwrap either
		return &Error{response.Type, response.Message}
	}
	kind := reflect.TypeOf(err)
	if kind.Kind() == reflect.Pointer {
		kind = kind.Elem()
	}
	return &Error{kind.Name(), err.Error()}
}

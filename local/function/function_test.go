package function_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambda/messages"
	"github.com/aws/aws-lambda-go/lambdacontext"

	"trade-processing/local/clock"
	"trade-processing/local/fault"
	"trade-processing/local/function"
	"trade-processing/local/metrics"
)

var epoch = time.Date(2026, 1, 2, 9, 30, 0, 0, time.UTC)

const arn = "arn:aws:lambda:us-east-1:000000000000:function:f"

type handler func(context.Context, []byte) ([]byte, error)

func (h handler) Invoke(ctx context.Context, payload []byte) ([]byte, error) { return h(ctx, payload) }

// says answers one text whatever it is asked.
func says(text string) lambda.Handler {
	return handler(func(context.Context, []byte) ([]byte, error) { return []byte(text), nil })
}

type setup struct {
	clock *clock.Virtual
	store *metrics.Store
	made  *function.Function
}

func newFunction(t testing.TB, h lambda.Handler, change ...func(*function.Definition, *function.Options)) setup {
	t.Helper()
	s := setup{clock: clock.NewVirtual(epoch), store: metrics.NewStore()}
	var ids atomic.Int64
	def := function.Definition{Name: "f", ARN: arn, Handler: h}
	options := function.Options{
		Clock: s.clock, Metrics: s.store, Pool: function.NewPool(), RequestID: func() string { return fmt.Sprint("request-", ids.Add(1)) },
	}
	for _, c := range change {
		c(&def, &options)
	}
	var err error
	if s.made, err = function.New(def, options); err != nil {
		t.Fatal(err)
	}
	return s
}

func (s setup) total(t testing.TB, metric, statistic string) float64 {
	t.Helper()
	parsed, err := metrics.ParseStatistic(statistic)
	if err != nil {
		t.Fatal(err)
	}
	value, _ := s.store.Series("AWS/Lambda", metric, map[string]string{"FunctionName": "f"}).Value(parsed, epoch, epoch.AddDate(2, 0, 0))
	return value
}

func wantType(t testing.TB, err error, errorType, message string) {
	t.Helper()
	failed, ok := errors.AsType[*function.Error](err)
	if !ok || failed.Type != errorType || !strings.Contains(failed.Message, message) {
		t.Fatalf("got %v, want %s: …%s…", err, errorType, message)
	}
}

func TestAHandlerSeesWhatLambdaGivesIt(t *testing.T) {
	s := newFunction(t, handler(func(ctx context.Context, payload []byte) ([]byte, error) {
		inside, ok := lambdacontext.FromContext(ctx)
		if !ok {
			return nil, errors.New("there is no Lambda context")
		}
		return json.Marshal([]any{inside.AwsRequestID, inside.InvokedFunctionArn, ctx.Value("x-amzn-trace-id"), string(payload)})
	}))
	answer, err := s.made.Invoke(t.Context(), function.Call{Payload: []byte("{}"), TraceHeader: "Root=1-2-3"})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := string(answer.Payload), `["request-1","`+arn+`","Root=1-2-3","{}"]`; got != want || answer.Version != function.Latest {
		t.Errorf("got %s of version %s, want %s", got, answer.Version, want)
	}
	if got := s.total(t, "Invocations", "Sum"); got != 1 {
		t.Errorf("%v invocations were counted", got)
	}
	if errs, runs := s.total(t, "Errors", "Sum"), s.total(t, "Errors", "SampleCount"); errs != 0 || runs != 1 {
		t.Errorf("%v errors in %v samples, want none in one", errs, runs)
	}
}

func TestARealClockGivesTheHandlerItsDeadline(t *testing.T) {
	s := newFunction(t, handler(func(ctx context.Context, _ []byte) ([]byte, error) {
		deadline, ok := ctx.Deadline()
		if left := time.Until(deadline); !ok || left < time.Second || left > 2*time.Second {
			return nil, fmt.Errorf("the deadline is in %v (%v)", left, ok)
		}
		return nil, nil
	}), func(d *function.Definition, o *function.Options) { d.Timeout, o.Clock = 2*time.Second, clock.Real() })
	if _, err := s.made.Invoke(t.Context(), function.Call{}); err != nil {
		t.Error(err)
	}
}

func TestVersionsAndAliases(t *testing.T) {
	s := newFunction(t, says("one"))
	definition := func(text string) function.Definition {
		return function.Definition{Name: "f", ARN: arn, Handler: says(text)}
	}
	for version, text := range map[string]string{"1": "one", "2": "two"} {
		if err := s.made.Update(definition(text), version); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(s.made.Update(definition("three"), function.Latest), s.made.SetAlias("live", "1")); err != nil {
		t.Fatal(err)
	}
	ask := func(qualifier string) string {
		answer, err := s.made.Invoke(t.Context(), function.Call{Qualifier: qualifier})
		if err != nil {
			t.Fatal(err)
		}
		return string(answer.Payload) + " of " + answer.Version
	}
	for qualifier, want := range map[string]string{
		"": "three of $LATEST", "$LATEST": "three of $LATEST", "1": "one of 1", "2": "two of 2", "live": "one of 1",
	} {
		if got := ask(qualifier); got != want {
			t.Errorf("%q answers %s, want %s", qualifier, got, want)
		}
	}
	if err := s.made.SetAlias("live", "2"); err != nil || ask("live") != "two of 2" {
		t.Errorf("after the alias moved it answers %s: %v", ask("live"), err)
	}
	s.made.DeleteAlias("live")
	_, err := s.made.Invoke(t.Context(), function.Call{Qualifier: "live"})
	wantType(t, err, "Lambda.ResourceNotFoundException", "Function not found: "+arn+":live")
	for name, problem := range map[string]error{
		"a version that isn't there": s.made.SetAlias("live", "9"),
		"an alias that is a number":  s.made.SetAlias("7", "1"),
		"a version that is a word":   s.made.Update(definition("x"), "live"),
		"another name":               s.made.Update(function.Definition{Name: "g", ARN: arn, Handler: says("x")}, "3"),
	} {
		if problem == nil {
			t.Errorf("%s was taken", name)
		}
	}
	s.made.Close()
	_, err = s.made.Invoke(t.Context(), function.Call{})
	wantType(t, err, "Lambda.ResourceNotFoundException", arn)
}

type plainError struct{}

func (plainError) Error() string { return "plain" }

type pointerError struct{}

func (*pointerError) Error() string { return "pointed" }

func TestErrorsAreNamedAsTheRuntimeNamesThem(t *testing.T) {
	for _, tc := range []struct {
		name    string
		handler func() error
		typ     string
		message string
	}{
		{"a Go type", func() error { return plainError{} }, "plainError", "plain"},
		{"a pointer to one", func() error { return &pointerError{} }, "pointerError", "pointed"},
		{"errors.New", func() error { return errors.New("new") }, "errorString", "new"},
		{"a wrapped error, whose inside does not count", func() error { return fmt.Errorf("around: %w", plainError{}) }, "wrapError", "around: plain"},
		{"the runtime's own error", func() error { return messages.InvokeResponse_Error{Type: "TradeConflict", Message: "differs"} }, "TradeConflict", "differs"},
		{"a panic with a text", func() error { panic("broken") }, "string", "broken"},
		{"a panic with an error", func() error { panic(plainError{}) }, "plainError", "plain"},
		{"a panic of the Go runtime", func() error { return []error{}[len(t.Name())] }, "boundsError", "index out of range"},
		{"a panic with the runtime's own error", func() error { panic(messages.InvokeResponse_Error{Type: "T", Message: "m"}) }, "T", "m"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := newFunction(t, handler(func(context.Context, []byte) ([]byte, error) { return []byte("lost"), tc.handler() }))
			answer, err := s.made.Invoke(t.Context(), function.Call{})
			wantType(t, err, tc.typ, tc.message)
			if answer.Payload != nil {
				t.Errorf("the answer is %s beside the error", answer.Payload)
			}
			failed, _ := errors.AsType[*function.Error](err)
			var cause map[string]any
			if err := json.Unmarshal([]byte(failed.Cause()), &cause); err != nil || cause["errorType"] != tc.typ || cause["errorMessage"] != failed.Message {
				t.Errorf("the cause is %s: %v", failed.Cause(), err)
			}
			if got := s.total(t, "Errors", "Sum"); got != 1 {
				t.Errorf("%v errors were counted", got)
			}
		})
	}
}

func TestAHandlerThatIgnoresItsDeadlineIsLeft(t *testing.T) {
	stay := make(chan struct{})
	var finished sync.WaitGroup
	finished.Add(2)
	s := newFunction(t, handler(func(context.Context, []byte) ([]byte, error) {
		defer finished.Done()
		<-stay
		return []byte("too late"), nil
	}),
		func(d *function.Definition, _ *function.Options) {
			one := 1
			d.Timeout, d.ReservedConcurrency = 3*time.Second, &one
		})
	result := make(chan error)
	invoke := func() { _, err := s.made.Invoke(context.Background(), function.Call{}); result <- err }
	go invoke()
	s.clock.BlockUntil(1)
	s.clock.Advance(3 * time.Second)
	wantType(t, <-result, "Sandbox.Timedout", "RequestId: request-1 Error: Task timed out after 3.00 seconds")
	if got := s.total(t, "Duration", "Maximum"); got != 3000 {
		t.Errorf("the duration is %v ms, want 3,000", got)
	}
	// Its place is free again, although its goroutine isn't.
	go invoke()
	s.clock.BlockUntil(1)
	close(stay)
	if err := <-result; err != nil {
		t.Error(err)
	}
	finished.Wait()
	if errs, runs := s.total(t, "Errors", "Sum"), s.total(t, "Errors", "SampleCount"); errs != 1 || runs != 2 {
		t.Errorf("%v errors of %v calls, want one of two: a late answer counts for nothing", errs, runs)
	}
}

func TestAHandlerThatHeedsItsDeadlineAnswersInItsOwnWords(t *testing.T) {
	s := newFunction(t, handler(func(ctx context.Context, _ []byte) ([]byte, error) { <-ctx.Done(); return nil, ctx.Err() }),
		func(d *function.Definition, _ *function.Options) { d.Timeout = time.Second })
	result := make(chan error)
	go func() { _, err := s.made.Invoke(context.Background(), function.Call{}); result <- err }()
	s.clock.BlockUntil(1)
	s.clock.Advance(time.Second)
	// Both happen at once: whichever is first, the call failed.
	failed, ok := errors.AsType[*function.Error](<-result)
	if !ok || failed.Type != "Sandbox.Timedout" && failed.Type != "deadlineExceededError" {
		t.Errorf("got %v", failed)
	}
}

func TestAHandlerGoesOnWhenItsCallerGoes(t *testing.T) {
	started, stay := make(chan struct{}), make(chan struct{})
	finished := make(chan bool)
	s := newFunction(t, handler(func(ctx context.Context, _ []byte) ([]byte, error) {
		close(started)
		<-stay
		finished <- ctx.Err() == nil
		return nil, nil
	}))
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-started; cancel() }()
	if _, err := s.made.Invoke(ctx, function.Call{}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want the caller's own error", err)
	}
	close(stay)
	if !<-finished {
		t.Error("the handler was stopped with its caller")
	}
	if _, err := s.made.Invoke(ctx, function.Call{}); !errors.Is(err, context.Canceled) || s.total(t, "Invocations", "Sum") != 1 {
		t.Errorf("a caller that has gone already: %v, %v invocations", err, s.total(t, "Invocations", "Sum"))
	}
}

func TestATimeoutCountsThoughTheCallerHasGone(t *testing.T) {
	started, stay := make(chan struct{}), make(chan struct{})
	defer close(stay)
	s := newFunction(t, handler(func(context.Context, []byte) ([]byte, error) { close(started); <-stay; return nil, nil }))
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-started; cancel() }()
	if _, err := s.made.Invoke(ctx, function.Call{}); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	s.clock.Advance(3 * time.Second)
	for range 1000 {
		if s.total(t, "Errors", "Sum") == 1 {
			return
		}
		time.Sleep(time.Millisecond)
	}
	t.Error("the timeout was not counted")
}

func TestClosingAFunctionEndsTheContextsOfItsHandlers(t *testing.T) {
	started := make(chan struct{})
	s := newFunction(t, handler(func(ctx context.Context, _ []byte) ([]byte, error) {
		close(started)
		<-ctx.Done()
		return []byte("stopped"), nil
	}))
	go func() { <-started; s.made.Close() }()
	answer, err := s.made.Invoke(t.Context(), function.Call{})
	if err != nil || string(answer.Payload) != "stopped" {
		t.Errorf("got %s, %v", answer.Payload, err)
	}
}

func TestConcurrencyIsLimited(t *testing.T) {
	number := func(n int) *int { return &n }
	for _, tc := range []struct {
		name     string
		reserved *int
		fill     int // calls that run already
		refusal  string
	}{
		{"none at all", number(0), 0, "ReservedFunctionConcurrentInvocationLimitExceeded"},
		{"two of two", number(2), 2, "ReservedFunctionConcurrentInvocationLimitExceeded"},
		{"one of two", number(2), 1, ""},
		{"all that the account has", nil, function.AccountConcurrency, "ConcurrentInvocationLimitExceeded"},
		{"one less", nil, function.AccountConcurrency - 1, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			started, stay := make(chan struct{}), make(chan struct{})
			s := newFunction(t, handler(func(_ context.Context, payload []byte) ([]byte, error) {
				if len(payload) > 0 {
					return nil, nil
				}
				started <- struct{}{}
				<-stay
				return nil, nil
			}), func(d *function.Definition, _ *function.Options) { d.ReservedConcurrency = tc.reserved })
			var group sync.WaitGroup
			for range tc.fill {
				group.Go(func() {
					if _, err := s.made.Invoke(context.Background(), function.Call{}); err != nil {
						t.Error(err)
					}
				})
				<-started
			}
			_, err := s.made.Invoke(t.Context(), function.Call{Payload: []byte("{}")})
			throttled := s.total(t, "Throttles", "Sum")
			if tc.refusal == "" {
				if err != nil || throttled != 0 {
					t.Errorf("got %v and %v throttles", err, throttled)
				}
			} else {
				wantType(t, err, "Lambda.TooManyRequestsException", tc.refusal)
				if throttled != 1 {
					t.Errorf("%v throttles were counted", throttled)
				}
			}
			close(stay)
			group.Wait()
			if tc.fill > 0 {
				if _, err := s.made.Invoke(t.Context(), function.Call{Payload: []byte("{}")}); err != nil {
					t.Errorf("after the others have ended: %v", err)
				}
			}
		})
	}
}

func TestReservationsLeaveAHundred(t *testing.T) {
	pool := function.NewPool()
	reserve := func(name string, n int) (*function.Function, error) {
		return function.New(function.Definition{Name: name, ARN: name, Handler: says(""), ReservedConcurrency: &n},
			function.Options{Clock: clock.Real(), Pool: pool, RequestID: func() string { return "" }})
	}
	first, err := reserve("first", 600)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := reserve("second", 301); err == nil || !strings.Contains(err.Error(), "below its minimum value of [100]: the other functions reserve 600 of 1000") {
		t.Errorf("got %v", err)
	}
	fewer := 599
	if err := first.Update(function.Definition{Name: "first", ARN: "first", Handler: says(""), ReservedConcurrency: &fewer}, "1"); err != nil {
		t.Fatal(err)
	}
	if _, err := reserve("second", 301); err != nil {
		t.Error(err)
	}
	first.Close()
	first.Close() // closing twice releases nothing twice
	if _, err := reserve("third", 599); err != nil {
		t.Error(err)
	}
	if _, err := reserve("fourth", 1); err == nil {
		t.Error("more was given back than was reserved")
	}
}

func TestAnswersAreLimited(t *testing.T) {
	size := 0
	s := newFunction(t, handler(func(context.Context, []byte) ([]byte, error) { return make([]byte, size), nil }))
	ask := func(answer int) error {
		size = answer
		_, err := s.made.Invoke(context.Background(), function.Call{})
		return err
	}
	if err := ask(6<<20 + 100); err != nil {
		t.Errorf("at the limit: %v", err)
	}
	wantType(t, ask(6<<20+101), "Function.ResponseSizeTooLarge", "(6291557 bytes) exceeded maximum allowed payload size (6291556 bytes)")
}

func TestFaultsComeBeforeOrAfterTheHandler(t *testing.T) {
	broken := &function.Error{Type: "Lambda.ServiceException", Message: "try again"}
	for _, applied := range []bool{false, true} {
		var ran atomic.Bool
		s := newFunction(t, handler(func(context.Context, []byte) ([]byte, error) { ran.Store(true); return nil, nil }),
			func(_ *function.Definition, o *function.Options) {
				o.Faults = func(call fault.Call) fault.Fault {
					if want := (fault.Call{Service: "lambda", Operation: "Invoke", Resource: "f", Key: `{"x":1}`}); call != want {
						t.Errorf("the hook saw %+v, want %+v", call, want)
					}
					return fault.Fault{Err: broken, Applied: applied}
				}
			})
		_, err := s.made.Invoke(t.Context(), function.Call{Payload: []byte(`{"x":1}`)})
		wantType(t, err, "Lambda.ServiceException", "try again")
		if ran.Load() != applied {
			t.Errorf("applied %v: the handler ran %v", applied, ran.Load())
		}
	}
}

func TestDefinitionsThatAreRefused(t *testing.T) {
	minus := -1
	for _, tc := range []struct {
		name    string
		def     function.Definition
		problem string
	}{
		{"nothing", function.Definition{}, "it has no handler"},
		{"a name with a space", function.Definition{Name: "a b", ARN: arn, Handler: says("")}, "a name has 1 to 64"},
		{"no ARN", function.Definition{Name: "f", Handler: says("")}, "it has no ARN"},
		{"a timeout of 16 minutes", function.Definition{Name: "f", ARN: arn, Handler: says(""), Timeout: 16 * time.Minute}, "a timeout of 16m0s"},
		{"a timeout of half a second", function.Definition{Name: "f", ARN: arn, Handler: says(""), Timeout: time.Second / 2}, "a timeout of 500ms"},
		{"a negative reservation", function.Definition{Name: "f", ARN: arn, Handler: says(""), ReservedConcurrency: &minus}, "-1 is negative"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := function.New(tc.def, function.Options{Clock: clock.Real(), Pool: function.NewPool()})
			if err == nil || !strings.Contains(err.Error(), tc.problem) {
				t.Errorf("got %v, want it to say %q", err, tc.problem)
			}
		})
	}
}

// 64 callers time out, hit the limit or panic, a third each: every call ends, every place is released, every metric
// adds up.
func TestSixtyFourCallersAreAllAnswered(t *testing.T) {
	const callers, each, places = 64, 100, 16
	s := newFunction(t, handler(func(_ context.Context, payload []byte) ([]byte, error) {
		switch payload[0] % 4 {
		case 0:
			panic("broken")
		case 1:
			return nil, errors.New("failed")
		default:
			return payload, nil
		}
	}), func(d *function.Definition, o *function.Options) {
		n := places
		d.ReservedConcurrency, o.Clock = &n, clock.Real()
	})
	var answered, throttled, failed atomic.Int64
	var group sync.WaitGroup
	for c := range callers {
		group.Go(func() {
			for i := range each {
				payload := []byte{byte(i), byte(c)}
				answer, err := s.made.Invoke(context.Background(), function.Call{Payload: payload})
				switch reason, ok := errors.AsType[*function.Error](err); {
				case err == nil && slices.Equal(answer.Payload, payload):
					answered.Add(1)
				case ok && reason.Type == "Lambda.TooManyRequestsException":
					throttled.Add(1)
				case ok && (reason.Type == "string" || reason.Type == "errorString"):
					failed.Add(1)
				default:
					t.Errorf("got %s, %v", answer.Payload, err)
				}
			}
		})
	}
	group.Wait()
	if sum := answered.Load() + throttled.Load() + failed.Load(); sum != callers*each {
		t.Errorf("%d calls were answered, want %d", sum, callers*each)
	}
	for metric, want := range map[string]int64{
		"Invocations": answered.Load() + failed.Load(), "Errors": failed.Load(), "Throttles": throttled.Load(),
	} {
		if got := s.total(t, metric, "Sum"); int64(got) != want {
			t.Errorf("%s is %v, want %d", metric, got, want)
		}
	}
	if got := s.total(t, "ConcurrentExecutions", "Maximum"); got > places {
		t.Errorf("%v ran at a time, more than %d", got, places)
	}
	if _, err := s.made.Invoke(t.Context(), function.Call{Payload: []byte{2}}); err != nil {
		t.Errorf("a place was not given back: %v", err)
	}
}

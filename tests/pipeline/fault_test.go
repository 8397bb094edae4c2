package pipeline_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	dynamodb "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	ssm "github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"trade-processing/internal/exitcode"
	"trade-processing/local/cloud"
	"trade-processing/local/fault"
	"trade-processing/local/function"
)

var (
	throttledTable = &dynamodb.ProvisionedThroughputExceededException{Message: aws.String("slow down")}
	brokenTable    = &dynamodb.InternalServerError{Message: aws.String("try again")}
	brokenSSM      = &ssm.InternalServerError{Message: aws.String("try again")}
	throttledCall  = &function.Error{Type: "Lambda.TooManyRequestsException", Message: "Rate Exceeded."}
	brokenCall     = &function.Error{Type: "Lambda.ServiceException", Message: "try again"}
	idleCall       = &function.Error{Type: "Lambda.CodeArtifactUserPendingException", Message: "Lambda is initializing your function. It will be ready to invoke shortly."}
	detachedCall   = &function.Error{Type: "Lambda.ResourceNotReadyException", Message: "The function is inactive and its VPC connection is no longer available."}
	timedOutCall   = &function.Error{Type: "Sandbox.Timedout", Message: "Task timed out after 3.00 seconds"}
	errLostMessage = errors.New("connection reset by peer")
)

// first fails the first n calls of an operation for each of its subjects: each trade, each payload.
func first(n int, service, operation string, with fault.Fault) fault.Hook {
	var mu sync.Mutex
	calls := map[string]int{}
	return func(call fault.Call) fault.Fault {
		if call.Service != service || call.Operation != operation {
			return fault.Fault{}
		}
		mu.Lock()
		defer mu.Unlock()
		if calls[call.Resource+call.Key]++; calls[call.Resource+call.Key] > n {
			return fault.Fault{}
		}
		return with
	}
}

// fromFirst fails the calls of an operation on each resource for so long from the first.
func fromFirst(lasting time.Duration, service, operation string, with fault.Fault) fault.Hook {
	var mu sync.Mutex
	since := map[string]time.Time{}
	return func(call fault.Call) fault.Fault {
		if call.Service != service || call.Operation != operation {
			return fault.Fault{}
		}
		mu.Lock()
		defer mu.Unlock()
		if since[call.Resource].IsZero() {
			since[call.Resource] = time.Now()
		}
		if time.Since(since[call.Resource]) > lasting/haste {
			return fault.Fault{}
		}
		return with
	}
}

// always fails every call of an operation on resources whose name ends like this.
func always(service, operation, resource string, with fault.Fault) fault.Hook {
	return func(call fault.Call) fault.Fault {
		if call.Service == service && call.Operation == operation && strings.HasSuffix(call.Resource, resource) {
			return with
		}
		return fault.Fault{}
	}
}

// all combines several hooks; the first that fails a call wins.
func all(hooks ...fault.Hook) fault.Hook {
	return func(call fault.Call) fault.Fault {
		for _, hook := range hooks {
			if f := hook(call); f != (fault.Fault{}) {
				return f
			}
		}
		return fault.Fault{}
	}
}

// Transient faults are retried until they pass, and no number differs from a day without faults.
func TestFaultsThatPassChangeNothing(t *testing.T) {
	for name, hook := range map[string]fault.Hook{
		"each trade's first writes are throttled":                      first(3, "dynamodb", "PutItem", fault.Fault{Err: throttledTable}),
		"each trade's first writes succeed and their answers are lost": first(2, "dynamodb", "PutItem", fault.Fault{Err: brokenTable, Applied: true}),
		"each first write takes its time":                              first(1, "dynamodb", "PutItem", fault.Fault{Delay: time.Second}),
		"each call of a function is throttled at first":                first(3, "lambda", "Invoke", fault.Fault{Err: throttledCall}),
		"each call of a function breaks off after its work":            first(1, "lambda", "Invoke", fault.Fault{Err: brokenCall, Applied: true}),
		"each call of a function takes too long at first":              first(2, "lambda", "Invoke", fault.Fault{Err: timedOutCall}),
		"each function was idle for weeks":                             fromFirst(106*time.Second, "lambda", "Invoke", fault.Fault{Err: idleCall}),
		"each function has to reach its network again":                 fromFirst(106*time.Second, "lambda", "Invoke", fault.Fault{Err: detachedCall}),
		"parameters can't be read at first":                            first(3, "ssm", "GetParametersByPath", fault.Fault{Err: brokenSSM}),
		"each message to a queue is refused at first":                  first(4, "sqs", "SendMessage", fault.Fault{Err: errLostMessage}),
		"each message to a queue arrives and its answer is lost":       first(2, "sqs", "SendMessage", fault.Fault{Err: errLostMessage, Applied: true}),
		"replicas lag by a minute":                                     always("dynamodb", "Replicate", "", fault.Fault{Delay: time.Minute}),
		"all of it at once": all(
			first(1, "dynamodb", "PutItem", fault.Fault{Err: brokenTable, Applied: true}),
			first(1, "lambda", "Invoke", fault.Fault{Err: throttledCall}),
			first(1, "ssm", "GetParametersByPath", fault.Fault{Err: brokenSSM}),
			first(3, "sqs", "SendMessage", fault.Fault{Err: errLostMessage}),
		),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel() // waits go by the clock
			s := deploy(t, cloud.Options{Faults: hook})
			s.pipeline.Concurrency = 64
			lines, expected := linesOf(t, 21, 600)
			wants(t, expected, s.run(lines...))
		})
	}
}

// After permanent faults, a trade is kept whole in the queue of the function that failed.
func TestFaultsThatStayKeepEveryTrade(t *testing.T) {
	for _, tc := range []struct {
		name  string
		hook  fault.Hook
		queue string
		error string
	}{
		{"the table is throttled for good", always("dynamodb", "PutItem", "", fault.Fault{Err: throttledTable}), recorderQueue, "ProvisionedThroughputExceededException"},
		{"the table fails for good, though it wrote", always("dynamodb", "PutItem", "", fault.Fault{Err: brokenTable, Applied: true}), recorderQueue, "InternalServerError"},
		{"the recorder is throttled for good", always("lambda", "Invoke", "recorder", fault.Fault{Err: throttledCall}), recorderQueue, "Lambda.TooManyRequestsException"},
		{"the validator has an unknown error", always("lambda", "Invoke", "validator", fault.Fault{Err: errors.New("as the hook wished")}), validatorQueue, "States.TaskFailed"},
		{"the enricher is throttled for good", always("lambda", "Invoke", "enricher", fault.Fault{Err: throttledCall}), enricherQueue, "Lambda.TooManyRequestsException"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			s := deploy(t, cloud.Options{Faults: tc.hook})
			s.pipeline.Concurrency = 64
			var lines []string
			for _, id := range []string{"a", "b", "c", "d", "e", "f", "g", "h"} {
				lines = append(lines, aTrade(`{"tradeId": "`+id+`", "amount": "1.50", "currency": "USD", "sourceSystem": "system1"}`))
			}
			r := s.run(lines...)
			if r.DeadLettered != int64(len(lines)) || len(r.DeadLetters) != 1 || r.DeadLetters[0].Queue != tc.queue || r.DeadLetters[0].Error != tc.error {
				t.Errorf("got %s, want all in %s as %s", summary(r), tc.queue, tc.error)
			}
			letters := s.letters(tc.queue)
			for _, id := range []string{"a", "b", "c", "d", "e", "f", "g", "h"} {
				if !slices.ContainsFunc(letters, func(letter string) bool {
					return strings.Contains(letter, `"detail":{"tradeId": "`+id+`", "amount": "1.50"`)
				}) {
					t.Errorf("trade %s is not kept as it came", id)
				}
			}
		})
	}
}

// Both branches of the workflow may fail permanently at the same time. The trade is then kept twice, but is still one
// trade.
func TestATradeThatIsKeptTwiceIsOneTrade(t *testing.T) {
	const trades = 20
	// Neither branch sends before both are about to, or one would stop the other.
	var mu sync.Mutex
	waiting := map[string]chan struct{}{}
	meet := func(call fault.Call) fault.Fault {
		if call.Service != "sqs" || call.Operation != "SendMessage" {
			return fault.Fault{}
		}
		_, id, _ := strings.Cut(call.Key, `"tradeId": "`)
		id, _, _ = strings.Cut(id, `"`)
		mu.Lock()
		other, second := waiting[id]
		if !second {
			other = make(chan struct{})
			waiting[id] = other
		}
		mu.Unlock()
		if second {
			close(other)
		} else {
			<-other
		}
		return fault.Fault{}
	}
	s := deploy(t, cloud.Options{Faults: all(
		always("lambda", "Invoke", "validator", fault.Fault{Err: timedOutCall}),
		always("lambda", "Invoke", "enricher", fault.Fault{Err: throttledCall}),
		meet,
	)})
	var lines []string
	for i := range trades {
		lines = append(lines, aTrade(fmt.Sprintf(`{"tradeId": "t%d"}`, i)))
	}
	r := s.run(lines...)
	if r.DeadLettered != trades || len(r.DeadLetters) != 1 || r.DeadLetters[0].Queue != enricherQueue {
		t.Errorf("got %s", summary(r))
	}
	if inOne, inOther := len(s.letters(validatorQueue)), len(s.letters(enricherQueue)); inOne != trades || inOther != trades {
		t.Errorf("%d and %d messages for %d trades", inOne, inOther, trades)
	}
}

// Without a queue to keep it in, a trade is lost, and the report must not reconcile.
func TestALostTradeShows(t *testing.T) {
	s := deploy(t, cloud.Options{Faults: always("sqs", "SendMessage", "", fault.Fault{Err: errLostMessage})})
	f := feedOf(aTrade(`{"tradeId": "a b"}`), aTrade(`{"tradeId": "good"}`))
	r, err := s.process(t.Context(), f)
	if err != nil || r.Reconciles || r.ExitCode() != exitcode.Unreconciled || r.Received != 2 || r.Rejected != 1 {
		t.Errorf("got %v, exit code %d, %s", err, r.ExitCode(), summary(r))
	}
}

package cloud_test

import (
	"errors"
	"fmt"
	"maps"
	"strings"
	"sync"
	"testing"

	"trade-processing/local/cloud"
	"trade-processing/local/fault"
	"trade-processing/local/states"
)

func TestWhatBecomesOfAnExecution(t *testing.T) {
	pass := func(state string) string { return `{"StartAt": "A", "States": {"A": ` + state + `}}` }
	call := func(function string) string {
		return pass(`{"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke",
			"Parameters": {"FunctionName": "` + function + `", "Payload.$": "$"}, "End": true}`)
	}
	send := func(parameters string) string {
		return pass(`{"Type": "Task", "Resource": "arn:aws:states:::sqs:sendMessage", "Parameters": ` + parameters + `, "End": true}`)
	}
	pay := func(payload string) string {
		return pass(`{"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "OutputPath": "$.Payload", "End": true,
			"Parameters": {"FunctionName": "arn:aws:lambda:us-east-1:000000000000:function:keeper:live", "Payload": ` + payload + `}}`)
	}
	const keeper = "arn:aws:lambda:us-east-1:000000000000:function:keeper"
	for _, tc := range []struct {
		name       string
		definition string
		want       string
	}{
		{"a function by its ARN is the version that is not published", call(keeper),
			`{"ExecutedVersion":"$LATEST","Payload":"hello kept","StatusCode":200}`},
		{"a function by its alias is the version behind it", call(keeper + ":live"),
			`{"ExecutedVersion":"1","Payload":"hello kept","StatusCode":200}`},
		{"a version that is not there", call(keeper + ":7"), "failed: Lambda.ResourceNotFoundException"},
		{"a function that is not there", call("arn:aws:lambda:us-east-1:000000000000:function:nobody"), "failed: Lambda.ResourceNotFoundException"},
		{"a function by half an ARN", call("keeper"), "failed: Lambda.ResourceNotFoundException"},
		{"a queue that is not there", send(`{"QueueUrl": "https://sqs.us-east-1.amazonaws.com/000000000000/nobody", "MessageBody": "x"}`),
			"failed: SQS.QueueDoesNotExistException"},
		{"a message without a body", send(`{"QueueUrl": "https://sqs.us-east-1.amazonaws.com/000000000000/failures", "MessageBody": ""}`),
			"failed: SQS.AmazonSQSException"},
		{"a message whose body is null", send(`{"QueueUrl": "https://sqs.us-east-1.amazonaws.com/000000000000/failures", "MessageBody": null}`),
			"failed: SQS.AmazonSQSException"},
		{"a text as payload is JSON itself", pay(`"{\"detail\": {\"say\": \"so\"}}"`), "so"},
		{"a text from the event too", strings.Replace(pay(`""`), `"Payload": ""`, `"Payload.$": "$.detail.payload"`, 1), "this"},
		{"a text that is not JSON", pay(`"hello"`), "failed: Lambda.InvalidRequestContentException"},
		{"no payload", pay(`null`), "nothing to keep"},
		{"parameters that come with the input and are not served",
			pass(`{"Type": "Task", "Resource": "arn:aws:states:::sqs:sendMessage", "End": true}`), "failed: States.Runtime"},
		{"parameters that are no object",
			strings.Replace(calling("x", "$$.Execution.Id"), `"End": true}`, `"Next": "B"}, "B": {"Type": "Task", "Resource": "arn:aws:states:::sqs:sendMessage", "End": true}`, 1), "failed: States.Runtime"},
		{"an error of its own", pass(`{"Type": "Fail", "ErrorPath": "$.source"}`), "failed: shop"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := newWorld(t)
			w.update(cloud.MachineType, "orders", cloud.Properties{"definition": tc.definition})
			w.expect(`{"id": "1", "payload": "{\"detail\": {\"say\": \"this\"}}"}`, tc.want)
		})
	}
}

func TestAnExecutionHasTheARNOfItsKind(t *testing.T) {
	w := newWorld(t)
	entry := cloud.Entry{Source: "shop", DetailType: "Order", Detail: []byte(`{"id": "1"}`)}
	standard, err := w.PutEvent(t.Context(), here, "orders", entry)
	if err != nil || !strings.HasPrefix(standard.Deliveries[0].Execution, "arn:aws:states:us-east-1:000000000000:execution:orders:") {
		t.Errorf("got %+v, %v", standard, err)
	}
	inputs := machineInputs(definition(w.url("failures")))
	inputs["name"], inputs["type"] = "express", "EXPRESS"
	w.update(cloud.TargetType, "orders", cloud.Properties{"arn": w.create(cloud.MachineType, "express", inputs).ID})
	express, err := w.PutEvent(t.Context(), here, "orders", entry)
	if err != nil || !strings.HasPrefix(express.Deliveries[0].Execution, "arn:aws:states:us-east-1:000000000000:express:express:") {
		t.Errorf("got %+v, %v", express, err)
	}
}

// A failure is kept with the original event and error.
func TestADeadLetterHoldsTheEventAndTheError(t *testing.T) {
	w := newWorld(t)
	w.expect(`{"id": "1", "fail": "Broken", "amount": 1.50}`, "failed: Broken, kept in failures as Broken")
	for message := range w.queue("failures").Messages() {
		for _, part := range []string{`"detail":{"id": "1", "fail": "Broken", "amount": 1.50}`, `"Error":"Broken"`, "as the order wished"} {
			if !contains(message.Body, part) {
				t.Errorf("%s lacks %s", message.Body, part)
			}
		}
	}
}

// An event's trace reaches the function's context and the queue; an event without one begins its own.
func TestATraceGoesThrough(t *testing.T) {
	w := newWorld(t)
	const trace = "Root=1-67891233-abcdef012345678912345678;Sampled=1"
	w.putEntry(cloud.Entry{Source: "shop", DetailType: "Order", Detail: []byte(`{"fail": "Broken"}`), TraceHeader: trace})
	w.putEntry(cloud.Entry{Source: "shop", DetailType: "Order", Detail: []byte(`{"fail": "Broken"}`)})
	var traces []string
	for message := range w.queue("failures").Messages() {
		traces = append(traces, message.TraceHeader)
	}
	if len(traces) != 2 || traces[0] != trace || !strings.HasPrefix(traces[1], fmt.Sprintf("Root=1-%x-", noon.Unix())) {
		t.Errorf("got %q", traces)
	}
}

func TestEveryStateThatIsLeftIsObserved(t *testing.T) {
	var mu sync.Mutex
	visits := map[string]string{}
	w := newWorldWith(t, cloud.Options{Observe: func(v states.Visit) {
		mu.Lock()
		defer mu.Unlock()
		visits[v.State] = ""
		if v.Failure != nil {
			visits[v.State] = v.Failure.Name
		}
	}})
	w.expect(`{"id": "1", "fail": "Broken"}`, "failed: Broken, kept in failures as Broken")
	if want := map[string]string{"Keep": "Broken", "Save": "", "Failed": "Broken"}; !maps.Equal(visits, want) {
		t.Errorf("got %v, want %v", visits, want)
	}
}

// Each service asks the hook about its calls, and the caller sees the hook's answer.
func TestFaultsReachEveryService(t *testing.T) {
	for _, tc := range []struct {
		name    string
		of      fault.Call
		outcome string
	}{
		{"a table", fault.Call{Service: "dynamodb", Operation: "PutItem", Resource: "orders"}, "failed: OperationError, kept in failures as OperationError"},
		{"a function", fault.Call{Service: "lambda", Operation: "Invoke", Resource: "keeper"}, "failed: States.TaskFailed, kept in failures as States.TaskFailed"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := newWorldWith(t, cloud.Options{Faults: func(c fault.Call) fault.Fault {
				if c.Key = ""; c == tc.of {
					return fault.Fault{Err: errors.New("as the hook wished")}
				}
				return fault.Fault{}
			}})
			w.expect(`{"id": "1"}`, tc.outcome)
		})
	}
	t.Run("a queue", func(t *testing.T) {
		w := newWorldWith(t, cloud.Options{Faults: func(c fault.Call) fault.Fault {
			if c.Service == "sqs" {
				return fault.Fault{Err: errors.New("as the hook wished")}
			}
			return fault.Fault{}
		}})
		w.expect(`{"id": "1", "fail": "Broken"}`, "failed: SQS.SdkClientException")
	})
}

// An execution that failed goes on where it stopped, once what stopped it is mended, also in the next process.
func TestAnExecutionIsRedriven(t *testing.T) {
	folder := t.TempDir()
	w := livingIn(t, folder)
	w.furnish()
	w.delete(cloud.QueueType, "failures")
	if got := w.put(`{"id": "1", "fail": "Broken"}`); got != "failed: SQS.QueueDoesNotExistException" {
		t.Fatalf("it became %s", got)
	}
	arn := w.Executions(w.arn(cloud.MachineType, "orders"))[0].ARN
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	w = livingIn(t, folder)
	redrive := func() (*cloud.Execution, error) {
		x, _ := w.Execution(arn)
		_, err := w.Redrive(t.Context(), x)
		return x, err
	}
	if x, err := redrive(); err != nil || x.Outcome().Status != cloud.Failed || x.Outcome().Redrives != 1 {
		t.Errorf("%+v, %v", x.Outcome(), err)
	}
	w.create(cloud.QueueType, "failures", cloud.Properties{"name": "failures"})
	if x, err := redrive(); err != nil || x.Outcome().Failure.Name != "Broken" || w.queue("failures").State().Visible != 1 {
		t.Errorf("%+v, %v", x.Outcome(), err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}

	w = livingIn(t, folder)
	defer w.Close() //nolint:errcheck // the test is over
	x, _ := w.Execution(arn)
	if now := x.Outcome(); now.Redrives != 2 || now.Redriven.IsZero() {
		t.Errorf("the next process knows %+v", now)
	}
	called, redriven := 0, 0
	for i, event := range x.History() {
		if event.ID != int64(i+1) {
			t.Errorf("event %d is %+v", i+1, event)
		}
		if event.Type == "TaskScheduled" && strings.HasSuffix(event.Resource, "lambda:invoke") {
			called++
		}
		if event.Type == "ExecutionRedriven" {
			redriven++
		}
	}
	if called != 1 || redriven != 2 {
		t.Errorf("the function was called %d times, and the execution redriven %d times", called, redriven)
	}
	// It ended in its Fail state, and does so again.
	if _, err := redrive(); err != nil || x.Outcome().Failure.Name != "Broken" || w.queue("failures").State().Visible != 1 {
		t.Errorf("%+v, %v", x.Outcome(), err)
	}
	w.put(`{"id": "2"}`)
	arn = w.Executions(x.Machine)[0].ARN
	if _, err := redrive(); told(err) != "ExecutionNotRedrivable: Execution is SUCCEEDED and cannot be redriven." {
		t.Errorf("one that succeeded: %v", err)
	}
}

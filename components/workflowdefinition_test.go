package components

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"trade-processing/components/asl"
)

// tradeStages are stages like those of the trades.
var tradeStages = []Stage{
	{State: "ValidateTrade", Result: "validation", TimeoutSeconds: 5}, {State: "EnrichTrade", Result: "market", TimeoutSeconds: 10},
	{State: "RecordTrade", TimeoutSeconds: 10},
}

// definition returns a standard trade workflow with distinguishable names.
func definition(t *testing.T, maxRetries int) asl.Machine {
	t.Helper()
	return definitionOf(t, Standard, maxRetries)
}

func definitionOf(t *testing.T, kind WorkflowType, maxRetries int) asl.Machine {
	t.Helper()
	function := func(name string, timeout time.Duration) CalledFunction {
		return CalledFunction{
			AliasARN:       "arn:aws:lambda:us-east-1:111122223333:function:" + name + ":live",
			DeadLettersURL: "https://sqs.us-east-1.amazonaws.com/111122223333/" + name, Timeout: timeout,
		}
	}
	machine, err := StagedDefinition(workflowStages(tradeStages), maxRetries)("aws", kind, []CalledFunction{
		function("validator", 5*time.Second), function("enricher", 10*time.Second), function("recorder", 10*time.Second),
	})
	if err != nil {
		t.Fatal(err)
	}
	return machine
}

// allStates returns the states of a machine and of all branches within it.
func allStates(states asl.States) map[string]asl.State {
	all := map[string]asl.State{}
	for name, state := range states {
		all[name] = state
		if parallel, nested := state.(asl.Parallel); nested {
			for _, branch := range parallel.Branches {
				maps.Copy(all, allStates(branch.States))
			}
		}
	}
	return all
}

func TestTheWorkflowIsSound(t *testing.T) {
	for _, kind := range []WorkflowType{Standard, Express} {
		for retries := range MaxRetries(kind, tradeStages) + 1 {
			if err := definitionOf(t, kind, retries).Check(); err != nil {
				t.Errorf("%s, %d retries: %v", kind, retries, err)
			}
		}
	}
}

func TestTheWorkflowIsValidateAndEnrichThenRecord(t *testing.T) {
	machine := definition(t, 3)
	text, err := machine.JSON()
	if err != nil {
		t.Fatal(err)
	}
	var read struct {
		StartAt string
		States  map[string]struct {
			Type           string
			Branches       []struct{ StartAt string }
			ResultSelector map[string]string
			Next           string
			End            bool
		}
	}
	if err := json.Unmarshal([]byte(text), &read); err != nil {
		t.Fatal(err)
	}
	start := read.States[read.StartAt]
	if start.Type != "Parallel" || len(start.Branches) != 2 || start.Branches[0].StartAt != "ValidateTrade" || start.Branches[1].StartAt != "EnrichTrade" {
		t.Errorf("it begins with %+v", start)
	}
	if diff := cmp.Diff(map[string]string{"validation.$": "$[0]", "market.$": "$[1]"}, start.ResultSelector); diff != "" {
		t.Error(diff)
	}
	if start.Next != "RecordTrade" || !read.States["RecordTrade"].End {
		t.Errorf("it goes on with %s, which ends: %v", start.Next, read.States["RecordTrade"].End)
	}
}

func TestEachFunctionGetsTheEventAsItArrived(t *testing.T) {
	event := asl.Object{"event": asl.ExecutionInput, "executionArn": asl.ExecutionID}
	recording := maps.Clone(event)
	recording["validation"], recording["market"] = asl.Path("$.validation"), asl.Path("$.market")
	states := allStates(definition(t, 3).States)
	for name, want := range map[string]struct {
		function string
		payload  asl.Object
	}{"ValidateTrade": {"validator", event}, "EnrichTrade": {"enricher", event}, "RecordTrade": {"recorder", recording}} {
		task := states[name].(asl.Task)
		parameters := asl.Object{"FunctionName": "arn:aws:lambda:us-east-1:111122223333:function:" + want.function + ":live", "Payload": want.payload}
		if diff := cmp.Diff(parameters, task.Parameters); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
		if task.Resource != "arn:aws:states:::lambda:invoke" || task.OutputPath != "$.Payload" {
			t.Errorf("%s calls %s and answers %s", name, task.Resource, task.OutputPath)
		}
	}
}

// An execution is either recorded, or failed and kept: every task that can fail leads to its own queue, and from there
// to a failure under the error's own name. What the queue refuses is kept as a letter that names the event. If the
// queue takes nothing, a metric says so, and the execution fails where a redrive can send again.
func TestEveryFailureIsKeptInItsFunctionsQueue(t *testing.T) {
	states := allStates(definition(t, 3).States)
	for task, queue := range map[string]string{"ValidateTrade": "validator", "EnrichTrade": "enricher", "RecordTrade": "recorder"} {
		// States.ALL excludes States.DataLimitExceeded, so that has its own catcher.
		leads := func(from, to string, path asl.ResultPath) asl.Task {
			t.Helper()
			want := []asl.Catcher{
				{ErrorEquals: []string{"States.DataLimitExceeded"}, ResultPath: path, Next: to},
				{ErrorEquals: []string{"States.ALL"}, ResultPath: path, Next: to},
			}
			if diff := cmp.Diff(want, states[from].(asl.Task).Catch); diff != "" {
				t.Fatalf("%s: %s", from, diff)
			}
			return states[to].(asl.Task)
		}
		sends := func(keep asl.Task, letter asl.Object) {
			t.Helper()
			parameters := asl.Object{"QueueUrl": "https://sqs.us-east-1.amazonaws.com/111122223333/" + queue, "MessageBody": letter}
			if diff := cmp.Diff(parameters, keep.Parameters); diff != "" {
				t.Errorf("%s: %s", task, diff)
			}
			if keep.Resource != "arn:aws:states:::sqs:sendMessage" || keep.ResultPath != asl.Discard {
				t.Errorf("%s is kept by %+v", task, keep)
			}
			fail, ok := states[keep.Next].(asl.Fail)
			if !ok || fail.ErrorPath != "$.Error" || fail.CausePath == "" {
				t.Errorf("%s ends in %+v", task, states[keep.Next])
			}
		}
		keep, refer, page, again := "Keep"+task+"Failure", "Refer"+task+"Failure", "Page"+task+"Failure", "Refer"+task+"FailureAgain"
		reference := asl.Object{
			"event": asl.Object{"id": asl.Path("$$.Execution.Input.id"), "time": asl.Path("$$.Execution.Input.time")},
			"error": asl.Object{"Error": asl.Path("$.Error")}, "executionArn": asl.ExecutionID, "refused": asl.Path("$.Refused.Error"),
		}
		sends(leads(task, keep, ""), asl.Object{"event": asl.ExecutionInput, "error": asl.Path("$"), "executionArn": asl.ExecutionID})
		sends(leads(keep, refer, "$.Refused"), reference)
		if paging := leads(refer, page, "$.Refused"); paging.Resource != "arn:aws:states:::aws-sdk:cloudwatch:putMetricData" || paging.Next != again {
			t.Errorf("%s: %+v", task, paging)
		}
		last := leads(page, again, "$.NotPaged")
		sends(last, reference)
		if len(last.Catch) > 0 {
			t.Errorf("%s: a redrive has nothing to begin at", task)
		}
	}
}

// The errors are those of Invoke in Lambda's API (https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html), and
// what Step Functions, AWS's clients and the functions add.
func TestErrorsAreRetriedAsLongAsTheyCanPass(t *testing.T) {
	soon := []string{
		"Lambda.AWSLambdaException", "Lambda.ClientExecutionTimeoutException", "Lambda.SdkClientException", "Lambda.ServiceException",
		"Lambda.TooManyRequestsException", "Lambda.Unknown", "States.Timeout", "Sandbox.Timedout",
		"ProvisionedThroughputExceededException", "ThrottlingException", "RequestLimitExceeded", "InternalServerError", "ParametersUnavailable",
	}
	later := []string{
		"Lambda.CodeArtifactUserPendingException", "Lambda.EC2ThrottledException", "Lambda.EC2UnexpectedException", "Lambda.ENILimitReachedException",
		"Lambda.ResourceConflictException", "Lambda.ResourceNotReadyException", "Lambda.SubnetIPAddressLimitReachedException",
	}
	never := []string{
		"States.ALL", "States.TaskFailed", "States.Runtime", "MalformedTrade", "TradeConflict", "InternalError", "Runtime.Panic",
		"ConditionalCheckFailedException", "AccessDeniedException", "Lambda.CodeArtifactUserFailedException", "Lambda.EC2AccessDeniedException",
		"Lambda.InvalidParameterValueException", "Lambda.InvalidRequestContentException", "Lambda.InvalidSecurityGroupIDException",
		"Lambda.InvalidSubnetIDException", "Lambda.KMSAccessDeniedException", "Lambda.KMSDisabledException", "Lambda.KMSInvalidStateException",
		"Lambda.KMSNotFoundException", "Lambda.RequestTooLargeException", "Lambda.ResourceNotFoundException", "Lambda.UnsupportedMediaTypeException",
	}
	states := allStates(definition(t, 3).States)
	for _, name := range []string{"ValidateTrade", "EnrichTrade", "RecordTrade"} {
		retries := map[string]int{} // by error
		for _, r := range states[name].(asl.Task).Retry {
			for _, e := range r.ErrorEquals {
				if _, twice := retries[e]; twice {
					t.Errorf("%s: two retriers have %s, and the second is never used", name, e)
				}
				retries[e] = r.MaxAttempts
			}
		}
		for want, errors := range map[int][]string{3: soon, 6: later, 0: never} {
			for _, e := range errors {
				if retries[e] != want {
					t.Errorf("%s retries %s %d times, want %d", name, e, retries[e], want)
				}
			}
		}
	}
}

// Idle functions were seen to need 40 to 106 seconds. All of a stage's calls may have to wait so long.
func TestACallWaitsForAFunctionThatIsNotReady(t *testing.T) {
	wait := func(task asl.State) (seconds float64) {
		for _, r := range task.(asl.Task).Retry {
			if slices.Contains(r.ErrorEquals, "Lambda.ResourceNotReadyException") {
				if r.JitterStrategy == asl.FullJitter {
					t.Errorf("%+v may not wait at all", r)
				}
				for n := range r.MaxAttempts {
					seconds += min(float64(r.IntervalSeconds)*math.Pow(r.BackoffRate, float64(n)), float64(r.MaxDelaySeconds))
				}
			}
		}
		return seconds
	}
	for _, test := range []struct {
		kind    WorkflowType
		retries int
		want    float64
	}{
		{Standard, 3, 195}, {Standard, 10, 195},
		{Express, 0, 60}, {Express, 1, 53}, {Express, 2, 31}, {Express, 3, 7}, // what five minutes leave for it
	} {
		machine := definitionOf(t, test.kind, test.retries)
		for _, name := range []string{"ValidateTrade", "RecordTrade"} {
			if got := wait(allStates(machine.States)[name]); got != test.want {
				t.Errorf("%s, %d retries: %s waits %v s, want %v", test.kind, test.retries, name, got, test.want)
			}
		}
	}
}

// A function that ends by itself says why; one cut off by Step Functions says nothing.
func TestATaskWaitsLongerThanItsFunctionMayTake(t *testing.T) {
	states := allStates(definition(t, 3).States)
	for name, timeout := range map[string]int{"ValidateTrade": 5, "EnrichTrade": 10, "RecordTrade": 10} {
		if got := states[name].(asl.Task).TimeoutSeconds; got <= timeout {
			t.Errorf("%s waits %d s for a function of %d s", name, got, timeout)
		}
	}
}

// Nothing catches an execution cut off by its own timeout, and its event is in no queue.
func TestAnExecutionIsNeverCutOffOnItsWayToTheQueue(t *testing.T) {
	for retries := range 11 {
		machine := definition(t, retries)
		longest, err := machine.Longest()
		if err != nil || machine.TimeoutSeconds <= longest {
			t.Errorf("%d retries take up to %d s, and the machine gives %d s (%v)", retries, longest, machine.TimeoutSeconds, err)
		}
	}
}

func TestAnExpressWorkflowFitsIntoFiveMinutes(t *testing.T) {
	most := MaxRetries(Express, tradeStages)
	for retries := range most + 1 {
		if takes := definitionOf(t, Express, retries).TimeoutSeconds; takes > 300 {
			t.Errorf("%d retries are allowed, and take %d s", retries, takes)
		}
	}
	task := allStates(definitionOf(t, Express, most+1).States)["RecordTrade"].(asl.Task)
	if len(task.Retry) > 1 {
		t.Errorf("%d retries would leave time for functions that aren't ready, and are refused", most+1)
	}
	if got := MaxRetries(Standard, tradeStages); got != 10 {
		t.Errorf("a standard workflow has time for %d retries", got)
	}
	if got := MaxRetries(Express, []Stage{{State: "A", Result: "a", TimeoutSeconds: 300}, {State: "B", TimeoutSeconds: 60}}); got != 0 {
		t.Errorf("with a function that takes the whole time, %d retries are allowed", got)
	}
}

func TestAPipelineRefusesRetriesItHasNoTimeFor(t *testing.T) {
	args := TradePipelineArgs{WorkflowType: Express, Stages: tradeStages, MaxRetries: MaxRetries(Express, tradeStages) + 1}
	if err := args.Check(); err == nil || !strings.Contains(err.Error(), fmt.Sprintf("MaxRetries: is %d", args.MaxRetries)) {
		t.Errorf("got %v", err)
	}
}

func TestOneStageNeedsNoParallelState(t *testing.T) {
	machine, err := StagedDefinition([]WorkflowStage{{State: "Confirm"}}, 2)("aws", Standard, []CalledFunction{{AliasARN: "a", DeadLettersURL: "q", Timeout: time.Second}})
	if err != nil || machine.StartAt != "Confirm" || len(machine.States) != 6 || machine.Check() != nil {
		t.Errorf("%+v: %v, %v", machine, err, machine.Check())
	}
}

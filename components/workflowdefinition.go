package components

import (
	"cmp"
	"fmt"
	"maps"
	"time"

	"trade-processing/components/asl"
)

// WorkflowType is how Step Functions runs a state machine.
type WorkflowType string

const (
	// Standard executions keep a history for 90 days and can be redriven from the state that failed.
	Standard WorkflowType = "STANDARD"

	// Express executions cost about a fiftieth, run at least once, and last at most five minutes. The recorder is
	// idempotent, so a second run does no harm.
	Express WorkflowType = "EXPRESS"
)

// expressLimit is how many seconds AWS lets an express execution run at most.
const expressLimit = 300

const (
	// coldStart is what a task may take beyond its function's timeout: the start of a container in a VPC.
	coldStart = 10 * time.Second

	// The pauses between retries: full jitter up to 1, 2, 4, 8 seconds and no longer.
	retryInterval = 1
	retryBackoff  = 2
	retryMaxDelay = 8

	// The pauses before calling a function that isn't ready again: 5, 10, 20, 40, 60 and 60 seconds.
	readyInterval = 5
	readyMaxDelay = 60
	readyRetries  = 6

	// The queue is the last place where a trade is kept, so its own hiccups are retried for longer than a function's.
	// What comes after that is short, because an express workflow has little time.
	sendTimeout  = 5
	sendRetries  = 4
	referRetries = 1
)

// The metric of events that no queue took, whose dimension is the state machine's name.
const (
	unkeptNamespace = "trade-processing/Workflows"
	unkeptMetric    = "EventsNotKept"
	unkeptDimension = "StateMachine"
)

// passingErrors are the transient errors. Anything else is wrong with the trade, or with the code, and would fail
// again: MalformedTrade, TradeConflict, InternalError, Runtime.Panic.
var passingErrors = []string{
	// Lambda itself (https://docs.aws.amazon.com/step-functions/latest/dg/bp-lambda-serviceexception.html).
	"Lambda.AWSLambdaException", "Lambda.ClientExecutionTimeoutException", "Lambda.SdkClientException",
	"Lambda.ServiceException", "Lambda.TooManyRequestsException", "Lambda.Unknown",
	// A call that took too long, by Step Functions' clock or by Lambda's.
	"Sandbox.Timedout", "States.Timeout",
	// What the functions pass on from DynamoDB and SSM. ValidationException is none of them, though DynamoDB also answers it under a
	// disabled key: that lasts for longer than the retries (https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/CommonErrors.html;
	// findings DDB-TABLE-333 and 178 of the project ack-api-quirks, services/dynamodb, of 2026-10-09).
	"InternalFailure", "InternalServerError", "LimitExceededException", "ProvisionedThroughputExceededException",
	"ReplicatedWriteConflictException", "RequestLimitExceeded", "ServiceUnavailable", "ThrottlingException",
	"TransactionConflictException", "TransactionInProgressException",
	// Their own errors.
	"ParametersUnavailable", "ServiceUnreachable",
}

// notReadyErrors are Lambda's answers for a function that can't be called yet: it is inactive because it was idle for
// long, or pending, or EC2 has no network interface for it
// (https://docs.aws.amazon.com/lambda/latest/dg/functions-states.html,
// https://docs.aws.amazon.com/lambda/latest/dg/troubleshooting-invocation.html,
// https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html). Idle functions were seen to answer
// CodeArtifactUserPendingException, which that list doesn't have (boto/boto3 #3788), for 40 to 106 seconds
// (aws-solutions-library-samples/accelerated-intelligent-document-processing-on-aws #801).
var notReadyErrors = []string{
	"Lambda.CodeArtifactUserPendingException", "Lambda.EC2ThrottledException", "Lambda.EC2UnexpectedException",
	"Lambda.ENILimitReachedException", "Lambda.ResourceConflictException", "Lambda.ResourceNotReadyException",
	"Lambda.SubnetIPAddressLimitReachedException",
}

// WorkflowStage is a stage of a staged workflow.
type WorkflowStage struct {
	// State is the name of the stage's state, such as ValidateTrade.
	State string

	// Result is the member of the last stage's payload with this stage's answer. The last stage has none.
	Result string
}

// CalledFunction is a function as seen by a workflow's definition.
type CalledFunction struct {
	AliasARN       string // what the workflow calls
	Timeout        time.Duration
	DeadLettersURL string // the queue for what the function failed on
}

// Definition builds a state machine of the workflow's type once the ARNs and URLs of its functions are known. They are
// in the order of WorkflowArgs.Functions.
type Definition func(partition string, kind WorkflowType, functions []CalledFunction) (asl.Machine, error)

// StagedDefinition returns the definition of a workflow of stages, one for each of the workflow's functions:
//
//	Parallel(all stages but the last) → the last
//
// Every payload is built from the context object, so each function gets the event as EventBridge delivered it. A task
// that fails permanently sends the event to its function's own dead-letter queue and then fails the execution under its
// own error: an execution is either done, or failed and kept. If the queue refuses that letter, it gets one that only
// names the event and its execution, and always fits. If the queue takes no letter at all, a metric says so. A call is
// retried up to maxRetries times after a transient error, and up to six times in three minutes while its function isn't
// ready. In an express workflow that is one retry, after as long as its five minutes allow.
func StagedDefinition(stages []WorkflowStage, maxRetries int) Definition {
	return func(partition string, kind WorkflowType, functions []CalledFunction) (asl.Machine, error) {
		if len(stages) == 0 || len(stages) != len(functions) {
			return asl.Machine{}, fmt.Errorf("a workflow of %d stages has %d functions", len(stages), len(functions))
		}
		builder := stageBuilder{partition: partition, maxRetries: maxRetries}
		if kind != Express {
			return builder.machine(stages, functions, whenReady(readyInterval, readyRetries))
		}
		for wait := readyMaxDelay; wait > 0; wait-- {
			machine, err := builder.machine(stages, functions, whenReady(wait, 1))
			if err != nil || fitsExpress(machine) {
				return machine, err
			}
		}
		return builder.machine(stages, functions)
	}
}

// whenReady returns the retrier for functions that aren't ready. It has no jitter, which may wait for no time at all.
func whenReady(wait, retries int) asl.Retrier {
	return asl.Retrier{
		ErrorEquals: notReadyErrors, IntervalSeconds: wait, BackoffRate: retryBackoff, MaxDelaySeconds: max(readyMaxDelay, wait+1), MaxAttempts: retries,
	}
}

func fitsExpress(machine asl.Machine) bool { return machine.TimeoutSeconds <= expressLimit }

// stageBuilder builds the states of stages.
type stageBuilder struct {
	partition  string
	maxRetries int
}

// machine returns the machine of these stages; ready are the retriers of functions that aren't.
func (b stageBuilder) machine(stages []WorkflowStage, functions []CalledFunction, ready ...asl.Retrier) (asl.Machine, error) {
	last := len(stages) - 1
	payload := asl.Object{"event": asl.ExecutionInput, "executionArn": asl.ExecutionID}
	together := asl.Parallel{ResultSelector: asl.Object{}, Next: stages[last].State}
	for i, stage := range stages[:last] {
		together.Branches = append(together.Branches, asl.Branch{
			StartAt: stage.State, States: b.build(stage.State, functions[i], maps.Clone(payload), ready),
		})
		together.ResultSelector[stage.Result] = asl.Path(fmt.Sprintf("$[%d]", i))
	}
	for _, stage := range stages[:last] {
		payload[stage.Result] = asl.Path("$." + stage.Result)
	}
	machine := asl.Machine{StartAt: stages[last].State, States: b.build(stages[last].State, functions[last], payload, ready)}
	if last > 0 {
		machine.StartAt = "Before" + stages[last].State
		machine.States[machine.StartAt] = together
	}
	// Nothing catches an execution that times out, so its limit is longer than the longest path through all retries.
	longest, err := machine.Longest()
	if err != nil {
		return asl.Machine{}, err
	}
	machine.TimeoutSeconds = longest + int(coldStart.Seconds())
	return machine, nil
}

// build returns the states of one stage: the task, the states that keep the event if it fails, and the failure.
func (b stageBuilder) build(name string, function CalledFunction, payload asl.Object, ready []asl.Retrier) asl.States {
	keep, refer, page, again, fail := "Keep"+name+"Failure", "Refer"+name+"Failure", "Page"+name+"Failure", "Refer"+name+"FailureAgain", name+"Failed"
	// A letter may be too large, because it is larger than its event, or have characters that SQS refuses. This one
	// only names the event, which is in the execution's history and in the archive. It doesn't hold the event encoded,
	// because States.Base64Encode takes 10,000 characters. Longer text fails with States.Runtime, which nothing catches
	// (measured in https://github.com/ministackorg/ministack/pull/1360), so nothing would be kept.
	reference := asl.Object{
		"event":        asl.Object{"id": asl.ExecutionInput + ".id", "time": asl.ExecutionInput + ".time"},
		"error":        asl.Object{"Error": asl.Path("$.Error")},
		"executionArn": asl.ExecutionID,
		"refused":      asl.Path("$.Refused.Error"),
	}
	whole := asl.Object{"event": asl.ExecutionInput, "error": asl.Path("$"), "executionArn": asl.ExecutionID}
	kept := b.send("The input is the error that was caught: {Error, Cause}", function, whole, sendRetries, fail)
	kept.Catch = caught(refer, "$.Refused")
	referred := b.send("The queue refused the event itself", function, reference, referRetries, fail)
	referred.Catch = caught(page, "$.Refused")
	return asl.States{
		name: asl.Task{
			Resource:       asl.LambdaInvoke(b.partition),
			Parameters:     asl.Object{"FunctionName": function.AliasARN, "Payload": payload},
			OutputPath:     "$.Payload", // without Lambda's own metadata around the answer
			TimeoutSeconds: int((function.Timeout + coldStart).Seconds()),
			Retry:          append([]asl.Retrier{b.retrier(passingErrors, b.maxRetries)}, ready...),
			Catch:          caught(keep, ""),
			End:            true,
		},
		keep:  kept,
		refer: referred,
		page: asl.Task{
			Comment:  "The queue takes nothing",
			Resource: asl.PutMetricData(b.partition),
			Parameters: asl.Object{"Namespace": unkeptNamespace, "MetricData": []asl.Object{{
				"MetricName": unkeptMetric, "Value": 1, "Unit": "Count",
				"Dimensions": []asl.Object{{"Name": unkeptDimension, "Value": asl.MachineName}},
			}}},
			ResultPath:     asl.Discard,
			TimeoutSeconds: sendTimeout,
			Catch:          caught(again, "$.NotPaged"), // the failed execution pages too
			Next:           again,
		},
		// The last try has no Catch: an execution that fails here can be redriven, and tries again.
		again: b.send("A redrive begins here", function, reference, 0, fail),
		// The whole error is the cause, because some errors, such as a timeout, have no cause of their own.
		fail: asl.Fail{ErrorPath: "$.Error", CausePath: "States.JsonToString($)"},
	}
}

// send returns the state that sends a letter to a function's dead-letter queue. Its input, the error, is what the next
// state fails with.
func (b stageBuilder) send(comment string, function CalledFunction, letter asl.Object, retries int, next string) asl.Task {
	task := asl.Task{
		Comment:        comment,
		Resource:       asl.SendMessage(b.partition),
		Parameters:     asl.Object{"QueueUrl": function.DeadLettersURL, "MessageBody": letter},
		ResultPath:     asl.Discard,
		TimeoutSeconds: sendTimeout,
		Next:           next,
	}
	if retries > 0 {
		task.Retry = []asl.Retrier{b.retrier([]string{asl.AnyError}, retries)}
	}
	return task
}

// caught returns the catchers of everything that can be caught.
func caught(next string, path asl.ResultPath) []asl.Catcher {
	return []asl.Catcher{
		{ErrorEquals: []string{asl.DataLimitExceeded}, ResultPath: path, Next: next}, // which AnyError doesn't cover
		{ErrorEquals: []string{asl.AnyError}, ResultPath: path, Next: next},
	}
}

func (b stageBuilder) retrier(errors []string, attempts int) asl.Retrier {
	return asl.Retrier{
		ErrorEquals: errors, IntervalSeconds: retryInterval, BackoffRate: retryBackoff, MaxDelaySeconds: retryMaxDelay,
		MaxAttempts: attempts, JitterStrategy: asl.FullJitter,
	}
}

// MaxRetries returns how many retries a workflow of this type has time for with these stages, if it also has to wait
// for functions that aren't ready. It is at most 10.
func MaxRetries(kind WorkflowType, stages []Stage) int {
	const most = 10
	if kind != Express {
		return most
	}
	functions := make([]CalledFunction, len(stages))
	for i, stage := range stages {
		functions[i].Timeout = seconds(cmp.Or(stage.TimeoutSeconds, defaultTimeoutSeconds))
	}
	for retries := most; retries > 0; retries-- {
		machine, err := stageBuilder{maxRetries: retries}.machine(workflowStages(stages), functions, whenReady(readyInterval, 1))
		if err == nil && fitsExpress(machine) {
			return retries
		}
	}
	return 0
}

func workflowStages(stages []Stage) []WorkflowStage {
	made := make([]WorkflowStage, len(stages))
	for i, stage := range stages {
		made[i] = WorkflowStage{State: stage.State, Result: stage.Result}
	}
	return made
}

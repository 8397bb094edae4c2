package components

import (
	"math"
	"time"

	"trade-processing/components/asl"
)

// WorkflowType is how Step Functions runs a state machine.
type WorkflowType string

const (
	// Standard executions keep a history for 90 days and can be redriven from the state that failed.
	Standard WorkflowType = "STANDARD"

	// Express executions cost about a fiftieth, run at least once, and last five minutes at most. The recorder is
	// idempotent, so that a second run does no harm.
	Express WorkflowType = "EXPRESS"
)

// expressLimit is the longest that AWS lets an express execution run.
const expressLimit = 5 * time.Minute

const (
	// coldStart is what a task may take beyond its function's timeout: the start of a container in a VPC.
	coldStart = 10 * time.Second

	// The pauses between retries: full jitter up to 1, 2, 4, 8 seconds and no longer.
	retryInterval = 1
	retryBackoff  = 2
	retryMaxDelay = 8

	// The queue is the last place where a trade is kept, so its own hiccups are waited out for longer than a function's.
	sendTimeout = 5
	sendRetries = 4
)

// passingErrors are the errors that can pass. What isn't here is wrong with the trade, or wrong with the code, and would
// fail again: MalformedTrade, TradeConflict, InternalError, Runtime.Panic.
var passingErrors = []string{
	// Lambda itself (https://docs.aws.amazon.com/step-functions/latest/dg/bp-lambda-serviceexception.html).
	"Lambda.AWSLambdaException", "Lambda.ClientExecutionTimeoutException", "Lambda.SdkClientException",
	"Lambda.ServiceException", "Lambda.TooManyRequestsException",
	// A call that took too long, by Step Functions' clock or by Lambda's.
	"Sandbox.Timedout", "States.Timeout",
	// What the functions pass on from DynamoDB and SSM.
	"InternalServerError", "LimitExceededException", "ProvisionedThroughputExceededException", "RequestLimitExceeded",
	"ServiceUnavailable", "ThrottlingException", "TransactionInProgressException",
	// What they say themselves.
	"ParametersUnavailable", "ServiceUnreachable",
}

// workflowStage is a function as the workflow sees it.
type workflowStage struct {
	aliasARN       string
	timeout        time.Duration
	deadLettersURL string
}

// tradeWorkflow is the definition of the trade workflow:
//
//	Parallel(ValidateTrade, EnrichTrade) → RecordTrade
//
// Every payload is written from the context object, so that each function gets the event as EventBridge delivered it. A
// task that fails for good sends the event to its function's own dead-letter queue and then fails the execution under its
// own error: an execution is either recorded, or failed and kept.
func tradeWorkflow(partition string, validate, enrich, record workflowStage, maxRetries int) (asl.Machine, error) {
	event := asl.Object{"event": asl.ExecutionInput, "executionArn": asl.ExecutionID}
	recording := asl.Object{
		"event": asl.ExecutionInput, "executionArn": asl.ExecutionID,
		"validation": asl.Path("$.validation"), "market": asl.Path("$.market"),
	}
	stages := stageBuilder{partition: partition, maxRetries: maxRetries}

	machine := asl.Machine{
		Comment: "Validates and enriches a trade at the same time, then records it",
		StartAt: "ValidateAndEnrich",
		States: merged(
			asl.States{
				"ValidateAndEnrich": asl.Parallel{
					Branches: []asl.Branch{
						{StartAt: ValidateTrade, States: stages.build(ValidateTrade, validate, event)},
						{StartAt: EnrichTrade, States: stages.build(EnrichTrade, enrich, event)},
					},
					ResultSelector: asl.Object{"validation": asl.Path("$[0]"), "market": asl.Path("$[1]")},
					Next:           RecordTrade,
				},
			},
			stages.build(RecordTrade, record, recording),
		),
	}
	// An execution that times out is caught by nobody, so its limit lies beyond the longest path through all retries.
	longest, err := machine.Longest()
	if err != nil {
		return asl.Machine{}, err
	}
	machine.TimeoutSeconds = longest + int(coldStart.Seconds())
	return machine, nil
}

// stageBuilder makes the states of a stage: the task, what keeps the event when it fails, and the failure.
type stageBuilder struct {
	partition  string
	maxRetries int
}

func (b stageBuilder) build(name string, stage workflowStage, payload asl.Object) asl.States {
	keep, fail := "Keep"+name+"Failure", name+"Failed"
	return asl.States{
		name: asl.Task{
			Resource:       asl.LambdaInvoke(b.partition),
			Parameters:     asl.Object{"FunctionName": stage.aliasARN, "Payload": payload},
			OutputPath:     "$.Payload", // without Lambda's own metadata around the answer
			TimeoutSeconds: int((stage.timeout + coldStart).Seconds()),
			Retry:          []asl.Retrier{b.retrier(passingErrors, b.maxRetries)},
			Catch: []asl.Catcher{
				{ErrorEquals: []string{asl.DataLimitExceeded}, Next: keep}, // which AnyError doesn't cover
				{ErrorEquals: []string{asl.AnyError}, Next: keep},
			},
			End: true,
		},
		keep: asl.Task{
			Comment:  "The input is the error that was caught: {Error, Cause}",
			Resource: asl.SendMessage(b.partition),
			Parameters: asl.Object{
				"QueueUrl": stage.deadLettersURL,
				"MessageBody": asl.Object{
					"event": asl.ExecutionInput, "error": asl.Path("$"), "executionArn": asl.ExecutionID,
				},
			},
			ResultPath:     asl.Discard, // the error is what the next state fails with
			TimeoutSeconds: sendTimeout,
			Retry:          []asl.Retrier{b.retrier([]string{asl.AnyError}, sendRetries)},
			Next:           fail,
		},
		// The whole error is the cause, as some errors, such as a timeout, come without a cause of their own.
		fail: asl.Fail{ErrorPath: "$.Error", CausePath: "States.JsonToString($)"},
	}
}

func (b stageBuilder) retrier(errors []string, attempts int) asl.Retrier {
	return asl.Retrier{
		ErrorEquals: errors, IntervalSeconds: retryInterval, BackoffRate: retryBackoff, MaxDelaySeconds: retryMaxDelay,
		MaxAttempts: attempts, JitterStrategy: asl.FullJitter,
	}
}

func merged(all ...asl.States) asl.States {
	states := asl.States{}
	for _, some := range all {
		for name, state := range some {
			states[name] = state
		}
	}
	return states
}

// MaxRetries is how many retries a workflow of this type has time for, with functions of these timeouts. It is at most 10.
func MaxRetries(kind WorkflowType, validate, enrich, record time.Duration) int {
	const most = 10
	if kind != Express {
		return most
	}
	for retries := most; retries > 0; retries-- {
		machine, err := tradeWorkflow("", workflowStage{timeout: validate}, workflowStage{timeout: enrich}, workflowStage{timeout: record}, retries)
		if err == nil && machine.TimeoutSeconds <= int(math.Floor(expressLimit.Seconds())) {
			return retries
		}
	}
	return 0
}

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

// expressLimit is the longest that AWS lets an express execution run.
const expressLimit = 5 * time.Minute

const (
	// coldStart is what a task may take beyond its function's timeout: the start of a container in a VPC.
	coldStart = 10 * time.Second

	// The pauses between retries: full jitter up to 1, 2, 4, 8 seconds and no longer.
	retryInterval = 1
	retryBackoff  = 2
	retryMaxDelay = 8

	// The queue is the last place where a trade is kept, so its own hiccups are retried for longer than a function's.
	sendTimeout = 5
	sendRetries = 4
)

// passingErrors are the transient errors. Anything else is wrong with the trade, or with the code, and would fail
// again: MalformedTrade, TradeConflict, InternalError, Runtime.Panic.
var passingErrors = []string{
	// Lambda itself (https://docs.aws.amazon.com/step-functions/latest/dg/bp-lambda-serviceexception.html).
	"Lambda.AWSLambdaException", "Lambda.ClientExecutionTimeoutException", "Lambda.SdkClientException",
	"Lambda.ServiceException", "Lambda.TooManyRequestsException",
	// A call that took too long, by Step Functions' clock or by Lambda's.
	"Sandbox.Timedout", "States.Timeout",
	// What the functions pass on from DynamoDB and SSM.
	"InternalServerError", "LimitExceededException", "ProvisionedThroughputExceededException", "RequestLimitExceeded",
	"ServiceUnavailable", "ThrottlingException", "TransactionInProgressException",
	// Their own errors.
	"ParametersUnavailable", "ServiceUnreachable",
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

// Definition builds a state machine once the ARNs and URLs of the workflow's functions are known. They are in the order
// of WorkflowArgs.Functions.
type Definition func(partition string, functions []CalledFunction) (asl.Machine, error)

// StagedDefinition returns the definition of a workflow of stages, one for each of the workflow's functions:
//
//	Parallel(all stages but the last) → the last
//
// Every payload is built from the context object, so each function gets the event as EventBridge delivered it. A task
// that fails permanently sends the event to its function's own dead-letter queue and then fails the execution under its
// own error: an execution is either done, or failed and kept. A call is retried up to maxRetries times after a
// transient error.
func StagedDefinition(stages []WorkflowStage, maxRetries int) Definition {
	return func(partition string, functions []CalledFunction) (asl.Machine, error) {
		if len(stages) == 0 || len(stages) != len(functions) {
			return asl.Machine{}, fmt.Errorf("a workflow of %d stages has %d functions", len(stages), len(functions))
		}
		builder := stageBuilder{partition: partition, maxRetries: maxRetries}
		last := len(stages) - 1
		payload := asl.Object{"event": asl.ExecutionInput, "executionArn": asl.ExecutionID}
		together := asl.Parallel{ResultSelector: asl.Object{}, Next: stages[last].State}
		for i, stage := range stages[:last] {
			together.Branches = append(together.Branches, asl.Branch{
				StartAt: stage.State, States: builder.build(stage.State, functions[i], maps.Clone(payload)),
			})
			together.ResultSelector[stage.Result] = asl.Path(fmt.Sprintf("$[%d]", i))
		}
		for _, stage := range stages[:last] {
			payload[stage.Result] = asl.Path("$." + stage.Result)
		}
		machine := asl.Machine{StartAt: stages[last].State, States: builder.build(stages[last].State, functions[last], payload)}
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
}

// stageBuilder builds the states of a stage: the task, the state that keeps the event if it fails, and the failure.
type stageBuilder struct {
	partition  string
	maxRetries int
}

func (b stageBuilder) build(name string, function CalledFunction, payload asl.Object) asl.States {
	keep, fail := "Keep"+name+"Failure", name+"Failed"
	return asl.States{
		name: asl.Task{
			Resource:       asl.LambdaInvoke(b.partition),
			Parameters:     asl.Object{"FunctionName": function.AliasARN, "Payload": payload},
			OutputPath:     "$.Payload", // without Lambda's own metadata around the answer
			TimeoutSeconds: int((function.Timeout + coldStart).Seconds()),
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
				"QueueUrl": function.DeadLettersURL,
				"MessageBody": asl.Object{
					"event": asl.ExecutionInput, "error": asl.Path("$"), "executionArn": asl.ExecutionID,
				},
			},
			ResultPath:     asl.Discard, // the error is what the next state fails with
			TimeoutSeconds: sendTimeout,
			Retry:          []asl.Retrier{b.retrier([]string{asl.AnyError}, sendRetries)},
			Next:           fail,
		},
		// The whole error is the cause, because some errors, such as a timeout, have no cause of their own.
		fail: asl.Fail{ErrorPath: "$.Error", CausePath: "States.JsonToString($)"},
	}
}

func (b stageBuilder) retrier(errors []string, attempts int) asl.Retrier {
	return asl.Retrier{
		ErrorEquals: errors, IntervalSeconds: retryInterval, BackoffRate: retryBackoff, MaxDelaySeconds: retryMaxDelay,
		MaxAttempts: attempts, JitterStrategy: asl.FullJitter,
	}
}

// MaxRetries returns how many retries a workflow of this type has time for with these stages. It is at most 10.
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
		machine, err := StagedDefinition(workflowStages(stages), retries)("", functions)
		if err == nil && machine.TimeoutSeconds <= int(expressLimit.Seconds()) {
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

// Package asl builds state machines of the Amazon States Language from typed Go values, checks them, and renders them
// as JSON (https://states-language.net/spec.html). It has the state types and fields that this project's workflow uses.
package asl

import (
	"encoding/json"
	"fmt"
)

// Machine is a whole state machine.
type Machine struct {
	Comment        string `json:"Comment,omitempty"`
	StartAt        string `json:"StartAt"`
	TimeoutSeconds int    `json:"TimeoutSeconds,omitempty"` // the longest that an execution may take
	States         States `json:"States"`
}

// States are the states of a machine or a branch, by name.
type States map[string]State

// JSON renders the machine. The same machine gives the same text, byte for byte.
func (m Machine) JSON() (string, error) {
	text, err := json.Marshal(m)
	if err != nil {
		return "", fmt.Errorf("rendering a state machine: %w", err)
	}
	return string(text), nil
}

// State is one state: a Task, a Parallel or a Fail.
type State interface {
	// leadsTo names the states that may follow, by Next and by Catch.
	leadsTo() []string
	// problems lists what is wrong with the state itself; name is its own.
	problems(name string) []string
	// span is the longest that the state may take, including retries and the pauses before them.
	span() (span, error)
}

// Task calls a service and waits for its answer.
type Task struct {
	Comment        string     `json:"Comment,omitempty"`
	Resource       string     `json:"Resource"` // the integration, such as LambdaInvoke
	Parameters     Object     `json:"Parameters,omitempty"`
	ResultSelector Object     `json:"ResultSelector,omitempty"`
	ResultPath     ResultPath `json:"ResultPath,omitempty"`
	OutputPath     Path       `json:"OutputPath,omitempty"`
	TimeoutSeconds int        `json:"TimeoutSeconds"` // of one attempt; required here, because the default is never
	Retry          []Retrier  `json:"Retry,omitempty"`
	Catch          []Catcher  `json:"Catch,omitempty"`
	Next           string     `json:"Next,omitempty"`
	End            bool       `json:"End,omitempty"`
}

// The service integrations that this project's tasks use. The partition of these ARNs is "aws" in every partition's
// console examples but China's and GovCloud's: see Integration.
const (
	lambdaInvoke   = "lambda:invoke"
	sqsSendMessage = "sqs:sendMessage"
	putMetricData  = "aws-sdk:cloudwatch:putMetricData"
)

// LambdaInvoke returns the resource of a task that invokes a function and waits for its answer.
func LambdaInvoke(partition string) string { return integration(partition, lambdaInvoke) }

// SendMessage returns the resource of a task that sends a message to an SQS queue.
func SendMessage(partition string) string { return integration(partition, sqsSendMessage) }

// PutMetricData returns the resource of a task that sends values of metrics to CloudWatch.
func PutMetricData(partition string) string { return integration(partition, putMetricData) }

func integration(partition, api string) string {
	return fmt.Sprintf("arn:%s:states:::%s", partition, api)
}

// Parallel runs its branches at the same time, each on a copy of the input, and answers with the list of their outputs.
// If one branch fails, the others are stopped.
type Parallel struct {
	Comment        string     `json:"Comment,omitempty"`
	Branches       []Branch   `json:"Branches"`
	ResultSelector Object     `json:"ResultSelector,omitempty"`
	ResultPath     ResultPath `json:"ResultPath,omitempty"`
	OutputPath     Path       `json:"OutputPath,omitempty"`
	Next           string     `json:"Next,omitempty"`
	End            bool       `json:"End,omitempty"`
}

// Branch is a machine within a Parallel state.
type Branch struct {
	StartAt string `json:"StartAt"`
	States  States `json:"States"`
}

// Fail ends the execution as failed. ErrorPath and CausePath take name and cause from the input; CausePath may also be
// an intrinsic function.
type Fail struct {
	Comment   string `json:"Comment,omitempty"`
	ErrorPath Path   `json:"ErrorPath,omitempty"`
	CausePath Path   `json:"CausePath,omitempty"`
}

// MarshalJSON adds the state's type.
func (t Task) MarshalJSON() ([]byte, error) {
	type fields Task
	return json.Marshal(struct {
		Type string `json:"Type"`
		fields
	}{"Task", fields(t)})
}

// MarshalJSON adds the state's type.
func (p Parallel) MarshalJSON() ([]byte, error) {
	type fields Parallel
	return json.Marshal(struct {
		Type string `json:"Type"`
		fields
	}{"Parallel", fields(p)})
}

// MarshalJSON adds the state's type.
func (f Fail) MarshalJSON() ([]byte, error) {
	type fields Fail
	return json.Marshal(struct {
		Type string `json:"Type"`
		fields
	}{"Fail", fields(f)})
}

package endpoint

import (
	"context"
	"encoding/base64"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"trade-processing/local/awsapi"
	"trade-processing/local/cloud"
	"trade-processing/local/states"
)

// Pages of executions and events. https://docs.aws.amazon.com/step-functions/latest/apireference/API_ListExecutions.html
const (
	executionsPerPage = 100
	mostPerPage       = 1000
)

// page cuts a page out of a list. A token names the last element of the page before, so elements that come meanwhile don't
// move others.
func page[T any](all []T, name func(T) string, token string, limit, usual, most int) (found []T, next string, err error) {
	switch {
	case limit < 0 || limit > most:
		return nil, "", awsapi.Validation("1 validation error detected: Value '%d' at 'maxResults' failed to satisfy constraint: Member must be between 1 and %d", limit, most)
	case limit == 0:
		limit = usual
	}
	if token != "" {
		last, err := base64.RawURLEncoding.DecodeString(token)
		at := slices.IndexFunc(all, func(one T) bool { return name(one) == string(last) })
		if err != nil || at < 0 {
			return nil, "", awsapi.Error("InvalidToken", "Invalid Token: '%s'", token)
		}
		all = all[at+1:]
	}
	if len(all) <= limit {
		return all, "", nil
	}
	return all[:limit], base64.RawURLEncoding.EncodeToString([]byte(name(all[limit-1]))), nil
}

// paged makes the answer of a list.
func paged(member string, listed []any, tokenName, next string) object {
	if listed == nil {
		listed = []any{}
	}
	answer := object{member: listed}
	if next != "" {
		answer[tokenName] = next
	}
	return answer
}

// listExecutions lists what is remembered of a state machine, of a version or of an alias.
func (e *Endpoint) listExecutions(_ context.Context, region string, in struct {
	StateMachineArn string `json:"stateMachineArn"`
	StatusFilter    string `json:"statusFilter"`
	MaxResults      int    `json:"maxResults"`
	NextToken       string `json:"nextToken"`
}) (any, error) {
	machine, qualified, err := e.machine(region, in.StateMachineArn)
	if err != nil {
		return nil, err
	}
	if machine.Inputs["type"] == "EXPRESS" {
		return nil, awsapi.Error("StateMachineTypeNotSupported", "This operation is not supported by this type of state machine")
	}
	all := slices.DeleteFunc(e.cloud.Executions(machine.ID), func(x *cloud.Execution) bool {
		return in.StatusFilter != "" && x.Outcome().Status != in.StatusFilter || qualified && x.Alias != in.StateMachineArn && x.Version != in.StateMachineArn
	})
	found, next, err := page(all, func(x *cloud.Execution) string { return x.ARN }, in.NextToken, in.MaxResults, executionsPerPage, mostPerPage)
	if err != nil {
		return nil, err
	}
	var listed []any
	for _, x := range found {
		listed = append(listed, summary(x))
	}
	return paged("executions", listed, "nextToken", next), nil
}

// summary is what a list says of an execution.
func summary(x *cloud.Execution) object {
	outcome := x.Outcome()
	told := object{
		"executionArn": x.ARN, "stateMachineArn": x.Machine, "name": x.Name, "status": outcome.Status, "startDate": moment(x.Started), "redriveCount": outcome.Redrives,
	}
	if outcome.Redrives > 0 {
		told["redriveDate"] = moment(outcome.Redriven)
	}
	for member, value := range map[string]string{"stateMachineVersionArn": x.Version, "stateMachineAliasArn": x.Alias} {
		if value != "" {
			told[member] = value
		}
	}
	if !outcome.Ended.IsZero() {
		told["stopDate"] = moment(outcome.Ended)
	}
	return told
}

func (e *Endpoint) execution(arn string) (*cloud.Execution, error) {
	if !strings.HasPrefix(arn, "arn:aws:states:") || !strings.Contains(arn, ":execution:") {
		return nil, awsapi.Error("InvalidArn", "Invalid Arn: '%s'", arn)
	}
	x, found := e.cloud.Execution(arn)
	if !found {
		return nil, awsapi.Error("ExecutionDoesNotExist", "Execution Does Not Exist: '%s'", arn)
	}
	return x, nil
}

// https://docs.aws.amazon.com/step-functions/latest/apireference/API_DescribeExecution.html
func (e *Endpoint) describeExecution(_ context.Context, _ string, in struct {
	ExecutionArn string `json:"executionArn"`
	IncludedData string `json:"includedData"`
}) (any, error) {
	x, err := e.execution(in.ExecutionArn)
	if err != nil {
		return nil, err
	}
	outcome, told := x.Outcome(), summary(x)
	told["traceHeader"] = x.Trace
	if in.IncludedData != "METADATA_ONLY" {
		told["input"], told["inputDetails"] = string(x.Input()), object{"included": true}
	}
	switch {
	case outcome.Status == cloud.Succeeded && in.IncludedData != "METADATA_ONLY":
		told["output"], told["outputDetails"] = string(outcome.Output), object{"included": true}
	case outcome.Failure != nil:
		told["error"], told["cause"] = outcome.Failure.Name, outcome.Failure.Cause
	}
	told["redriveStatus"] = "REDRIVABLE"
	if why := e.cloud.Redrivable(x); why != "" {
		told["redriveStatus"], told["redriveStatusReason"] = "NOT_REDRIVABLE", why
	}
	return told, nil
}

func (e *Endpoint) getExecutionHistory(_ context.Context, _ string, in struct {
	ExecutionArn         string `json:"executionArn"`
	MaxResults           int    `json:"maxResults"`
	NextToken            string `json:"nextToken"`
	ReverseOrder         bool   `json:"reverseOrder"`
	IncludeExecutionData *bool  `json:"includeExecutionData"`
}) (any, error) {
	x, err := e.execution(in.ExecutionArn)
	if err != nil {
		return nil, err
	}
	events := slices.Clone(x.History())
	if in.ReverseOrder {
		slices.Reverse(events)
	}
	found, next, err := page(events, func(one states.Event) string { return fmt.Sprint(one.ID) }, in.NextToken, in.MaxResults, executionsPerPage, mostPerPage)
	if err != nil {
		return nil, err
	}
	var listed []any
	for _, one := range found {
		listed = append(listed, e.historyEvent(x, one, in.IncludeExecutionData == nil || *in.IncludeExecutionData))
	}
	return paged("events", listed, "nextToken", next), nil
}

// historyEvent writes an event as AWS does, with details under a member that depends on its type.
// https://docs.aws.amazon.com/step-functions/latest/apireference/API_HistoryEvent.html
func (e *Endpoint) historyEvent(x *cloud.Execution, event states.Event, withData bool) object {
	told := object{"id": event.ID, "previousEventId": event.Previous, "timestamp": moment(event.At), "type": event.Type}
	details, member := object{}, strings.ToLower(event.Type[:1])+event.Type[1:]+"EventDetails"
	data := func(name string) {
		if withData && event.Data != nil {
			details[name] = string(states.AppendJSON(nil, event.Data))
			if name != "parameters" {
				details[name+"Details"] = object{"truncated": false}
			}
		}
	}
	switch {
	case event.Type == "ExecutionStarted":
		data("input")
		if machine, found := e.cloud.Read(cloud.MachineType, strings.Split(x.Machine, ":")[3], x.Machine); found {
			details["roleArn"] = machine.Inputs["roleArn"]
		}
	case strings.HasSuffix(event.Type, "StateEntered"):
		member = "stateEnteredEventDetails"
		details["name"] = event.State
		data("input")
	case strings.HasSuffix(event.Type, "StateExited"):
		member = "stateExitedEventDetails"
		details["name"] = event.State
		data("output")
	case event.Resource != "": // arn:aws:states:::SERVICE:ACTION, or arn:aws:states:::aws-sdk:SERVICE:ACTION
		kind, action, _ := strings.Cut(strings.TrimPrefix(event.Resource, "arn:aws:states:::"), ":")
		if service, inner, sdk := strings.Cut(action, ":"); sdk {
			kind, action = kind+":"+service, inner
		}
		details["resourceType"], details["resource"] = kind, action
		if event.Type == "TaskScheduled" {
			details["region"] = strings.Split(x.ARN, ":")[3]
			data("parameters")
		} else {
			data("output")
		}
	case event.Type == "ExecutionSucceeded":
		data("output")
	}
	if event.Failure != nil {
		details["error"], details["cause"] = event.Failure.Name, event.Failure.Cause
	}
	if len(details) > 0 && !strings.HasPrefix(event.Type, "ParallelStateFailed") {
		told[member] = details
	}
	return told
}

// https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html
var executionName = regexp.MustCompile("^[^\\x00-\\x20\\x7f-\\x{9f}<>{}\\[\\]?*\"#%\\\\^|~`$&,;:/]{1,80}$")

// startExecution answers when the execution has ended: nothing runs behind the caller's back.
func (e *Endpoint) startExecution(ctx context.Context, region string, in struct {
	StateMachineArn string  `json:"stateMachineArn"`
	Name            string  `json:"name"`
	Input           *string `json:"input"`
	TraceHeader     string  `json:"traceHeader"`
}) (any, error) {
	machine, _, err := e.machine(region, in.StateMachineArn)
	if err != nil {
		return nil, err
	}
	if in.Name != "" && !executionName.MatchString(in.Name) {
		return nil, awsapi.Error("InvalidName", "Invalid Name: '%s'", in.Name)
	}
	if in.Name != "" {
		if _, taken := e.cloud.Execution(strings.Replace(machine.ID, ":stateMachine:", ":execution:", 1) + ":" + in.Name); taken {
			return nil, awsapi.Error("ExecutionAlreadyExists", "Execution Already Exists: '%s'", in.Name)
		}
	}
	input := "{}"
	if in.Input != nil {
		input = *in.Input
	}
	if len(input) > maxInput {
		return nil, awsapi.Validation("1 validation error detected: Value at 'input' failed to satisfy constraint: Member must have length less than or equal to %d", maxInput)
	}
	called := in.StateMachineArn
	if called == machine.Outputs["stateMachineVersionArn"] {
		called = machine.ID
	}
	began := time.Now()
	delivery, err := e.cloud.StartExecution(ctx, called, in.Name, []byte(input))
	if err != nil {
		return nil, awsapi.Error("InvalidExecutionInput", "Invalid State Machine Execution Input: '%v'", err)
	}
	e.logExecution(delivery)
	return object{"executionArn": delivery.Execution, "startDate": moment(began)}, nil
}

// maxInput is the most bytes of an execution's input.
// https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html
const maxInput = 256 << 10

// redriveExecution answers when the execution has ended again.
func (e *Endpoint) redriveExecution(ctx context.Context, _ string, in struct {
	ExecutionArn string `json:"executionArn"`
	ClientToken  string `json:"clientToken"`
}) (any, error) {
	x, err := e.execution(in.ExecutionArn)
	if err != nil {
		return nil, err
	}
	delivery, err := e.cloud.Redrive(ctx, x)
	if err != nil {
		return nil, err
	}
	e.logExecution(delivery)
	return object{"redriveDate": moment(x.Outcome().Redriven)}, nil
}

func (e *Endpoint) stopExecution(_ context.Context, _ string, in struct {
	ExecutionArn string `json:"executionArn"`
	Error        string `json:"error"`
	Cause        string `json:"cause"`
}) (any, error) {
	x, err := e.execution(in.ExecutionArn)
	if err != nil {
		return nil, err
	}
	x.Stop(in.Error, in.Cause)
	return object{"stopDate": moment(time.Now())}, nil
}

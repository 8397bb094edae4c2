package cloud

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/aws/smithy-go"
	"github.com/tidwall/gjson"

	"trade-processing/local/access"
	"trade-processing/local/awsapi"
	"trade-processing/local/clock"
	"trade-processing/local/fault"
	"trade-processing/local/queue"
	"trade-processing/local/states"
)

// The integrations that the local cloud offers to state machines.
const (
	lambdaInvoke   = "arn:aws:states:::lambda:invoke"
	sqsSendMessage = "arn:aws:states:::sqs:sendMessage"
	putMetricData  = "arn:aws:states:::aws-sdk:cloudwatch:putMetricData"
)

// integrations are what state machines may call, with the supported parameters.
var integrations = map[string][]string{
	lambdaInvoke:   {"FunctionName", "Payload"},
	sqsSendMessage: {"QueueUrl", "MessageBody"},
	putMetricData:  {"Namespace", "MetricData"},
}

// Integrations returns what state machines may call here.
func Integrations() []string { return slices.Sorted(maps.Keys(integrations)) }

// compileMachine reads a definition and refuses what isn't supported here, before any trade runs into it.
func compileMachine(definition string) (*states.Machine, error) {
	compiled, err := states.Compile([]byte(definition), Integrations())
	if err != nil {
		return nil, err
	}
	var problems []error
	for _, call := range compiled.Calls() {
		for _, parameter := range call.Parameters {
			if !slices.Contains(integrations[call.Resource], parameter) {
				problems = append(problems, fmt.Errorf("state %q: Parameters: %s of %s is not supported here", call.State, parameter, call.Resource))
			}
		}
	}
	return compiled, errors.Join(problems...)
}

// The metrics of state machines. https://docs.aws.amazon.com/step-functions/latest/dg/procedure-cw-metrics.html
const (
	executionsStarted   = "ExecutionsStarted"
	executionsSucceeded = "ExecutionsSucceeded"
	executionsFailed    = "ExecutionsFailed"
	executionsTimedOut  = "ExecutionsTimedOut"
	executionsAborted   = "ExecutionsAborted"
	executionTime       = "ExecutionTime"
)

var executionMetrics = []string{
	executionsStarted, executionsSucceeded, executionsFailed, executionsTimedOut, executionsAborted, executionTime,
	// Never sent here, because executions start at once.
	"ExecutionThrottled",
}

// machine is a state machine that can be executed.
type machine struct {
	name, arn, role string
	express         bool
	compiled        atomic.Pointer[states.Machine]
	measured        measured
}

func startMachine(c *Cloud, r *Resource) error {
	compiled, err := compileMachine(r.Inputs.text("definition"))
	if err != nil {
		return err
	}
	living := c.live.machines.ensure(r.ID, &machine{
		name: r.Inputs.text("name"), arn: r.ID, role: r.Inputs.text("roleArn"), express: r.Inputs.text("type") == "EXPRESS",
		measured: c.measure(r.Region, "AWS/States", map[string]string{"StateMachineArn": r.ID}, executionMetrics),
	})
	living.compiled.Store(compiled) // an alias leads to the same machine
	return nil
}

// start is how an execution is started: the ARN that was called, which may be an alias's; a name, if somebody gave one; and
// an X-Ray header.
type start struct {
	called, name, trace string

	again *Execution // goes on after what it did; nil: a new one
}

// execute runs an execution to its end and records the result in the delivery. The error is a *states.Failure, or the
// reason why ctx ended.
func (c *Cloud) execute(ctx context.Context, m *machine, by start, input *states.Document, delivery *Delivery) error {
	if c.doubles {
		input = inDoubles(input)
	}
	name := by.name
	if name == "" {
		name = c.uuid()
	}
	delivery.Execution = executionARN(m.arn, name)
	if m.express {
		delivery.Execution = strings.Replace(m.arn, ":stateMachine:", ":express:", 1) + ":" + name + ":" + c.uuid()
	}
	ctx, release := c.stoppable(ctx, m, input)
	defer release()
	begun := c.clock.Now()
	m.measured[executionsStarted].Add(begun, 1)
	by.trace = c.decided(by.trace, strings.Split(m.arn, ":")[3], m.name)
	work := &tasks{cloud: c, machine: m.arn, trace: by.trace}
	environment := states.Environment{Clock: c.clock, Random: c.chance, Tasks: work, Observe: c.observe}
	if c.desks != nil {
		environment.Clock = restful{c.clock, c}
	}
	ctx, remembered := c.remember(ctx, m, by, name, input, begun)
	var before []states.Event
	if by.again != nil {
		before = remembered.History()
	}
	if remembered != nil {
		environment.History = remembered.note
		defer remembered.stop(nil)
	}
	output, err := m.compiled.Load().Run(ctx, environment,
		states.Execution{
			ID: delivery.Execution, Name: name, MachineID: m.arn, MachineName: m.name, RoleARN: m.role, Input: input, History: before,
		})
	delivery.DeadLetters = work.sent
	ended := c.clock.Now()
	m.measured[executionTime].Add(ended, float64(ended.Sub(begun).Microseconds())/1000)
	failure, failed := errors.AsType[*states.Failure](err)
	outcome, became := executionsAborted, Stopped
	switch {
	case err == nil:
		outcome, became = executionsSucceeded, Succeeded
		delivery.Output = states.Text(output)
	case failed && failure.Stopped && failure.Name == states.TimedOut:
		outcome, became = executionsTimedOut, TimedOut
	case failed && failure.Stopped: // stays that
	case failed:
		outcome, became = executionsFailed, Failed
	}
	m.measured[outcome].Add(ended, 1)
	if remembered != nil {
		remembered.end(ended, became, delivery.Output, failure)
	}
	return err
}

// Aborted is the name of the failure with which a fault stops an execution as somebody's StopExecution does. With
// states.TimedOut, it runs out of time. Both are Stopped.
const Aborted = "Aborted"

// stoppable returns the context of an execution that a fault may stop after its delay.
func (c *Cloud) stoppable(ctx context.Context, m *machine, input *states.Document) (context.Context, func()) {
	if c.faults == nil {
		return ctx, func() {}
	}
	stop := c.faults(fault.Call{Service: "states", Operation: "StopExecution", Resource: m.name, Key: string(input.JSON())})
	if stop.Err == nil {
		return ctx, func() {}
	}
	stopped, cancel := context.WithCancelCause(ctx)
	clock.Go(c.clock, func() {
		_ = c.clock.Sleep(stopped, stop.Delay) // or until its end, after which nothing can stop it
		cancel(stop.Err)
	})
	return stopped, func() { cancel(nil) }
}

// inDoubles returns a document as a service writes it that has read every number as a double. One with a number beyond
// the doubles stays as it is.
func inDoubles(d *states.Document) *states.Document {
	var data any
	if json.Unmarshal(d.JSON(), &data) != nil {
		return d
	}
	text, _ := json.Marshal(data) // what was decoded can be encoded
	return states.Written(text)
}

// tasks serves the integrations of one execution.
type tasks struct {
	cloud   *Cloud
	machine string // ARN
	trace   string

	mu   sync.Mutex // branches send at once
	sent []DeadLetter
}

// Invoke serves lambda:invoke, sqs:sendMessage and CloudWatch's PutMetricData.
func (t *tasks) Invoke(ctx context.Context, resource string, parameters states.Data) (states.Data, error) {
	object, ok := states.ObjectOf(parameters)
	if !ok {
		return nil, &states.Failure{Name: states.RuntimeError, Cause: "the parameters of " + resource + " are no object"}
	}
	switch resource {
	case sqsSendMessage:
		return t.send(ctx, object)
	case putMetricData:
		return t.measure(object)
	}
	return t.call(ctx, object)
}

// call invokes a function and answers as Lambda's Invoke does.
func (t *tasks) call(ctx context.Context, parameters states.Object) (states.Data, error) {
	if err := only(parameters, integrations[lambdaInvoke]); err != nil {
		return nil, err
	}
	given, _ := parameters.Get("Payload")
	payload, err := payload(given)
	if err != nil {
		return nil, err
	}
	called, _ := parameters.Get("FunctionName")
	name, _ := called.(string)
	if err := t.cloud.allowed(access.InvokeFunction, t.machine, name, ""); err != nil {
		// As seen in awslabs/aws-deployment-framework#460.
		return nil, &states.Failure{Name: "Lambda.AWSLambdaException", Cause: err.Error() + " (Service: AWSLambda; Status Code: 403; Error Code: AccessDeniedException)"}
	}
	answer, err := t.cloud.invoke(ctx, name, t.trace, payload)
	if err != nil {
		return nil, err
	}
	document, err := states.NewDocument(answer.Payload)
	if err != nil {
		return nil, &states.Failure{Name: "Lambda.Unknown", Cause: "the function's answer is not JSON"}
	}
	return states.Object{
		{Name: "ExecutedVersion", Value: answer.Version}, {Name: "Payload", Value: document}, {Name: "StatusCode", Value: json.Number("200")},
	}, nil
}

// payload is what a function gets. A text isn't quoted: it is JSON itself, or no request that Lambda takes. Null is no
// payload, which functions get as an empty object. Recorded in LocalStack's test_invoke and test_invoke_json_values.
// https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html
func payload(data states.Data) ([]byte, error) {
	if document, ok := data.(*states.Document); ok && strings.IndexByte(`"n`, bytes.TrimSpace(document.JSON())[0]) >= 0 {
		data = document.Data() // a text, or null
	}
	switch data := data.(type) {
	case nil:
		return []byte("{}"), nil
	case string:
		if !json.Valid([]byte(data)) {
			return nil, &states.Failure{Name: "Lambda.InvalidRequestContentException", Cause: "Could not parse request body into json: " + data}
		}
		return []byte(data), nil
	}
	return states.Text(data), nil
}

// send sends a message to a queue. If the body is an object, it becomes its JSON text.
func (t *tasks) send(ctx context.Context, parameters states.Object) (states.Data, error) {
	if err := only(parameters, integrations[sqsSendMessage]); err != nil {
		return nil, err
	}
	to, _ := parameters.Get("QueueUrl")
	url, _ := to.(string)
	queued, err := t.cloud.queueByURL(url)
	if err != nil {
		return nil, &states.Failure{Name: "SQS.QueueDoesNotExistException", Cause: err.Error()}
	}
	given, _ := parameters.Get("MessageBody")
	body, isText := given.(string)
	if !isText && given != nil {
		body = string(states.Text(given))
	}
	var sent queue.Message
	if denied := t.cloud.allowed(access.SendMessage, t.machine, queued.Definition().ARN, ""); denied == nil {
		sent, err = queued.Send(ctx, queue.Draft{Body: body, TraceHeader: t.trace})
	} else if keyDenied(denied) {
		err = awsapi.Error("KMS.AccessDeniedException", "%v", denied)
	} else {
		err = awsapi.Error("AccessDenied", "%v", denied)
	}
	if refusal, ok := errors.AsType[smithy.APIError](err); ok {
		return nil, sqsFailure(refusal)
	}
	if err != nil {
		return nil, &states.Failure{Name: "SQS.SdkClientException", Cause: err.Error()}
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	// A dead letter has the error that was caught.
	t.sent = append(t.sent, DeadLetter{Queue: afterLast(url, "/"), Error: gjson.Get(body, "error.Error").String()})
	return states.Object{{Name: "MD5OfMessageBody", Value: sent.BodyMD5}, {Name: "MessageId", Value: sent.ID}}, nil
}

// measure adds values to metrics, as PutMetricData.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricData.html
func (t *tasks) measure(parameters states.Object) (states.Data, error) {
	if err := only(parameters, integrations[putMetricData]); err != nil {
		return nil, err
	}
	var request struct {
		Namespace  string
		MetricData []struct {
			MetricName string
			Value      float64
			Unit       string
			Dimensions []struct{ Name, Value string }
		}
	}
	decoder := json.NewDecoder(bytes.NewReader(states.AppendJSON(nil, parameters)))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&request); err != nil {
		return nil, &states.Failure{Name: states.RuntimeError, Cause: "PutMetricData: " + err.Error() + " is not supported here"}
	}
	if err := t.cloud.allowed(access.PutMetricData, t.machine, "", request.Namespace); err != nil {
		return nil, &states.Failure{Name: "CloudWatch.CloudWatchException", Cause: err.Error()}
	}
	in := t.cloud.in(strings.Split(t.machine, ":")[3]).metrics
	for _, metric := range request.MetricData {
		dimensions := map[string]string{}
		for _, dimension := range metric.Dimensions {
			dimensions[dimension.Name] = dimension.Value
		}
		in.Series(request.Namespace, metric.MetricName, dimensions).Add(t.cloud.clock.Now(), metric.Value)
	}
	return states.Object{}, nil
}

// sqsFailure is an answer of SQS as Step Functions reports it: under the name of the SDK's exception, which is
// AmazonSQSException for most. Recorded in LocalStack's test_send_message_empty_body.
func sqsFailure(refusal smithy.APIError) *states.Failure {
	name := "AmazonSQSException"
	if refusal.ErrorCode() == "QueueDoesNotExist" {
		name = "QueueDoesNotExistException"
	}
	return &states.Failure{
		Name:  "SQS." + name,
		Cause: fmt.Sprintf("%s (Service: AmazonSQS; Error Code: %s)", refusal.ErrorMessage(), refusal.ErrorCode()),
	}
}

// only refuses unsupported parameters. A state without Parameters passes on its input, whose names aren't in the
// definition.
func only(parameters states.Object, known []string) error {
	for _, given := range parameters {
		if !slices.Contains(known, given.Name) {
			return &states.Failure{Name: states.RuntimeError, Cause: "the parameter " + given.Name + " is not supported here"}
		}
	}
	return nil
}

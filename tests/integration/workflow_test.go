package integration_test

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	dynamodbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sfn/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/smithy-go"
	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"trade-processing/lambdas/recorder"
	"trade-processing/local/cloud"
	faults "trade-processing/local/fault"
	"trade-processing/local/function"
	"trade-processing/local/states"
)

// mishap is what goes wrong with a service's calls about one trade, the same in both worlds.
type mishap struct {
	service, operation, resource string // resource: how the name of the function, table or queue ends
	code                         string
	times                        int
}

// hit reports whether a call goes wrong, and counts it.
func (m *mishap) hit(service, operation, resource string) bool {
	if m == nil || m.times == 0 || m.service != service || m.operation != operation || !strings.HasSuffix(resource, m.resource) {
		return false
	}
	m.times--
	return true
}

// err returns the mishap in the local cloud's form.
func (m *mishap) err() error {
	switch m.service {
	case "lambda":
		return &function.Error{Type: "Lambda." + m.code, Message: failedByTheTest}
	default:
		return &smithy.GenericAPIError{Code: m.code, Message: failedByTheTest}
	}
}

// fault returns the mishap in the front's form.
func (m *mishap) fault() fault {
	status := map[string]int{"TooManyRequestsException": http.StatusTooManyRequests, "ServiceException": http.StatusInternalServerError, "InternalError": http.StatusInternalServerError}[m.code]
	return fault{Status: cmp.Or(status, http.StatusBadRequest), Code: m.code}
}

// end is how an execution ended.
type end struct {
	Status      string
	Error       string         // of the execution
	Cause       map[string]any // of the error that was caught
	Output      map[string]any
	States      []string // that were entered, sorted
	Calls       map[string]int
	DeadLetters map[string][]any // by queue
	Item        map[string]any   // of the trade; nil if there is none
}

// ours is the local cloud.
type ours struct {
	t      testing.TB
	cloud  *cloud.Cloud
	mu     sync.Mutex
	mishap *mishap
	calls  map[string]int
	states []string
}

func newOurs(t testing.TB) *ours {
	o := &ours{t: t}
	o.cloud = deploy(t, cloud.Options{
		Observe: func(visit states.Visit) {
			o.mu.Lock()
			defer o.mu.Unlock()
			o.states = append(o.states, visit.State)
		},
		Faults: func(call faults.Call) faults.Fault {
			o.mu.Lock()
			defer o.mu.Unlock()
			if call.Service == "lambda" {
				o.calls[stage(call.Resource)]++
			}
			if o.mishap.hit(call.Service, call.Operation, call.Resource) {
				return faults.Fault{Err: o.mishap.err()}
			}
			return faults.Fault{}
		},
	})
	return o
}

// stage returns the stage of a function, a queue or an alias: the last word of its name.
func stage(name string) string {
	name = strings.TrimSuffix(strings.TrimSuffix(name, ":live"), "-dead-letters")
	return name[strings.LastIndex(name, "-")+1:]
}

func (o *ours) run(trade event, wrong *mishap) end {
	o.t.Helper()
	o.mu.Lock()
	o.mishap, o.calls, o.states = wrong, map[string]int{}, nil
	o.mu.Unlock()
	bus := text(one(o.t, o.cloud, "aws:cloudwatch/eventBus:EventBus", "").Inputs, "name")
	receipt, err := o.cloud.PutEvent(o.t.Context(), region, bus, cloud.Entry{
		Source: trade.Source, DetailType: trade.DetailType, Detail: trade.Detail, Time: trade.Time,
	})
	if err != nil || len(receipt.Deliveries) != 1 {
		o.t.Fatalf("got %+v, %v", receipt, err)
	}
	delivery := receipt.Deliveries[0]
	e := end{Status: "SUCCEEDED", States: slices.Sorted(slices.Values(o.states)), Calls: o.calls, DeadLetters: map[string][]any{}}
	if delivery.Failure != nil {
		e.Status, e.Error, e.Cause = "FAILED", delivery.Failure.Name, object(o.t, delivery.Failure.Cause)
	} else {
		e.Output = object(o.t, string(delivery.Output))
	}
	for _, declared := range all(o.t, o.cloud, cloud.QueueType) {
		name := text(declared.Inputs, "name")
		q, err := o.cloud.Queue(region, name)
		if err != nil {
			o.t.Fatal(err)
		}
		received, err := q.Receive(o.t.Context(), 10, nil)
		if err != nil {
			o.t.Fatal(err)
		}
		for _, message := range received {
			e.DeadLetters[stage(name)] = append(e.DeadLetters[stage(name)], object(o.t, message.Body))
			if err := q.Acknowledge(o.t.Context(), message.Receipt); err != nil {
				o.t.Fatal(err)
			}
		}
	}
	table, err := o.cloud.Table(region, text(one(o.t, o.cloud, cloud.TableType, "").Inputs, "name"))
	if err != nil {
		o.t.Fatal(err)
	}
	for item := range table.Items() {
		e.take(o.t, trade, item)
	}
	return e
}

// take keeps the item of the trade.
func (e *end) take(t testing.TB, trade event, item map[string]dynamodbtypes.AttributeValue) {
	t.Helper()
	var read map[string]any
	if err := attributevalue.UnmarshalMap(item, &read); err != nil {
		t.Fatal(err)
	}
	if read["tradeId"] == trade.id() {
		own, _ := read["eventId"].(string)
		execution, _ := read["execution"].(string)
		read["eventId"] = recorder.EventID(own, execution)
		e.Item = read
	}
}

// theirs is moto, with this project's functions behind its state machines and DynamoDB Local behind those.
type theirs struct {
	t        testing.TB
	services *front // in front of moto and the functions
	database *front
	machines *sfn.Client
	queues   *sqs.Client
	urls     map[string]string
	tables   *dynamodb.Client
	table    string
	declared cloud.Properties // of the state machine
	executed int
}

func newTheirs(t testing.TB, here *cloud.Cloud) *theirs {
	th := &theirs{t: t, services: newFront(t)}
	database, moto := startDynamoDB(t), startInterpreter(t, th.services)
	th.database = newFront(t).before(t, database)
	th.machines, th.queues = sfn.NewFromConfig(clients(t, moto)), sqs.NewFromConfig(clients(t, moto))
	th.tables = dynamodb.NewFromConfig(clients(t, database))
	th.table = createTable(t, here, th.tables)
	th.urls = createQueues(t, here, th.queues)
	parameters := ssm.NewFromConfig(clients(t, moto))
	putParameters(t, here, parameters)
	th.services.serve["Invoke"] = newLambdaService(t, here, parameters, dynamodb.NewFromConfig(clients(t, th.database.Endpoint))).ServeHTTP

	th.declared = one(t, here, cloud.MachineType, "").Inputs
	return th
}

// startInterpreter starts moto with its state machine interpreter on, whose calls go through the front.
func startInterpreter(t testing.TB, services *front) (endpoint string) {
	t.Helper()
	endpoint = startMotoBehind(t, services.Port)
	services.before(t, endpoint)
	answer, err := http.Post(endpoint+"/moto-api/config", "application/json", strings.NewReader(`{"stepfunctions": {"execute_state_machine": true}}`))
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close() //nolint:errcheck // only read
	if answer.StatusCode >= 300 {
		t.Fatalf("switching moto's interpreter on: %s", answer.Status)
	}
	return endpoint
}

func (th *theirs) run(trade event, wrong *mishap) end {
	th.t.Helper()
	th.services.failing(func(r request) fault {
		resource, service := "", "sqs"
		if r.Operation == "Invoke" {
			service, resource = "lambda", stage(strings.TrimSuffix(r.Path, "/invocations"))
		}
		if wrong.hit(service, r.Operation, resource) {
			return wrong.fault()
		}
		return fault{}
	})
	th.database.failing(func(r request) fault {
		if wrong.hit("dynamodb", r.Operation, "") {
			return wrong.fault()
		}
		return fault{}
	})
	before := len(th.services.calls("Invoke"))
	ended, remove := th.execute(trade)
	defer remove()
	e := end{Status: string(ended.Status), Error: aws.ToString(ended.Error), Calls: map[string]int{}, DeadLetters: map[string][]any{}}
	if ended.Cause != nil {
		e.Cause = object(th.t, *ended.Cause)
	}
	if ended.Output != nil {
		e.Output = object(th.t, *ended.Output)
	}
	for _, call := range th.services.calls("Invoke")[before:] {
		e.Calls[stage(strings.TrimSuffix(call.Path, "/invocations"))]++
	}
	history := sfn.NewGetExecutionHistoryPaginator(th.machines, &sfn.GetExecutionHistoryInput{ExecutionArn: ended.ExecutionArn})
	for history.HasMorePages() {
		page, err := history.NextPage(th.t.Context())
		if err != nil {
			th.t.Fatal(err)
		}
		for _, happened := range page.Events {
			if entered := happened.StateEnteredEventDetails; entered != nil {
				e.States = append(e.States, *entered.Name)
			}
		}
	}
	slices.Sort(e.States)
	for name, queueURL := range th.urls {
		for _, body := range drain(th.t, th.queues, queueURL) {
			e.DeadLetters[stage(name)] = append(e.DeadLetters[stage(name)], object(th.t, body))
		}
	}
	scan := dynamodb.NewScanPaginator(th.tables, &dynamodb.ScanInput{TableName: aws.String(th.table), ConsistentRead: aws.Bool(true)})
	for scan.HasMorePages() {
		page, err := scan.NextPage(th.t.Context())
		if err != nil {
			th.t.Fatal(err)
		}
		for _, item := range page.Items {
			e.take(th.t, trade, item)
		}
	}
	return e
}

// execute runs the state machine on a trade. Each execution has its own machine, removed when it has ended: moto can't start a
// second one.
func (th *theirs) execute(trade event) (ended *sfn.DescribeExecutionOutput, remove func()) {
	th.t.Helper()
	th.executed++
	created, err := th.machines.CreateStateMachine(th.t.Context(), &sfn.CreateStateMachineInput{
		Name:    aws.String(fmt.Sprintf("%s-%d", text(th.declared, "name"), th.executed)),
		RoleArn: aws.String(text(th.declared, "roleArn")), Type: types.StateMachineType(text(th.declared, "type")),
		Definition: aws.String(text(th.declared, "definition")),
	})
	if err != nil {
		th.t.Fatalf("moto refuses the state machine: %v", err)
	}
	remove = func() {
		if _, err := th.machines.DeleteStateMachine(th.t.Context(), &sfn.DeleteStateMachineInput{StateMachineArn: created.StateMachineArn}); err != nil {
			th.t.Error(err)
		}
	}
	started, err := th.machines.StartExecution(th.t.Context(), &sfn.StartExecutionInput{
		StateMachineArn: created.StateMachineArn, Name: aws.String(fmt.Sprint(th.executed)), Input: aws.String(trade.envelope()),
	})
	if err != nil {
		th.t.Fatal(err)
	}
	return th.wait(*started.ExecutionArn), remove
}

// wait waits until an execution has ended.
func (th *theirs) wait(execution string) *sfn.DescribeExecutionOutput {
	th.t.Helper()
	for deadline := time.Now().Add(2 * time.Minute); ; time.Sleep(50 * time.Millisecond) {
		now, err := th.machines.DescribeExecution(th.t.Context(), &sfn.DescribeExecutionInput{ExecutionArn: aws.String(execution)})
		if err != nil {
			th.t.Fatal(err)
		}
		if now.Status != types.ExecutionStatusRunning {
			return now
		}
		if time.Now().After(deadline) {
			th.t.Fatalf("execution %s doesn't end", execution)
		}
	}
}

// event is a trade in transit.
type event struct {
	Source, DetailType string
	Time               time.Time
	Detail             json.RawMessage
}

func (e event) id() string {
	var detail struct{ TradeID any }
	_ = json.Unmarshal(e.Detail, &detail) // a malformed one has none
	id, _ := detail.TradeID.(string)
	return id
}

// envelope returns the event as EventBridge delivers it.
func (e event) envelope() string {
	return fmt.Sprintf(`{"version":"0","id":"0f7a1d5e-6c3b-4f0e-9d2a-7b1c5e8f9a01","detail-type":%q,"source":%q,"account":%q,"time":%q,"region":%q,"resources":[],"detail":%s}`,
		e.DetailType, e.Source, cloud.Account, e.Time.UTC().Format(time.RFC3339), region, e.Detail)
}

// object reads JSON, keeping number literals.
func object(t testing.TB, text string) map[string]any {
	t.Helper()
	decoder := json.NewDecoder(bytes.NewReader([]byte(text)))
	decoder.UseNumber()
	var read map[string]any
	if err := decoder.Decode(&read); err != nil {
		t.Fatalf("%q is no JSON object: %v", text, err)
	}
	return read
}

// own are the members that name an execution, an event or a moment, wherever they are. They differ between worlds.
var own = []string{"recordedAt", "executionArn", "execution", "eventId", "id"}

// same returns the options for comparing the ends of two worlds. moto begins no X-Ray trace, and the SDK's words about
// a service's failure depend on how it arrived.
func same() gocmp.Options {
	return gocmp.Options{
		cmpopts.IgnoreMapEntries(func(name string, _ any) bool { return name == "traceId" }),
		gocmp.FilterPath(func(p gocmp.Path) bool {
			member, ok := p.Last().(gocmp.MapIndex)
			return ok && slices.Contains(own, member.Key().String())
		}, gocmp.Comparer(func(a, b any) bool { return (a == nil) == (b == nil) && (a == "") == (b == "") })),
		gocmp.FilterPath(func(p gocmp.Path) bool {
			member, ok := p.Last().(gocmp.MapIndex)
			return ok && member.Key().String() == "Cause"
		}, gocmp.Comparer(func(a, b any) bool {
			return a == b || strings.Contains(fmt.Sprint(a), failedByTheTest) && strings.Contains(fmt.Sprint(b), failedByTheTest)
		})),
	}
}

func trade(detail string) event {
	return event{Source: "trading.system1", DetailType: "Trade Event", Time: noon.Add(2 * time.Hour), Detail: json.RawMessage(detail)}
}

// On moto's interpreter, the declared state machine with this project's functions ends as on the local cloud: status,
// error, states, calls, dead letters and item.
//
// moto reads numbers as binary doubles, AWS doesn't. So the numbers here are ones that survive that; the local cloud's
// own tests cover those that don't.
func TestBothInterpretersComeToTheSameEnd(t *testing.T) {
	t.Parallel() // it waits most of the time
	o := newOurs(t)
	th := newTheirs(t, o.cloud)
	const valid = `{"tradeId":"%s","amount":"1250.50","currency":"USD","sourceSystem":"system1","symbol":"AAPL","venue":"XNAS","side":"BUY","executedAt":"2026-03-02T08:59:58.250-05:00","note":%q}`
	const recorded, rejected = "RECORDED", "REJECTED"
	for _, test := range []struct {
		name    string
		trade   event
		mishap  *mishap
		error   string // the execution's; "" if it succeeds
		letter  string // the one queue that keeps it
		outcome string // of the recorder
		status  string // of the item; "" if there is none
	}{
		{name: "a valid trade", trade: trade(fmt.Sprintf(valid, "t1", "")), outcome: "RECORDED", status: recorded},
		{name: "the same trade again", trade: trade(fmt.Sprintf(valid, "t1", "")), outcome: "DUPLICATE", status: recorded},
		{name: "another trade under its key", trade: trade(fmt.Sprintf(valid, "t1", "altered")), error: "TradeConflict", letter: "recorder", status: recorded},
		{
			name:    "a trade that breaks rules",
			trade:   trade(`{"tradeId":"t2","amount":"0","currency":"XXY","sourceSystem":"system2","side":"HOLD"}`),
			outcome: "RECORDED", status: rejected,
		},
		{name: "no trade at all", trade: trade(`{"amount":"1","currency":"USD","sourceSystem":"system1"}`), error: "MalformedTrade", letter: "validator"},
		{
			name: "a validator that is throttled twice", trade: trade(fmt.Sprintf(valid, "t3", "")), outcome: "RECORDED", status: recorded,
			mishap: &mishap{service: "lambda", operation: "Invoke", resource: "validator", code: "TooManyRequestsException", times: 2},
		},
		{
			name: "an enricher that stays unavailable", trade: trade(fmt.Sprintf(valid, "t4", "")), error: "Lambda.ServiceException", letter: "enricher",
			mishap: &mishap{service: "lambda", operation: "Invoke", resource: "enricher", code: "ServiceException", times: 1000},
		},
		{
			name: "a recorder with an error that no retry mends", trade: trade(fmt.Sprintf(valid, "t5", "")), error: "AccessDeniedException", letter: "recorder",
			mishap: &mishap{service: "dynamodb", operation: "PutItem", code: "AccessDeniedException", times: 1000},
		},
		{
			name: "a table that stays throttled", trade: trade(fmt.Sprintf(valid, "t6", "")), error: "ProvisionedThroughputExceededException", letter: "recorder",
			mishap: &mishap{service: "dynamodb", operation: "PutItem", code: "ProvisionedThroughputExceededException", times: 1000},
		},
		{
			name: "a dead-letter queue that fails at first", trade: trade(`{"tradeId":7}`), error: "MalformedTrade", letter: "validator",
			mishap: &mishap{service: "sqs", operation: "SendMessage", code: "InternalError", times: 2},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			var wrong [2]*mishap
			if test.mishap != nil {
				once, again := *test.mishap, *test.mishap
				wrong = [2]*mishap{&once, &again}
			}
			o.t, th.t = t, t
			here, there := o.run(test.trade, wrong[0]), th.run(test.trade, wrong[1])
			if test.letter == "validator" { // how far the other branch gets before it is stopped is random
				for _, e := range []*end{&here, &there} {
					e.States = slices.DeleteFunc(e.States, func(state string) bool { return state == "EnrichTrade" })
					delete(e.Calls, "enricher")
				}
			}
			if diff := gocmp.Diff(there, here, same()); diff != "" {
				t.Errorf("moto (-) and the local cloud (+):\n%s", diff)
			}
			if there.Error != test.error || there.Output["outcome"] != anyOf(test.outcome) || there.Item["status"] != anyOf(test.status) {
				t.Errorf("it ended as %s %s %v with item %v, want %q %q %q", there.Status, there.Error, there.Output, there.Item["status"], test.error, test.outcome, test.status)
			}
			if kept := slices.Collect(maps.Keys(there.DeadLetters)); test.letter == "" && len(kept) > 0 || test.letter != "" && !slices.Equal(kept, []string{test.letter}) {
				t.Errorf("it is kept in the dead letters of %v, want %q", kept, test.letter)
			}
			for _, kept := range there.DeadLetters[test.letter] {
				event, _ := kept.(map[string]any)["event"].(map[string]any)
				if diff := gocmp.Diff(any(object(t, string(test.trade.Detail))), event["detail"]); diff != "" || event["source"] != test.trade.Source {
					t.Errorf("what is kept is not what was sent: %s", diff)
				}
			}
			t.Logf("%s %s, calls %v, states %v", there.Status, there.Error, there.Calls, there.States)
		})
	}
}

// anyOf returns a string as a JSON value; nil if it is empty.
func anyOf(text string) any {
	if text == "" {
		return nil
	}
	return text
}

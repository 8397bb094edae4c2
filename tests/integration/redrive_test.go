package integration_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"trade-processing/cmd/tradectl/operate"
	"trade-processing/internal/terminal"
	"trade-processing/lambdas/recorder"
	"trade-processing/local/cloud"
)

// redrive is our own command, with moto's SQS and EventBridge behind a front.
type redrive struct {
	t       *testing.T
	front   *front
	queues  *sqs.Client
	bus     string
	urls    map[string]string // by the queue's name
	outputs string            // a file
}

func newRedrive(t *testing.T) *redrive {
	t.Helper()
	endpoint := startMoto(t)
	r := &redrive{t: t, front: newFront(t).before(t, endpoint), queues: sqs.NewFromConfig(clients(t, endpoint)), outputs: filepath.Join(t.TempDir(), "outputs.json")}
	here := deploy(t, cloud.Options{})
	r.urls = createQueues(t, here, r.queues)
	r.bus = text(one(t, here, "aws:cloudwatch/eventBus:EventBus", "").Inputs, "name")
	if _, err := eventbridge.NewFromConfig(clients(t, endpoint)).CreateEventBus(t.Context(), &eventbridge.CreateEventBusInput{Name: aws.String(r.bus)}); err != nil {
		t.Fatal(err)
	}
	outputs, err := json.Marshal(map[string]any{
		"environment": "dev", "region": region, "eventBusName": r.bus, "tradeTableName": "trades", "stateMachineArn": "machine",
		"tradeTableArn": "arn:aws:dynamodb:us-east-1:000000000000:table/trades", "functionNames": map[string]string{"recorder": "recorder"},
		"deadLetterQueueUrls":         map[string]string{"validator": r.urls["trade-processing-dev-validator-dead-letters"], "recorder": r.urls[recorderLetters]},
		"deliveryDeadLetterQueueUrls": map[string]string{"system1": r.urls[deliveryLetters]},
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(r.outputs, outputs, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, value := range map[string]string{
		"AWS_ENDPOINT_URL": r.front.Endpoint, "AWS_ACCESS_KEY_ID": "AKIAINTEGRATION", "AWS_SECRET_ACCESS_KEY": "secret",
		"AWS_CONFIG_FILE": os.DevNull, "AWS_SHARED_CREDENTIALS_FILE": os.DevNull,
	} {
		t.Setenv(name, value)
	}
	return r
}

// send puts a dead letter into a queue.
func (r *redrive) send(queue, body string) {
	r.t.Helper()
	if _, err := r.queues.SendMessage(r.t.Context(), &sqs.SendMessageInput{QueueUrl: aws.String(r.urls[queue]), MessageBody: aws.String(body)}); err != nil {
		r.t.Fatal(err)
	}
}

// run redrives a queue, and returns what it says, and whether it succeeded.
func (r *redrive) run(queue string, more ...string) (string, bool) {
	r.t.Helper()
	var said bytes.Buffer
	command := operate.NewDLQ(&terminal.Terminal{Out: &said, Err: &said, Getenv: func(string) string { return "" }})
	command.SilenceErrors, command.SilenceUsage = true, true
	command.SetArgs(append([]string{"redrive", queue, "--yes", "--outputs", r.outputs}, more...))
	err := command.ExecuteContext(r.t.Context())
	r.t.Logf("%s%v", &said, err)
	return said.String() + fmt.Sprint(err), err == nil
}

// putEntry is an entry of a PutEvents request as it arrived over the wire.
type putEntry struct {
	EventBusName, Source, DetailType, Detail string
	Time                                     json.Number
	Resources                                []string
}

// put returns the events that reached the bus.
func (r *redrive) put() []putEntry {
	r.t.Helper()
	var all []putEntry
	for _, call := range r.front.calls("PutEvents") {
		var body struct{ Entries []putEntry }
		if err := json.Unmarshal([]byte(call.Body), &body); err != nil {
			r.t.Fatalf("%s: %v", call.Body, err)
		}
		all = append(all, body.Entries...)
	}
	return all
}

// left returns how many messages a queue holds, including those hidden at the moment.
func (r *redrive) left(queue string) string {
	r.t.Helper()
	names := []sqstypes.QueueAttributeName{sqstypes.QueueAttributeNameApproximateNumberOfMessages, sqstypes.QueueAttributeNameApproximateNumberOfMessagesNotVisible}
	got, err := r.queues.GetQueueAttributes(r.t.Context(), &sqs.GetQueueAttributesInput{QueueUrl: aws.String(r.urls[queue]), AttributeNames: names})
	if err != nil {
		r.t.Fatal(err)
	}
	return fmt.Sprintf("%s and %s hidden", got.Attributes[string(names[0])], got.Attributes[string(names[1])])
}

const (
	recorderLetters = "trade-processing-dev-recorder-dead-letters"
	deliveryLetters = "trade-processing-dev-delivery-1-dead-letters"
)

// letter returns a dead letter of a function's queue, as the state machine writes it.
func letter(e event, failed string) string {
	return fmt.Sprintf(`{"event":%s,"error":{"Error":%q,"Cause":"{}"},"executionArn":"arn:aws:states:us-east-1:%s:execution:w:1"}`, e.envelope(), failed, cloud.Account)
}

// exact is a trade whose digits a JSON parser would change, and which has its event's time as its timestamp.
var exact = event{
	Source: "trading.system2", DetailType: "Trade Event", Time: time.Date(2026, 3, 2, 14, 0, 7, 0, time.UTC),
	Detail: json.RawMessage(`{"tradeId":"exact","amount":1313.80,"currency":"USD","sourceSystem":"system2","fee":1E-2,"big":123456789012345678901234567890.10,"text":"\u00e9\/é"}`),
}

func TestARedriveSendsWhatWasKept(t *testing.T) {
	r := newRedrive(t)
	other := trade(`{"tradeId":"other","amount":"1.50","currency":"USD","sourceSystem":"system1"}`)
	r.send(recorderLetters, letter(exact, "ProvisionedThroughputExceededException"))
	r.send(recorderLetters, letter(other, "TradeConflict"))
	r.send(deliveryLetters, exact.envelope()) // EventBridge keeps the event itself

	want := putEntry{
		EventBusName: r.bus, Source: "trading.system2", DetailType: "Trade Event", Detail: string(exact.Detail),
		Time: json.Number(fmt.Sprint(exact.Time.Unix())), Resources: []string{},
	}
	if said, ok := r.run("recorder", "--error", "ProvisionedThroughputExceededException", "--error", "States.Timeout"); !ok || !strings.Contains(said, "1 sent again") {
		t.Errorf("of two messages, one with that error: %s", said)
	}
	if diff := cmp.Diff([]putEntry{want}, r.put(), sameSecond, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("sent: %s", diff)
	}
	if left := r.left(recorderLetters); left != "1 and 0 hidden" {
		t.Errorf("the other message: %s", left)
	}
	if said, ok := r.run("delivery-system1"); !ok || !strings.Contains(said, "1 sent again") {
		t.Errorf("of the delivery's queue: %s", said)
	}
	if diff := cmp.Diff([]putEntry{want, want}, r.put(), sameSecond, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("sent: %s", diff)
	}
	if left := r.left(deliveryLetters); left != "0 and 0 hidden" {
		t.Errorf("it holds %s", left)
	}
}

// sameSecond compares times on the wire, which clients write with or without a fraction.
var sameSecond = cmp.Comparer(func(a, b json.Number) bool {
	x, errX := a.Float64()
	y, errY := b.Float64()
	return errX == nil && errY == nil && x == y
})

// What the bus doesn't take, and answers that come late or never: the event is still somewhere in the end, and all that
// reached the bus is recorded once.
func TestARedriveThatMeetsFailuresLosesNothingAndDoublesNothing(t *testing.T) {
	r := newRedrive(t)
	const partly = `{"FailedEntryCount": 1, "Entries": [{"ErrorCode": "ThrottlingException", "ErrorMessage": "Rate exceeded"}]}`
	lost := fault{Applied: true, Broken: true}
	for name, wrong := range map[string]struct {
		operation string
		wrong     fault
	}{
		"the bus fails":                         {"PutEvents", fault{Status: 500, Code: "InternalException"}},
		"the bus takes a part":                  {"PutEvents", fault{Status: http.StatusOK, Answer: partly}},
		"the bus's answer is lost":              {"PutEvents", lost},
		"the answer comes late, and then never": {"PutEvents", fault{Applied: true, Broken: true, Slow: time.Second}},
		"the deletion's answer is lost":         {"DeleteMessageBatch", lost},
		"the messages get lost on the way":      {"ReceiveMessage", lost},
	} {
		r.send(recorderLetters, letter(exact, "InternalServerError"))
		r.front.failing(first(1, wrong.operation, wrong.wrong))
		said, ok := r.run("recorder")
		r.front.failing(nil)
		if left := r.left(recorderLetters); ok && left != "0 and 0 hidden" || !ok && left == "0 and 0 hidden" {
			t.Errorf("%s: it holds %s, and the command says %s", name, left, said)
		}
	}
	here := deploy(t, cloud.Options{})
	outcomes := map[string]int{}
	for _, entry := range r.put() {
		when, err := entry.Time.Float64()
		if err != nil {
			t.Fatal(err)
		}
		receipt, err := here.PutEvent(t.Context(), region, entry.EventBusName, cloud.Entry{
			Source: entry.Source, DetailType: entry.DetailType, Detail: json.RawMessage(entry.Detail), Time: time.Unix(int64(when), 0),
		})
		if err != nil || len(receipt.Deliveries) != 1 {
			t.Fatalf("got %+v, %v", receipt, err)
		}
		var response recorder.Response
		if err := json.Unmarshal(receipt.Deliveries[0].Output, &response); err != nil {
			t.Fatalf("%+v: %v", receipt.Deliveries[0], err)
		}
		if response.Timestamp != exact.Time.UnixMilli() {
			t.Errorf("the timestamp became %d, and is %d", response.Timestamp, exact.Time.UnixMilli())
		}
		outcomes[response.Outcome]++
	}
	if outcomes[recorder.OutcomeRecorded] != 1 || outcomes[recorder.OutcomeDuplicate] < 5 || len(outcomes) != 2 {
		t.Errorf("got %v", outcomes)
	}
}

package integration_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/google/go-cmp/cmp"

	"trade-processing/lambdas/recorder"
	"trade-processing/local/cloud"
)

// redrive is the runbook's own script, on the real AWS CLI, with moto's SQS and EventBridge behind a front.
type redrive struct {
	t      *testing.T
	front  *front
	queues *sqs.Client
	bus    string
	urls   map[string]string // by the queue's name
	folder string            // holds the script, and the command aws
}

func newRedrive(t *testing.T) *redrive {
	t.Helper()
	endpoint := startMoto(t)
	r := &redrive{t: t, front: newFront(t).before(t, endpoint), queues: sqs.NewFromConfig(clients(t, endpoint)), folder: t.TempDir()}
	here := deploy(t, cloud.Options{})
	r.urls = createQueues(t, here, r.queues)
	r.bus = text(one(t, here, "aws:cloudwatch/eventBus:EventBus", "").Inputs, "name")
	if _, err := eventbridge.NewFromConfig(clients(t, endpoint)).CreateEventBus(t.Context(), &eventbridge.CreateEventBusInput{Name: aws.String(r.bus)}); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(r.folder, "redrive.py"), []byte(runbookFile(t, "redrive.py")), 0o600); err != nil {
		t.Fatal(err)
	}
	// Version 1 of the AWS CLI, the one on pip, ignores AWS_ENDPOINT_URL for SQS.
	command := fmt.Sprintf("#!/bin/sh\nexec '%s' --endpoint-url '%s' \"$@\"\n", tool(t, "python/bin/aws"), r.front.Endpoint)
	if err := os.WriteFile(filepath.Join(r.folder, "aws"), []byte(command), 0o700); err != nil {
		t.Fatal(err)
	}
	return r
}

// runbookFile returns a file that a command of the runbook writes.
func runbookFile(t *testing.T, name string) string {
	t.Helper()
	page, err := os.ReadFile(filepath.Join(root, "docs", "runbook.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, found := strings.Cut(string(page), "cat > "+name+" <<'EOF'\n")
	content, _, ends := strings.Cut(rest, "\nEOF\n")
	if !found || !ends {
		t.Fatalf("the runbook has no command that writes %s", name)
	}
	return content + "\n"
}

// send puts a dead letter into a queue.
func (r *redrive) send(queue, body string) {
	r.t.Helper()
	if _, err := r.queues.SendMessage(r.t.Context(), &sqs.SendMessageInput{QueueUrl: aws.String(r.urls[queue]), MessageBody: aws.String(body)}); err != nil {
		r.t.Fatal(err)
	}
}

// run runs the script and returns its final output, and whether it succeeded.
func (r *redrive) run(queue string, errors ...string) (string, bool) {
	r.t.Helper()
	script := exec.CommandContext(r.t.Context(), tool(r.t, "python/bin/python"), append([]string{"redrive.py", r.urls[queue], r.bus}, errors...)...)
	script.Dir = r.folder
	script.Env = append(os.Environ(), "PATH="+r.folder+string(os.PathListSeparator)+os.Getenv("PATH"),
		"AWS_DEFAULT_REGION="+region, "AWS_ACCESS_KEY_ID=AKIAINTEGRATION", "AWS_SECRET_ACCESS_KEY=secret",
		"AWS_MAX_ATTEMPTS=1", "AWS_CONFIG_FILE="+os.DevNull, "AWS_SHARED_CREDENTIALS_FILE="+os.DevNull)
	said, err := script.CombinedOutput()
	r.t.Logf("%s", said)
	lines := strings.Split(strings.TrimSpace(string(said)), "\n")
	return lines[len(lines)-1], err == nil
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

// reveal makes hidden messages visible.
func (r *redrive) reveal(queue string, handles []string) {
	r.t.Helper()
	for _, handle := range handles {
		_, err := r.queues.ChangeMessageVisibility(r.t.Context(), &sqs.ChangeMessageVisibilityInput{QueueUrl: aws.String(r.urls[queue]), ReceiptHandle: aws.String(handle)})
		if err != nil {
			r.t.Fatal(err)
		}
	}
}

// handles returns the receipt handles with which the script asked to delete messages.
func (r *redrive) handles() []string {
	r.t.Helper()
	var all []string
	for _, call := range r.front.calls("DeleteMessage") {
		var body struct{ ReceiptHandle string }
		if err := json.Unmarshal([]byte(call.Body), &body); err != nil {
			r.t.Fatal(err)
		}
		all = append(all, body.ReceiptHandle)
	}
	return all
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

func TestTheRunbooksRedriveSendsWhatWasKept(t *testing.T) {
	t.Parallel() // it waits most of the time
	r := newRedrive(t)
	other := trade(`{"tradeId":"other","amount":"1.50","currency":"USD","sourceSystem":"system1"}`)
	r.send(recorderLetters, letter(exact, "ProvisionedThroughputExceededException"))
	r.send(recorderLetters, letter(other, "TradeConflict"))
	r.send(deliveryLetters, exact.envelope()) // EventBridge keeps the event itself

	want := putEntry{
		EventBusName: r.bus, Source: "trading.system2", DetailType: "Trade Event", Detail: string(exact.Detail),
		Time: json.Number(fmt.Sprint(exact.Time.Unix())), Resources: []string{},
	}
	if said, ok := r.run(recorderLetters, "ProvisionedThroughputExceededException", "States.Timeout"); !ok || said != "1 sent again, 1 left" {
		t.Errorf("of two messages, one with that error: %q", said)
	}
	if diff := cmp.Diff([]putEntry{want}, r.put(), sameSecond); diff != "" {
		t.Errorf("sent: %s", diff)
	}
	if left := r.left(recorderLetters); left != "0 and 1 hidden" {
		t.Errorf("the other message: %s", left)
	}
	if said, ok := r.run(deliveryLetters); !ok || said != "1 sent again, 0 left" {
		t.Errorf("of the delivery's queue: %q", said)
	}
	if diff := cmp.Diff([]putEntry{want, want}, r.put(), sameSecond); diff != "" {
		t.Errorf("sent: %s", diff)
	}
	if left := r.left(deliveryLetters); left != "0 and 0 hidden" {
		t.Errorf("it holds %s", left)
	}
}

// A letter that only names its event has the event in the execution's history. An EXPRESS execution has no history, so
// the letter stays until the archive was replayed.
func TestARedriveReadsAnEventThatNoMessageHolds(t *testing.T) {
	t.Parallel() // it waits most of the time
	r := newRedrive(t)
	odd := exact
	odd.Detail = json.RawMessage("{\"tradeId\":\"odd\",\"amount\":1313.80,\"text\":\"\uffff\"}")
	named := `{"event":{"id":"1","time":"2026-03-02T14:00:07Z"},"error":{"Error":"TradeConflict"},"executionArn":"arn:aws:states:us-east-1:000000000000:%s:w:1","refused":"SQS.AmazonSQSException"}`
	r.front.serve["DescribeExecution"] = func(w http.ResponseWriter, q *http.Request) {
		var in struct{ ExecutionArn string }
		if err := json.NewDecoder(q.Body).Decode(&in); err != nil || !strings.Contains(in.ExecutionArn, ":execution:") {
			w.WriteHeader(http.StatusBadRequest)
			fmt.Fprint(w, `{"__type":"InvalidArn"}`) // as Step Functions answers for an EXPRESS execution
			return
		}
		if err := json.NewEncoder(w).Encode(map[string]string{"status": "FAILED", "input": odd.envelope()}); err != nil {
			t.Error(err)
		}
	}
	r.send(recorderLetters, fmt.Sprintf(named, "execution"))
	if said, ok := r.run(recorderLetters); !ok || said != "1 sent again, 0 left" {
		t.Errorf("of a STANDARD execution: %q", said)
	}
	if sent := r.put(); len(sent) != 1 || sent[0].Detail != string(odd.Detail) || sent[0].Source != odd.Source {
		t.Errorf("it sent %+v", sent)
	}
	r.send(recorderLetters, fmt.Sprintf(named, "express"))
	if said, ok := r.run(recorderLetters); ok || len(r.put()) != 1 {
		t.Errorf("of an EXPRESS execution: %q", said)
	}
	if left := r.left(recorderLetters); left != "0 and 1 hidden" {
		t.Errorf("the letter of an EXPRESS execution: %s", left)
	}
}

// sameSecond compares times on the wire, which clients write with or without a fraction.
var sameSecond = cmp.Comparer(func(a, b json.Number) bool {
	x, errX := a.Float64()
	y, errY := b.Float64()
	return errX == nil && errY == nil && x == y
})

// Wherever a redrive is interrupted, the event is still somewhere; anything sent twice is recorded once.
func TestARedriveThatIsInterruptedLosesNothingAndDoublesNothing(t *testing.T) {
	t.Parallel() // it waits most of the time
	r := newRedrive(t)
	r.send(recorderLetters, letter(exact, "InternalServerError"))

	r.front.failing(first(1, "PutEvents", fault{Status: 500, Code: "InternalException"}))
	if said, ok := r.run(recorderLetters); ok {
		t.Errorf("the bus failed, and the script was content: %q", said)
	}
	if left := r.left(recorderLetters); left != "0 and 1 hidden" {
		t.Errorf("after the bus failed, the queue holds %s", left)
	}
	r.front.failing(nil)
	r.send(recorderLetters, letter(exact, "InternalServerError")) // the hidden one comes back in two minutes; this stands in for it

	r.front.failing(first(1, "DeleteMessage", fault{Status: 500, Code: "InternalError"}))
	if said, ok := r.run(recorderLetters); ok {
		t.Errorf("the deletion failed, and the script was content: %q", said)
	}
	r.front.failing(nil)
	r.reveal(recorderLetters, r.handles())
	if said, ok := r.run(recorderLetters); ok || !strings.HasPrefix(said, "the queue holds about 1 more, hidden") {
		t.Errorf("the next run, while the first message is still hidden: %q", said)
	}

	// The bus got it three times, and refused the first. The pipeline records it once.
	asked := r.put()
	if len(asked) != 3 {
		t.Fatalf("the bus was asked %d times", len(asked))
	}
	here := deploy(t, cloud.Options{})
	var outcomes []string
	for _, entry := range asked[1:] {
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
		outcomes = append(outcomes, response.Outcome)
	}
	if !slices.Equal(outcomes, []string{recorder.OutcomeRecorded, recorder.OutcomeDuplicate}) {
		t.Errorf("got %v", outcomes)
	}
}

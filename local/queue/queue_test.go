package queue_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/smithy-go"

	"trade-processing/local/clock"
	"trade-processing/local/fault"
	"trade-processing/local/metrics"
	"trade-processing/local/queue"
)

var epoch = time.Date(2026, 1, 2, 9, 30, 0, 0, time.UTC)

func newQueue(t testing.TB, def queue.Definition, options queue.Options) *queue.Queue {
	t.Helper()
	options.Random = rand.Reader
	q, err := queue.New(def, options)
	if err != nil {
		t.Fatal(err)
	}
	return q
}

func named(name string) queue.Definition {
	def := queue.Default(name)
	def.ARN = "arn:aws:sqs:us-east-1:000000000000:" + name
	return def
}

func send(t testing.TB, q *queue.Queue, bodies ...string) {
	t.Helper()
	for _, body := range bodies {
		if _, err := q.Send(context.Background(), queue.Draft{Body: body}); err != nil {
			t.Fatal(err)
		}
	}
}

func receive(t testing.TB, q *queue.Queue, max int) []queue.Message {
	t.Helper()
	messages, err := q.Receive(context.Background(), max, nil)
	if err != nil {
		t.Fatal(err)
	}
	return messages
}

func bodies(messages []queue.Message) string {
	texts := make([]string, len(messages))
	for i, m := range messages {
		texts[i] = m.Body
	}
	return strings.Join(texts, " ")
}

func wantCode(t testing.TB, err error, code, contains string) {
	t.Helper()
	var operation *smithy.OperationError
	var api smithy.APIError
	if !errors.As(err, &operation) || !errors.As(err, &api) || api.ErrorCode() != code || !strings.Contains(api.ErrorMessage(), contains) {
		t.Fatalf("got %v, want %s: …%s…", err, code, contains)
	}
}

func TestAMessageIsReceivedHiddenAndDeleted(t *testing.T) {
	c := clock.NewVirtual(epoch)
	q := newQueue(t, named("q"), queue.Options{Clock: c})
	sent, err := q.Send(t.Context(), queue.Draft{Body: "hello", TraceHeader: "Root=1"})
	if err != nil {
		t.Fatal(err)
	}
	c.Advance(time.Second)
	got := receive(t, q, 10)
	if len(got) != 1 {
		t.Fatalf("%d messages, want one", len(got))
	}
	m := got[0]
	if m.ID != sent.ID || m.Body != "hello" || m.BodyMD5 != "5d41402abc4b2a76b9719d911017c592" || m.TraceHeader != "Root=1" {
		t.Errorf("the message is %+v", m)
	}
	if again := receive(t, q, 10); len(again) != 0 {
		t.Errorf("it is received twice: %+v", again)
	}
	if err := q.Acknowledge(t.Context(), m.Receipt); err != nil {
		t.Fatal(err)
	}
	c.Advance(time.Hour)
	if s := q.State(); s != (queue.State{}) {
		t.Errorf("after it was deleted the queue has %+v", s)
	}
	if err := q.Acknowledge(t.Context(), m.Receipt); err != nil {
		t.Errorf("deleting what is gone: %v", err)
	}
}

func TestTimeMovesMessages(t *testing.T) {
	c := clock.NewVirtual(epoch)
	def := named("q")
	def.Visibility, def.Retention = 30*time.Second, 2*time.Minute
	q := newQueue(t, def, queue.Options{Clock: c})
	send(t, q, "a", "b")
	steps := []struct {
		after time.Duration
		take  bool
		want  queue.State
	}{
		{0, false, queue.State{Visible: 2}},
		{10 * time.Second, false, queue.State{Visible: 2, Oldest: 10 * time.Second}},
		{0, true, queue.State{InFlight: 2, Oldest: 10 * time.Second}},
		{29 * time.Second, false, queue.State{InFlight: 2, Oldest: 39 * time.Second}},
		{time.Second, false, queue.State{Visible: 2, Oldest: 40 * time.Second}},
		{79 * time.Second, true, queue.State{InFlight: 2, Oldest: 119 * time.Second}},
		{time.Second, false, queue.State{}},
	}
	for i, step := range steps {
		c.Advance(step.after)
		if step.take {
			receive(t, q, 10)
		}
		if got := q.State(); got != step.want {
			t.Errorf("step %d: the queue has %+v, want %+v", i, got, step.want)
		}
	}
}

func TestAReceiptOfAnEarlierReceiveDeletesNothing(t *testing.T) {
	c := clock.NewVirtual(epoch)
	q := newQueue(t, named("q"), queue.Options{Clock: c})
	send(t, q, "a")
	first := receive(t, q, 1)[0]
	c.Advance(31 * time.Second)
	second := receive(t, q, 1)[0]
	if first.Receipt == second.Receipt {
		t.Fatalf("the second receive is %+v", second)
	}
	if err := q.Acknowledge(t.Context(), first.Receipt); err != nil {
		t.Fatal(err)
	}
	if q.State().InFlight != 1 {
		t.Error("an old receipt deleted the message")
	}
	// A receipt stays valid after the timeout, until the next receive.
	c.Advance(31 * time.Second)
	if err := q.Acknowledge(t.Context(), second.Receipt); err != nil || q.State().Depth() != 0 {
		t.Errorf("error %v, depth %d", err, q.State().Depth())
	}
	wantCode(t, q.Acknowledge(t.Context(), "nonsense"), "ReceiptHandleIsInvalid", "")
	wantCode(t, q.Acknowledge(t.Context(), "AAAA"), "ReceiptHandleIsInvalid", "")
}

func TestVisibilityCanBeChanged(t *testing.T) {
	c := clock.NewVirtual(epoch)
	q := newQueue(t, named("q"), queue.Options{Clock: c})
	send(t, q, "a")
	m := receive(t, q, 1)[0]
	if err := q.ChangeVisibility(t.Context(), m.Receipt, time.Hour); err != nil {
		t.Fatal(err)
	}
	c.Advance(59 * time.Minute)
	if q.State().InFlight != 1 {
		t.Error("it came back before its time")
	}
	if err := q.ChangeVisibility(t.Context(), m.Receipt, 0); err != nil {
		t.Fatal(err)
	}
	if q.State().Visible != 1 {
		t.Error("a timeout of nothing does not bring it back")
	}
	wantCode(t, q.ChangeVisibility(t.Context(), m.Receipt, 0), "MessageNotInflight", "")
	wantCode(t, q.ChangeVisibility(t.Context(), m.Receipt, 13*time.Hour), "InvalidParameterValue", "Must be between 0 and 43200")
	if err := q.Acknowledge(t.Context(), m.Receipt); err != nil {
		t.Fatal(err)
	}
	wantCode(t, q.ChangeVisibility(t.Context(), m.Receipt, 0), "InvalidParameterValue", "does not exist")
}

func TestWhatAQueueRefuses(t *testing.T) {
	for _, tc := range []struct {
		name, code, problem string
		draft               queue.Draft
	}{
		{"no body", "MissingParameter", "MessageBody", queue.Draft{}},
		{"too long a body", "InvalidParameterValue", "Message must be shorter than 262144 bytes", queue.Draft{Body: strings.Repeat("x", 256<<10+1)}},
		{"a control character", "InvalidMessageContents", "Invalid characters found", queue.Draft{Body: "a\x00b"}},
		{"a byte that is no UTF-8", "InvalidMessageContents", "Invalid characters found", queue.Draft{Body: "a\xffb"}},
		{"a noncharacter", "InvalidMessageContents", "Invalid characters found", queue.Draft{Body: "\uffff"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			q := newQueue(t, named("q"), queue.Options{Clock: clock.NewVirtual(epoch)})
			_, err := q.Send(t.Context(), tc.draft)
			wantCode(t, err, tc.code, tc.problem)
			if q.State().Depth() != 0 {
				t.Error("it was sent")
			}
		})
	}
	t.Run("replacement characters are fine", func(t *testing.T) {
		send(t, newQueue(t, named("q"), queue.Options{Clock: clock.NewVirtual(epoch)}), "\ufffd\U0001F600\t\r\n")
	})
	t.Run("eleven messages at once", func(t *testing.T) {
		_, err := newQueue(t, named("q"), queue.Options{Clock: clock.NewVirtual(epoch)}).Receive(t.Context(), 11, nil)
		wantCode(t, err, "InvalidParameterValue", "Must be between 1 and 10")
	})
	t.Run("a queue that was deleted", func(t *testing.T) {
		q := newQueue(t, named("q"), queue.Options{Clock: clock.NewVirtual(epoch)})
		q.Delete()
		_, err := q.Send(t.Context(), queue.Draft{Body: "x"})
		wantCode(t, err, "QueueDoesNotExist", "")
	})
}

func TestDefinitionsThatAreRefused(t *testing.T) {
	for _, tc := range []struct {
		name    string
		change  func(*queue.Definition)
		problem string
	}{
		{"a FIFO queue", func(d *queue.Definition) { d.Name = "q.fifo" }, "FIFO"},
		{"a visibility timeout of 13 hours", func(d *queue.Definition) { d.Visibility = 13 * time.Hour }, "a visibility timeout of 13h0m0s"},
		{"a retention of half a minute", func(d *queue.Definition) { d.Retention = 30 * time.Second }, "a retention of 30s"},
		{"a retention of 15 days", func(d *queue.Definition) { d.Retention = 15 * 24 * time.Hour }, "a retention of 360h0m0s"},
		{"a fraction of a second", func(d *queue.Definition) { d.Visibility = time.Millisecond }, "whole seconds"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			def := named("q")
			tc.change(&def)
			if _, err := queue.New(def, queue.Options{Clock: clock.Real()}); err == nil || !strings.Contains(err.Error(), tc.problem) {
				t.Errorf("got %v, want it to say %q", err, tc.problem)
			}
		})
	}
}

func TestAnAlarmOnDepthAndAgeGoesOff(t *testing.T) {
	c := clock.NewVirtual(epoch)
	store := metrics.NewStore()
	alarms := metrics.NewAlarms(store, c)
	q := newQueue(t, named("q"), queue.Options{Clock: c, Metrics: store})
	for metric, threshold := range map[string]float64{"ApproximateNumberOfMessagesVisible": 1, "ApproximateAgeOfOldestMessage": 3600} {
		if err := alarms.Put(metrics.Alarm{
			Name: metric, Namespace: "AWS/SQS", Metric: metric, Dimensions: map[string]string{"QueueName": "q"}, Statistic: "Maximum",
			Period: time.Minute, EvaluationPeriods: 1, Threshold: threshold, Comparison: "GreaterThanOrEqualToThreshold", TreatMissingData: "notBreaching",
		}); err != nil {
			t.Fatal(err)
		}
	}
	alarms.Evaluate()
	send(t, q, "a")
	alarms.Evaluate()
	c.Advance(time.Hour)
	alarms.Evaluate()
	var went []string
	for _, change := range alarms.WentOff() {
		went = append(went, change.Alarm)
	}
	if !slices.Equal(went, []string{"ApproximateNumberOfMessagesVisible", "ApproximateAgeOfOldestMessage"}) {
		t.Errorf("the alarms that went off: %v", went)
	}
	sum, err := metrics.ParseStatistic("Sum")
	if err != nil {
		t.Fatal(err)
	}
	if got, _ := store.Series("AWS/SQS", "NumberOfMessagesSent", map[string]string{"QueueName": "q"}).Value(sum, epoch, epoch.AddDate(2, 0, 0)); got != 1 {
		t.Errorf("%v messages were counted as sent", got)
	}
}

func TestFaultsLoseAnswersNotMessages(t *testing.T) {
	broken := &smithy.GenericAPIError{Code: "ServiceUnavailable", Message: "try again", Fault: smithy.FaultServer}
	var decide func(fault.Call) fault.Fault
	q := newQueue(t, named("q"), queue.Options{Clock: clock.NewVirtual(epoch), Faults: func(c fault.Call) fault.Fault { return decide(c) }})
	decide = func(c fault.Call) fault.Fault {
		if want := (fault.Call{Service: "sqs", Operation: "SendMessage", Resource: "q", Key: "a"}); c != want {
			t.Errorf("the hook saw %+v, want %+v", c, want)
		}
		return fault.Fault{Err: broken}
	}
	_, err := q.Send(t.Context(), queue.Draft{Body: "a"})
	wantCode(t, err, "ServiceUnavailable", "")
	if q.State().Depth() != 0 {
		t.Error("a send that failed sent")
	}
	decide = func(fault.Call) fault.Fault { return fault.Fault{Err: broken, Applied: true} }
	if _, err = q.Send(t.Context(), queue.Draft{Body: "a"}); err == nil || q.State().Depth() != 1 {
		t.Errorf("a send whose answer was lost: error %v, depth %d", err, q.State().Depth())
	}
}

func TestAnExportIsImportedAsItWas(t *testing.T) {
	c := clock.NewVirtual(epoch)
	def := named("q")
	q := newQueue(t, def, queue.Options{Clock: c})
	send(t, q, "in flight", "ready <é>", "also ready")
	receive(t, q, 1)
	var file bytes.Buffer
	if err := q.Export(&file); err != nil {
		t.Fatal(err)
	}
	into := newQueue(t, def, queue.Options{Clock: c})
	if err := into.Import(bytes.NewReader(file.Bytes())); err != nil {
		t.Fatal(err)
	}
	if got, want := into.State(), q.State(); got != want {
		t.Errorf("the import has %+v, want %+v", got, want)
	}
	var again bytes.Buffer
	if err := into.Export(&again); err != nil || again.String() != file.String() {
		t.Errorf("an export of the import differs: %v\n%s", err, again.String())
	}
	c.Advance(time.Minute)
	if got := bodies(receive(t, into, 10)); got != "in flight ready <é> also ready" {
		t.Errorf("received %q", got)
	}
	for _, broken := range []string{`{"id":"x"}`, `{`, `{"id":"00000000-0000-0000-0000-000000000000"}`, `{"unknown":1}`, `[]`} {
		if err := newQueue(t, def, queue.Options{Clock: c}).Import(strings.NewReader(broken)); err == nil || !strings.Contains(err.Error(), "message 1") {
			t.Errorf("%s: got %v", broken, err)
		}
	}
}

func TestSixtyFourReceiversGetEveryMessageOnce(t *testing.T) {
	q := newQueue(t, named("q"), queue.Options{Clock: clock.Real(), Metrics: metrics.NewStore()})
	const workers, each = 64, 200
	var seen sync.Map
	var received atomic.Int64
	var group sync.WaitGroup
	for w := range workers {
		group.Go(func() {
			for i := range each {
				if _, err := q.Send(context.Background(), queue.Draft{Body: fmt.Sprint(w, "/", i)}); err != nil {
					t.Error(err)
				}
				messages, err := q.Receive(context.Background(), 1+i%10, nil)
				if err != nil {
					t.Error(err)
				}
				for _, m := range messages {
					if _, twice := seen.LoadOrStore(m.Body, true); twice {
						t.Errorf("%s was received twice", m.Body)
					}
					received.Add(1)
					if err := q.Acknowledge(context.Background(), m.Receipt); err != nil {
						t.Error(err)
					}
				}
				if i%50 == 0 {
					for range q.Messages() {
						break
					}
				}
			}
		})
	}
	group.Wait()
	if left := q.State().Depth(); int(received.Load())+left != workers*each {
		t.Errorf("%d received and %d left of %d", received.Load(), left, workers*each)
	}
}

func BenchmarkSendReceiveDelete(b *testing.B) {
	q := newQueue(b, named("q"), queue.Options{Clock: clock.Real()})
	body := strings.Repeat("x", 1500)
	b.ReportAllocs()
	for b.Loop() {
		send(b, q, body)
		if err := q.Acknowledge(context.Background(), receive(b, q, 1)[0].Receipt); err != nil {
			b.Fatal(err)
		}
	}
}

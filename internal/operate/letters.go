package operate

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/tidwall/gjson"

	"trade-processing/internal/exitcode"
)

// LetterQueue is a queue of dead letters.
type LetterQueue struct {
	Name  string `json:"name"` // a function's, delivery-SOURCE, or bus
	URL   string `json:"url"`
	Holds string `json:"holds"`
}

// LetterQueues returns the stack's queues of dead letters, in order of name.
func (o Outputs) LetterQueues() []LetterQueue {
	var queues []LetterQueue
	for function, url := range o.DeadLetters {
		queues = append(queues, LetterQueue{function, url, "events on which the " + function + " failed, and retries didn't help"})
	}
	for source, url := range o.Delivery {
		queues = append(queues, LetterQueue{"delivery-" + source, url, "events of " + source + " for which EventBridge couldn't start the workflow"})
	}
	if o.BusDeadLettersURL != "" {
		queues = append(queues, LetterQueue{"bus", o.BusDeadLettersURL, "events that the bus couldn't encrypt or decrypt"})
	}
	slices.SortFunc(queues, func(a, b LetterQueue) int { return cmp.Compare(a.Name, b.Name) })
	return queues
}

// FindQueues returns the queues of these names, or all if there are none.
func (o Outputs) FindQueues(names ...string) ([]LetterQueue, error) {
	all := o.LetterQueues()
	if len(names) == 0 {
		return all, nil
	}
	var found, known = []LetterQueue{}, []string{}
	for _, queue := range all {
		known = append(known, queue.Name)
		if slices.Contains(names, queue.Name) {
			found = append(found, queue)
		}
	}
	for _, name := range names {
		if !slices.Contains(known, name) {
			return nil, exitcode.With(exitcode.NotFound, fmt.Errorf("there is no queue %q; the stack has %s", name, strings.Join(known, ", ")))
		}
	}
	return found, nil
}

// QueueState is how much a queue holds. All numbers are approximate.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_GetQueueAttributes.html
type QueueState struct {
	LetterQueue
	Waiting int64 `json:"waiting"`
	// Hidden were recently received by somebody, and reappear unless they are deleted.
	Hidden int64 `json:"hidden"`
	// OldestSeconds is the age of the oldest as CloudWatch last knew it; nil: it doesn't.
	OldestSeconds *float64 `json:"oldestSeconds"`
}

// LetterStates says how much the queues hold, those with most first.
func (s *Stack) LetterStates(ctx context.Context) ([]QueueState, error) {
	queues := s.Outputs.LetterQueues()
	states := make([]QueueState, len(queues))
	problems := make([]error, len(queues)+1)
	var asking sync.WaitGroup
	client := s.SQS()
	metrics := make([]Metric, len(queues))
	for i, queue := range queues {
		states[i].LetterQueue = queue
		metrics[i] = Metric{
			Namespace: "AWS/SQS", Name: "ApproximateAgeOfOldestMessage", Statistic: "Maximum",
			Dimensions: map[string]string{"QueueName": nameOf(queue.URL)},
		}
		asking.Go(func() { states[i].Waiting, states[i].Hidden, problems[i] = depthOf(ctx, client, queue.URL) })
	}
	var ages []Series
	asking.Go(func() {
		now := time.Now()
		// CloudWatch gets a queue's metrics a few minutes late.
		ages, problems[len(queues)] = s.Measure(ctx, Window{From: now.Add(-15 * time.Minute), To: now, Period: time.Minute}, metrics)
	})
	asking.Wait()
	if err := distinct(problems...); err != nil {
		return nil, err
	}
	for i, age := range ages {
		if last := len(age.Values) - 1; last >= 0 && states[i].Waiting+states[i].Hidden > 0 {
			states[i].OldestSeconds = &age.Values[last]
		}
	}
	slices.SortStableFunc(states, func(a, b QueueState) int { return cmp.Compare(b.Waiting+b.Hidden, a.Waiting+a.Hidden) })
	return states, nil
}

func nameOf(url string) string { return url[strings.LastIndex(url, "/")+1:] }

func depthOf(ctx context.Context, client *sqs.Client, url string) (waiting, hidden int64, err error) {
	names := []types.QueueAttributeName{types.QueueAttributeNameApproximateNumberOfMessages, types.QueueAttributeNameApproximateNumberOfMessagesNotVisible}
	answer, err := client.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{QueueUrl: &url, AttributeNames: names})
	if err != nil {
		return 0, 0, fmt.Errorf("asking how much %s holds: %w", nameOf(url), err)
	}
	waiting, err = strconv.ParseInt(answer.Attributes[string(names[0])], 10, 64)
	hidden, also := strconv.ParseInt(answer.Attributes[string(names[1])], 10, 64)
	if err != nil || also != nil {
		return 0, 0, fmt.Errorf("asking how much %s holds: %w", nameOf(url), errNoAnswer)
	}
	return waiting, hidden, nil
}

// Letter is a dead letter: what the workflow keeps of an event on which it failed, or the event itself if the bus or a
// rule couldn't deliver it. Everything in it comes from outside.
type Letter struct {
	Queue     string    `json:"queue"`
	MessageID string    `json:"messageId"`
	Sent      time.Time `json:"sent"` // to the queue

	EventID   string `json:"eventId"`
	EventTime string `json:"eventTime"`
	Source    string `json:"source"` // of the event; empty if the letter only names it
	TradeID   string `json:"tradeId"`

	Error     string `json:"error"`
	Cause     string `json:"cause"`
	Execution string `json:"execution"` // ARN; empty if none was started
	// Refused says why no message can hold the event: the letter only names it. Empty: it holds the event.
	Refused string `json:"refused,omitempty"`

	Advice

	Body       string            `json:"body"`
	Attributes map[string]string `json:"attributes,omitempty"`

	event   []byte // JSON as it was; nil if the letter only names it
	url     string
	receipt string
}

// envelope is an event as EventBridge delivers it. The detail stays the text that it was: a decoder would drop all but
// the last of repeated names, and change numbers.
type envelope struct {
	ID         string          `json:"id"`
	Source     string          `json:"source"`
	DetailType string          `json:"detail-type"`
	Time       string          `json:"time"`
	Resources  []string        `json:"resources"`
	Detail     json.RawMessage `json:"detail"`
}

// readLetter reads a message. What is no letter has no event.
func readLetter(queue LetterQueue, message types.Message) Letter {
	l := Letter{
		Queue: queue.Name, url: queue.URL, MessageID: aws.ToString(message.MessageId), receipt: aws.ToString(message.ReceiptHandle),
		Body: aws.ToString(message.Body), Attributes: map[string]string{},
	}
	if sent, err := strconv.ParseInt(message.Attributes[string(types.MessageSystemAttributeNameSentTimestamp)], 10, 64); err == nil {
		l.Sent = time.UnixMilli(sent).UTC()
	}
	for name, value := range message.MessageAttributes {
		l.Attributes[name] = aws.ToString(value.StringValue)
	}
	var kept struct {
		Event        json.RawMessage
		Error        struct{ Error, Cause string }
		ExecutionARN string
		Refused      string
	}
	event := []byte(l.Body)
	if err := json.Unmarshal(event, &kept); err == nil && kept.Event != nil {
		event = kept.Event
		l.Error, l.Cause, l.Execution, l.Refused = kept.Error.Error, kept.Error.Cause, kept.ExecutionARN, kept.Refused
	} else {
		l.Error, l.Cause = l.Attributes["ERROR_CODE"], l.Attributes["ERROR_MESSAGE"]
	}
	var in envelope
	if json.Unmarshal(event, &in) == nil {
		l.EventID, l.EventTime, l.Source = in.ID, in.Time, in.Source
		if in.Detail != nil {
			l.event = event
			l.TradeID = gjson.GetBytes(in.Detail, "tradeId").String()
		}
	}
	l.Advice = advise(l)
	return l
}

// Advice is what a letter means, and what to do.
type Advice struct {
	Means string `json:"means"`
	Do    string `json:"do"`
	// Helps says whether a redrive can help, once the cause is gone.
	Helps bool `json:"redriveHelps"`
}

// advices are by error; the first that fits holds. A * at the end stands for anything.
var advices = []struct {
	errors []string
	Advice
}{
	{[]string{"Lambda.CodeArtifactUserPendingException", "Lambda.ResourceNotReadyException"}, Advice{
		"the function had been idle for weeks, and took longer to wake than the workflow waits (a minute at most with EXPRESS)", "redrive: it is awake now", true,
	}},
	{[]string{"Lambda.*AccessDenied*", "Lambda.KMS*", "Lambda.ResourceNotFoundException", "AccessDenied*", "ResourceNotFoundException", "KMS*", "Kms*"}, Advice{
		"a permission, a resource or the key is missing", "fix it, then redrive", true,
	}},
	// DynamoDB has no code of its own for a disabled key: local/cloud's Opened.
	{[]string{"ValidationException"}, Advice{
		"DynamoDB refused it: the cause says whether the table's key is disabled or about to be deleted", "bring the key back, then redrive", true,
	}},
	{[]string{"Lambda.RequestTooLargeException", "States.DataLimitExceeded"}, Advice{
		"the event, or an answer, is larger than an execution may hold (256 KiB)", "a redrive fails again: tell the source, then purge", false,
	}},
	{[]string{
		"Lambda.*", "Sandbox.Timedout", "States.Timeout", "Throttl*", "ProvisionedThroughputExceededException", "RequestLimitExceeded",
		"InternalFailure", "InternalServerError", "LimitExceededException", "ServiceUnavailable", "ServiceUnreachable", "ParametersUnavailable",
		"ReplicatedWriteConflictException", "TransactionConflictException", "TransactionInProgressException",
	}, Advice{"an outage that outlasted the retries", "redrive when it is over", true}},
	{[]string{"InternalError", "Runtime.*"}, Advice{"a bug of ours", "fix it, deploy, then redrive", true}},
	{[]string{"MalformedTrade"}, Advice{
		"not a trade: no JSON object, a repeated name, no usable tradeId, no time, or more than 64 KiB", "a redrive fails again: tell the source, then purge", false,
	}},
	{[]string{"TradeConflict"}, Advice{
		"the table holds another trade under this key", "a redrive fails again: see TradeConflict in docs/runbook.md", false,
	}},
}

// advise explains a letter.
func advise(l Letter) Advice {
	undelivered := l.Execution == ""
	switch {
	case l.EventID == "":
		return Advice{"no dead letter: somebody else's message", "find out who sends here", false}
	case l.event == nil && strings.Contains(l.Execution, ":express:"):
		return Advice{
			"no message can hold the event, and an EXPRESS execution keeps none: only the archive has it",
			"replay the minute of " + l.EventTime + ", then purge", false,
		}
	}
	for _, known := range advices {
		if slices.ContainsFunc(known.errors, func(name string) bool { return fits(name, l.Error) }) {
			return known.Advice
		}
	}
	if undelivered {
		return Advice{"EventBridge couldn't deliver it: a permission, a resource or the key is missing, or it tried for a day", "fix the cause, then redrive", true}
	}
	return Advice{"an error that nothing here knows", "find its cause in the execution's history and the function's log, then redrive", true}
}

// fits reports whether an error's name is the pattern, in which a * stands for anything.
func fits(pattern, name string) bool {
	parts := strings.Split(pattern, "*")
	rest, found := strings.CutPrefix(name, parts[0])
	if !found || len(parts) == 1 {
		return found && rest == ""
	}
	for _, part := range parts[1 : len(parts)-1] {
		if _, rest, found = strings.Cut(rest, part); !found {
			return false
		}
	}
	return strings.HasSuffix(rest, parts[len(parts)-1])
}

// LetterFilter chooses letters. All fields that are set must match.
type LetterFilter struct {
	Queues    []LetterQueue // where to look
	Errors    []string      // by name; a * stands for anything
	Source    string        // the event's
	TradeID   string
	MessageID string
	Before    time.Time // sent to the queue before
	After     time.Time // or after
}

func (f LetterFilter) takes(l Letter) bool {
	return (len(f.Errors) == 0 || slices.ContainsFunc(f.Errors, func(name string) bool { return fits(name, l.Error) })) &&
		(f.Source == "" || f.Source == l.Source || "trading."+f.Source == l.Source) &&
		(f.TradeID == "" || f.TradeID == l.TradeID) && (f.MessageID == "" || f.MessageID == l.MessageID) &&
		(f.Before.IsZero() || l.Sent.Before(f.Before)) && (f.After.IsZero() || l.Sent.After(f.After))
}

const (
	// received is the most messages that SQS returns, or takes, at once.
	received = 10

	// peeked is how long a message is hidden from others while a queue is looked through, unless this is killed. It is
	// returned before.
	peeked = time.Minute
)

// mailbox receives the letters of a queue, and returns those that it doesn't delete.
type mailbox struct {
	client *sqs.Client
	queue  LetterQueue
	held   map[string]Letter // by message id
}

func (s *Stack) mailbox(queue LetterQueue) *mailbox {
	return &mailbox{client: s.SQS(), queue: queue, held: map[string]Letter{}}
}

// next receives letters and hides them from others. New are those that weren't held before; received counts all.
func (m *mailbox) next(ctx context.Context, hidden time.Duration) (fresh []Letter, received int, err error) {
	// An answer that nobody waits for would leave its messages hidden.
	receiving, stop := outliving(ctx)
	defer stop()
	answer, err := m.client.ReceiveMessage(receiving, &sqs.ReceiveMessageInput{
		QueueUrl: &m.queue.URL, MaxNumberOfMessages: 10, WaitTimeSeconds: 1, VisibilityTimeout: int32(hidden.Seconds()),
		MessageSystemAttributeNames: []types.MessageSystemAttributeName{types.MessageSystemAttributeNameSentTimestamp},
		MessageAttributeNames:       []string{"All"},
	})
	if err != nil {
		return nil, 0, fmt.Errorf("receiving from %s: %w", nameOf(m.queue.URL), err)
	}
	for _, message := range answer.Messages {
		letter := readLetter(m.queue, message)
		if _, known := m.held[letter.MessageID]; !known {
			fresh = append(fresh, letter)
		}
		m.held[letter.MessageID] = letter
	}
	return fresh, len(answer.Messages), nil
}

// release lets others see again what is held.
func (m *mailbox) release(ctx context.Context) error {
	ctx, stop := outliving(ctx)
	defer stop()
	letters := slices.Collect(maps.Values(m.held))
	clear(m.held)
	for some := range slices.Chunk(letters, received) {
		var entries []types.ChangeMessageVisibilityBatchRequestEntry
		for i, letter := range some {
			entries = append(entries, types.ChangeMessageVisibilityBatchRequestEntry{Id: aws.String(strconv.Itoa(i)), ReceiptHandle: aws.String(letter.receipt)})
		}
		// One that can't be returned comes back by itself.
		if _, err := m.client.ChangeMessageVisibilityBatch(ctx, &sqs.ChangeMessageVisibilityBatchInput{QueueUrl: &m.queue.URL, Entries: entries}); err != nil {
			return fmt.Errorf("returning messages to %s: %w", nameOf(m.queue.URL), err)
		}
	}
	return nil
}

// Letters finds up to limit letters, and looks at no more than it must. It leaves all of them where they are. more says
// that there may be others.
func (s *Stack) Letters(ctx context.Context, filter LetterFilter, limit int) (found []Letter, more bool, err error) {
	for _, queue := range filter.Queues {
		if len(found) >= limit {
			return found[:limit], true, nil
		}
		box := s.mailbox(queue)
		err := box.each(ctx, peeked, func(letter Letter) bool {
			if filter.takes(letter) {
				found = append(found, letter)
			}
			return len(found) < limit
		})
		if err = errors.Join(err, box.release(ctx)); err != nil {
			return nil, false, err
		}
	}
	slices.SortStableFunc(found, inOrder)
	return found[:min(limit, len(found))], len(found) >= limit, nil
}

// each receives letters until there are no more, or take wants none.
func (m *mailbox) each(ctx context.Context, hidden time.Duration, take func(Letter) bool) error {
	for {
		fresh, _, err := m.next(ctx, hidden)
		if err == nil {
			err = ctx.Err()
		}
		if err != nil || len(fresh) == 0 {
			return err
		}
		wanted := true
		for _, letter := range fresh {
			wanted = take(letter) && wanted
		}
		if !wanted {
			return nil
		}
	}
}

func inOrder(a, b Letter) int {
	return cmp.Or(a.Sent.Compare(b.Sent), cmp.Compare(a.MessageID, b.MessageID))
}

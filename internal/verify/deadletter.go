package verify

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"trade-processing/internal/operate"
	"trade-processing/internal/terminal"
)

// errorMalformed is the name of the error for a detail that isn't a trade.
const errorMalformed = "MalformedTrade"

const (
	// receivedAtOnce is the most messages that SQS returns at once.
	receivedAtOnce = 10

	// hidden is how long, in seconds, a message is hidden from others while its queue is searched. It is returned when
	// the search ends. It is less than the clean-up's patience, because a message whose receipt is lost on the way is
	// hidden as well.
	hidden = 20

	// searched is how many messages of a queue are looked at. A queue with more has bigger problems than a
	// verification.
	searched = 2000
)

// letter is a dead letter: what the workflow keeps of an event it failed on, or the event itself if the bus or a rule
// couldn't deliver it.
type letter struct {
	Event        event       `json:"event"`
	Error        letterError `json:"error"`
	ExecutionARN string      `json:"executionArn"`

	queue   string // URL
	receipt string
}

type event struct {
	ID     string         `json:"id"`
	Source string         `json:"source"`
	Detail map[string]any `json:"detail"`
}

type letterError struct{ Error, Cause string }

func (e letterError) String() string {
	if e.Error == "" {
		return "it could not be delivered to the workflow"
	}
	return e.Error + ": " + e.Cause
}

// read reads a message from a dead-letter queue. A message that is neither kind of letter is nobody's.
func read(queue string, message sqstypes.Message) letter {
	l := letter{queue: queue, receipt: aws.ToString(message.ReceiptHandle)}
	body := []byte(aws.ToString(message.Body))
	if err := json.Unmarshal(body, &l); err != nil || l.Event.ID == "" {
		l.Event = event{}
		_ = json.Unmarshal(body, &l.Event) // not an event either: it has no id, and is nobody's
	}
	return l
}

// sendMalformed sends something that isn't a trade. It must arrive in the validator's dead-letter queue whole, and is
// then removed.
func (v *verification) sendMalformed(ctx context.Context, result *Result) error {
	v.malformed = v.newTrade("malformed", v.trades[0].source, map[string]any{"tradeId": nil})
	if err := v.put(ctx, result, v.malformed); err != nil || v.malformed.eventID == "" {
		return err
	}
	queue := v.Outputs.DeadLetters["validator"]
	err := v.await(ctx, v.Timeout, func(ctx context.Context) (bool, error) {
		err := v.search(ctx, queue)
		return len(v.malformed.letters) > 0, err
	})
	if errors.Is(err, errTimeout) {
		return v.missMalformed(ctx, result)
	}
	if err != nil {
		return err
	}
	v.latency("dead-lettered", time.Since(v.malformed.at))
	found := v.malformed.letters[0]
	if !reflect.DeepEqual(found.Event.Detail, v.malformed.detail) {
		result.problem("the dead letter differs from the event as sent: %v, want %v", found.Event.Detail, v.malformed.detail)
	}
	if found.Error.Error != errorMalformed {
		result.problem("the dead letter names the error %q, want %q", found.Error.Error, errorMalformed)
	}
	if found.ExecutionARN == "" {
		result.problem("the dead letter doesn't name its execution")
	}
	if result.Outcome == Passed {
		result.found("it arrived in %s and was removed; alarms may go off for it, and recover by themselves", nameOf(queue))
	}
	return nil
}

// missMalformed says where the malformed trade is, if not where it should be.
func (v *verification) missMalformed(ctx context.Context, result *Result) error {
	if err := v.sweep(ctx); err != nil {
		return err
	}
	where := "and is in no other queue: it is lost, or still on its way"
	if letters := v.malformed.letters; len(letters) > 0 {
		where = fmt.Sprintf("but to %s: %v", nameOf(letters[0].queue), letters[0].Error)
	}
	result.problem("the malformed trade (event %s) did not arrive in %s within %v, %s",
		v.malformed.eventID, nameOf(v.Outputs.DeadLetters["validator"]), v.Timeout, where)
	return nil
}

// everything returns all that this run has put on the bus.
func (v *verification) everything() []*sent {
	return slices.DeleteFunc(slices.Concat(v.trades, []*sent{v.invalid, v.again, v.malformed}, v.versions, v.undelivered), func(s *sent) bool {
		return s == nil || s.at.IsZero()
	})
}

// owner returns the trade whose dead letter this is; nil if it isn't from this run. It goes by the event's id or, if
// the bus's answer never arrived, by what the trade says about itself.
func (v *verification) owner(l letter) *sent {
	trades := v.everything()
	by := func(fits func(*sent) bool) *sent {
		if at := slices.IndexFunc(trades, fits); at >= 0 {
			return trades[at]
		}
		return nil
	}
	if known := by(func(s *sent) bool { return s.eventID != "" && s.eventID == l.Event.ID }); known != nil {
		return known
	}
	if l.Event.Detail[runField] != v.run {
		return nil
	}
	id, _ := l.Event.Detail["tradeId"].(string)
	return by(func(s *sent) bool { return s.eventID == "" && s.id() == id })
}

// marks returns the trades that may still arrive in a queue.
func (v *verification) marks() []*sent {
	return slices.DeleteFunc(v.everything(), func(s *sent) bool { return s.settled || len(s.letters) > 0 })
}

// cleanUp removes from the queues what this run put there and no step removed, and from a rule its target. It waits for
// trades whose fate isn't known yet.
func (v *verification) cleanUp(ctx context.Context, result *Result) error {
	if _, err := v.removeFailing(ctx, v.failing); err != nil {
		result.problem("%v", operate.Explain(err, v.Outputs, "docs/verify.md lists everything a verification needs"))
	}
	before := v.letters()
	err := v.await(ctx, v.Grace, func(ctx context.Context) (bool, error) {
		for _, trade := range v.marks() {
			if err := v.settle(ctx, trade); err != nil {
				return false, err
			}
		}
		// Last: an event for two targets may be recorded and in a queue.
		if err := v.sweep(ctx); err != nil {
			return false, err
		}
		return len(v.marks()) == 0, nil
	})
	if err != nil && !errors.Is(err, errTimeout) {
		return err
	}
	if removed := v.letters() - before; removed > 0 {
		result.found("removed %s", terminal.Plural(removed, "dead letter"))
	} else if len(v.marks()) == 0 {
		result.found("nothing is left")
	}
	for _, trade := range v.marks() {
		result.problem("the trade of %s (event %s) is neither recorded nor in a queue after %v: if it arrives in a queue later, remove it there; its field %s is %s",
			trade.name, trade.eventID, v.Grace, runField, v.run)
	}
	return nil
}

// settle notes that a trade that was recorded, or recognised as a duplicate, won't arrive in a queue.
func (v *verification) settle(ctx context.Context, trade *sent) (err error) {
	switch {
	case trade == v.malformed:
	case trade == v.again, slices.Contains(v.undelivered, trade):
		var told recorderLine
		told, err = v.recorderSays(ctx, trade)
		trade.settled = told.spoke
	default:
		trade.item, err = v.get(ctx, v.clients.table, trade, true)
		trade.settled = trade.item != nil
	}
	return err
}

// letters counts the dead letters that were removed.
func (v *verification) letters() int {
	n := 0
	for _, trade := range v.everything() {
		n += len(trade.letters)
	}
	return n
}

// sweep searches all dead-letter queues at once: each takes a second even if it is empty, and a build server that
// cancels a job waits only a few seconds.
func (v *verification) sweep(ctx context.Context) error {
	if len(v.everything()) == 0 {
		return nil
	}
	queues := v.Outputs.Queues()
	problems := make([]error, len(queues))
	var searching sync.WaitGroup
	for i, queue := range queues {
		searching.Go(func() { problems[i] = v.search(ctx, queue) })
	}
	searching.Wait()
	return errors.Join(problems...)
}

// search goes through a queue, removes what this run sent, and returns everything else at once.
func (v *verification) search(ctx context.Context, queue string) (err error) {
	var others []letter
	defer func() {
		err = errors.Join(err, v.giveBack(context.WithoutCancel(ctx), queue, others))
	}()
	for len(others) < searched && ctx.Err() == nil {
		// An answer that nobody waits for would hide its messages from the clean-up.
		answer, err := v.clients.queues.ReceiveMessage(context.WithoutCancel(ctx), &sqs.ReceiveMessageInput{
			QueueUrl: aws.String(queue), MaxNumberOfMessages: receivedAtOnce, VisibilityTimeout: hidden, WaitTimeSeconds: 1,
		})
		if err != nil {
			return fmt.Errorf("receiving from %s: %w", queue, err)
		}
		if len(answer.Messages) == 0 {
			return nil
		}
		for i, message := range answer.Messages {
			found := read(queue, message)
			trade := v.owner(found)
			if trade == nil {
				others = append(others, found)
				continue
			}
			// Nobody interrupts between finding a mark and removing it.
			if _, err := v.clients.queues.DeleteMessage(context.WithoutCancel(ctx), &sqs.DeleteMessageInput{
				QueueUrl: aws.String(queue), ReceiptHandle: aws.String(found.receipt),
			}); err != nil {
				for _, left := range answer.Messages[i+1:] {
					others = append(others, read(queue, left))
				}
				return fmt.Errorf("removing event %s from %s: %w", found.Event.ID, queue, err)
			}
			v.found.Lock()
			trade.letters = append(trade.letters, found)
			v.found.Unlock()
		}
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return fmt.Errorf("%s holds more than %d other messages: see the runbook on dead letters", queue, searched)
}

// giveBack lets others see messages again at once, before they would reappear by themselves.
func (v *verification) giveBack(ctx context.Context, queue string, letters []letter) error {
	for _, l := range letters {
		if _, err := v.clients.queues.ChangeMessageVisibility(ctx, &sqs.ChangeMessageVisibilityInput{
			QueueUrl: aws.String(queue), ReceiptHandle: aws.String(l.receipt), VisibilityTimeout: 0,
		}); err != nil {
			return fmt.Errorf("returning a message to %s: %w", queue, err)
		}
	}
	return nil
}

// nameOf returns the name of a queue in its URL.
func nameOf(queue string) string { return queue[strings.LastIndex(queue, "/")+1:] }

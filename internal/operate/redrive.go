package operate

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	ebtypes "github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	sfntypes "github.com/aws/aws-sdk-go-v2/service/sfn/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"golang.org/x/time/rate"

	"trade-processing/lambdas/trade"
)

// Outcome is what became of a letter, or would.
type Outcome string

// The outcomes.
const (
	Redriven Outcome = "sent"    // its event was sent again, and the letter is deleted
	Copy     Outcome = "copy"    // its event was sent again for another letter; this one is deleted
	Left     Outcome = "left"    // sending it can't help, or it can't be sent: the letter stays
	NotTaken Outcome = "refused" // by the bus; the letter stays
)

// Redriving says how letters are sent again.
type Redriving struct {
	Rate float64 // the most letters a second
	// Directly starts the workflow with the event itself, instead of putting it on the bus: it keeps its id, and nobody
	// else's rules get it.
	Directly bool
	// Told is called with each letter.
	Told func(l Letter, outcome Outcome, reason string)
	// Quiet is called if nothing was accepted for Silence.
	Quiet func(why string)
}

// RedriveResult counts letters.
type RedriveResult struct {
	Sent, Copies, Left, Refused int64
	// More is about how many letters the queues hold that others have hidden, or that just arrived.
	More int64
}

const (
	// held is how long the letters of a round are hidden from others, and roundTime how long a round may take.
	held      = 5 * time.Minute
	roundTime = 2 * time.Minute
	roundMost = 1000
)

// Plan says what a redrive would do with a letter that a filter takes. Sending an event on which a function fails again
// doesn't help, unless the filter names its error.
func (f LetterFilter) Plan(l Letter) (Outcome, string) {
	switch {
	case l.EventID == "" || l.event == nil && !l.history():
		return Left, l.Do
	case !l.Helps && len(f.Errors) == 0:
		return Left, l.Do
	}
	return Redriven, ""
}

// history reports whether the letter's event is in the history of its execution, which EXPRESS ones don't have.
func (l Letter) history() bool { return strings.Contains(l.Execution, ":execution:") }

// Redrive sends the events of letters again, in each queue in the order in which they arrived there, and deletes a letter
// only once its event was accepted. Ended at any moment, it loses nothing; what it had sent and not deleted is sent again
// by the next run, and is a duplicate: the event has the time and the text that it had, so its trade has the same key and
// digest. Letters that arrive while it runs wait for the next run.
func (s *Stack) Redrive(ctx context.Context, filter LetterFilter, how Redriving) (RedriveResult, error) {
	r := &redrive{
		Redriving: how, filter: filter, stack: s, sent: map[string]bool{}, machines: s.SFN(),
		sender: s.sender(Sending{AtOnce: 1, Patience: DefaultPatience, Quiet: how.Quiet}), limit: rate.NewLimiter(rate.Inf, received),
	}
	r.sender.taken.Store(true)
	r.round = roundMost
	if how.Rate > 0 {
		r.limit.SetLimit(rate.Limit(how.Rate))
		r.round = min(roundMost, max(received, int(how.Rate*roundTime.Seconds())))
	}
	for _, queue := range filter.Queues {
		if err := r.queue(ctx, queue); err != nil {
			return r.result, err
		}
	}
	return r.result, nil
}

type redrive struct {
	Redriving
	filter   LetterFilter
	stack    *Stack
	sender   *sender
	machines *sfn.Client
	limit    *rate.Limiter
	round    int             // the most letters of one
	sent     map[string]bool // the ids of the events that were sent again
	result   RedriveResult
}

func (r *redrive) tell(l Letter, outcome Outcome, reason string) {
	switch outcome {
	case Redriven:
		r.result.Sent++
	case Copy:
		r.result.Copies++
	case Left:
		r.result.Left++
	case NotTaken:
		r.result.Refused++
	case Resumed: // is an execution's
	}
	if r.Told != nil {
		r.Told(l, outcome, reason)
	}
}

func (r *redrive) queue(ctx context.Context, queue LetterQueue) (err error) {
	box := r.stack.mailbox(queue)
	defer func() { err = errors.Join(err, box.release(ctx)) }()
	began, err := box.now(ctx)
	if err != nil {
		return err
	}
	for {
		var letters []Letter
		err := box.each(ctx, held, func(l Letter) bool {
			if r.filter.takes(l) && !l.Sent.After(began) {
				letters = append(letters, l)
			}
			return len(letters) < r.round
		})
		if err != nil {
			return err
		}
		if len(letters) == 0 {
			break
		}
		slices.SortFunc(letters, inOrder)
		for batch := range slices.Chunk(letters, received) {
			if err := r.batch(ctx, box, batch); err != nil {
				return err
			}
		}
	}
	waiting, hidden, err := depthOf(ctx, box.client, queue.URL)
	r.result.More += max(0, waiting+hidden-int64(len(box.held)))
	return err
}

// now returns the service's time, rounded up: letters have times of its clock.
func (m *mailbox) now(ctx context.Context) (time.Time, error) {
	answer, err := m.client.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{
		QueueUrl: &m.queue.URL, AttributeNames: []sqstypes.QueueAttributeName{sqstypes.QueueAttributeNameApproximateNumberOfMessages},
	})
	if err != nil {
		return time.Time{}, fmt.Errorf("looking at %s: %w", nameOf(m.queue.URL), err)
	}
	at, told := awsmiddleware.GetServerTime(answer.ResultMetadata)
	if !told {
		at = time.Now()
	}
	return at.Add(time.Second), nil
}

// batch sends the events of some letters again, and deletes the letters of those that were accepted.
func (r *redrive) batch(ctx context.Context, box *mailbox, letters []Letter) error {
	var sending, copies, done []Letter
	var entries []ebtypes.PutEventsRequestEntry
	for _, l := range letters {
		outcome, reason := r.filter.Plan(l)
		if outcome != Redriven {
			r.tell(l, outcome, reason)
			continue
		}
		if r.sent[l.EventID] || slices.ContainsFunc(sending, func(other Letter) bool { return other.EventID == l.EventID }) {
			copies = append(copies, l)
			continue
		}
		event, reason, err := r.eventOf(ctx, l)
		if err != nil {
			return err
		}
		entry, err := entryOf(event, r.sender.bus)
		if reason == "" && err != nil {
			reason = err.Error()
		}
		if reason != "" {
			r.tell(l, Left, reason)
			continue
		}
		l.event = event
		sending, entries = append(sending, l), append(entries, entry)
	}
	if len(entries) > 0 {
		if err := r.limit.WaitN(ctx, len(entries)); err != nil {
			return context.Cause(ctx)
		}
	}
	told := func(i int, id, refused string) {
		if refused != "" {
			r.tell(sending[i], NotTaken, refused)
			return
		}
		r.sent[sending[i].EventID] = true
		done = append(done, sending[i])
		r.tell(sending[i], Redriven, id)
	}
	// What is on its way may arrive, so its letter is deleted even after an interrupt.
	whole, stop := outliving(ctx)
	defer stop()
	var problem error
	switch {
	case len(entries) == 0:
	case r.Directly:
		problem = r.start(ctx, whole, sending, told)
	default:
		for from := 0; from < len(entries) && problem == nil && ctx.Err() == nil; {
			to, size := from, 0
			for to < len(entries) && (to == from || size+entrySize(entries[to]) <= batchBytes) {
				size += entrySize(entries[to])
				to++
			}
			first := from
			_, problem = r.sender.deliver(ctx, whole, entries[from:to], func(i int, id, refused string) { told(first+i, id, refused) })
			from = to
		}
	}
	for _, l := range copies {
		if r.sent[l.EventID] {
			done = append(done, l)
			r.tell(l, Copy, "")
		} else {
			r.tell(l, Left, "the other letter of its event stays too")
		}
	}
	return errors.Join(problem, box.delete(whole, done), ctx.Err())
}

func entrySize(e ebtypes.PutEventsRequestEntry) int {
	size := timeBytes + len(*e.Source) + len(*e.DetailType) + len(*e.Detail)
	for _, resource := range e.Resources {
		size += len(resource)
	}
	return size
}

// eventOf returns a letter's event. One that the letter only names is in the history of its execution, for 90 days.
// https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html
func (r *redrive) eventOf(ctx context.Context, l Letter) (event []byte, reason string, err error) {
	if l.event != nil {
		return l.event, "", nil
	}
	answer, err := r.machines.DescribeExecution(ctx, &sfn.DescribeExecutionInput{ExecutionArn: &l.Execution})
	if _, gone := errors.AsType[*sfntypes.ExecutionDoesNotExist](err); gone {
		return nil, "its execution is gone: replay the minute of " + l.EventTime + ", then purge", nil
	}
	if err != nil {
		return nil, "", fmt.Errorf("reading the event of execution %s: %w", l.Execution, err)
	}
	return []byte(aws.ToString(answer.Input)), "", nil
}

// entryOf returns what puts an event on a bus once more. It keeps the event's time, which the key of a trade without a time
// has in it, and the detail's text, which the digest is of.
func entryOf(event []byte, bus string) (ebtypes.PutEventsRequestEntry, error) {
	var e envelope
	if err := json.Unmarshal(event, &e); err != nil || e.Detail == nil {
		return ebtypes.PutEventsRequestEntry{}, errors.New("it is not an event: look at its body")
	}
	at, err := trade.ParseTime(e.Time)
	if err != nil {
		return ebtypes.PutEventsRequestEntry{}, fmt.Errorf("the event's time %q %w", e.Time, err)
	}
	return ebtypes.PutEventsRequestEntry{
		EventBusName: &bus, Source: &e.Source, DetailType: &e.DetailType, Time: &at, Resources: e.Resources, Detail: aws.String(string(e.Detail)),
	}, nil
}

// start starts the workflow with events themselves.
func (r *redrive) start(ctx, whole context.Context, letters []Letter, told answered) error {
	defer r.sender.watch()()
	began := time.Now()
	for i, tries := 0, 0; i < len(letters) && ctx.Err() == nil; {
		answer, err := r.machines.StartExecution(whole, &sfn.StartExecutionInput{
			StateMachineArn: &r.stack.Outputs.StateMachineAliasARN, Input: aws.String(string(letters[i].event)),
		})
		if err != nil && passes(err) && time.Since(began) < r.sender.Patience {
			select {
			case <-time.After(pauseBefore(tries)):
			case <-ctx.Done():
			}
			tries++
			r.sender.reason.Store(aws.String(Reason(err)))
			continue
		}
		r.sender.hear()
		if _, refused := errors.AsType[*sfntypes.InvalidExecutionInput](err); refused || badRequest(err) {
			told(i, "", Reason(err))
		} else if err != nil {
			return fmt.Errorf("starting the workflow: %w", err)
		} else {
			told(i, aws.ToString(answer.ExecutionArn), "")
		}
		began, tries = time.Now(), 0
		i++
	}
	return nil
}

// deleteTries is how often deleting a letter is tried.
const deleteTries = 5

// delete deletes letters that are held.
func (m *mailbox) delete(ctx context.Context, letters []Letter) error {
	for some := range slices.Chunk(letters, received) {
		left := some
		var reason error
		for tries := 0; len(left) > 0; tries++ {
			if tries == deleteTries {
				return fmt.Errorf("removing letters from %s: %w\n%d of them were dealt with and may still be there: if they are, run this again; what it sends twice is a duplicate",
					nameOf(m.queue.URL), reason, len(left))
			}
			if tries > 0 {
				time.Sleep(pauseBefore(tries))
			}
			var entries []sqstypes.DeleteMessageBatchRequestEntry
			for i, l := range left {
				entries = append(entries, sqstypes.DeleteMessageBatchRequestEntry{Id: aws.String(strconv.Itoa(i)), ReceiptHandle: aws.String(l.receipt)})
			}
			answer, err := m.client.DeleteMessageBatch(ctx, &sqs.DeleteMessageBatchInput{QueueUrl: &m.queue.URL, Entries: entries})
			if err != nil {
				reason = err
				continue
			}
			var again []Letter
			for _, failed := range answer.Failed {
				if i, err := strconv.Atoi(aws.ToString(failed.Id)); err == nil && i < len(left) {
					again, reason = append(again, left[i]), errors.New(aws.ToString(failed.Code)+": "+aws.ToString(failed.Message))
				}
			}
			left = again
		}
		for _, l := range some {
			delete(m.held, l.MessageID)
		}
	}
	return nil
}

// PurgeMost is the most letters that one purge deletes.
const PurgeMost = 10_000

// Purge deletes letters, once keep has them on disk. more says that there may be others.
func (s *Stack) Purge(ctx context.Context, filter LetterFilter, keep func([]Letter) error) (purged int, more bool, err error) {
	var found []Letter
	var boxes []*mailbox
	defer func() {
		for _, box := range boxes {
			err = errors.Join(err, box.release(ctx))
		}
	}()
	for _, queue := range filter.Queues {
		box := s.mailbox(queue)
		boxes = append(boxes, box)
		if err := box.each(ctx, held, func(l Letter) bool {
			if filter.takes(l) {
				found = append(found, l)
			}
			return len(found) < PurgeMost
		}); err != nil {
			return 0, false, err
		}
	}
	if len(found) == 0 {
		return 0, false, nil
	}
	if err := keep(found); err != nil {
		return 0, false, err
	}
	deleting, stop := outliving(ctx)
	defer stop()
	for _, box := range boxes {
		var its []Letter
		for _, l := range found {
			if l.url == box.queue.URL {
				its = append(its, l)
			}
		}
		if err := box.delete(deleting, its); err != nil {
			return purged, true, err
		}
		purged += len(its)
	}
	return purged, len(found) >= PurgeMost, nil
}

package operate

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/smithy-go"
	"golang.org/x/time/rate"

	"trade-processing/internal/feed"
)

// What one PutEvents request takes.
// https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-putevents.html#eb-putevent-size
const (
	batchEntries = 10
	batchBytes   = 1 << 20
	timeBytes    = 14 // what an entry's time counts
)

const (
	// firstPause and longestPause are those before an entry is sent again that the bus couldn't take at the moment.
	firstPause   = 100 * time.Millisecond
	longestPause = 10 * time.Second

	// DefaultPatience is how long a batch is retried before sending ends.
	DefaultPatience = 5 * time.Minute

	// Silence is how long the bus may accept nothing before the caller is told.
	Silence = 3 * time.Second

	// grace is how long what is on its way may still take after an interrupt: longer than a queue is asked for letters.
	grace = 2 * time.Second
)

// Sending says how an input is sent.
type Sending struct {
	Journal  *Journal      // nil: a later run can't resume where this one stopped
	Rate     float64       // the most entries a second; 0: no limit
	AtOnce   int           // requests in flight
	Patience time.Duration // 0: DefaultPatience

	// Told what becomes of the input, by several goroutines at once. All may be nil.
	Sent    func(entries int) // accepted by the bus
	Before  func(entries int) // accepted in an earlier run
	Refused func(Refused)     // also in an earlier run
	Problem func(*feed.Problem)
	Quiet   func(why string) // the bus has accepted nothing for Silence; sending goes on
}

// Refused is an entry that the bus doesn't take.
type Refused struct {
	File   string `json:"file"`
	Line   int    `json:"line"`
	Reason string `json:"reason"`
}

// BusARN returns the ARN of the stack's event bus.
func (s *Stack) BusARN() string {
	return "arn:aws:events:" + s.Outputs.Region + ":" + s.Outputs.Account() + ":event-bus/" + s.Outputs.EventBusName
}

// ErrOtherInput means that the journal is another input's. Sending it again doesn't help.
var ErrOtherInput = errors.New("this is not the input that the journal is of: what was sent had other contents. To send this as a new input, remove the journal or name another")

// Send puts the entries of an input on the stack's bus, whatever bus they name. Whether it ends well or not, the journal
// knows what the bus has taken.
//
// An entry without a time gets one here, so that its event keeps it if it has to be sent again.
func (s *Stack) Send(ctx context.Context, from *feed.Feed, how Sending) error {
	if how.Journal == nil {
		how.Journal = &Journal{}
	}
	if how.Patience == 0 {
		how.Patience = DefaultPatience
	}
	return s.sender(how).run(ctx, from)
}

func (s *Stack) sender(how Sending) *sender {
	client := eventbridge.NewFromConfig(s.Config, func(o *eventbridge.Options) {
		// The default keeps ten connections, and would open another for each request beyond.
		if client, is := o.HTTPClient.(*awshttp.BuildableClient); is {
			o.HTTPClient = client.WithTransportOptions(func(t *http.Transport) { t.MaxIdleConnsPerHost = how.AtOnce })
		}
	})
	return &sender{Sending: how, bus: s.Outputs.EventBusName, client: client, stopped: make(chan struct{})}
}

// sender sends one input.
type sender struct {
	Sending
	bus    string
	client *eventbridge.Client

	taken  atomic.Bool            // the bus has answered
	last   atomic.Int64           // when it took something, in nanoseconds
	reason atomic.Pointer[string] // why it has taken nothing since; nil: it doesn't answer
	told   atomic.Bool            // about this

	once    sync.Once
	stopped chan struct{} // closed once an error ends the sending
	err     error
}

// batch is what one request sends. Which entries are in which batch follows from the input alone.
type batch struct {
	number  int
	digest  uint64
	entries []feed.Entry
	given   time.Time // for entries without a time
}

// fail ends the sending with an error. The first one counts.
func (s *sender) fail(err error) {
	s.once.Do(func() {
		s.err = err
		close(s.stopped)
	})
}

// outliving returns a context for calls whose answers count even if ctx has ended meanwhile. It ends a grace later.
func outliving(ctx context.Context) (context.Context, context.CancelFunc) {
	longer, end := context.WithCancel(context.WithoutCancel(ctx))
	forget := context.AfterFunc(ctx, func() { time.AfterFunc(grace, end) })
	return longer, func() {
		forget()
		end()
	}
}

func (s *sender) run(ctx context.Context, from *feed.Feed) error {
	sending, stop := outliving(ctx) // and is noted
	defer stop()
	batches := make(chan batch)
	var working sync.WaitGroup
	for range s.AtOnce {
		working.Go(func() {
			for b := range batches {
				if err := s.send(ctx, sending, b); err != nil {
					s.fail(err)
					return
				}
			}
		})
	}
	for _, refused := range s.Journal.refused {
		tell(s.Refused, refused)
	}
	s.cut(ctx, from, batches)
	close(batches)
	working.Wait()
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return s.err
}

// cut cuts the input into batches, and hands over those that no earlier run sent.
func (s *sender) cut(ctx context.Context, from *feed.Feed, batches chan<- batch) {
	limit := rate.NewLimiter(rate.Inf, batchEntries)
	if s.Rate > 0 {
		limit.SetLimit(rate.Limit(s.Rate))
	}
	next, size, problems := batch{}, 0, 0
	flush := func() bool {
		if len(next.entries) == 0 {
			return true
		}
		b := next
		next, size = batch{number: b.number + 1}, 0
		b.digest = digestOf(b.entries)
		if was, sent := s.Journal.sent(b.number); sent && was.Digest != b.digest {
			s.fail(fmt.Errorf("%s:%d: %w", b.entries[0].File, b.entries[0].Line, ErrOtherInput))
			return false
		} else if sent {
			tell(s.Before, was.Entries-len(was.Refused))
			return true
		}
		if limit.WaitN(ctx, len(b.entries)) != nil {
			return false
		}
		if hasNoTime(b.entries) {
			var err error
			if b.given, err = s.Journal.timeFor(b.number, time.Now()); err != nil {
				s.fail(err)
				return false
			}
		}
		select {
		case batches <- b:
			return true
		case <-s.stopped:
		case <-ctx.Done():
		}
		return false
	}
	for entry, problem := range from.Entries(ctx) {
		if problem != nil {
			problems++
			tell(s.Problem, problem)
			continue
		}
		bytes := sizeOf(entry)
		if (len(next.entries) == batchEntries || size+bytes > batchBytes) && !flush() {
			return
		}
		next.entries, size = append(next.entries, entry), size+bytes
	}
	if ctx.Err() == nil && flush() && next.number < s.Journal.least() {
		s.fail(ErrOtherInput)
	}
}

func tell[T any](told func(T), what T) {
	if told != nil {
		told(what)
	}
}

func hasNoTime(entries []feed.Entry) bool {
	for _, entry := range entries {
		if entry.Time.IsZero() {
			return true
		}
	}
	return false
}

// sizeOf is what an entry counts towards batchBytes. It always has a time in the end.
func sizeOf(e feed.Entry) int {
	size := timeBytes + len(e.Source) + len(e.DetailType) + len(e.Detail)
	for _, resource := range e.Resources {
		size += len(resource)
	}
	return size
}

// digestOf returns what tells these entries from others. Where they were found isn't part of it.
func digestOf(entries []feed.Entry) uint64 {
	var b []byte
	text := func(parts ...string) {
		for _, part := range parts {
			b = append(strconv.AppendInt(b, int64(len(part)), 10), ':')
			b = append(b, part...)
		}
	}
	for _, e := range entries {
		text(e.Source, e.DetailType, string(e.Detail), e.TraceHeader, e.Time.UTC().Format(time.RFC3339Nano), strconv.Itoa(len(e.Resources)))
		text(e.Resources...)
	}
	sum := sha256.Sum256(b)
	return binary.BigEndian.Uint64(sum[:])
}

// hear notes that the bus has taken something.
func (s *sender) hear() {
	s.last.Store(time.Now().UnixNano())
	s.reason.Store(nil)
	s.told.Store(false)
}

// watch tells if the bus takes nothing for a while, until the returned function is called.
func (s *sender) watch() (end func() bool) {
	var watching *time.Timer
	watching = time.AfterFunc(time.Hour, func() {
		if quiet := time.Since(time.Unix(0, s.last.Load())); quiet < Silence {
			watching.Reset(Silence - quiet) // others are served
			return
		}
		if s.told.Swap(true) {
			return
		}
		why := "no answer"
		if reason := s.reason.Load(); reason != nil {
			why = *reason
		}
		tell(s.Quiet, fmt.Sprintf("the bus has taken nothing for %v (%s); trying for up to %v", Silence, why, s.Patience))
	})
	watching.Reset(Silence)
	return watching.Stop
}

// request returns a batch's entries as PutEvents takes them.
func (s *sender) request(b batch) []types.PutEventsRequestEntry {
	entries := make([]types.PutEventsRequestEntry, len(b.entries))
	for i, e := range b.entries {
		when := e.Time
		if when.IsZero() {
			when = b.given
		}
		entries[i] = types.PutEventsRequestEntry{
			EventBusName: aws.String(s.bus), Source: aws.String(e.Source), DetailType: aws.String(e.DetailType),
			Detail: aws.String(string(e.Detail)), Time: aws.Time(when), Resources: e.Resources,
		}
		if e.TraceHeader != "" {
			entries[i].TraceHeader = aws.String(e.TraceHeader)
		}
	}
	return entries
}

// send sends a batch until the bus has answered for each of its entries, and notes that.
func (s *sender) send(ctx, sending context.Context, b batch) error {
	note := noted{Number: b.number, Digest: b.digest, Entries: len(b.entries)}
	whole, err := s.deliver(ctx, sending, s.request(b), func(i int, _, refused string) {
		if refused != "" {
			note.Refused = append(note.Refused, Refused{b.entries[i].File, b.entries[i].Line, refused})
		}
	})
	if err != nil || !whole {
		return err
	}
	if err := s.Journal.note(note); err != nil {
		return err
	}
	for _, refused := range note.Refused {
		tell(s.Refused, refused)
	}
	tell(s.Sent, len(b.entries)-len(note.Refused))
	return nil
}

// answered is told what the bus says to an entry: the event's id, or why it is refused.
type answered func(entry int, id, refused string)

// deliver sends entries until the bus has answered for each of them, and reports whether it has. ctx ends it between two
// requests, and sending within one.
func (s *sender) deliver(ctx, sending context.Context, entries []types.PutEventsRequestEntry, told answered) (whole bool, err error) {
	left := make([]int, len(entries)) // indexes
	for i := range left {
		left[i] = i
	}
	defer s.watch()()
	began := time.Now()
	for tries := 0; ; tries++ {
		again, reason, err := s.put(sending, entries, left, told)
		if err != nil {
			return false, err
		}
		if len(again) < len(left) {
			began = time.Now()
			s.hear()
		} else {
			s.reason.Store(aws.String(Reason(reason)))
		}
		if left = again; len(left) == 0 {
			return true, nil
		}
		if time.Since(began) > s.Patience {
			return false, fmt.Errorf("the bus has taken nothing for %v: %w", s.Patience, reason)
		}
		select {
		case <-time.After(pauseBefore(tries)):
		case <-s.stopped:
			return false, nil
		case <-ctx.Done():
			return false, nil
		}
	}
}

// pauseBefore returns a random pause, which grows with the number of tries.
func pauseBefore(tries int) time.Duration {
	return time.Duration(rand.Float64() * float64(min(firstPause<<min(tries, 20), longestPause)))
}

// put sends those entries that are left, and returns those to be sent again, with a reason. An error ends the sending: it
// would hit every other entry too.
func (s *sender) put(ctx context.Context, entries []types.PutEventsRequestEntry, left []int, told answered) (again []int, reason, err error) {
	asked := make([]types.PutEventsRequestEntry, len(left))
	for i, at := range left {
		asked[i] = entries[at]
	}
	answer, err := s.client.PutEvents(ctx, &eventbridge.PutEventsInput{Entries: asked})
	switch {
	case err == nil && len(answer.Entries) != len(asked):
		return nil, nil, fmt.Errorf("the bus answered for %d of %d entries", len(answer.Entries), len(asked))
	case err == nil:
		s.taken.Store(true)
	case s.taken.Load() && passes(err): // else it hasn't worked at all: nobody wants to wait for that
		return left, err, nil
	case !badRequest(err):
		return nil, nil, fmt.Errorf("sending to the bus: %w", err)
	case len(left) == 1:
		told(left[0], "", Reason(err))
		return nil, nil, nil
	default: // one of them, or all together: nobody knows which
		for _, at := range left {
			more, why, err := s.put(ctx, entries, []int{at}, told)
			if err != nil {
				return nil, nil, err
			}
			if len(more) > 0 {
				again, reason = append(again, more...), why
			}
		}
		return again, reason, nil
	}
	for i, at := range left {
		result := answer.Entries[i]
		code, message := aws.ToString(result.ErrorCode), aws.ToString(result.ErrorMessage)
		switch code {
		case "":
			told(at, aws.ToString(result.EventId), "")
		case "AccessDeniedException", "InvalidAccountIdException":
			return nil, nil, fmt.Errorf("sending to the bus: %w", &smithy.GenericAPIError{Code: code, Message: message})
		// Those that are not worth another try.
		// https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEventsResultEntry.html
		case "InvalidArgument", "MalformedDetail", "RedactionFailure", "NotAuthorizedForSourceException", "NotAuthorizedForDetailTypeException":
			told(at, "", code+": "+message)
		default:
			again, reason = append(again, at), fmt.Errorf("%s: %s", code, message)
		}
	}
	return again, reason, nil
}

// passes reports whether an error may be gone a little later: the service's own, throttling, the network.
func passes(err error) bool {
	return retry.IsErrorRetryables(retry.DefaultRetryables).IsErrorRetryable(err) == aws.TrueTernary
}

// badRequest reports whether a request was refused for what is in it.
func badRequest(err error) bool {
	var refusal smithy.APIError
	return errors.As(err, &refusal) && (refusal.ErrorCode() == "ValidationException" || refusal.ErrorCode() == "SerializationException")
}

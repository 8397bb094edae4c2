package function

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"trade-processing/lambdas/jsontext"
	"trade-processing/lambdas/trade"
)

// Request is the part common to every function's payload; a function's own payload type embeds it.
type Request struct {
	// Event is the trade's event as EventBridge delivered it.
	Event events.EventBridgeEvent `json:"event"`

	// ExecutionARN names the execution of the state machine.
	ExecutionARN string `json:"executionArn"`
}

func (r *Request) request() *Request { return r }

// Member takes a member of the payload that is none of these; here it means nothing. A function's own payload type that
// has more members takes them in a method of its own.
func (*Request) Member(string, json.RawMessage) error { return nil }

// read takes a request from a payload, and passes the other members on. What it takes shares the payload's memory.
func (r *Request) read(payload []byte, other func(string, json.RawMessage) error) error {
	if !json.Valid(payload) {
		var explained any
		return json.Unmarshal(payload, &explained)
	}
	if bytes.TrimSpace(payload)[0] != '{' {
		return errors.New("it is not a JSON object")
	}
	for name, value := range jsontext.Members(payload) {
		var err error
		switch string(name) {
		case "event":
			err = r.readEvent(value)
		case "executionArn":
			r.ExecutionARN, err = jsontext.Text(value)
		default:
			err = other(string(name), value)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

func (r *Request) readEvent(event []byte) error {
	for name, value := range jsontext.Members(event) {
		var err error
		switch e := &r.Event; string(name) {
		case "version":
			e.Version, err = jsontext.Text(value)
		case "id":
			e.ID, err = jsontext.Text(value)
		case "detail-type":
			e.DetailType, err = jsontext.Text(value)
		case "source":
			e.Source, err = jsontext.Text(value)
		case "account":
			e.AccountID, err = jsontext.Text(value)
		case "time":
			err = e.Time.UnmarshalJSON(value)
		case "region":
			e.Region, err = jsontext.Text(value)
		case "resources":
			for element := range jsontext.Elements(value) {
				var resource string
				if resource, err = jsontext.Text(element); err != nil {
					break
				}
				e.Resources = append(e.Resources, resource)
			}
		case "detail":
			e.Detail = value
		}
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

// callKey is the key of the Call in the handler's context.
type callKey struct{}

// Call is one invocation of a function. It belongs to the goroutine that handles the invocation; others may use only
// Log.
type Call struct {
	// TraceHeader is the X-Ray trace header that Lambda set, and TraceID the id of the trace in it; empty if there is none.
	TraceHeader, TraceID string

	request  *Request
	settings *Settings
	base     *slog.Logger
	once     sync.Once
	logger   *slog.Logger // created on first use: most invocations log at most one line

	trade    *trade.Trade
	tradeErr error

	metrics    []metric
	properties []slog.Attr
}

func newCall(settings *Settings, base *slog.Logger, request *Request) *Call {
	return &Call{settings: settings, base: base, request: request}
}

// setTrace takes the trace from its header, such as Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1
// (https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html#xray-concepts-tracingheader).
func (c *Call) setTrace(header string) {
	c.TraceHeader, c.TraceID = header, header
	for part := range strings.SplitSeq(header, ";") {
		if root, found := strings.CutPrefix(part, "Root="); found {
			c.TraceID = root
		}
	}
}

// Sampled reports whether X-Ray has the trace. A trace that isn't sampled has an id nevertheless.
func (c *Call) Sampled() bool { return !strings.Contains(c.TraceHeader, "Sampled=0") }

// Trade returns the event's trade, parsed once for everybody. The error is a *trade.MalformedError; it also covers a missing
// event time, without which a trade can't have a timestamp.
func (c *Call) Trade() (*trade.Trade, error) { return c.trade, c.tradeErr }

func (c *Call) readTrade() {
	c.trade, c.tradeErr = trade.Parse(c.request.Event.Detail)
	if c.tradeErr == nil && c.request.Event.Time.IsZero() {
		c.tradeErr = &trade.MalformedError{Reason: "the event has no time"}
	}
}

// tradeID returns the trade's id, as far as it is known.
func (c *Call) tradeID() string {
	if c.trade == nil {
		return ""
	}
	return c.trade.ID
}

// Now returns the time from the environment's clock.
func (c *Call) Now() time.Time { return c.settings.Now() }

// Log returns a logger whose lines carry tradeId, eventId, executionArn and traceId.
func (c *Call) Log() *slog.Logger {
	c.once.Do(func() {
		c.logger = c.base.With(
			slog.String("tradeId", c.tradeID()),
			slog.String("eventId", c.request.Event.ID),
			slog.String("executionArn", c.request.ExecutionARN),
			slog.String("traceId", c.TraceID),
		)
	})
	return c.logger
}

// Count sets a metric that counts.
func (c *Call) Count(name string, n int) { c.measure(name, "", int64(n)) }

// CountIf sets a metric that counts to 1 if the condition holds. Otherwise it is left out: a sum is the same
// without the zeros, and each costs its name twice in a line.
func (c *Call) CountIf(name string, condition bool) {
	if condition {
		c.Count(name, 1)
	}
}

// Milliseconds sets a metric in the unit Milliseconds.
func (c *Call) Milliseconds(name string, d time.Duration) {
	c.measure(name, unitMilliseconds, d.Milliseconds())
}

// Property adds a field to the invocation's line that isn't a metric itself, for CloudWatch Logs Insights.
func (c *Call) Property(name string, value any) {
	c.properties = append(c.properties, slog.Any(name, value))
}

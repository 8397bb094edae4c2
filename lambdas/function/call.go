package function

import (
	"log/slog"
	"sync"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"trade-processing/lambdas/trade"
)

// Request is what the payload of every function holds, and what a function's own payload type embeds.
type Request struct {
	// Event is the trade's event as EventBridge delivered it.
	Event events.EventBridgeEvent `json:"event"`

	// ExecutionARN names the execution of the state machine.
	ExecutionARN string `json:"executionArn"`
}

func (r *Request) request() *Request { return r }

// callKey is the key of the Call in the context that its handler gets.
type callKey struct{}

// Call is one invocation of a function. It belongs to the goroutine that handles the invocation; only Log may be used
// by others.
type Call struct {
	// TraceID is the X-Ray trace header that Lambda set, empty where there is none.
	TraceID string

	request  *Request
	settings *Settings
	base     *slog.Logger
	logger   func() *slog.Logger // made on first use: most invocations log nothing beside their metrics

	trade    *trade.Trade
	tradeErr error

	metrics    []metric
	properties []slog.Attr
}

func newCall(settings *Settings, base *slog.Logger, request *Request) *Call {
	c := &Call{settings: settings, base: base, request: request}
	c.logger = sync.OnceValue(c.newLogger)
	return c
}

// Trade is the trade of the event, read once for all. The error is a *trade.MalformedError; it also names what only the
// envelope can lack: its time, without which a trade can have no timestamp.
func (c *Call) Trade() (*trade.Trade, error) { return c.trade, c.tradeErr }

func (c *Call) readTrade() {
	c.trade, c.tradeErr = trade.Parse(c.request.Event.Detail)
	if c.tradeErr == nil && c.request.Event.Time.IsZero() {
		c.tradeErr = &trade.MalformedError{Reason: "the event has no time"}
	}
}

// tradeID is the trade's id as far as it is known.
func (c *Call) tradeID() string {
	if c.trade == nil {
		return ""
	}
	return c.trade.ID
}

// Now is the clock of the function's environment.
func (c *Call) Now() time.Time { return c.settings.Now() }

// Log is a logger whose lines carry tradeId, eventId, executionArn and traceId.
func (c *Call) Log() *slog.Logger { return c.logger() }

func (c *Call) newLogger() *slog.Logger {
	return c.base.With(
		slog.String("tradeId", c.tradeID()),
		slog.String("eventId", c.request.Event.ID),
		slog.String("executionArn", c.request.ExecutionARN),
		slog.String("traceId", c.TraceID),
	)
}

// Count sets a metric in the unit Count.
func (c *Call) Count(name string, n int) { c.measure(name, unitCount, int64(n)) }

// CountIf sets a metric in the unit Count to 1 if the condition holds, else to 0. The zero is worth reporting: only
// with it is the metric's average a rate.
func (c *Call) CountIf(name string, condition bool) {
	n := 0
	if condition {
		n = 1
	}
	c.Count(name, n)
}

// Milliseconds sets a metric in the unit Milliseconds.
func (c *Call) Milliseconds(name string, d time.Duration) {
	c.measure(name, unitMilliseconds, d.Milliseconds())
}

// Property adds a field to the line of the metrics that is no metric itself: CloudWatch Logs Insights finds it there.
func (c *Call) Property(name string, value any) {
	c.properties = append(c.properties, slog.Any(name, value))
}

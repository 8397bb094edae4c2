package function

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"runtime/debug"
	"sync"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
)

// reserve is how long before Lambda's deadline the handler's context ends. At the deadline Lambda silently freezes or
// kills a function; the reserve leaves time to log, count and name the error.
const reserve = 100 * time.Millisecond

// Handle turns a typed function into a lambda.Handler. In is the payload (a struct that embeds Request), Out the
// answer. Around each invocation it reads the payload and the trade, provides a Call with logger and metrics, ends the
// context a little before Lambda's deadline, recovers a panic, gives an error the type that the state machine matches
// (see ErrorType), and writes the invocation's line: what failed, or the metrics and properties if there are any. Several
// goroutines may call the handler at once.
//
// The settings must have no problems.
func Handle[In, Out any, Payload interface {
	*In
	request() *Request
	Member(name string, value json.RawMessage) error
}](settings *Settings, handle func(context.Context, *Call, In) (Out, error)) lambda.Handler {
	output := &lockedWriter{to: settings.environment.Output}
	logger := newLogger(settings, output)
	lines := sync.Pool{New: func() any { return new([]byte) }}

	return handler(func(ctx context.Context, payload []byte) ([]byte, error) {
		var in In
		request := Payload(&in).request()
		call := newCall(settings, logger, request)
		header, _ := ctx.Value("x-amzn-trace-id").(string) // the key that aws-lambda-go uses
		call.setTrace(header)
		ctx, cancel := beforeDeadline(context.WithValue(ctx, callKey{}, call))
		defer cancel()

		answer, err := guarded(func() ([]byte, error) {
			if err := request.read(payload, Payload(&in).Member); err != nil {
				return nil, &payloadError{err}
			}
			call.readTrade()
			out, err := handle(ctx, call, in)
			if err != nil {
				return nil, err
			}
			return json.Marshal(out)
		})
		level, message := slog.LevelInfo, "done"
		switch {
		case err != nil:
			level, message = slog.LevelError, "failed"
			call.describe(err)
		case len(call.metrics)+len(call.properties) == 0:
			level = slog.LevelDebug
		}
		if level != slog.LevelDebug || settings.level <= slog.LevelDebug {
			line := lines.Get().(*[]byte)
			*line = call.appendLine((*line)[:0], settings.Now(), level, message)
			_, _ = output.Write(*line) // without its output, a function has nobody left to tell
			lines.Put(line)
		}
		if err != nil {
			return nil, response(err)
		}
		return answer, nil
	})
}

// newLogger creates a function's logger, on the environment's clock, with the metrics' dimensions on each line.
func newLogger(settings *Settings, output io.Writer) *slog.Logger {
	options := &slog.HandlerOptions{
		Level: settings.level,
		ReplaceAttr: func(groups []string, a slog.Attr) slog.Attr {
			if len(groups) == 0 && a.Key == slog.TimeKey {
				return slog.String(timestamp, settings.Now().UTC().Format(timeFormat))
			}
			return a
		},
	}
	return slog.New(slog.NewJSONHandler(output, options)).With(
		slog.String("Environment", settings.stack),
		slog.String("Function", settings.function),
	)
}

// timestamp is the name of a line's time. Lambda adds a field of this name to JSON lines that lack it.
// https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-log-level.html
const timestamp = "timestamp"

// timeFormat is how every line has a time, in UTC: RFC 3339 with milliseconds.
const timeFormat = "2006-01-02T15:04:05.000Z"

// handler makes a function a lambda.Handler.
type handler func(ctx context.Context, payload []byte) ([]byte, error)

func (h handler) Invoke(ctx context.Context, payload []byte) ([]byte, error) { return h(ctx, payload) }

// guarded turns a panic into an error. The process continues: the handlers keep no state that a panic could leave half
// done, and one bad trade must not cost every other trade a cold start.
func guarded(work func() ([]byte, error)) (answer []byte, err error) {
	defer func() {
		if value := recover(); value != nil {
			err = &panicError{value: value, stack: debug.Stack()}
		}
	}()
	return work()
}

// describe adds an error to the invocation's line.
func (c *Call) describe(err error) {
	c.Property("errorType", ErrorType(err))
	c.Property("error", err.Error())
	if p, ok := errors.AsType[*panicError](err); ok {
		c.Property("stack", string(p.stack))
	}
}

// beforeDeadline ends the context early, by the reserve. A deadline less than twice the reserve away is left alone.
func beforeDeadline(ctx context.Context) (context.Context, context.CancelFunc) {
	deadline, ok := ctx.Deadline()
	if !ok || time.Until(deadline) < 2*reserve {
		return ctx, func() {}
	}
	return context.WithDeadline(ctx, deadline.Add(-reserve))
}

// lockedWriter keeps lines whole when several goroutines write.
type lockedWriter struct {
	mu sync.Mutex
	to io.Writer
}

func (w *lockedWriter) Write(line []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.to.Write(line)
}

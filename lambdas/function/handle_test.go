package function_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambda/messages"

	"trade-processing/lambdas/function"
	"trade-processing/lambdas/function/functiontest"
)

var started = time.Date(2024, 5, 28, 13, 30, 0, 123_000_000, time.UTC)

// payload embeds function.Request, like the payloads of functions that take more than the event.
type payload struct {
	function.Request
	Extra string
}

func (p *payload) Member(name string, value json.RawMessage) error {
	if name == "extra" {
		return json.Unmarshal(value, &p.Extra)
	}
	return nil
}

type handle = func(context.Context, *function.Call, payload) (string, error)

const good = `{"event":{"id":"e-1","source":"trading.system1","time":"2024-05-28T13:29:59Z","detail":{"tradeId":"t-1"}},"executionArn":"arn:x","extra":"more"}`

func newHandler(t *testing.T, output *bytes.Buffer, h handle) lambda.Handler {
	t.Helper()
	settings := function.ReadSettings(function.Environment{
		Getenv: func(name string) string { return map[string]string{"ENVIRONMENT": "dev", "LOG_LEVEL": "DEBUG"}[name] },
		Output: output,
		Now:    func() time.Time { return started },
	}, "tester")
	if err := settings.Err(); err != nil {
		t.Fatal(err)
	}
	return function.Handle(settings, h)
}

// traced returns a context as aws-lambda-go creates it.
func traced() context.Context {
	return context.WithValue(context.Background(), "x-amzn-trace-id", "Root=1-2-3;Sampled=0") //nolint:staticcheck // aws-lambda-go's own key is a string
}

// lines decodes a function's output: JSON objects, one per line.
func lines(t *testing.T, output *bytes.Buffer) []map[string]any {
	t.Helper()
	var found []map[string]any
	for line := range strings.Lines(output.String()) {
		var object map[string]any
		if err := json.Unmarshal([]byte(line), &object); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		found = append(found, object)
	}
	return found
}

func TestAnInvocationIsAnswered(t *testing.T) {
	var output bytes.Buffer
	h := newHandler(t, &output, func(_ context.Context, call *function.Call, in payload) (string, error) {
		parsed, err := call.Trade()
		if err != nil {
			return "", err
		}
		return strings.Join([]string{parsed.ID, in.Event.ID, in.ExecutionARN, in.Extra, call.TraceID, call.TraceHeader}, " "), nil
	})
	answer, err := h.Invoke(traced(), []byte(good))
	if err != nil {
		t.Fatal(err)
	}
	if want := `"t-1 e-1 arn:x more 1-2-3 Root=1-2-3;Sampled=0"`; string(answer) != want {
		t.Errorf("answer %s, want %s", answer, want)
	}
}

func TestEveryLineCarriesTheIDs(t *testing.T) {
	var output bytes.Buffer
	h := newHandler(t, &output, func(_ context.Context, call *function.Call, _ payload) (string, error) {
		call.Log().Debug("looking")
		call.Log().With("x", 1).Info("found")
		return "", errors.New("no luck")
	})
	if _, err := h.Invoke(traced(), []byte(good)); err == nil {
		t.Fatal("no error")
	}
	found := lines(t, &output)
	if len(found) != 3 {
		t.Fatalf("%d lines, want two of the handler and the error:\n%s", len(found), &output)
	}
	for _, line := range found {
		for field, want := range map[string]string{
			"tradeId": "t-1", "eventId": "e-1", "executionArn": "arn:x", "traceId": "1-2-3",
			"Environment": "dev", "Function": "tester", "timestamp": "2024-05-28T13:30:00.123Z",
		} {
			if line[field] != want {
				t.Errorf("%s is %v, want %s, in %v", field, line[field], want, line)
			}
		}
		if line["msg"] == "" || line["level"] == "" {
			t.Errorf("no message or level in %v", line)
		}
	}
}

func TestMetricsAreOneLineOfEmbeddedMetricFormat(t *testing.T) {
	var output bytes.Buffer
	h := newHandler(t, &output, func(_ context.Context, call *function.Call, _ payload) (string, error) {
		call.Count("Seen", 1)
		call.Count("Seen", 2)
		call.CountIf("Odd", false)
		call.CountIf("Even", true)
		call.Milliseconds("Latency", 1500*time.Millisecond)
		call.Property("violations", `a "quoted", ümlaut`)
		call.Property("list", []int{1, 2})
		call.Property("unwritable", func() {})
		return "", nil
	})
	if _, err := h.Invoke(traced(), []byte(good)); err != nil {
		t.Fatal(err)
	}
	found := lines(t, &output)
	if len(found) != 1 {
		t.Fatalf("%d lines, want one", len(found))
	}
	line := found[0]
	want := map[string]any{
		"Timestamp": float64(started.UnixMilli()),
		"CloudWatchMetrics": []any{map[string]any{
			"Namespace":  "TradeProcessing",
			"Dimensions": []any{[]any{"Environment", "Function"}},
			"Metrics": []any{
				map[string]any{"Name": "Seen"},
				map[string]any{"Name": "Even"},
				map[string]any{"Name": "Latency", "Unit": "Milliseconds"},
			},
		}},
	}
	if got, want := fmt.Sprint(line["_aws"]), fmt.Sprint(want); got != want {
		t.Errorf("_aws is\n%s, want\n%s", got, want)
	}
	for field, want := range map[string]any{
		"Environment": "dev", "Function": "tester", "Seen": 2.0, "Odd": nil, "Even": 1.0, "Latency": 1500.0,
		"violations": `a "quoted", ümlaut`, "msg": "done",
	} {
		if line[field] != want {
			t.Errorf("%s is %v, want %v", field, line[field], want)
		}
	}
	if fmt.Sprint(line["list"]) != "[1 2]" || !strings.Contains(fmt.Sprint(line["unwritable"]), "unsupported type") {
		t.Errorf("properties %v and %v", line["list"], line["unwritable"])
	}
}

func TestFailuresHaveATypeForTheStateMachine(t *testing.T) {
	deep := strings.Repeat("[", 10_000) + strings.Repeat("]", 10_000)
	for name, test := range map[string]struct {
		payload string
		handle  handle
		want    string
		message string
	}{
		"an error of the handler": {good, fails(errors.New("no luck")), "InternalError", "no luck"},
		"a panic":                 {good, func(context.Context, *function.Call, payload) (string, error) { panic("oh") }, "Runtime.Panic", "panic: oh"},
		"a panic with an error":   {good, func(context.Context, *function.Call, payload) (string, error) { panic(errors.New("oh")) }, "Runtime.Panic", "panic: oh"},
		"an index out of range": {good, func(_ context.Context, _ *function.Call, in payload) (string, error) {
			return in.Event.Resources[0], nil
		}, "Runtime.Panic", "index out of range"},
		"no payload":                    {``, tradeID, "MalformedTrade", "unexpected end of JSON input"},
		"a payload that is no JSON":     {`{`, tradeID, "MalformedTrade", "reading the payload"},
		"a payload of another shape":    {`{"event":{"time":5}}`, tradeID, "MalformedTrade", "reading the payload"},
		"no event":                      {`{}`, tradeID, "MalformedTrade", "the event has no detail"},
		"an event without a time":       {`{"event":{"detail":{"tradeId":"t-1"}}}`, tradeID, "MalformedTrade", "the event has no time"},
		"a detail that is not a trade":  {`{"event":{"time":"2024-05-28T13:29:59Z","detail":{}}}`, tradeID, "MalformedTrade", "no tradeId"},
		"a detail nested 10,000 deep":   {`{"event":{"time":"2024-05-28T13:29:59Z","detail":` + deep + `}}`, tradeID, "MalformedTrade", "exceeded max depth"},
		"a detail nested 9,000 deep":    {`{"event":{"time":"2024-05-28T13:29:59Z","detail":` + deep[1000:19000] + `}}`, tradeID, "MalformedTrade", "deeper than 32 levels"},
		"a detail with bytes not UTF-8": {"{\"event\":{\"time\":\"2024-05-28T13:29:59Z\",\"detail\":{\"tradeId\":\"t\",\"x\":\"\xff\"}}}", tradeID, "MalformedTrade", "not valid UTF-8"},
	} {
		t.Run(name, func(t *testing.T) {
			var output bytes.Buffer
			_, err := newHandler(t, &output, test.handle).Invoke(traced(), []byte(test.payload))
			response, ok := err.(messages.InvokeResponse_Error) //nolint:errorlint // aws-lambda-go doesn't unwrap either
			if !ok {
				t.Fatalf("error %v of type %T", err, err)
			}
			if response.Type != test.want || !strings.Contains(response.Message, test.message) || response.ShouldExit {
				t.Errorf("%+v, want %s with %q", response, test.want, test.message)
			}
			found := lines(t, &output)
			if len(found) != 1 {
				t.Errorf("%d lines, want one: %v", len(found), found)
			}
			if line := found[0]; line["level"] != "ERROR" || line["msg"] != "failed" || line["errorType"] != test.want || line["error"] != response.Message {
				t.Errorf("log line %v", line)
			}
			if stack, logged := found[0]["stack"]; (test.want == "Runtime.Panic") != logged {
				t.Errorf("stack %v", stack)
			}
		})
	}
}

func fails(err error) handle {
	return func(context.Context, *function.Call, payload) (string, error) { return "", err }
}

func tradeID(_ context.Context, call *function.Call, _ payload) (string, error) {
	parsed, err := call.Trade()
	if err != nil {
		return "", err
	}
	return parsed.ID, nil
}

func TestAnAnswerThatIsNoJSONIsAnError(t *testing.T) {
	settings := function.ReadSettings(function.Environment{
		Getenv: func(string) string { return "INFO" }, Output: new(bytes.Buffer), Now: time.Now,
	}, "tester")
	h := function.Handle(settings, func(context.Context, *function.Call, function.Request) (chan int, error) { return nil, nil })
	_, err := h.Invoke(context.Background(), []byte(good))
	if response, ok := errors.AsType[messages.InvokeResponse_Error](err); !ok || response.Type != "InternalError" {
		t.Errorf("%v", err)
	}
}

// The handler must return before Lambda freezes the process, or neither log nor metrics show what happened.
func TestTheContextEndsBeforeTheDeadline(t *testing.T) {
	for name, test := range map[string]struct {
		left, reserve time.Duration
	}{
		"a common timeout":  {10 * time.Second, 100 * time.Millisecond},
		"hardly any time":   {150 * time.Millisecond, 0},
		"a deadline missed": {-time.Second, 0},
	} {
		t.Run(name, func(t *testing.T) {
			deadline := time.Now().Add(test.left)
			ctx, cancel := context.WithDeadline(context.Background(), deadline)
			defer cancel()
			var met time.Time
			h := newHandler(t, new(bytes.Buffer), func(ctx context.Context, _ *function.Call, _ payload) (string, error) {
				met, _ = ctx.Deadline()
				return "", nil
			})
			if _, err := h.Invoke(ctx, []byte(good)); err != nil {
				t.Fatal(err)
			}
			if !met.Equal(deadline.Add(-test.reserve)) {
				t.Errorf("the handler's deadline is %s before Lambda's, want %s", deadline.Sub(met), test.reserve)
			}
		})
	}
}

func TestLinesStayWholeWhenManyCallAtATime(t *testing.T) {
	var output bytes.Buffer // not safe for concurrent use: the race detector would notice
	h := newHandler(t, &output, func(_ context.Context, call *function.Call, in payload) (string, error) {
		call.Log().Info("working")
		return tradeID(context.Background(), call, in)
	})
	const calls = 200
	var group sync.WaitGroup
	for i := range calls {
		group.Go(func() {
			id := fmt.Sprintf("t-%d", i)
			answer, err := h.Invoke(traced(), []byte(strings.Replace(good, "t-1", id, 1)))
			if err != nil || string(answer) != `"`+id+`"` {
				t.Errorf("%s: %s, %v", id, answer, err)
			}
		})
	}
	group.Wait()
	if n := len(lines(t, &output)); n != 2*calls {
		t.Errorf("%d lines, want %d", n, 2*calls)
	}
}

func TestTheLogLevelHoldsLinesBack(t *testing.T) {
	quiet := func(*function.Call) {}
	for name, test := range map[string]struct {
		level string
		says  func(*function.Call)
		want  []string
	}{
		"a line below the level":                  {"WARN", func(c *function.Call) { c.Log().Info("chatter"); c.Log().Warn("careful") }, []string{"careful"}},
		"metrics, whatever the level":             {"ERROR", func(c *function.Call) { c.Count("Seen", 0) }, []string{"done"}},
		"properties, whatever the level":          {"ERROR", func(c *function.Call) { c.Property("why", "so") }, []string{"done"}},
		"nothing to tell":                         {"INFO", quiet, nil},
		"nothing to tell, but everything is told": {"DEBUG", quiet, []string{"done"}},
	} {
		t.Run(name, func(t *testing.T) {
			var output bytes.Buffer
			settings := function.ReadSettings(function.Environment{
				Getenv: func(name string) string {
					return map[string]string{"ENVIRONMENT": "dev", "LOG_LEVEL": test.level}[name]
				},
				Output: &output, Now: time.Now,
			}, "tester")
			h := function.Handle(settings, func(_ context.Context, call *function.Call, _ function.Request) (string, error) {
				test.says(call)
				return "", nil
			})
			if _, err := h.Invoke(context.Background(), []byte(good)); err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, line := range lines(t, &output) {
				got = append(got, line["msg"].(string))
			}
			if !slices.Equal(got, test.want) {
				t.Errorf("%v, want %v", got, test.want)
			}
		})
	}
}

// No text of an event or an error can begin a line, end a field or hide from whoever reads the log.
func TestHostileTextsStayInTheirFields(t *testing.T) {
	for _, text := range functiontest.Hostile() {
		var output bytes.Buffer
		handler := newHandler(t, &output, func(_ context.Context, call *function.Call, _ payload) (string, error) {
			call.Log().Warn(text, text, text)
			call.Property(text, text)
			return "", errors.New(text)
		})
		sent, err := json.Marshal(map[string]any{
			"event":        map[string]any{"id": text, "source": text, "time": "2024-05-28T13:30:01Z", "detail": map[string]any{"tradeId": "t", text: text}},
			"executionArn": text,
		})
		if err != nil {
			t.Fatal(err)
		}
		_, err = handler.Invoke(traced(), sent)
		if answer, _ := errors.AsType[messages.InvokeResponse_Error](err); answer.Message != text {
			t.Errorf("%q became %v", text, err)
		}
		written := lines(t, &output)
		if len(written) != 2 { // the warning and the error
			t.Fatalf("%q became %d lines: %s", text, len(written), &output)
		}
		for _, line := range written {
			if line["eventId"] != text || line["executionArn"] != text || line["tradeId"] != "t" {
				t.Errorf("%q became %v", text, line)
			}
		}
		if written[0]["msg"] != text || written[0][text] != text || written[1]["error"] != text || written[1][text] != text {
			t.Errorf("%q became %s", text, &output)
		}
	}
}

package runtimeapi_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"trade-processing/lambdas/runtimeapi"
)

// program speaks the protocol by hand, so that a test can break it.
type program struct {
	t      *testing.T
	server *runtimeapi.Server
}

func listen(t *testing.T) program {
	t.Helper()
	server, err := runtimeapi.Listen()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close() })
	return program{t, server}
}

// do sends a request and returns the status, the header and the body of the answer.
func (p program) do(method, path, body string, header ...string) (int, http.Header, string) {
	request, err := http.NewRequestWithContext(p.t.Context(), method, "http://"+p.server.Address()+path, strings.NewReader(body))
	if err != nil {
		p.t.Error(err)
		return 0, nil, ""
	}
	for i := 0; i < len(header); i += 2 {
		request.Header.Set(header[i], header[i+1])
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		p.t.Error(err)
		return 0, nil, ""
	}
	defer response.Body.Close() //nolint:errcheck // only read
	text, err := io.ReadAll(response.Body)
	if err != nil {
		p.t.Error(err)
	}
	return response.StatusCode, response.Header, string(text)
}

const (
	next = "/2018-06-01/runtime/invocation/next"
	to   = "/2018-06-01/runtime/invocation/"
)

// answered is what Invoke returned.
type answered struct {
	answer runtimeapi.Answer
	err    error
}

func (p program) invoke(invocation runtimeapi.Invocation) <-chan answered {
	result := make(chan answered, 1)
	go func() {
		answer, err := p.server.Invoke(p.t.Context(), invocation)
		result <- answered{answer, err}
	}()
	return result
}

func TestAnInvocationReachesTheProgramWithAllThatBelongsToIt(t *testing.T) {
	p := listen(t)
	result := p.invoke(runtimeapi.Invocation{
		Payload: []byte(`{"a":1}`), Timeout: time.Minute, FunctionARN: "arn:aws:lambda:us-east-1:000000000000:function:f:live", TraceHeader: "Root=1-2-3",
	})
	before := time.Now()
	status, header, payload := p.do("GET", next, "")
	if status != http.StatusOK || payload != `{"a":1}` {
		t.Fatalf("status %d, payload %s", status, payload)
	}
	if header.Get("Lambda-Runtime-Invoked-Function-Arn") != "arn:aws:lambda:us-east-1:000000000000:function:f:live" ||
		header.Get("Lambda-Runtime-Trace-Id") != "Root=1-2-3" {
		t.Errorf("header %v", header)
	}
	deadline, err := strconv.ParseInt(header.Get("Lambda-Runtime-Deadline-Ms"), 10, 64)
	if err != nil || time.UnixMilli(deadline).Before(before.Add(59*time.Second)) || time.UnixMilli(deadline).After(time.Now().Add(time.Minute)) {
		t.Errorf("the deadline %d is not a minute from now: %v", deadline, err)
	}
	select {
	case <-p.server.Ready():
	default:
		t.Error("the program is not ready after it asked for an invocation")
	}
	id := header.Get("Lambda-Runtime-Aws-Request-Id")
	if status, _, _ := p.do("POST", to+id+"/response", `{"b":2}`); status != http.StatusAccepted {
		t.Errorf("the answer got status %d", status)
	}
	got := <-result
	if got.err != nil || got.answer.RequestID != id || string(got.answer.Payload) != `{"b":2}` || got.answer.Error != nil {
		t.Errorf("got %+v", got)
	}
	if broken := p.server.Violations(); len(broken) > 0 {
		t.Errorf("violations %q", broken)
	}
}

func TestAReportedErrorIsTheAnswer(t *testing.T) {
	p := listen(t)
	result := p.invoke(runtimeapi.Invocation{})
	_, header, _ := p.do("GET", next, "")
	p.do("POST", to+header.Get("Lambda-Runtime-Aws-Request-Id")+"/error", `{"errorType":"MalformedTrade","errorMessage":"no tradeId","stackTrace":[]}`)
	got := <-result
	if got.err != nil || got.answer.Error == nil || *got.answer.Error != (runtimeapi.Error{Type: "MalformedTrade", Message: "no tradeId"}) {
		t.Errorf("got %+v, %v", got.answer.Error, got.err)
	}
}

func TestAnErrorOfTheStartIsKept(t *testing.T) {
	p := listen(t)
	if p.server.InitError() != nil {
		t.Errorf("an error of a start that was not: %v", p.server.InitError())
	}
	p.do("POST", "/2018-06-01/runtime/init/error", `{"errorType":"Runtime.BadStart","errorMessage":"TABLE_NAME is not set"}`)
	if got := p.server.InitError(); got == nil || got.Error() != "Runtime.BadStart: TABLE_NAME is not set" {
		t.Errorf("got %v", got)
	}
}

func TestADeadlineThatPassesEndsTheInvocation(t *testing.T) {
	p := listen(t)
	result := p.invoke(runtimeapi.Invocation{Timeout: 20 * time.Millisecond})
	_, header, _ := p.do("GET", next, "")
	if got := <-result; !errors.Is(got.err, runtimeapi.ErrTimedOut) {
		t.Errorf("got %+v", got)
	}
	status, _, _ := p.do("POST", to+header.Get("Lambda-Runtime-Aws-Request-Id")+"/response", `{}`)
	if status != http.StatusBadRequest {
		t.Errorf("an answer that comes too late got status %d", status)
	}
}

func TestAnExtensionRegistersAndGetsNoEvents(t *testing.T) {
	p := listen(t)
	status, header, _ := p.do("POST", "/2020-01-01/extension/register", `{"events":[]}`, "Lambda-Extension-Name", "own")
	if status != http.StatusOK || header.Get("Lambda-Extension-Identifier") == "" {
		t.Errorf("status %d, header %v", status, header)
	}
	if got := p.server.Extensions(); !slices.Equal(got, []string{"own"}) {
		t.Errorf("extensions %q", got)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, "GET", "http://"+p.server.Address()+"/2020-01-01/extension/event/next", nil)
	if err != nil {
		t.Fatal(err)
	}
	if response, err := http.DefaultClient.Do(request); !errors.Is(err, context.DeadlineExceeded) {
		_ = response.Body.Close()
		t.Errorf("an event came: %v", err)
	}
}

func TestWhatIsTooLargeIsRefused(t *testing.T) {
	p := listen(t)
	if _, err := p.server.Invoke(t.Context(), runtimeapi.Invocation{Payload: make([]byte, runtimeapi.MaxPayload+1)}); !errors.Is(err, runtimeapi.ErrTooLarge) {
		t.Errorf("a payload of a byte too many: %v", err)
	}
	for size, want := range map[int]int{runtimeapi.MaxAnswer: http.StatusAccepted, runtimeapi.MaxAnswer + 1: http.StatusRequestEntityTooLarge} {
		result := p.invoke(runtimeapi.Invocation{})
		_, header, _ := p.do("GET", next, "")
		if status, _, _ := p.do("POST", to+header.Get("Lambda-Runtime-Aws-Request-Id")+"/response", strings.Repeat("x", size)); status != want {
			t.Errorf("an answer of %d bytes got status %d", size, status)
		}
		got := <-result
		if tooLarge := got.answer.Error != nil && got.answer.Error.Type == "Function.ResponseSizeTooLarge"; got.err != nil || tooLarge != (want != http.StatusAccepted) {
			t.Errorf("an answer of %d bytes is %v, %v", size, got.answer.Error, got.err)
		}
	}
}

func TestBreachesOfTheProtocolAreRefusedAndRemembered(t *testing.T) {
	for _, tc := range []struct {
		name           string
		do             func(program) int
		status         int
		violation      string
		withInvocation bool
	}{
		{
			"an answer to no invocation",
			func(p program) int { status, _, _ := p.do("POST", to+"other/response", `{}`); return status },
			http.StatusBadRequest, "other, which is not under way", false,
		},
		{
			"an answer to another invocation",
			func(p program) int {
				p.do("GET", next, "")
				status, _, _ := p.do("POST", to+"other/response", `{}`)
				return status
			},
			http.StatusBadRequest, "other, which is not under way", true,
		},
		{
			"an error to no invocation",
			func(p program) int {
				status, _, _ := p.do("POST", to+"other/error", `{"errorType":"E"}`)
				return status
			},
			http.StatusBadRequest, "other, which is not under way", false,
		},
		{
			"a second invocation before the first is answered",
			func(p program) int {
				p.do("GET", next, "")
				status, _, _ := p.do("GET", next, "")
				return status
			},
			http.StatusForbidden, "before it answered", true,
		},
		{
			"an error without a type",
			func(p program) int { status, _, _ := p.do("POST", to+"other/error", `{}`); return status },
			http.StatusBadRequest, "no errorType", false,
		},
		{
			"an error of the start that is no JSON",
			func(p program) int {
				status, _, _ := p.do("POST", "/2018-06-01/runtime/init/error", `no`)
				return status
			},
			http.StatusBadRequest, "the error of its start is none", false,
		},
		{
			"an extension without a name",
			func(p program) int {
				status, _, _ := p.do("POST", "/2020-01-01/extension/register", `{}`)
				return status
			},
			http.StatusBadRequest, "without a name", false,
		},
		{
			"a path that the API doesn't have",
			func(p program) int { status, _, _ := p.do("GET", "/2018-06-01/runtime/", ""); return status },
			http.StatusNotFound, "GET /2018-06-01/runtime/ is no part of the API", false,
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			p := listen(t)
			if tc.withInvocation {
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				go func() { _, _ = p.server.Invoke(ctx, runtimeapi.Invocation{}) }()
			}
			if status := tc.do(p); status != tc.status {
				t.Errorf("status %d, want %d", status, tc.status)
			}
			if broken := p.server.Violations(); len(broken) != 1 || !strings.Contains(broken[0], tc.violation) {
				t.Errorf("violations %q, want one with %q", broken, tc.violation)
			}
		})
	}
}

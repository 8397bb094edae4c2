package functiontest

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"
)

// program speaks the protocol by hand, so a test can break it.
type program struct {
	t      *testing.T
	server *server
}

func listen(t *testing.T) program {
	t.Helper()
	server := newServer()
	t.Cleanup(server.end)
	return program{t, server}
}

// do sends a request and returns the status, the header and the body of the answer.
func (p program) do(method, path, body string, header ...string) (int, http.Header, string) {
	request, err := http.NewRequestWithContext(p.t.Context(), method, p.server.http.URL+path, strings.NewReader(body))
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
	answer Answer
	err    error
}

func (p program) invoke(invocation Invocation) <-chan answered {
	result := make(chan answered, 1)
	go func() {
		answer, err := p.server.invoke(p.t.Context(), invocation)
		result <- answered{answer, err}
	}()
	return result
}

func TestAnInvocationReachesTheProgramWithAllThatBelongsToIt(t *testing.T) {
	p := listen(t)
	result := p.invoke(Invocation{
		Payload: []byte(`{"a":1}`), Timeout: time.Minute, TraceHeader: "Root=1-2-3",
	})
	before := time.Now()
	status, header, payload := p.do("GET", next, "")
	if status != http.StatusOK || payload != `{"a":1}` {
		t.Fatalf("status %d, payload %s", status, payload)
	}
	if header.Get("Lambda-Runtime-Trace-Id") != "Root=1-2-3" {
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
	if got.err != nil || string(got.answer.Payload) != `{"b":2}` || got.answer.Error != nil {
		t.Errorf("got %+v", got)
	}
	if broken := p.server.Violations(); len(broken) > 0 {
		t.Errorf("violations %q", broken)
	}
}

func TestAReportedErrorIsTheAnswer(t *testing.T) {
	p := listen(t)
	result := p.invoke(Invocation{Timeout: time.Minute})
	_, header, _ := p.do("GET", next, "")
	p.do("POST", to+header.Get("Lambda-Runtime-Aws-Request-Id")+"/error", `{"errorType":"MalformedTrade","errorMessage":"no tradeId","stackTrace":[]}`)
	got := <-result
	if got.err != nil || got.answer.Error == nil || *got.answer.Error != (Error{Type: "MalformedTrade", Message: "no tradeId"}) {
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
	result := p.invoke(Invocation{Timeout: 20 * time.Millisecond})
	_, header, _ := p.do("GET", next, "")
	if got := <-result; !errors.Is(got.err, ErrTimedOut) {
		t.Errorf("got %+v", got)
	}
	status, _, _ := p.do("POST", to+header.Get("Lambda-Runtime-Aws-Request-Id")+"/response", `{}`)
	if status != http.StatusBadRequest {
		t.Errorf("an answer that comes too late got status %d", status)
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
			http.StatusBadRequest, "other, which is not in progress", false,
		},
		{
			"an answer to another invocation",
			func(p program) int {
				p.do("GET", next, "")
				status, _, _ := p.do("POST", to+"other/response", `{}`)
				return status
			},
			http.StatusBadRequest, "other, which is not in progress", true,
		},
		{
			"an error to no invocation",
			func(p program) int {
				status, _, _ := p.do("POST", to+"other/error", `{"errorType":"E"}`)
				return status
			},
			http.StatusBadRequest, "other, which is not in progress", false,
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
			http.StatusBadRequest, "without an errorType", false,
		},
		{
			"an error of the start that is no JSON",
			func(p program) int {
				status, _, _ := p.do("POST", "/2018-06-01/runtime/init/error", `no`)
				return status
			},
			http.StatusBadRequest, "without an errorType", false,
		},
		{
			"a path that the API doesn't have",
			func(p program) int { status, _, _ := p.do("GET", "/2018-06-01/runtime/", ""); return status },
			http.StatusNotFound, "GET /2018-06-01/runtime/ is not part of the API", false,
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			p := listen(t)
			if tc.withInvocation {
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				go func() { _, _ = p.server.invoke(ctx, Invocation{Timeout: time.Minute}) }()
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

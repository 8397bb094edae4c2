package functiontest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync"
	"time"
)

// api is the path of the Runtime API. Its version has been the same since 2018.
const api = "/2018-06-01/runtime/"

// Invocation is one call of a function.
type Invocation struct {
	Payload     []byte
	Timeout     time.Duration
	TraceHeader string // X-Ray's
}

// Answer is what a function reported for one invocation: its answer or its error.
type Answer struct {
	Payload []byte
	Error   *Error
}

// Error is what a function reports when an invocation or its start fails.
type Error struct {
	Type    string `json:"errorType"`
	Message string `json:"errorMessage"`
}

func (e *Error) Error() string { return e.Type + ": " + e.Message }

// ErrTimedOut means that an invocation's deadline passed without an answer. Lambda then kills the process; here, that
// is up to the caller.
var ErrTimedOut = errors.New("the task timed out")

// server serves the Runtime API to one process, which handles one invocation at a time
// (https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html). If a program breaks the protocol, the server
// answers as Lambda does and remembers it.
type server struct {
	http   *httptest.Server
	queue  chan *call    // to the function's next request for an invocation
	closed chan struct{} // by end
	ready  chan struct{} // closed when the function asks for its first invocation

	mu         sync.Mutex
	calls      int
	current    *call     // what the function has fetched and not answered
	readyAt    time.Time // when ready was closed
	initError  *Error
	violations []string
}

// call is an invocation in progress.
type call struct {
	Invocation
	id     string
	answer chan Answer // holds one
}

func newServer() *server {
	s := &server{queue: make(chan *call), closed: make(chan struct{}), ready: make(chan struct{})}
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+api+"invocation/next", s.next)
	mux.HandleFunc("POST "+api+"invocation/{id}/response", s.response)
	mux.HandleFunc("POST "+api+"invocation/{id}/error", s.failure)
	mux.HandleFunc("POST "+api+"init/error", s.initFailure)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		s.refuse(w, http.StatusNotFound, "Runtime.Unknown", "%s %s is not part of the API", r.Method, r.URL.Path)
	})
	s.http = httptest.NewServer(mux)
	return s
}

// end ends the server and every waiting request. Call it once.
func (s *server) end() {
	close(s.closed)
	s.http.CloseClientConnections()
	s.http.Close()
}

// Violations returns the ways in which the function broke the protocol, in order.
func (s *server) Violations() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.violations...)
}

// InitError returns what the function reported about a failed start, or nil.
func (s *server) InitError() *Error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.initError
}

// Ready returns a channel that is closed when the function asks for its first invocation.
func (s *server) Ready() <-chan struct{} { return s.ready }

// invoke passes an invocation to the function and waits for its answer. The deadline counts from when the function
// fetches the invocation, so a slow start doesn't count.
func (s *server) invoke(ctx context.Context, invocation Invocation) (Answer, error) {
	s.mu.Lock()
	s.calls++
	c := &call{Invocation: invocation, id: "request-" + strconv.Itoa(s.calls), answer: make(chan Answer, 1)}
	s.mu.Unlock()
	select {
	case s.queue <- c:
	case <-ctx.Done():
		return Answer{}, fmt.Errorf("waiting for the function to ask for an invocation: %w", context.Cause(ctx))
	}
	select {
	case answer := <-c.answer:
		return answer, nil
	case <-time.After(invocation.Timeout):
		s.mu.Lock()
		s.current = nil // a later answer belongs to no invocation
		s.mu.Unlock()
		return Answer{}, fmt.Errorf("%s: %w after %v", c.id, ErrTimedOut, invocation.Timeout)
	case <-ctx.Done():
		return Answer{}, fmt.Errorf("waiting for the answer to %s: %w", c.id, context.Cause(ctx))
	}
}

func (s *server) next(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	busy := s.current
	if s.readyAt.IsZero() {
		s.readyAt = time.Now()
		close(s.ready)
	}
	s.mu.Unlock()
	if busy != nil {
		s.refuse(w, http.StatusForbidden, "InvalidStateTransition", "it asked for the next invocation before it answered %s", busy.id)
		return
	}
	select {
	case c := <-s.queue:
		s.mu.Lock()
		s.current = c
		s.mu.Unlock()
		header := w.Header()
		header.Set("Content-Type", "application/json")
		header.Set("Lambda-Runtime-Aws-Request-Id", c.id)
		header.Set("Lambda-Runtime-Deadline-Ms", fmt.Sprint(time.Now().Add(c.Timeout).UnixMilli()))
		header.Set("Lambda-Runtime-Trace-Id", c.TraceHeader)
		_, _ = w.Write(c.Payload) // a function that is gone doesn't answer, which its caller notices
	case <-r.Context().Done():
	case <-s.closed:
	}
}

func (s *server) response(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		s.refuse(w, http.StatusBadRequest, "Runtime.TruncatedResponse", "its answer was cut off: %v", err)
		return
	}
	s.take(w, r, Answer{Payload: body})
}

func (s *server) failure(w http.ResponseWriter, r *http.Request) {
	if reported := s.readError(w, r); reported != nil {
		s.take(w, r, Answer{Error: reported})
	}
}

func (s *server) initFailure(w http.ResponseWriter, r *http.Request) {
	if reported := s.readError(w, r); reported != nil {
		s.mu.Lock()
		s.initError = reported
		s.mu.Unlock()
		w.WriteHeader(http.StatusAccepted)
	}
}

// take answers the invocation that a request names, if it is in progress.
func (s *server) take(w http.ResponseWriter, r *http.Request, answer Answer) {
	s.mu.Lock()
	c := s.current
	if c == nil || c.id != r.PathValue("id") {
		s.mu.Unlock()
		s.refuse(w, http.StatusBadRequest, "InvalidRequestID", "it answered %s, which is not in progress", r.PathValue("id"))
		return
	}
	s.current = nil
	s.mu.Unlock()
	w.WriteHeader(http.StatusAccepted)
	c.answer <- answer
}

// readError reads an error as a function reports it. If it isn't one, it refuses it and returns nil.
func (s *server) readError(w http.ResponseWriter, r *http.Request) *Error {
	reported := new(Error)
	err := json.NewDecoder(r.Body).Decode(reported)
	if err == nil && reported.Type != "" {
		return reported
	}
	s.refuse(w, http.StatusBadRequest, "Runtime.InvalidError", "it reported an error without an errorType (%v)", err)
	return nil
}

// refuse answers a request that breaks the protocol, and remembers it.
func (s *server) refuse(w http.ResponseWriter, status int, kind, format string, args ...any) {
	message := fmt.Sprintf(format, args...)
	s.mu.Lock()
	s.violations = append(s.violations, message)
	s.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(Error{Type: kind, Message: message}) // texts always marshal
}

// Package runtimeapi runs a function as Lambda does: a server of the Lambda Runtime API and of the part of the
// Extensions API that concerns a function, and the process that talks to it. Nothing of it is part of a container
// image.
//
// The protocol is that of https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html. Where a program breaks it,
// the server answers as Lambda does and remembers it: see Server.Violations.
package runtimeapi

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"time"
)

// Limits of a synchronous invocation (https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html). Lambda
// grants an answer 100 bytes more than a payload.
const (
	MaxPayload = 6 << 20
	MaxAnswer  = MaxPayload + 100
)

// Paths of the API. The version of the Runtime API has been the same since 2018.
const (
	runtimePath   = "/2018-06-01/runtime/"
	extensionPath = "/2020-01-01/extension/"
)

// Invocation is one call of the function.
type Invocation struct {
	Payload []byte

	// Timeout is how long the function may take. Default: 3 s, as Lambda's.
	Timeout time.Duration

	// FunctionARN and TraceHeader reach the function as they are; the trace header is X-Ray's.
	FunctionARN string
	TraceHeader string
}

// defaultTimeout is that of a function that sets none.
const defaultTimeout = 3 * time.Second

// Answer is what the function reported of one invocation.
type Answer struct {
	RequestID string

	// Payload is the function's answer. Nil where it reported an error.
	Payload []byte

	// Error is the error that the function reported, or nil.
	Error *Error
}

// Error is what a function reports when an invocation or its start fails.
type Error struct {
	Type    string `json:"errorType"`
	Message string `json:"errorMessage"`
}

func (e *Error) Error() string { return e.Type + ": " + e.Message }

// Errors of Invoke.
var (
	// ErrTimedOut is an invocation whose deadline passed without an answer. Lambda kills the process then, which is the
	// caller's part here.
	ErrTimedOut = errors.New("the task timed out")

	// ErrTooLarge is a payload that Lambda refuses before the function sees it.
	ErrTooLarge = fmt.Errorf("the payload has more than %d bytes", MaxPayload)
)

// Server serves the API to one process, which handles one invocation at a time. Make it with Listen.
type Server struct {
	listener net.Listener
	http     http.Server
	began    time.Time

	queue chan *call    // to the function's next request for an invocation
	ended chan struct{} // closed by Close
	close func() error
	ready chan struct{} // closed when the function asks for its first invocation
	first sync.Once

	mu         sync.Mutex
	current    *call // what the function has fetched and not answered
	readyAfter time.Duration
	initError  *Error
	extensions []string
	violations []string
}

// call is an invocation under way.
type call struct {
	Invocation
	id       string
	deadline time.Time
	answer   chan Answer // holds one
}

// Listen starts a server on a free port of 127.0.0.1.
func Listen() (*Server, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listening for a function: %w", err)
	}
	s := &Server{
		listener: listener, began: time.Now(),
		queue: make(chan *call), ended: make(chan struct{}), ready: make(chan struct{}),
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+runtimePath+"invocation/next", s.next)
	mux.HandleFunc("POST "+runtimePath+"invocation/{id}/response", s.response)
	mux.HandleFunc("POST "+runtimePath+"invocation/{id}/error", s.failure)
	mux.HandleFunc("POST "+runtimePath+"init/error", s.initFailure)
	mux.HandleFunc("POST "+extensionPath+"register", s.register)
	mux.HandleFunc("GET "+extensionPath+"event/next", s.nextEvent)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		s.refuse(w, http.StatusNotFound, "Runtime.Unknown", "%s %s is no part of the API", r.Method, r.URL.Path)
	})
	s.http.Handler = mux
	s.close = sync.OnceValue(func() error {
		close(s.ended)
		return s.http.Close()
	})
	go func() { _ = s.http.Serve(listener) }() // it ends with Close
	return s, nil
}

// Address is the value of the function's environment variable AWS_LAMBDA_RUNTIME_API.
func (s *Server) Address() string { return s.listener.Addr().String() }

// Close ends the server and every request that waits.
func (s *Server) Close() error { return s.close() }

// Ready is closed when the function asks for its first invocation.
func (s *Server) Ready() <-chan struct{} { return s.ready }

// ReadyAfter is the time from Listen, or from Started, to the function's first request for an invocation.
func (s *Server) ReadyAfter() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.readyAfter
}

// Started sets the time from which ReadyAfter counts: that at which the process is started.
func (s *Server) Started() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.began = time.Now()
}

// InitError is what the function reported of a failed start, or nil.
func (s *Server) InitError() *Error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.initError
}

// Extensions are the names of the extensions that registered, in the order in which they did.
func (s *Server) Extensions() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.extensions...)
}

// Violations are the ways in which the function broke the protocol, in the order in which it did.
func (s *Server) Violations() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.violations...)
}

// Invoke hands an invocation to the function and waits for its answer. The error is ErrTimedOut, ErrTooLarge, or the
// reason why ctx ended; an error that the function reports is part of the answer. The deadline counts from when the
// function fetches the invocation, so that a slow start costs the invocation nothing.
func (s *Server) Invoke(ctx context.Context, invocation Invocation) (Answer, error) {
	if len(invocation.Payload) > MaxPayload {
		return Answer{}, ErrTooLarge
	}
	if invocation.Timeout == 0 {
		invocation.Timeout = defaultTimeout
	}
	c := &call{Invocation: invocation, id: newID(), answer: make(chan Answer, 1)}
	select {
	case s.queue <- c:
	case <-ctx.Done():
		return Answer{}, fmt.Errorf("waiting for the function to ask for an invocation: %w", context.Cause(ctx))
	}
	limit := time.NewTimer(invocation.Timeout)
	defer limit.Stop()
	select {
	case answer := <-c.answer:
		return answer, nil
	case <-limit.C:
		s.mu.Lock()
		s.current = nil // an answer that comes later is one to no invocation
		s.mu.Unlock()
		return Answer{}, fmt.Errorf("request %s: %w after %v", c.id, ErrTimedOut, invocation.Timeout)
	case <-ctx.Done():
		return Answer{}, fmt.Errorf("waiting for the answer to request %s: %w", c.id, context.Cause(ctx))
	}
}

// newID makes a request id, a UUID of version 4 as Lambda's.
func newID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

func (s *Server) next(w http.ResponseWriter, r *http.Request) {
	s.first.Do(func() {
		s.mu.Lock()
		s.readyAfter = time.Since(s.began)
		s.mu.Unlock()
		close(s.ready)
	})
	s.mu.Lock()
	busy := s.current
	s.mu.Unlock()
	if busy != nil {
		s.refuse(w, http.StatusForbidden, "InvalidStateTransition", "it asked for the next invocation before it answered %s", busy.id)
		return
	}
	select {
	case c := <-s.queue:
		s.mu.Lock()
		c.deadline = time.Now().Add(c.Timeout)
		s.current = c
		s.mu.Unlock()
		header := w.Header()
		header.Set("Content-Type", "application/json")
		header.Set("Lambda-Runtime-Aws-Request-Id", c.id)
		header.Set("Lambda-Runtime-Deadline-Ms", fmt.Sprint(c.deadline.UnixMilli()))
		header.Set("Lambda-Runtime-Invoked-Function-Arn", c.FunctionARN)
		header.Set("Lambda-Runtime-Trace-Id", c.TraceHeader)
		_, _ = w.Write(c.Payload) // a function that is gone answers nothing, which its caller sees
	case <-r.Context().Done():
	case <-s.ended:
	}
}

func (s *Server) response(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(io.LimitReader(r.Body, MaxAnswer+1))
	if err != nil {
		s.refuse(w, http.StatusBadRequest, "Runtime.TruncatedResponse", "its answer broke off: %v", err)
		return
	}
	c := s.take(w, r)
	if c == nil {
		return
	}
	if len(body) > MaxAnswer {
		message := fmt.Sprintf("Response payload size exceeded maximum allowed payload size (%d bytes).", MaxAnswer)
		c.answer <- Answer{RequestID: c.id, Error: &Error{Type: "Function.ResponseSizeTooLarge", Message: message}}
		reply(w, http.StatusRequestEntityTooLarge, "Function.ResponseSizeTooLarge", message)
		return
	}
	accept(w)
	c.answer <- Answer{RequestID: c.id, Payload: body}
}

func (s *Server) failure(w http.ResponseWriter, r *http.Request) {
	reported, err := readError(r)
	if err != nil {
		s.refuse(w, http.StatusBadRequest, "Runtime.InvalidError", "its error is none: %v", err)
		return
	}
	if c := s.take(w, r); c != nil {
		accept(w)
		c.answer <- Answer{RequestID: c.id, Error: reported}
	}
}

// take ends the invocation that a request names. It answers by itself, and returns nil, where that isn't under way.
func (s *Server) take(w http.ResponseWriter, r *http.Request) *call {
	id := r.PathValue("id")
	s.mu.Lock()
	c := s.current
	if c != nil && c.id == id {
		s.current = nil
		s.mu.Unlock()
		return c
	}
	s.mu.Unlock()
	s.refuse(w, http.StatusBadRequest, "InvalidRequestID", "it answered request %s, which is not under way", id)
	return nil
}

func (s *Server) initFailure(w http.ResponseWriter, r *http.Request) {
	reported, err := readError(r)
	if err != nil {
		s.refuse(w, http.StatusBadRequest, "Runtime.InvalidError", "the error of its start is none: %v", err)
		return
	}
	s.mu.Lock()
	s.initError = reported
	s.mu.Unlock()
	accept(w)
}

func (s *Server) register(w http.ResponseWriter, r *http.Request) {
	name := r.Header.Get("Lambda-Extension-Name")
	if name == "" {
		s.refuse(w, http.StatusBadRequest, "Extension.InvalidExtensionName", "it registered an extension without a name")
		return
	}
	s.mu.Lock()
	s.extensions = append(s.extensions, name)
	s.mu.Unlock()
	w.Header().Set("Lambda-Extension-Identifier", newID())
	w.Header().Set("Content-Type", "application/json")
	_, _ = io.WriteString(w, `{"functionName":"function","functionVersion":"$LATEST","handler":"bootstrap"}`)
}

// nextEvent never comes: the extensions that a function registers by itself ask for no events.
func (s *Server) nextEvent(_ http.ResponseWriter, r *http.Request) {
	select {
	case <-r.Context().Done():
	case <-s.ended:
	}
}

// readError reads an error as a function reports it.
func readError(r *http.Request) (*Error, error) {
	reported := new(Error)
	if err := json.NewDecoder(io.LimitReader(r.Body, MaxAnswer)).Decode(reported); err != nil {
		return nil, err
	}
	if reported.Type == "" {
		return nil, errors.New("it has no errorType")
	}
	return reported, nil
}

// refuse answers a request that breaks the protocol, and remembers it.
func (s *Server) refuse(w http.ResponseWriter, status int, kind, format string, args ...any) {
	message := fmt.Sprintf(format, args...)
	s.mu.Lock()
	s.violations = append(s.violations, message)
	s.mu.Unlock()
	reply(w, status, kind, message)
}

func accept(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusAccepted)
	_, _ = io.WriteString(w, `{"status":"OK"}`)
}

func reply(w http.ResponseWriter, status int, kind, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(Error{Type: kind, Message: message}) // texts always marshal
}

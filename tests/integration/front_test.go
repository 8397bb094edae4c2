package integration_test

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"path"
	"strings"
	"sync"
	"testing"
	"time"

	"trade-processing/local/endpoint"
)

// request is one call of an AWS API.
type request struct {
	Operation string // such as PutItem; in REST, which doesn't name it, Invoke or one like lambda:GET:versions, after the path's end
	Path      string
	Body      string
}

// fault is what goes wrong with a call. The zero fault means nothing does.
type fault struct {
	Status int
	Code   string // AWS's name of the error

	// Applied lets the call take effect even though its answer is this error, as if the answer was lost.
	Applied bool

	// Broken ends the connection without an answer.
	Broken bool

	// Slow is how long the answer takes.
	Slow time.Duration

	// Answer replaces the error: an answer with status 200 that doesn't mean success.
	Answer string
}

// failedByTheTest is the message of every such error.
const failedByTheTest = "failed by the test"

// front stands in front of an emulator: it sees every call, and can make it fail.
type front struct {
	Endpoint string
	Port     int

	server *http.Server
	to     *httputil.ReverseProxy // nil while there is nothing behind it

	mu    sync.Mutex
	seen  []request
	fail  func(request) fault
	serve map[string]http.HandlerFunc // by operation: what the front answers itself
}

// newFront listens. before sets what it stands in front of, once that runs.
func newFront(t testing.TB) *front {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	f := &front{Endpoint: "http://" + listener.Addr().String(), Port: listener.Addr().(*net.TCPAddr).Port, serve: map[string]http.HandlerFunc{}}
	f.server = &http.Server{Handler: f}
	go f.server.Serve(listener) //nolint:errcheck // returns when Close stops it
	t.Cleanup(func() { _ = f.server.Close() })
	return f
}

// before puts the front before an emulator.
func (f *front) before(t testing.TB, endpoint string) *front {
	t.Helper()
	behind, err := url.Parse(endpoint)
	if err != nil {
		t.Fatal(err)
	}
	f.to = &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(behind) }}
	return f
}

// failing makes calls fail from now on.
func (f *front) failing(fail func(request) fault) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.fail = fail
}

// since returns the operations of the calls after the first n.
func (f *front) since(n int) []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	var operations []string
	for _, r := range f.seen[n:] {
		operations = append(operations, r.Operation)
	}
	return operations
}

// calls returns the calls of an operation so far.
func (f *front) calls(operation string) []request {
	f.mu.Lock()
	defer f.mu.Unlock()
	var found []request
	for _, r := range f.seen {
		if r.Operation == operation {
			found = append(found, r)
		}
	}
	return found
}

func (f *front) note(r request) (fault, http.HandlerFunc) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.seen = append(f.seen, r)
	var wrong fault
	if f.fail != nil {
		wrong = f.fail(r)
	}
	return wrong, f.serve[r.Operation]
}

func (f *front) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	_, operation, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	if strings.HasSuffix(r.URL.Path, "/invocations") {
		operation = "Invoke"
	}
	if call, _, err := endpoint.Read(r); err == nil && operation == "" {
		operation = call.Operation
		if call.Protocol == "REST" {
			operation = call.Service + ":" + r.Method + ":" + path.Base(r.URL.Path)
		}
	}
	wrong, handle := f.note(request{Operation: operation, Path: r.URL.Path, Body: string(body)})
	if handle == nil {
		handle = f.to.ServeHTTP
	}
	switch {
	case wrong == fault{}:
		handle(w, r)
		return
	case wrong.Applied:
		handle(discarded{http.Header{}}, r)
	}
	time.Sleep(wrong.Slow)
	if wrong.Broken {
		panic(http.ErrAbortHandler) // closes the connection
	}
	if wrong.Status == 0 && wrong.Answer == "" {
		handle(w, r) // it was only slow
		return
	}
	w.Header().Set("Content-Type", "application/x-amz-json-1.0")
	if wrong.Answer != "" {
		fmt.Fprint(w, wrong.Answer)
		return
	}
	w.Header().Set("X-Amzn-ErrorType", wrong.Code)
	w.Header().Set("X-Amzn-RequestId", "failed-by-the-test")
	w.WriteHeader(wrong.Status)
	fmt.Fprintf(w, `{"__type": %q, "message": %q}`, wrong.Code, failedByTheTest)
}

// discarded is an answer that gets lost on the way.
type discarded struct{ header http.Header }

func (d discarded) Header() http.Header         { return d.header }
func (d discarded) Write(b []byte) (int, error) { return len(b), nil }
func (d discarded) WriteHeader(int)             {}

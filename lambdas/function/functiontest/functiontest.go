// Package functiontest runs a function's bootstrap program as Lambda does: as a process of its own that fetches its
// invocations from the Lambda runtime API.
//
// The program is the test's own binary, run again, so nothing is built. A bootstrap's test begins with
//
//	func TestMain(m *testing.M) { functiontest.Main(m, main) }
package functiontest

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// asFunction is the environment variable that makes the test's binary the function.
const asFunction = "FUNCTIONTEST_AS_FUNCTION"

// timeout bounds a function's whole run.
const timeout = 30 * time.Second

// Main runs the tests or, in the process that Run starts, the function's main.
func Main(m *testing.M, main func()) {
	if os.Getenv(asFunction) != "" {
		main()
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// Answer is what a function reported of one invocation.
type Answer struct {
	// Failed tells that it reported an error.
	Failed bool

	// Body is the answer, or the error with its errorType and errorMessage.
	Body string
}

// Run starts the function with these environment variables and no others, hands it the payloads one after another, and
// stops it. It returns the answers and what the function put out.
func Run(t *testing.T, variables map[string]string, payloads ...string) (answers []Answer, output string) {
	t.Helper()
	api := &runtimeAPI{payloads: payloads, answers: make(chan Answer, len(payloads))}
	server := httptest.NewServer(api)
	defer server.Close()
	ctx, stop := context.WithTimeout(t.Context(), timeout)
	defer stop()
	function, put := command(ctx, variables)
	function.Env = append(function.Env, "AWS_LAMBDA_RUNTIME_API="+strings.TrimPrefix(server.URL, "http://"))
	if err := function.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- function.Wait() }()
	for range payloads {
		select {
		case a := <-api.answers:
			answers = append(answers, a)
		case err := <-ended:
			t.Fatalf("the function ended after %d of %d answers: %v\n%s", len(answers), len(payloads), err, put)
		}
	}
	stop()
	t.Logf("the function was stopped: %v", <-ended)
	return answers, put.String()
}

// Start starts the function with these environment variables, expects that it can't start, and returns its exit code and
// what it put out.
func Start(t *testing.T, variables map[string]string) (code int, output string) {
	t.Helper()
	ctx, stop := context.WithTimeout(t.Context(), timeout)
	defer stop()
	function, put := command(ctx, variables)
	if err := function.Run(); err == nil {
		t.Fatalf("the function started and ended without an error\n%s", put)
	}
	return function.ProcessState.ExitCode(), put.String()
}

func command(ctx context.Context, variables map[string]string) (*exec.Cmd, *bytes.Buffer) {
	function := exec.CommandContext(ctx, os.Args[0])
	function.Env = []string{asFunction + "=1"}
	for name, value := range variables {
		function.Env = append(function.Env, name+"="+value)
	}
	output := new(bytes.Buffer)
	function.Stdout, function.Stderr = output, output
	return function, output
}

// runtimeAPI serves the part of the Lambda runtime API that a function uses
// (https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html).
type runtimeAPI struct {
	payloads []string
	next     int // only one request at a time asks for the next invocation
	answers  chan Answer
}

func (api *runtimeAPI) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case strings.HasSuffix(r.URL.Path, "/invocation/next"):
		if api.next == len(api.payloads) {
			<-r.Context().Done() // an idle function waits here, as long as it lives
			return
		}
		w.Header().Set("Lambda-Runtime-Aws-Request-Id", fmt.Sprint("request-", api.next))
		w.Header().Set("Lambda-Runtime-Deadline-Ms", fmt.Sprint(time.Now().Add(timeout).UnixMilli()))
		w.Header().Set("Lambda-Runtime-Trace-Id", "Root=1-2-3")
		_, _ = io.WriteString(w, api.payloads[api.next])
		api.next++
	case strings.HasSuffix(r.URL.Path, "/response"), strings.HasSuffix(r.URL.Path, "/error"):
		body, _ := io.ReadAll(r.Body)
		w.WriteHeader(http.StatusAccepted)
		api.answers <- Answer{Failed: strings.HasSuffix(r.URL.Path, "/error"), Body: string(body)}
	default:
		http.NotFound(w, r)
	}
}

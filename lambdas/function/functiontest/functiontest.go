// Package functiontest runs a function's program as Lambda does, for tests: as a process that talks to a server of the
// Lambda Runtime API. None of it is in a container image.
//
// A bootstrap program's test needs no program but its own binary, run again, if it begins with
//
//	func TestMain(m *testing.M) { functiontest.Main(m, main) }
package functiontest

import (
	"encoding/json"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// asFunction is the environment variable that makes the test's binary the function.
const asFunction = "FUNCTIONTEST_AS_FUNCTION"

// timeout bounds each invocation, and the function's shutdown.
const timeout = 30 * time.Second

// Main runs the tests or, in the process that Run and FailToStart start, the function's main.
func Main(m *testing.M, main func()) {
	if os.Getenv(asFunction) != "" {
		main()
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// Run starts the function with these environment variables and no others, sends it the payloads one after another, and
// stops it. It returns the answers and the function's output.
func Run(t *testing.T, variables map[string]string, payloads ...string) (answers []Answer, output string) {
	t.Helper()
	function := start(t, variables)
	for _, payload := range payloads {
		answer, err := function.Invoke(t.Context(), Invocation{Payload: []byte(payload), Timeout: timeout, TraceHeader: "Root=1-2-3"})
		if err != nil {
			t.Fatalf("%v\n%s", err, function.Output())
		}
		answers = append(answers, answer)
	}
	if err := function.Stop(timeout); err != nil {
		t.Error(err)
	}
	if broken := function.Violations(); len(broken) > 0 {
		t.Errorf("the function broke the protocol: %q", broken)
	}
	return answers, function.Output()
}

// FailToStart starts the function with these environment variables, expects it to fail and tell Lambda why, and returns
// its exit code and output.
func FailToStart(t *testing.T, variables map[string]string) (code int, output string) {
	t.Helper()
	function := start(t, variables)
	select {
	case <-function.Ended():
	case <-function.Ready():
		t.Fatalf("the function started\n%s", function.Output())
	case <-time.After(timeout):
		t.Fatalf("the function neither started nor ended\n%s", function.Output())
	}
	reported := function.InitError()
	if reported == nil {
		t.Fatalf("the function didn't tell Lambda why it can't start\n%s", function.Output())
	}
	if text, err := json.Marshal(reported.Message); err != nil || !strings.Contains(function.Output(), string(text)) {
		t.Errorf("it told Lambda %v, and wrote %s", reported, function.Output())
	}
	return function.State().ExitCode(), function.Output()
}

func start(t *testing.T, variables map[string]string) *Process {
	t.Helper()
	command := exec.Command(os.Args[0])
	command.Env = []string{asFunction + "=1"}
	for name, value := range variables {
		command.Env = append(command.Env, name+"="+value)
	}
	function, err := Start(command)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = function.Stop(0) })
	return function
}

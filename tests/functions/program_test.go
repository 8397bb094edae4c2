package functions_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"trade-processing/internal/images"
	"trade-processing/lambdas/function/functiontest"
)

// grace is what Lambda gives a function between SIGTERM and SIGKILL if there is an extension such as Lambda Insights
// (https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html#runtimes-lifecycle-shutdown).
const grace = 2 * time.Second

// programs builds the functions' programs into folder, once.
var programs = sync.OnceValue(func() error {
	for _, function := range Functions() {
		if err := images.BuildProgram(context.Background(), root, function, runtime.GOARCH, filepath.Join(folder, function)); err != nil {
			return err
		}
	}
	return nil
})

// program is a function's running program.
type program struct{ *functiontest.Process }

func (p program) Invoke(t *testing.T, invocation functiontest.Invocation) (functiontest.Answer, error) {
	return p.Process.Invoke(t.Context(), invocation)
}

// start starts a function's program with these variables and no others.
func start(t testing.TB, function string, variables map[string]string) *functiontest.Process {
	t.Helper()
	if os.Getenv("CONTRACT") == "" {
		t.Skip("CONTRACT is not set: `make test-contract` builds the functions' programs and runs them")
	}
	if err := programs(); err != nil {
		t.Fatal(err)
	}
	command := exec.Command(filepath.Join(folder, function))
	// The image brings the time zones along.
	command.Env = []string{"ZONEINFO=" + filepath.Join(runtime.GOROOT(), "lib", "time", "zoneinfo.zip")} //nolint:staticcheck // the toolchain that built the program
	return startCommand(t, command, variables)
}

// startCommand starts a command with these variables, too.
func startCommand(t testing.TB, command *exec.Cmd, variables map[string]string) *functiontest.Process {
	t.Helper()
	for name, value := range variables {
		command.Env = append(command.Env, name+"="+value)
	}
	process, err := functiontest.Start(command)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := process.Stop(grace); err != nil {
			t.Error(err)
		}
		if broken := process.Violations(); len(broken) > 0 {
			t.Errorf("it broke the protocol: %q", broken)
		}
		if t.Failed() {
			t.Logf("the program wrote:\n%s", process.Output())
		}
	})
	return process
}

func TestAsPrograms(t *testing.T) {
	check(t, func(t *testing.T, account *Account, function string) Instance {
		return program{start(t, function, account.ProcessVariables(function))}
	})
}

// What a cold start costs besides Lambda's own part. It is a figure, not a limit, because a busy machine proves
// nothing.
func TestStartsAreMeasured(t *testing.T) {
	const starts = 15
	account := open(t)
	for _, function := range Functions() {
		var took []time.Duration
		for range starts {
			process := start(t, function, account.ProcessVariables(function))
			select {
			case <-process.Ready():
			case <-process.Ended():
				t.Fatalf("the %s ended at its start: %s", function, process.State())
			}
			took = append(took, process.ReadyAfter())
			if err := process.Stop(grace); err != nil {
				t.Error(err)
			}
		}
		slices.Sort(took)
		fmt.Printf("start of the %s to its first request for an invocation: median %.1f ms, %.1f to %.1f ms (%d starts)\n", function,
			milliseconds(took[starts/2]), milliseconds(took[0]), milliseconds(took[starts-1]), starts)
	}
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// A warm function lives for hours. Anything it kept from each invocation would kill it.
func TestAThousandInvocationsTakeNoMoreMemoryThanAFewHundred(t *testing.T) {
	// After some warm invocations the heap has its size. From then on it may only fluctuate: 700 more invocations that
	// each kept their 64 KB payload would take 44 MiB.
	const warm, all, slack = 300, 1000, 8 << 20
	account := open(t)
	for _, function := range Functions() {
		t.Run(function, func(t *testing.T) {
			process := start(t, function, account.ProcessVariables(function))
			var before int
			for i := range all {
				if i == warm {
					before = memory(t, process)
				}
				answer, err := process.Invoke(t.Context(), functiontest.Invocation{Payload: Sample(function, i), Timeout: time.Minute})
				if err != nil {
					t.Fatal(err)
				}
				if answer.Error != nil {
					t.Fatalf("invocation %d: %v", i, answer.Error)
				}
			}
			after := memory(t, process)
			fmt.Printf("memory of the %s: %.1f MiB after %d invocations, %.1f MiB after %d\n", function, mebibytes(before), warm, mebibytes(after), all)
			if after > before+slack {
				t.Errorf("memory grew from %d to %d bytes", before, after)
			}
		})
	}
}

func mebibytes(bytes int) float64 { return float64(bytes) / (1 << 20) }

// memory returns how many bytes of a process are in memory.
func memory(t testing.TB, process *functiontest.Process) int {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", process.PID()))
	if err != nil {
		t.Skipf("there is no /proc here: %v", err)
	}
	_, rest, _ := strings.Cut(string(text), "VmRSS:")
	kilobytes, err := strconv.Atoi(strings.Fields(rest)[0])
	if err != nil {
		t.Fatal(err)
	}
	return kilobytes << 10
}

func TestSIGTERMEndsAFunctionThatWaits(t *testing.T) {
	account := open(t)
	for _, function := range Functions() {
		t.Run(function, func(t *testing.T) {
			process := start(t, function, account.ProcessVariables(function))
			answer, err := process.Invoke(t.Context(), functiontest.Invocation{Payload: Sample(function, 1), Timeout: time.Minute})
			if err != nil || answer.Error != nil {
				t.Fatal(err, answer.Error)
			}
			if err := process.Stop(grace); err != nil {
				t.Fatal(err)
			}
			if status, ok := process.State().Sys().(syscall.WaitStatus); !ok || status.Signal() != syscall.SIGTERM {
				t.Errorf("it ended with %s", process.State())
			}
			want := 0
			if function == "recorder" { // whose line is the trade's
				want = 1
			}
			if lines := strings.Count(process.Output(), "\n"); lines != want {
				t.Errorf("it wrote %d lines, want %d:\n%s", lines, want, process.Output())
			}
		})
	}
}

func TestAFunctionThatCannotStartNamesTheVariable(t *testing.T) {
	account := open(t)
	for _, tc := range []struct {
		function, variable, value string
	}{
		{Validator, "ENVIRONMENT", ""},
		{Validator, "PARAMETER_PREFIX", ""},
		{Validator, "SOURCES", ""},
		{Validator, "SOURCES", "system1,,system2"},
		{Validator, "SOURCES", "trading.system1"},
		{Validator, "ALLOWED_CURRENCIES", "usd"},
		{Validator, "MAX_CLOCK_SKEW", "soon"},
		{Validator, "LOG_LEVEL", "LOUD"},
		{Enricher, "ENVIRONMENT", ""},
		{Enricher, "PARAMETER_PREFIX", ""},
		{Enricher, "LOG_LEVEL", "LOUD"},
		{Recorder, "ENVIRONMENT", ""},
		{Recorder, "TABLE_NAME", ""},
		{Recorder, "RETENTION_YEARS", "forever"},
		{Recorder, "LOG_LEVEL", "LOUD"},
	} {
		t.Run(fmt.Sprintf("%s with %s=%q", tc.function, tc.variable, tc.value), func(t *testing.T) {
			variables := account.ProcessVariables(tc.function)
			variables[tc.variable] = tc.value
			process := start(t, tc.function, variables)
			select {
			case <-process.Ended():
			case <-process.Ready():
				t.Fatal("it started")
			}
			if code := process.State().ExitCode(); code != 1 {
				t.Errorf("it ended with %s", process.State())
			}
			reported := process.InitError()
			if reported == nil || reported.Type != "InvalidEnvironment" || !strings.Contains(reported.Message, tc.variable+": ") {
				t.Fatalf("it reported %v", reported)
			}
			var line struct{ Level, Error string }
			if err := json.Unmarshal([]byte(process.Output()), &line); err != nil || line.Level != "ERROR" || line.Error != reported.Message {
				t.Errorf("it wrote %s (%v)", process.Output(), err)
			}
		})
	}
}

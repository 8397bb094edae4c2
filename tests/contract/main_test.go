// Package contract_test runs the functions' real programs, built with the command of their image's recipe, behind a
// server of the Lambda Runtime API, and their handlers within the local cloud: both must keep what the functions
// promise.
package contract_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"trade-processing/internal/images"
	"trade-processing/lambdas/function/functiontest"
	"trade-processing/tests/contract"
)

// root is the project's folder.
const root = "../.."

// grace is what Lambda leaves a function between SIGTERM and SIGKILL where an extension such as Lambda Insights is
// there (https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html#runtimes-lifecycle-shutdown).
const grace = 2 * time.Second

// required is the environment variable that says to build and run the programs, which takes a while.
const required = "CONTRACT"

// programs is the folder of the functions' programs, by function. It is empty where they are not required.
var programs string

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	if os.Getenv(required) == "" {
		return m.Run()
	}
	folder, err := os.MkdirTemp("", "contract")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(folder) //nolint:errcheck // a folder of temporary files
	programs = folder
	for _, function := range contract.Functions() {
		if err := images.BuildProgram(context.Background(), root, function, runtime.GOARCH, filepath.Join(folder, function)); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
	}
	return m.Run()
}

// program is a function's program that runs.
type program struct{ *functiontest.Process }

func (p program) Invoke(t *testing.T, invocation functiontest.Invocation) (functiontest.Answer, error) {
	return p.Process.Invoke(t.Context(), invocation)
}

// start starts a function's program with variables and no others.
func start(t testing.TB, function string, variables map[string]string) *functiontest.Process {
	t.Helper()
	if programs == "" {
		t.Skip(required + " is not set: `make test-contract` builds the functions' programs and runs them")
	}
	command := exec.Command(filepath.Join(programs, function))
	// The image brings the time zones along.
	command.Env = []string{"ZONEINFO=" + filepath.Join(runtime.GOROOT(), "lib", "time", "zoneinfo.zip")} //nolint:staticcheck // the toolchain that built the program
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

func open(t testing.TB) *contract.Account {
	t.Helper()
	account, err := contract.Open(root)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(account.Close)
	return account
}

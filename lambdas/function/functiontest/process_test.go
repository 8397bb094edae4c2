package functiontest_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/lambda"

	"trade-processing/lambdas/function/functiontest"
)

// role is the environment variable that makes the test's own binary a program to serve.
const role = "FUNCTIONTEST_ROLE"

func TestMain(m *testing.M) {
	switch os.Getenv(role) {
	case "":
		os.Exit(m.Run())
	case "echo":
		fmt.Println("starting")
		lambda.Start(func(_ context.Context, text string) (string, error) { return "said " + text, nil })
	case "deaf":
		signal.Ignore(syscall.SIGTERM)
		lambda.Start(func(context.Context) error { return nil })
	case "short":
		lambda.Start(func(context.Context) error { os.Exit(3); return nil })
	}
}

func start(t *testing.T, as string) *functiontest.Process {
	t.Helper()
	command := exec.Command(os.Args[0])
	command.Env = []string{role + "=" + as}
	p, err := functiontest.Start(command)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Stop(0) })
	return p
}

func ready(t *testing.T, p *functiontest.Process) {
	t.Helper()
	select {
	case <-p.Ready():
	case <-p.Ended():
		t.Fatalf("it ended at its start: %s\n%s", p.State(), p.Output())
	}
}

func TestAProgramIsServedUntilItIsStopped(t *testing.T) {
	p := start(t, "echo")
	for _, text := range []string{"one", "two"} {
		answer, err := p.Invoke(t.Context(), functiontest.Invocation{Payload: []byte(`"` + text + `"`), Timeout: time.Minute})
		if err != nil || string(answer.Payload) != `"said `+text+`"` {
			t.Errorf("got %s, %v, %v", answer.Payload, answer.Error, err)
		}
	}
	if p.ReadyAfter() <= 0 || p.State() != nil || p.PID() == os.Getpid() {
		t.Errorf("ready after %v, state %v, process %d", p.ReadyAfter(), p.State(), p.PID())
	}
	if err := p.Stop(10 * time.Second); err != nil {
		t.Error(err)
	}
	if status, ok := p.State().Sys().(syscall.WaitStatus); !ok || status.Signal() != syscall.SIGTERM {
		t.Errorf("it ended with %v", p.State())
	}
	if !strings.Contains(p.Output(), "starting\n") {
		t.Errorf("output %q", p.Output())
	}
	if broken := p.Violations(); len(broken) > 0 {
		t.Errorf("violations %q", broken)
	}
}

func TestAProgramThatDoesNotEndInTimeIsKilled(t *testing.T) {
	p := start(t, "deaf")
	ready(t, p)
	if err := p.Stop(50 * time.Millisecond); !errors.Is(err, functiontest.ErrKilled) {
		t.Errorf("got %v", err)
	}
}

func TestAProgramThatEndsDuringAnInvocationFailsIt(t *testing.T) {
	p := start(t, "short")
	_, err := p.Invoke(t.Context(), functiontest.Invocation{Timeout: time.Minute})
	if !errors.Is(err, functiontest.ErrEnded) || !strings.Contains(err.Error(), "exit status 3") {
		t.Errorf("got %v", err)
	}
	if err := p.Stop(0); err != nil {
		t.Errorf("stopping what has ended: %v", err)
	}
}

func TestAProgramThatIsNotThere(t *testing.T) {
	if _, err := functiontest.Start(exec.Command("/nowhere/bootstrap")); err == nil || !strings.Contains(err.Error(), "starting /nowhere/bootstrap") {
		t.Errorf("got %v", err)
	}
}

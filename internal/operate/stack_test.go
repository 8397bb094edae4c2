package operate_test

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/adrg/xdg"
	"github.com/aws/smithy-go/logging"

	"trade-processing/internal/operate"
)

const outputs = `{"environment": "local", "region": "us-east-1", "eventBusName": "bus", "tradeTableName": "trades",
	"tradeTableArn": "arn:aws:dynamodb:us-east-1:000000000000:table/trades", "stateMachineArn": "machine",
	"functionNames": {"recorder": "recorder"}, "deadLetterQueueUrls": {"validator": "queue"}, "deliveryDeadLetterQueueUrls": {"system1": "queue"}}`

// project returns a folder with a project, whose state is kept in another.
func project(t *testing.T) string {
	t.Helper()
	t.Setenv("XDG_STATE_HOME", t.TempDir())
	xdg.Reload()
	t.Cleanup(xdg.Reload)
	root := t.TempDir()
	if err := os.WriteFile(filepath.Join(root, "Pulumi.yaml"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	return root
}

const nowhere = "http://127.0.0.1:1"

// serveLocal does what a local cloud does while it runs, and ends when the returned function is called.
func serveLocal(t *testing.T, root, address string) (kill func()) {
	t.Helper()
	if err := operate.SaveLocal(root, operate.Local{Endpoint: address, PID: 1, Outputs: []byte(outputs)}); err != nil {
		t.Fatal(err)
	}
	lock := operate.LocalLock(root)
	if mine, err := lock.TryLock(); err != nil || !mine {
		t.Fatal(mine, err)
	}
	kill = func() { _ = lock.Close() }
	t.Cleanup(kill)
	return kill
}

// Another project's cloud may serve where one was killed.
func TestALocalCloudThatWasKilledIsNotUp(t *testing.T) {
	root := project(t)
	kill := serveLocal(t, root, nowhere)
	local := operate.Where{Local: true, Project: root}
	if _, err := operate.Open(t.Context(), nil, local); err != nil {
		t.Fatal(err)
	}
	kill()
	if _, err := operate.Open(t.Context(), nil, local); err == nil || !strings.Contains(err.Error(), "no local cloud is up") {
		t.Errorf("got %v", err)
	}
}

// A signal to process 0 or -1 would reach many.
func TestALocalCloudHasAProcess(t *testing.T) {
	root := project(t)
	for _, pid := range []int{0, -1} {
		if err := operate.SaveLocal(root, operate.Local{Endpoint: nowhere, PID: pid, Outputs: []byte(outputs)}); err != nil {
			t.Fatal(err)
		}
		if _, err := operate.ReadLocal(root); err == nil || !strings.Contains(err.Error(), "is not a process") {
			t.Errorf("process %d: %v", pid, err)
		}
	}
}

// What is meant for the local cloud never reaches AWS, whatever the user's environment says.
func TestTheLocalStackIgnoresTheUsersAWSConfiguration(t *testing.T) {
	t.Setenv("AWS_PROFILE", "none-of-that-name")
	t.Setenv("AWS_ENDPOINT_URL_DYNAMODB", "https://dynamodb.us-east-1.amazonaws.com")
	root := project(t)
	serveLocal(t, root, nowhere)
	stack, err := operate.Open(t.Context(), nil, operate.Where{Local: true, Project: root})
	if err != nil {
		t.Fatal(err)
	}
	if *stack.Config.BaseEndpoint != nowhere || stack.Config.Region != "us-east-1" || stack.Outputs.TradeTableName != "trades" {
		t.Errorf("found %+v", stack)
	}
}

// Nobody waits forever for a service that takes a connection and never answers.
func TestAnAnswerIsAwaitedForALimitedTime(t *testing.T) {
	root := project(t)
	serveLocal(t, root, nowhere)
	for name, where := range map[string]operate.Where{"a local stack": {Local: true, Project: root}, "a stack on AWS": {File: "-"}} {
		stack, err := operate.Open(t.Context(), strings.NewReader(outputs), where)
		if err != nil {
			t.Fatal(err)
		}
		client, is := stack.Config.HTTPClient.(interface{ GetTransport() *http.Transport })
		if !is || client.GetTransport().ResponseHeaderTimeout == 0 {
			t.Errorf("the calls of %s have no limit", name)
		}
		if stack.Config.Logger != (logging.Nop{}) {
			t.Errorf("the SDK writes to standard error for %s", name)
		}
	}
}

func TestAStackThatCannotBeFound(t *testing.T) {
	root := project(t)
	for name, test := range map[string]struct {
		where operate.Where
		in    string
		want  string
	}{
		"no local cloud":   {operate.Where{Local: true, Project: root}, "", "no local cloud is up; start one with `tradectl local up`"},
		"no outputs":       {operate.Where{File: "-"}, "{}", "the stack's outputs lack deadLetterQueueUrls.validator, deliveryDeadLetterQueueUrls, environment"},
		"no JSON":          {operate.Where{File: "-"}, "environment: dev", "`pulumi stack output --json` prints the right format"},
		"no end":           {operate.Where{File: "/dev/zero"}, "", "reading the stack's outputs from /dev/zero: it has more than 16777216 bytes"},
		"no such file":     {operate.Where{File: filepath.Join(root, "none")}, "", "reading the stack's outputs: open "},
		"no project there": {operate.Where{Stack: "dev", Project: t.TempDir()}, "", "use --project to name the folder that does"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := operate.Open(t.Context(), strings.NewReader(test.in), test.where); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %s", err, test.want)
			}
		})
	}
}

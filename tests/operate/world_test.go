// Package operate_test operates deployments of the real program, on the embedded local cloud behind AWS's wire protocols,
// with the commands that operators type.
package operate_test

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/spf13/cobra"

	"trade-processing/cmd/tradectl/commands"
	"trade-processing/internal/exitcode"
	"trade-processing/internal/terminal"
	"trade-processing/local/clock"
	"trade-processing/local/cloud"
	"trade-processing/tests/deployed"
)

const root = "../.."

// asTradectl makes this test's program tradectl, so that it can be killed.
const asTradectl = "TEST_OPERATE_TRADECTL"

func TestMain(m *testing.M) {
	if os.Getenv(asTradectl) == "" {
		os.Exit(m.Run())
	}
	ctx := context.Background()
	code, _ := exitcode.Of(newCommand(terminal.System(ctx), os.Args[1:]).ExecuteContext(ctx))
	os.Exit(int(code))
}

func newCommand(t *terminal.Terminal, args []string) *cobra.Command {
	command := &cobra.Command{Use: "tradectl", SilenceUsage: true, SilenceErrors: true}
	commands.Add(command, t)
	command.SetArgs(args)
	return command
}

// world is a deployed stack.
type world struct {
	*deployed.Served
	t     *testing.T
	clock shifted
}

// shifted is a clock that a test puts forward.
type shifted struct {
	clock.Clock
	by atomic.Int64 // nanoseconds
}

func (s *shifted) Now() time.Time { return s.Clock.Now().Add(time.Duration(s.by.Load())) }

// newWorld deploys a stack and serves it.
func newWorld(t *testing.T, name string, settings map[string]string) *world {
	t.Helper()
	w := &world{t: t}
	w.clock.Clock = clock.Real()
	w.Served = deployed.Serve(t, cloud.Options{Clock: &w.clock, Executions: 1000, Archive: true}, root, name, settings)
	w.Setenv()
	return w
}

// tradectl runs a command on the world's stack, in this process.
func (w *world) tradectl(in string, args ...string) (out, said string, code exitcode.Code, err error) {
	w.t.Helper()
	var printed, told bytes.Buffer
	command := newCommand(&terminal.Terminal{
		In: strings.NewReader(in), Out: &printed, Err: &told, Columns: 80, Getenv: func(string) string { return "" },
	}, append(args, "--outputs", w.Outputs))
	err = command.ExecuteContext(w.t.Context())
	code, _ = exitcode.Of(err)
	return printed.String(), told.String(), code, err
}

// process returns a command on the world's stack that runs in a process of its own.
func (w *world) process(args ...string) *exec.Cmd {
	command := exec.CommandContext(w.t.Context(), os.Args[0], append(args, "--outputs", w.Outputs)...)
	command.Env = append(os.Environ(), asTradectl+"=1")
	command.Stderr = w.t.Output()
	return command
}

// items returns the table's items.
func (w *world) items() []map[string]types.AttributeValue {
	w.t.Helper()
	table, err := w.Cloud.Table(w.Stack.Outputs.Region, w.Stack.Outputs.TradeTableName)
	if err != nil {
		w.t.Fatal(err)
	}
	var items []map[string]types.AttributeValue
	for item := range table.Items() {
		items = append(items, item)
	}
	return items
}

// write writes a file of a test.
func write(t *testing.T, name string, lines ...string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(strings.Join(lines, "\n")+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

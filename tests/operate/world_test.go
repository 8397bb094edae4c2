// Package operate_test operates deployments of the real program, on the embedded local cloud behind AWS's wire protocols,
// with the commands that operators type.
package operate_test

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/spf13/cobra"

	"trade-processing/cmd/tradectl/commands"
	"trade-processing/internal/exitcode"
	"trade-processing/internal/localrun"
	"trade-processing/internal/operate"
	"trade-processing/internal/terminal"
	"trade-processing/local/clock"
	"trade-processing/local/cloud"
	"trade-processing/local/endpoint"
	"trade-processing/local/queue"
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

// world is a deployed stack behind an endpoint.
type world struct {
	t       *testing.T
	cloud   *cloud.Cloud
	server  *httptest.Server
	stack   *operate.Stack
	outputs string // a file with the stack's outputs
	clock   shifted

	// tamper may answer a call itself, and then returns true. Nil: nothing is tampered with.
	tamper func(w http.ResponseWriter, r *http.Request, call endpoint.Call, body []byte) bool
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
	logs := &endpoint.Logs{}
	w := &world{t: t, outputs: filepath.Join(t.TempDir(), "outputs.json")}
	w.clock.Clock = clock.Real()
	w.cloud = cloud.New(cloud.Options{Images: localrun.Images(), Logs: logs, Clock: &w.clock, Executions: 1000, Archive: true})
	t.Cleanup(func() { _ = w.cloud.Close() })
	exported, err := deployed.On(t.Context(), w.cloud, root, name, settings)
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(exported)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(w.outputs, text, 0o600); err != nil {
		t.Fatal(err)
	}
	served := endpoint.New(w.cloud, logs)
	w.server = httptest.NewServer(http.HandlerFunc(func(response http.ResponseWriter, r *http.Request) {
		if w.tamper != nil {
			call, body, err := endpoint.Read(r)
			if err == nil && w.tamper(response, r, call, body) {
				return
			}
		}
		served.ServeHTTP(response, r)
	}))
	t.Cleanup(w.server.Close)
	outputs, err := operate.ReadOutputs(text)
	if err != nil {
		t.Fatal(err)
	}
	w.stack = &operate.Stack{Outputs: outputs, Config: aws.Config{
		Region: outputs.Region, BaseEndpoint: &w.server.URL, Credentials: credentials.NewStaticCredentialsProvider("test", "test", ""),
	}}
	for name, value := range map[string]string{
		"AWS_ENDPOINT_URL": w.server.URL, "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test",
		"AWS_CONFIG_FILE": os.DevNull, "AWS_SHARED_CREDENTIALS_FILE": os.DevNull,
	} {
		t.Setenv(name, value)
	}
	return w
}

// tradectl runs a command on the world's stack, in this process.
func (w *world) tradectl(in string, args ...string) (out, said string, code exitcode.Code, err error) {
	w.t.Helper()
	var printed, told bytes.Buffer
	command := newCommand(&terminal.Terminal{
		In: strings.NewReader(in), Out: &printed, Err: &told, Columns: 80, Getenv: func(string) string { return "" },
	}, append(args, "--outputs", w.outputs))
	err = command.ExecuteContext(w.t.Context())
	code, _ = exitcode.Of(err)
	return printed.String(), told.String(), code, err
}

// process returns a command on the world's stack that runs in a process of its own.
func (w *world) process(args ...string) *exec.Cmd {
	command := exec.CommandContext(w.t.Context(), os.Args[0], append(args, "--outputs", w.outputs)...)
	command.Env = append(os.Environ(), asTradectl+"=1")
	command.Stderr = w.t.Output()
	return command
}

// items returns the table's items.
func (w *world) items() []map[string]types.AttributeValue {
	w.t.Helper()
	table, err := w.cloud.Table(w.stack.Outputs.Region, w.stack.Outputs.TradeTableName)
	if err != nil {
		w.t.Fatal(err)
	}
	var items []map[string]types.AttributeValue
	for item := range table.Items() {
		items = append(items, item)
	}
	return items
}

// queueOf finds a queue by its URL.
func (w *world) queueOf(url string) *queue.Queue {
	w.t.Helper()
	found, err := w.cloud.Queue(w.stack.Outputs.Region, url[strings.LastIndex(url, "/")+1:])
	if err != nil {
		w.t.Fatal(err)
	}
	return found
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

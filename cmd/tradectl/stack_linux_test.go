package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/aws/smithy-go/encoding/cbor"
	"github.com/jedib0t/go-pretty/v6/text"

	"trade-processing/internal/exitcode"
	"trade-processing/internal/terminal"
	"trade-processing/local/clock"
	"trade-processing/local/cloud"
	"trade-processing/local/endpoint"
	"trade-processing/tests/deployed"
)

// onAStack are the commands that work on a stack, by what one types, with the arguments with which they do.
func onAStack() map[string][]string {
	all := map[string][]string{}
	for typed, command := range everyCommand() {
		if command.Flags().Lookup("outputs") != nil {
			all[typed] = strings.Fields(strings.TrimPrefix(typed, "tradectl") + " " + alone[typed].with)
		}
	}
	return all
}

// served deploys a stack and serves it.
func served(t *testing.T, name string) *deployed.Served {
	return deployed.Serve(t, cloud.Options{Clock: clock.Real(), Executions: 1000}, project(t), name, nil)
}

// refusing answers every call with an error, in the protocol of its caller.
func refusing(t *testing.T, code string) string {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		call, _, err := endpoint.Read(r)
		if err != nil {
			return // the caller, of whose calls another has failed, is gone
		}
		// The words are AWS's: https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html
		message := "User: arn:aws:iam::111122223333:user/ann is not authorized to perform: " + call.Service + ":" + call.Operation
		switch {
		case strings.HasPrefix(r.URL.Path, "/service/"):
			w.Header().Set("Smithy-Protocol", "rpc-v2-cbor")
			w.WriteHeader(http.StatusBadRequest)
			w.Write(cbor.Encode(cbor.Map{"__type": cbor.String(code), "message": cbor.String(message)})) //nolint:errcheck // the caller is there
		case call.Service == "sts":
			w.WriteHeader(http.StatusForbidden)
			fmt.Fprintf(w, `<ErrorResponse><Error><Type>Sender</Type><Code>%s</Code><Message>%s</Message></Error></ErrorResponse>`, code, message)
		default:
			w.Header().Set("X-Amzn-ErrorType", code)
			w.WriteHeader(http.StatusBadRequest)
			fmt.Fprintf(w, `{"__type":%q,"message":%q}`, code, message)
		}
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// anEvent is an input for commands that read one.
const anEvent = `{"Source":"trading.system1","DetailType":"Trade Event","Detail":{"tradeId":"a"}}`

// inProcess runs a command as a terminal of so many columns shows it; 0: in a pipe.
func inProcess(t *testing.T, columns int, args ...string) (out, said string, code exitcode.Code) {
	t.Helper()
	var printed, told bytes.Buffer
	term := &terminal.Terminal{
		In: strings.NewReader(anEvent), Out: &printed, Err: &told, Columns: columns, OutIsTerminal: columns > 0, ErrIsTerminal: columns > 0,
		Getenv: func(name string) string { return map[string]string{"NO_COLOR": "1"}[name] },
	}
	code = execute(t.Context(), term, args)
	return printed.String(), told.String(), code
}

// Whatever is missing around a command, it says once what that is and what to do, with the documented exit code.
func TestEveryCommandSaysWhatIsMissing(t *testing.T) {
	outputs := served(t, "dev").Outputs
	folder := t.TempDir()
	t.Chdir(folder)
	for name, value := range map[string]string{
		"AWS_ENDPOINT_URL": "http://127.0.0.1:1", "AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "y", "AWS_SESSION_TOKEN": "", "AWS_PROFILE": "", "AWS_MAX_ATTEMPTS": "1",
		"AWS_CONFIG_FILE": os.DevNull, "AWS_SHARED_CREDENTIALS_FILE": os.DevNull, "AWS_EC2_METADATA_DISABLED": "true", "PATH": folder, "XDG_STATE_HOME": folder,
	} {
		t.Setenv(name, value)
	}
	for file, text := range map[string]string{"nothing.json": "{}", "text.json": "no", "bare/Pulumi.yaml": "name: bare\nruntime: go\n"} {
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	proxy := func(status int) string {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(status)
			io.WriteString(w, "<html>A proxy's page") //nolint:errcheck // the caller is there
		}))
		t.Cleanup(server.Close)
		return server.URL
	}
	type env = map[string]string
	for _, test := range []struct {
		name  string
		env   env
		stack string // flags
		code  exitcode.Code
		says  []string
	}{
		{"a file of outputs", nil, "--outputs none.json", exitcode.Usage, []string{"reading the stack's outputs: open none.json: no such file"}},
		{"outputs", nil, "--outputs nothing.json", exitcode.Usage, []string{"the stack's outputs lack ", "did its deployment finish?"}},
		{"JSON", nil, "--outputs text.json", exitcode.Usage, []string{"`pulumi stack output --json` prints the right format"}},
		{"a project", nil, "--stack dev", exitcode.Usage, []string{"there is no Pulumi.yaml here", "--project"}},
		{"pulumi", nil, "--stack dev --project bare", exitcode.Usage, []string{"there is no pulumi on PATH: install it, or pass the outputs with --outputs"}},
		{"a local cloud", nil, "--local --project bare", exitcode.Usage, []string{"no local cloud is up; start one with `tradectl local up`"}},
		{"credentials", env{"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}, "--outputs " + outputs, exitcode.Usage, []string{"no AWS credentials: get some with `aws sso login` or `aws configure`"}},
		{"the network", nil, "--outputs " + outputs, exitcode.Failure, []string{"dial tcp 127.0.0.1:1: ", "AWS can't be reached: is the network up, and is AWS_ENDPOINT_URL right"}},
		{"AWS but a proxy", env{"AWS_ENDPOINT_URL": proxy(http.StatusOK)}, "--outputs " + outputs, exitcode.Failure, []string{"the answer isn't AWS's: is AWS_ENDPOINT_URL right, if set?"}},
		{"AWS but a proxy that fails", env{"AWS_ENDPOINT_URL": proxy(http.StatusBadGateway)}, "--outputs " + outputs, exitcode.Failure, []string{"the answer isn't AWS's: is AWS_ENDPOINT_URL right, if set?"}},
		{"a permission", env{"AWS_ENDPOINT_URL": refusing(t, "AccessDeniedException")}, "--outputs " + outputs, exitcode.Failure,
			[]string{"is not authorized to perform: ", "The caller's role lacks this permission: docs/"}},
		{"the stack", env{"AWS_ENDPOINT_URL": refusing(t, "ResourceNotFoundException")}, "--outputs " + outputs, exitcode.Failure,
			[]string{"It isn't in account 000000000000, region us-east-1: are these the outputs of a stack that was destroyed"}},
		{"time", env{"AWS_ENDPOINT_URL": refusing(t, "ExpiredTokenException")}, "--outputs " + outputs, exitcode.Failure, []string{"The credentials have expired: renew them"}},
		{"the right key", env{"AWS_ENDPOINT_URL": refusing(t, "UnrecognizedClientException")}, "--outputs " + outputs, exitcode.Failure, []string{"AWS doesn't know these credentials: choose others with AWS_PROFILE"}},
	} {
		for typed, args := range onAStack() {
			code := test.code
			switch {
			case typed == "tradectl console" && code == exitcode.Failure:
				continue // it serves a page that says so
			case typed == "tradectl verify":
				code = exitcode.Usage // of its first step
			}
			t.Run("no "+test.name+", "+typed, func(t *testing.T) {
				for name, value := range test.env {
					t.Setenv(name, value)
				}
				out, said, got := inProcess(t, 0, append(args, strings.Fields(test.stack)...)...)
				if typed == "tradectl verify" {
					said += out
				}
				if got != code {
					t.Errorf("exit code %d, want %d:\n%s", got, code, said)
				}
				for _, says := range test.says {
					if n := strings.Count(said, says); n == 0 || n > 1 && strings.HasPrefix(says, "dial ") {
						t.Errorf("it says %q %d times:\n%s", says, n, said)
					}
				}
				for _, word := range []string{"operation error", "StatusCode", "RequestID", "goroutine", "%!"} {
					if strings.Contains(said, word) {
						t.Errorf("it says %q:\n%s", word, said)
					}
				}
			})
		}
	}
	if left, err := filepath.Glob("*"); err != nil || len(left) != 3 {
		t.Errorf("left behind: %v (%v)", left, err)
	}
}

// busy serves a stack that has had trades, and returns the arguments with which each command has something to show.
func busy(t *testing.T) (commands map[string][]string, environment []string) {
	t.Helper()
	stack := served(t, "local")
	outputs := stack.Outputs
	t.Chdir(t.TempDir())
	environment = []string{
		"AWS_ENDPOINT_URL=" + stack.Server.URL, "AWS_ACCESS_KEY_ID=x", "AWS_SECRET_ACCESS_KEY=y", "AWS_SESSION_TOKEN=", "AWS_PROFILE=", "NO_COLOR=1",
		"AWS_CONFIG_FILE=" + os.DevNull, "AWS_SHARED_CREDENTIALS_FILE=" + os.DevNull,
	}
	for _, variable := range environment {
		name, value, _ := strings.Cut(variable, "=")
		t.Setenv(name, value)
	}
	var trades []struct{ TradeID string }
	var failed []struct{ Name string }
	for _, step := range []struct {
		args string
		read any
	}{
		{"sample --count 500 --seed 3 --out sample.ndjson", nil},
		{"send sample.ndjson --outputs " + outputs, nil},
		{"list --limit 1 --output json --outputs " + outputs, &trades},
		{"executions --status FAILED --limit 1 --output json --outputs " + outputs, &failed},
	} {
		out, said, code := inProcess(t, 0, strings.Fields(step.args)...)
		if code != exitcode.OK {
			t.Fatalf("%s: exit code %d: %s", step.args, code, said)
		}
		if step.read != nil {
			if err := json.Unmarshal([]byte(out), step.read); err != nil {
				t.Fatal(err)
			}
		}
	}
	commands = onAStack()
	commands["tradectl get"] = []string{"get", trades[0].TradeID}
	commands["tradectl execution"] = []string{"execution", failed[0].Name}
	delete(commands, "tradectl console")            // serves until it is interrupted
	delete(commands, "tradectl verify")             // has pages of its own, and tests of them
	delete(commands, "tradectl executions redrive") // has nothing to do here
	for typed := range commands {
		commands[typed] = append(commands[typed], "--outputs", outputs)
	}
	return commands, environment
}

// What people read fits a small terminal, programs get one document whose names stay, and a reader that leaves is told.
func TestEveryCommandShowsAStack(t *testing.T) {
	golden, err := filepath.Abs("testdata/json-names.txt")
	if err != nil {
		t.Fatal(err)
	}
	commands, environment := busy(t)
	var names strings.Builder
	for _, typed := range slices.Sorted(maps.Keys(commands)) {
		args := commands[typed]
		for _, columns := range []int{40, 80} {
			out, said, code := inProcess(t, columns, args...)
			if code != exitcode.OK || out == "" {
				t.Errorf("%s: exit code %d: %s%s", typed, code, out, said)
			}
			for line := range strings.Lines(out) {
				id := len(strings.Fields(line)) == 1 // stands alone, and isn't cut even if it is longer, as an execution's name
				if width := text.StringWidthWithoutEscSequences(strings.TrimSuffix(line, "\n")); width > columns && !id {
					t.Errorf("%s on %d columns: a line has %d: %q", typed, columns, width, line)
				}
			}
		}
		out, said, code := inProcess(t, 0, append(args, "--output", "json")...)
		found, decoder := map[string]bool{}, json.NewDecoder(strings.NewReader(out))
		var document any
		if err := decoder.Decode(&document); err != nil || decoder.More() || code != exitcode.OK {
			t.Errorf("%s: exit code %d, %v: not one document: %.200s\n%s", typed, code, err, out, said)
		}
		namesIn(document, "", found)
		fmt.Fprintf(&names, "%s: %s\n", typed, strings.Join(slices.Sorted(maps.Keys(found)), " "))

		run := exec.CommandContext(t.Context(), "tradectl", args...)
		run.Env, run.Stdin = append(os.Environ(), environment...), strings.NewReader(anEvent)
		reader, writer, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := reader.Close(); err != nil {
			t.Fatal(err)
		}
		var told bytes.Buffer
		run.Stdout, run.Stderr = writer, &told
		err = run.Run()
		check(t, run, err, exitcode.OutputClosed, told.Bytes(), "✗ standard output was closed before everything was written: the rest is lost\n")
		if err := writer.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if os.Getenv("UPDATE_SCRIPTS") != "" {
		if err := os.WriteFile(golden, []byte(names.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if want, err := os.ReadFile(golden); err != nil || string(want) != names.String() {
		t.Errorf("names that programs rely on have changed (%v); UPDATE_SCRIPTS=1 writes them:\n%s", err, names.String())
	}
}

// namesIn adds the paths of a document's members. What depends on the trades is left out.
func namesIn(value any, path string, found map[string]bool) {
	switch value := value.(type) {
	case []any:
		for _, one := range value {
			namesIn(one, path+"[]", found)
		}
	case map[string]any:
		for name, member := range value {
			found[path+"."+name] = true
			if name != "market" && name != "attributes" {
				namesIn(member, path+"."+name, found)
			}
		}
	}
}

// A command that goes on until it is interrupted ends then, at once and quietly.
func TestWhatGoesOnEndsAtAnInterrupt(t *testing.T) {
	commands, environment := busy(t)
	outputs := commands["tradectl status"][len(commands["tradectl status"])-1]
	for _, typed := range []string{"tail --follow --since 1h", "status --watch", "console"} {
		run := exec.CommandContext(t.Context(), "tradectl", append(strings.Fields(typed), "--outputs", outputs)...)
		run.Env = append(os.Environ(), environment...)
		printed, err := run.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		var said bytes.Buffer
		run.Stderr = &said
		if err := run.Start(); err != nil {
			t.Fatal(err)
		}
		if _, err := printed.Read(make([]byte, 1)); err != nil {
			t.Fatal(err, said.String())
		}
		go io.Copy(io.Discard, printed) //nolint:errcheck // until it ends
		if err := run.Process.Signal(os.Interrupt); err != nil {
			t.Fatal(err)
		}
		err = run.Wait()
		check(t, run, err, exitcode.Interrupted, said.Bytes(), "")
	}
}

package verify_test

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/xml"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	command "trade-processing/cmd/tradectl/verify"
	"trade-processing/internal/exitcode"
	"trade-processing/internal/terminal"
	"trade-processing/internal/verify"
	"trade-processing/local/endpoint"
)

// tradectl runs `tradectl verify` in this process, against the world's endpoint.
func (w *world) tradectl(ctx context.Context, in string, args ...string) (stdout, stderr string, err error) {
	w.t.Helper()
	w.Setenv()
	w.t.Setenv("AWS_REGION", "ap-south-1")
	var out, said bytes.Buffer
	c := command.NewCommand(&terminal.Terminal{
		In: strings.NewReader(in), Out: &out, Err: &said, Columns: 80, Getenv: func(string) string { return "" },
	})
	c.SilenceUsage, c.SilenceErrors = true, true
	c.SetArgs(args)
	err = c.ExecuteContext(ctx)
	return out.String(), said.String(), err
}

func TestTheCommandShowsEachStep(t *testing.T) {
	w := newWorld(t, "dev", nil)
	out, said, err := w.tradectl(t.Context(), "", "--outputs", w.Outputs, "--watch", "0", "--timeout", "5s", "--delivery")
	if code, _ := exitcode.Of(err); code != exitcode.OK {
		t.Fatalf("exit code %d: %v\n%s", code, err, out)
	}
	at := 0
	for _, step := range verify.Steps() {
		line := regexp.MustCompile(`(?m)^✓ ` + step.Name + ` .*\S \([0-9.]+ [nµm]?s\)$`).FindStringIndex(out[at:])
		if line == nil {
			t.Fatalf("no line of step %s behind the one before in\n%s", step.Name, out)
		}
		at += line[1]
		if !strings.Contains(said, step.About+" …") {
			t.Errorf("nothing says that it is %s", step.About)
		}
	}
	for _, want := range []string{"Latencies\n", "  recorded, from system1 ", "  recorded as rejected ", "  replicated to eu-west-1, from system1 ", "  dead-lettered ", "  kept, undelivered ", "is verified: 14 steps in "} {
		if !strings.Contains(out[at:], want) {
			t.Errorf("no %q in\n%s", want, out[at:])
		}
	}
}

// A stack is verified by name alone: pulumi (this one knows stack dev) provides the outputs.
func TestTheCommandAsksPulumiForTheOutputs(t *testing.T) {
	w := newWorld(t, "dev", nil)
	bin, project := t.TempDir(), t.TempDir()
	script := `#!/bin/sh
if [ "$*" != "stack output --json --stack dev --non-interactive" ]; then echo "no stack named $5 in $PWD" >&2; exit 255; fi
/bin/cat outputs.json
`
	for file, text := range map[string]string{filepath.Join(bin, "pulumi"): script, filepath.Join(project, "Pulumi.yaml"): "", filepath.Join(project, "outputs.json"): string(w.Exported)} {
		if err := os.WriteFile(file, []byte(text), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("PATH", bin)
	out, _, err := w.tradectl(t.Context(), "", "--stack", "dev", "--project", project, "--watch", "0", "--timeout", "10s")
	if code, _ := exitcode.Of(err); code != exitcode.OK || !strings.Contains(out, "✓ stack dev in us-east-1") {
		t.Errorf("exit code %d: %v\n%s", code, err, out)
	}

	_, _, err = w.tradectl(t.Context(), "", "--stack", "other", "--project", project)
	if code, _ := exitcode.Of(err); code != exitcode.Usage || !strings.Contains(err.Error(), "getting the outputs of stack other from pulumi: exit status 255\nno stack named other") {
		t.Errorf("exit code %d for a stack that isn't there: %v", code, err)
	}

	t.Setenv("PATH", t.TempDir())
	_, _, err = w.tradectl(t.Context(), "", "--stack", "dev", "--project", project)
	if code, _ := exitcode.Of(err); code != exitcode.Usage || !strings.Contains(err.Error(), "there is no pulumi on PATH: install it, or pass the outputs with --outputs") {
		t.Errorf("exit code %d without a pulumi: %v", code, err)
	}
}

func TestTheCommandTellsProgramsWhatFailed(t *testing.T) {
	w := newWorld(t, "local", nil)
	w.Tamper = noReplication("eu-west-1")
	file := filepath.Join(t.TempDir(), "verify.xml")
	out, _, err := w.tradectl(t.Context(), string(w.Exported), "--outputs", "-", "--json", "--junit", file, "--watch", "0", "--timeout", "500ms")
	code, printed := exitcode.Of(err)
	if code != exitcode.NotReplicated || !printed {
		t.Errorf("exit code %d, want %d", code, exitcode.NotReplicated)
	}

	var report struct {
		Passed   bool
		ExitCode exitcode.Code
		Steps    []struct {
			Step, Outcome string
			Problems      []string
		}
		Latencies []struct {
			What         string
			Milliseconds int64
		}
	}
	if err := json.Unmarshal([]byte(out), &report); err != nil {
		t.Fatalf("%v in %s", err, out)
	}
	if report.Passed || report.ExitCode != exitcode.NotReplicated || len(report.Steps) != len(verify.Steps()) || len(report.Latencies) != 5 {
		t.Errorf("the report says %+v", report)
	}

	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var suite struct {
		Tests    int `xml:"tests,attr"`
		Failures int `xml:"failures,attr"`
		Cases    []struct {
			Name    string `xml:"name,attr"`
			Failure *struct {
				Message string `xml:"message,attr"`
			} `xml:"failure"`
		} `xml:"testcase"`
	}
	if err := xml.Unmarshal(text, &suite); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	if suite.Tests != len(verify.Steps()) || suite.Failures != 1 {
		t.Errorf("%d tests and %d failures", suite.Tests, suite.Failures)
	}
	for i, step := range verify.Steps() {
		got := suite.Cases[i]
		if got.Name != step.Name || (got.Failure != nil) != (step.Name == verify.Replicas.Name) {
			t.Errorf("test %d is %+v, want %s", i, got, step.Name)
		}
		if got.Failure != nil && !strings.HasPrefix(got.Failure.Message, "the replica in eu-west-1 differs from the table") {
			t.Errorf("the failure says %q", got.Failure.Message)
		}
	}
}

// An interrupted run says so last, and a report that can't be written is not a success.
func TestTheCommandSaysHowItEnded(t *testing.T) {
	w := newWorld(t, "local", nil)
	ctx, interrupt := context.WithCancel(t.Context())
	w.Tamper = func(_ http.ResponseWriter, _ *http.Request, call endpoint.Call, _ []byte, _ http.Handler) bool {
		if call.Operation == "DescribeAlarms" {
			interrupt()
		}
		return false
	}
	out, _, err := w.tradectl(ctx, string(w.Exported), "--outputs", "-")
	if code, _ := exitcode.Of(err); code != exitcode.Interrupted || !strings.HasSuffix(out, ": interrupted\n") {
		t.Errorf("exit code %d, and it says %s", code, out)
	}

	w.Tamper = noReplication("eu-west-1")
	out, _, err = w.tradectl(t.Context(), string(w.Exported), "--outputs", "-", "--watch", "0", "--timeout", "300ms")
	if code, _ := exitcode.Of(err); code != exitcode.NotReplicated || !strings.HasSuffix(out, "is not verified: 1 step failed, the first gives exit code 14\n") {
		t.Errorf("exit code %d, and it says %s", code, out)
	}
	if !strings.Contains(out, "✗ replicas ") || !strings.Contains(out, "\n    the replica in eu-west-1 differs from the table") {
		t.Errorf("it doesn't tell the problem below its step: %s", out)
	}
}

func TestTheCommandRefusesWhatItCannotUse(t *testing.T) {
	w := newWorld(t, "local", nil)
	w.Tamper = func(_ http.ResponseWriter, _ *http.Request, call endpoint.Call, _ []byte, _ http.Handler) bool {
		t.Errorf("%s was called", call.Operation)
		return false
	}
	for name, test := range map[string]struct {
		in    string
		args  []string
		tells string
	}{
		"no outputs":                {"", []string{"--outputs", filepath.Join(t.TempDir(), "missing.json")}, "reading the stack's outputs: open "},
		"outputs that aren't JSON":  {"no", []string{"--outputs", "-"}, "`pulumi stack output --json` prints the right format"},
		"outputs of another stack":  {`{"region": "us-east-1", "environment": "dev"}`, []string{"--outputs", "-"}, "the stack's outputs lack deadLetterQueueUrls.validator, deliveryDeadLetterQueueUrls, eventBusName, functionNames.recorder, stateMachineArn, tradeTableArn, tradeTableName: is it the right stack"},
		"a report that can't be":    {string(w.Exported), []string{"--outputs", "-", "--junit", filepath.Join(t.TempDir(), "no", "folder.xml")}, "folder.xml"},
		"no time at all":            {string(w.Exported), []string{"--outputs", "-", "--timeout", "0s"}, "--timeout must be more than 0"},
		"a stack and outputs":       {"", []string{"--outputs", "-", "--stack", "dev"}, "[outputs stack]"},
		"neither stack nor outputs": {"", nil, "name a stack"},
	} {
		t.Run(name, func(t *testing.T) {
			out, _, err := w.tradectl(t.Context(), test.in, test.args...)
			if err == nil || !strings.Contains(err.Error(), test.tells) {
				t.Errorf("it says %v, want %q", err, test.tells)
			}
			if out != "" {
				t.Errorf("it prints %s", out)
			}
		})
	}
}

// A verification sets off exactly the alarms that the page announces.
func TestTheAlarmsThatGoOffAreAnnounced(t *testing.T) {
	page, err := os.ReadFile(filepath.Join(root, "docs/verify.md"))
	if err != nil {
		t.Fatal(err)
	}
	w := newWorld(t, "dev", nil)
	if code := w.verifyDelivery().ExitCode(); code != exitcode.OK {
		t.Fatalf("exit code %d", code)
	}
	changes := w.Cloud.EvaluateAlarms()
	if len(changes) == 0 {
		t.Error("no alarm goes off for the malformed trade")
	}
	general := strings.NewReplacer("trade-processing-dev-", "<prefix>-", "system1", "<source>", "delivery-1", "delivery-<number>")
	for _, change := range changes {
		if name := "`" + general.Replace(change.Alarm) + "`"; !strings.Contains(string(page), name) {
			t.Errorf("%s goes off, and docs/verify.md doesn't announce it", change.Alarm)
		}
	}
}

// docs/verify.md lists exactly what a verification calls.
func TestThePermissionsAreThoseThatAreUsed(t *testing.T) {
	services := map[string]string{"monitoring": "cloudwatch"} // signatures and policies name them differently
	w := newWorld(t, "dev", nil)
	w.deadLetter("validator", "somebody else's, which has to be given back")
	var mu sync.Mutex
	used := map[string]bool{}
	w.Tamper = func(_ http.ResponseWriter, _ *http.Request, call endpoint.Call, _ []byte, _ http.Handler) bool {
		service := call.Service
		if name, other := services[service]; other {
			service = name
		}
		mu.Lock()
		defer mu.Unlock()
		used[service+":"+call.Operation] = true
		return false
	}
	if code := w.verifyDelivery().ExitCode(); code != exitcode.OK {
		t.Fatalf("exit code %d", code)
	}
	page, err := os.ReadFile(filepath.Join(root, "docs/verify.md"))
	if err != nil {
		t.Fatal(err)
	}
	block := regexp.MustCompile("(?s)```json\n(.+?)```").FindSubmatch(page)
	if block == nil {
		t.Fatal("docs/verify.md has no policy")
	}
	var policy struct{ Statement []struct{ Action []string } }
	if err := json.Unmarshal(block[1], &policy); err != nil {
		t.Fatal(err)
	}
	listed := map[string]bool{}
	for _, statement := range policy.Statement {
		for _, action := range statement.Action {
			listed[action] = true
			if !used[action] && action != "kms:Decrypt" && action != "iam:PassRole" { // which other calls ask for
				t.Errorf("%s is listed, and not used", action)
			}
		}
	}
	for action := range used {
		if !listed[action] && action != "sts:GetCallerIdentity" { // which needs no permission
			t.Errorf("%s is used, and not listed", action)
		}
	}
}

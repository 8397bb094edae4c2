package operate_test

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"trade-processing/internal/exitcode"
	"trade-processing/internal/operate"
	"trade-processing/internal/terminal"
	"trade-processing/local/cloud"
	"trade-processing/local/endpoint"
)

// read runs a command that must succeed, and decodes its JSON.
func read[T any](w *world, args ...string) T {
	w.t.Helper()
	var value T
	out, said, code, err := w.tradectl("", append(args, "--output", "json")...)
	if decoding := json.Unmarshal([]byte(out), &value); code != exitcode.OK || decoding != nil {
		w.t.Fatalf("%v: exit code %d: %v, %v\n%s%s", args, code, err, decoding, said, out)
	}
	return value
}

// malformed is no trade: its execution fails.
const malformed = `{"Source":"trading.system1","DetailType":"Trade Event","Detail":{"amount":"1"}}`

func TestExecutionsAreListedAndShown(t *testing.T) {
	for _, workflow := range []string{"STANDARD", "EXPRESS"} {
		t.Run(workflow, func(t *testing.T) {
			w := newWorld(t, "dev", map[string]string{"workflowType": workflow, "workflowLogLevel": "ALL"})
			w.send(event("system1", "a", "2024-05-28T13:30:00Z", ""))
			time.Sleep(2 * time.Millisecond)
			w.send(malformed)
			all := read[[]operate.Execution](w, "executions")
			if len(all) != 2 || all[0].Status != "FAILED" || all[1].Status != "SUCCEEDED" || all[1].Ended == nil || all[1].Started.IsZero() {
				t.Fatalf("the executions are %+v", all)
			}
			if failed := read[[]operate.Execution](w, "executions", "--status", "failed", "--limit", "1"); len(failed) != 1 || failed[0].ARN != all[0].ARN {
				t.Errorf("those that failed are %+v", failed)
			}
			if none := read[[]operate.Execution](w, "executions", "--until", "1h"); len(none) != 0 {
				t.Errorf("an hour ago there were %+v", none)
			}
			recorded := w.getJSON("a").Versions[0].ExecutionARN
			for _, id := range []string{all[1].Name, recorded} {
				timeline := read[operate.Timeline](w, "execution", id)
				if timeline.ARN != all[1].ARN || timeline.Status != "SUCCEEDED" || len(timeline.Steps) < 2 || timeline.Steps[0].Type != "ExecutionStarted" {
					t.Errorf("%s is %+v", id, timeline)
				}
				if workflow == "STANDARD" && !slices.ContainsFunc(timeline.Steps, func(s operate.Step) bool {
					return s.Type == "TaskScheduled" && s.State != "" && s.Resource == "lambda:invoke"
				}) {
					t.Errorf("no call is named with its state: %+v", timeline.Steps)
				}
			}
			out, _, _, _ := w.tradectl("", "execution", all[0].Name)
			if !strings.Contains(out, "Execution "+all[0].Name+"\n● FAILED") || !strings.Contains(out, "ExecutionFailed") {
				t.Errorf("as a timeline:\n%s", out)
			}
			missing := "00000000-0000-0000-0000-000000000000"
			if workflow == "EXPRESS" {
				missing += ":" + missing
			}
			if _, _, code, err := w.tradectl("", "execution", missing); code != exitcode.NotFound {
				t.Errorf("exit code %d: %v", code, err)
			}
		})
	}
}

// At log level ERROR, nothing is known of an EXPRESS execution that succeeded, and the list says so.
func TestAListThatCannotBeWholeSaysSo(t *testing.T) {
	w := newWorld(t, "dev", map[string]string{"workflowType": "EXPRESS", "workflowLogLevel": "ERROR"})
	w.send(event("system1", "a", "2024-05-28T13:30:00Z", ""), malformed)
	out, said, _, _ := w.tradectl("", "executions", "--output", "csv")
	if strings.Count(out, "\n") != 2 || !strings.Contains(out, ",FAILED,") || !strings.Contains(said, "logs at level ERROR: only executions that failed are listed") {
		t.Errorf("it says %s and prints\n%s", said, out)
	}
}

func TestLogsAreMergedInOrderOfTime(t *testing.T) {
	w := newWorld(t, "dev", map[string]string{"workflowLogLevel": "ALL"})
	w.send(event("system1", "a", "2024-05-28T13:30:00Z", ""), event("system2", "b", "2024-05-28T13:30:00Z", ""), malformed)
	lines := read[[]operate.Line](w, "tail")
	from := map[string]int{}
	for i, line := range lines {
		from[line.From]++
		if i > 0 && line.Time.Before(lines[i-1].Time) {
			t.Errorf("line %d is from %s, after one from %s", i, line.Time, lines[i-1].Time)
		}
	}
	if from["recorder"] == 0 || from["validator"] == 0 || from[operate.Workflow] == 0 {
		t.Errorf("lines are from %v", from)
	}
	of := read[[]operate.Line](w, "tail", "--trade", "a")
	if len(of) == 0 || slices.ContainsFunc(of, func(l operate.Line) bool {
		return l.TradeID != "a" || l.ExecutionARN == "" || !json.Valid([]byte(l.Text))
	}) {
		t.Errorf("lines about a trade are %+v", of)
	}
	if none := read[[]operate.Line](w, "tail", "--trade", `a" || $.tradeId = "b`); len(none) != 0 {
		t.Errorf("an id that looks like a pattern finds %+v", none)
	}
	if none := read[[]operate.Line](w, "tail", "--until", "5m"); len(none) != 0 {
		t.Errorf("five minutes ago there were %+v", none)
	}
}

// Who follows gets each line once, and JSON that was interrupted is a document.
func TestFollowingLogsGoesOn(t *testing.T) {
	w := newWorld(t, "dev", nil)
	w.send(event("system1", "a", "2024-05-28T13:30:00Z", ""))
	ctx, interrupt := context.WithCancel(t.Context())
	var calls sync.Once
	looks := 0
	w.Tamper = func(_ http.ResponseWriter, _ *http.Request, call endpoint.Call, body []byte, _ http.Handler) bool {
		if call.Operation == "FilterLogEvents" && bytes.Contains(body, []byte("recorder")) {
			switch looks++; looks {
			case 2:
				calls.Do(func() { w.send(event("system1", "b", "2024-05-28T13:30:00Z", "")) })
			case 3:
				interrupt()
			}
		}
		return false
	}
	var out bytes.Buffer
	term := &terminal.Terminal{Out: &out, Err: t.Output(), Getenv: func(string) string { return "" }}
	err := newCommand(term, []string{"tail", "--follow", "--output", "json", "--outputs", w.Outputs}).ExecuteContext(ctx)
	if code, _ := exitcode.Of(err); code != exitcode.Interrupted {
		t.Errorf("exit code %d: %v", code, err)
	}
	var lines []operate.Line
	if err := json.Unmarshal(out.Bytes(), &lines); err != nil {
		t.Fatalf("%v in %s", err, &out)
	}
	seen := map[string]int{}
	for _, line := range lines {
		if line.From == "recorder" {
			seen[line.TradeID]++
		}
	}
	if seen["a"] != 1 || seen["b"] != 1 {
		t.Errorf("lines by trade: %v in %s", seen, &out)
	}
}

func TestParametersAreListedAndSet(t *testing.T) {
	w := newWorld(t, "dev", map[string]string{"processingThreshold": "1000000", "maxRetries": "3"})
	all := read[[]operate.Parameter](w, "params", "list")
	if len(all) != 3 || all[0].Name != "api-endpoint" || all[2].Name != "processing-threshold" || all[2].Value != "1000000" || all[2].ConfigKey != "processingThreshold" {
		t.Fatalf("the parameters are %+v", all)
	}
	out, said, code, err := w.tradectl("", "params", "set", "processing-threshold", "2500000")
	if code != exitcode.OK || !strings.Contains(out, "2500000") || !strings.Contains(said, "it was 1000000") ||
		!strings.Contains(said, "set processingThreshold to the same value in the stack's config, and deploy") {
		t.Errorf("exit code %d: %v\n%s%s", code, err, out, said)
	}
	if _, _, code, err := w.tradectl("4\n", "params", "set", "max-retries", "-"); code != exitcode.OK {
		t.Errorf("exit code %d: %v", code, err)
	}
	if after := read[[]operate.Parameter](w, "params", "list"); after[2].Value != "2500000" || after[1].Value != "4" || after[1].Version <= all[1].Version {
		t.Errorf("the parameters are %+v", after)
	}
	for _, wrong := range [][]string{{"processing-threshold", "lots"}, {"max-retries", "11"}, {"api-endpoint", "example.com"}, {"none-such", "1"}} {
		w.Tamper = func(_ http.ResponseWriter, _ *http.Request, call endpoint.Call, _ []byte, _ http.Handler) bool {
			t.Errorf("%v: %s is called", wrong, call.Operation)
			return false
		}
		if _, _, code, err := w.tradectl("", "params", "set", wrong[0], wrong[1]); code != exitcode.Usage || !strings.Contains(err.Error(), wrong[0]) {
			t.Errorf("%v: exit code %d: %v", wrong, code, err)
		}
	}
}

func TestTheStatusCountsWhatHappened(t *testing.T) {
	w := newWorld(t, "dev", nil)
	w.send(event("system1", "a", "2024-05-28T13:30:00Z", ""), event("system1", "a", "2024-05-28T13:30:00Z", ""),
		strings.Replace(event("system2", "b", "2024-05-28T13:30:00Z", ""), "25.00", "-1.00", 1), malformed)
	status := read[operate.Status](w, "status")
	events := map[string]float64{}
	for _, source := range status.Sources {
		events[source.Source] = source.Events
	}
	outcomes := map[string]float64{}
	for _, outcome := range status.Outcomes {
		outcomes[outcome.Name] = outcome.Value
	}
	if events["system1"] != 3 || events["system2"] != 1 || outcomes["recorded"] != 2 || outcomes["rejected"] != 1 || outcomes["duplicates"] != 1 || outcomes["failed executions"] != 1 {
		t.Errorf("events %v, outcomes %v", events, outcomes)
	}
	if len(status.Latency) != 3 || len(status.Alarms) < 10 || status.Alarms[0].State != "ALARM" || status.Queues[0].Name != "validator" || status.Queues[0].Waiting != 1 ||
		len(status.Replicas) != 1 || status.Replicas[0].Status != "ACTIVE" || len(status.Deployment.Versions) != 1 || len(status.Deployment.Functions) != 3 || status.Deployment.Functions[2].Version != "1" {
		t.Errorf("the status is %+v", status)
	}
	out, _, _, _ := w.tradectl("", "status")
	for _, want := range []string{"Stack dev  in us-east-1, ", "\n✗ validator-dead-letters-depth since ", "\n  events     system1 3, system2 1, system3 0\n", "validator 1", "eu-west-1 ACTIVE"} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
	if _, _, code, err := w.tradectl("", "status", "--watch", "--output", "json"); code != exitcode.Usage {
		t.Errorf("exit code %d: %v", code, err)
	}
}

// The page is a file of its own; nothing is left of it if there is no stack to show.
func TestTheStatusAsAPage(t *testing.T) {
	w := newWorld(t, "dev", nil)
	folder := t.TempDir()
	file := filepath.Join(folder, "page.html")
	if _, said, code, err := w.tradectl("", "status", "--html", file); code != exitcode.OK {
		t.Fatalf("exit code %d: %v\n%s", code, err, said)
	}
	if text, err := os.ReadFile(file); err != nil || !strings.Contains(string(text), "All quiet") {
		t.Errorf("the page is %d bytes: %v", len(text), err)
	}
	other := filepath.Join(folder, "other.html")
	if err := os.WriteFile(w.Outputs, []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, code, err := w.tradectl("", "status", "--html", other); code != exitcode.Usage {
		t.Errorf("exit code %d: %v", code, err)
	}
	if files, err := os.ReadDir(folder); err != nil || len(files) != 1 {
		t.Errorf("left behind: %v, %v", files, err)
	}
}

// What answers may be no AWS, but something in between that knows nothing.
func TestAnEmptyAnswerIsNoPanic(t *testing.T) {
	w := newWorld(t, "dev", map[string]string{"replicaRegions": `["eu-west-1"]`})
	w.Tamper = func(response http.ResponseWriter, _ *http.Request, call endpoint.Call, _ []byte, _ http.Handler) bool {
		if call.Operation == "GetMetricData" { // isn't JSON
			return false
		}
		_, _ = response.Write([]byte("{}"))
		return true
	}
	for _, command := range []string{"status", "list", "executions", "execution e", "params list", "tail", "get t", "dlq list", "dlq peek", "dlq redrive --yes"} {
		out, said, code, err := w.tradectl("", strings.Fields(command)...)
		if code == exitcode.Usage || code == exitcode.Interrupted {
			t.Errorf("%s: exit code %d, %v: %s%s", command, code, err, out, said)
		}
	}
	if _, _, code, err := w.tradectl("", "status"); code != exitcode.Failure || !strings.Contains(err.Error(), "the answer isn't AWS's") {
		t.Errorf("exit code %d, %v", code, err)
	}
}

// Where the table is lost, the rest of the status is needed most, and the replicas.
func TestTheStatusOutlivesTheTable(t *testing.T) {
	w := newWorld(t, "local", nil)
	table := w.Stack.Outputs.TradeTableName
	if err := w.Cloud.Delete(cloud.TableType, w.Stack.Outputs.Region, table); err != nil {
		t.Fatal(err)
	}
	status := read[operate.Status](w, "status")
	if len(status.Alarms) == 0 || len(status.Queues) == 0 || len(status.Deployment.Functions) == 0 {
		t.Errorf("the status is %+v", status)
	}
	want := []operate.ReplicaState{{Region: "us-east-1", Status: "MISSING"}, {Region: "eu-west-1", Status: "UNKNOWN"}}
	if !slices.Equal(status.Replicas, want) {
		t.Errorf("the replicas are %+v", status.Replicas)
	}
	for _, command := range [][]string{{"get", "X"}, {"list", "--source", "system1"}} {
		if _, _, code, err := w.tradectl("", command...); code == exitcode.OK || !strings.Contains(err.Error(), "--replica eu-west-1") {
			t.Errorf("%s ends with %d: %v", command, code, err)
		}
	}
}

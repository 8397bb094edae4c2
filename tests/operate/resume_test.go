package operate_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"trade-processing/internal/exitcode"
	"trade-processing/internal/operate"
	"trade-processing/local/cloud"
	"trade-processing/local/endpoint"
)

// Of two executions that failed, the first has its letter and the second couldn't send it; one ran out of time, and one was
// stopped. Those without a letter are resumed, oldest first, past one that can't be.
func TestExecutionsWithoutALetterAreResumed(t *testing.T) {
	w := newWorld(t, "dev", nil)
	w.send(malformed)
	time.Sleep(2 * time.Millisecond)
	w.send(malformed)
	failed := read[[]operate.Execution](w, "executions", "--status", "FAILED") // newest first
	if len(failed) != 2 {
		t.Fatalf("%+v failed", failed)
	}
	named := func(name string) string { return strings.TrimSuffix(failed[0].ARN, failed[0].Name) + name }
	stopped, late := named("stopped"), named("late")
	var resumed []string
	throttled := 0
	w.Tamper = func(response http.ResponseWriter, _ *http.Request, call endpoint.Call, body []byte, _ http.Handler) bool {
		var asked struct {
			Status string `json:"statusFilter"`
			ARN    string `json:"executionArn"`
		}
		if json.Unmarshal(body, &asked) != nil {
			return false
		}
		refuse := func(code string) {
			response.WriteHeader(http.StatusBadRequest)
			fmt.Fprintf(response, `{"__type":%q,"message":"not this one"}`, code)
		}
		switch arn, began := map[string]string{"TIMED_OUT": late, "ABORTED": stopped}[asked.Status], time.Now(); {
		case call.Operation == "ListExecutions" && asked.Status == "FAILED" && slices.Contains(resumed, failed[0].ARN):
			fmt.Fprint(response, `{"executions":[]}`)
		case call.Operation == "ListExecutions" && arn != "":
			if arn == stopped {
				began = began.Add(-time.Hour)
			}
			answer := fmt.Sprintf(`{"executionArn":%q,"name":%q,"status":%q,"startDate":%d,"stopDate":%[4]d}`, arn, arn[strings.LastIndex(arn, ":")+1:], asked.Status, began.Unix())
			if slices.Contains(resumed, arn) {
				answer = ""
			}
			fmt.Fprintf(response, `{"executions":[%s]}`, answer)
		case call.Operation == "GetExecutionHistory" && asked.ARN == failed[0].ARN:
			if throttled++; throttled == 1 {
				refuse("ThrottlingException")
				return true
			}
			fmt.Fprint(response, `{"events":[{"id":9,"type":"ExecutionFailed"},{"id":8,"type":"TaskStateExited"}]}`)
		case call.Operation == "RedriveExecution" && asked.ARN == late:
			refuse("ExecutionNotRedrivable")
		case call.Operation == "RedriveExecution":
			resumed = append(resumed, asked.ARN)
			fmt.Fprint(response, `{"redriveDate":1}`)
		default:
			return false
		}
		return true
	}

	type row struct{ ExecutionARN, Outcome, Reason string }
	arns := func(rows []row) (all []string) {
		for _, one := range rows {
			all = append(all, one.ExecutionARN+" "+one.Outcome)
		}
		slices.Sort(all[min(1, len(all)):]) // two of them began within a second
		return all
	}
	want := []string{stopped + " resume", failed[0].ARN + " resume", late + " resume"}
	slices.Sort(want[1:])
	if planned := arns(read[[]row](w, "executions", "redrive")); !slices.Equal(planned, want) || len(resumed) > 0 {
		t.Errorf("without --yes, it plans %v and resumes %v, want %v", planned, resumed, want)
	}
	if one := arns(read[[]row](w, "executions", "redrive", "--status", "aborted")); !slices.Equal(one, want[:1]) {
		t.Errorf("of those that were stopped, it plans %v", one)
	}
	out, said, code, err := w.tradectl("", "executions", "redrive", "--yes", "--output", "csv")
	if code != exitcode.RefusedInput || !strings.Contains(said, "2 of 3 resumed, 1 left") || !strings.Contains(out, "left,ExecutionNotRedrivable: not this one") {
		t.Errorf("exit code %d: %v: %s\n%s", code, err, said, out)
	}
	if !slices.Equal(resumed, []string{stopped, failed[0].ARN}) {
		t.Errorf("it resumed %v", resumed)
	}
	if left := arns(read[[]row](w, "executions", "redrive")); !slices.Equal(left, []string{late + " resume"}) {
		t.Errorf("run again, it plans %v", left)
	}
	for says, args := range map[string][]string{
		`--status is one of TIMED_OUT, ABORTED, FAILED, not "RUNNING"`: {"--status", "running"}, "--rate 0: it must be more than 0": {"--rate", "0"},
	} {
		if _, _, code, err := w.tradectl("", append([]string{"executions", "redrive"}, args...)...); code != exitcode.Usage || err.Error() != says {
			t.Errorf("%v: exit code %d: %v", args, code, err)
		}
	}
}

// An execution whose dead letter no queue took goes on where it stopped, and sends it.
func TestAResumedExecutionSendsItsLetter(t *testing.T) {
	w := newWorld(t, "dev", nil)
	url := w.Stack.Outputs.DeadLetters["validator"]
	queue, found := w.Cloud.Read(cloud.QueueType, w.Stack.Outputs.Region, url)
	if !found {
		t.Fatalf("there is no queue %s", url)
	}
	if err := w.Cloud.Delete(cloud.QueueType, queue.Region, queue.ID); err != nil {
		t.Fatal(err)
	}
	w.send(malformed)
	w.must(exitcode.OK, "executions", "redrive", "--yes") // stops there again
	if _, err := w.Cloud.Create(cloud.QueueType, queue.Name, queue.Region, queue.Inputs); err != nil {
		t.Fatal(err)
	}
	if _, said := w.must(exitcode.OK, "executions", "redrive", "--yes"); !strings.Contains(said, "1 resumed") {
		t.Errorf("it says %s", said)
	}
	if now := w.Queue(url).State(); now.Visible != 1 {
		t.Errorf("the queue has %+v", now)
	}
	if left := read[[]map[string]any](w, "executions", "redrive"); len(left) != 0 {
		t.Errorf("run again, it plans %v", left)
	}
}

func TestExpressExecutionsCannotBeResumed(t *testing.T) {
	w := newWorld(t, "dev", map[string]string{"workflowType": "EXPRESS"})
	if _, _, code, err := w.tradectl("", "executions", "redrive"); code != exitcode.Usage || err == nil || !strings.Contains(err.Error(), "replay the minutes") {
		t.Errorf("exit code %d: %v", code, err)
	}
}

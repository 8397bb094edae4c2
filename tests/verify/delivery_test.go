package verify_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"trade-processing/internal/exitcode"
	"trade-processing/internal/verify"
	"trade-processing/local/cloud"
	"trade-processing/local/endpoint"
	"trade-processing/tests/deployed"
)

// Where EventBridge can't keep what it can't deliver, the trades of a run are recorded all the same: one step notices.
func TestAQueueForUndeliveredEventsThatDoesNotWork(t *testing.T) {
	const eventRule = "trade-processing-local-from-system1"
	for name, test := range map[string]struct {
		broken func(*world)
		tamper deployed.Tampering
		tells  string
	}{
		// EventBridge doesn't send the rule's ARN to KMS, so the statement doesn't hold for queues.
		"a key for EventBridge's own resources only": {
			broken: func(w *world) {
				w.amend(cloud.KeyType, "", "policy", `"Service":["events.amazonaws.com"]},`,
					`"Service":["events.amazonaws.com"]},"Condition":{"ArnLike":{"aws:SourceArn":"arn:aws:events:*:*:*"}},`)
			},
			tells: "its key's policy let events.amazonaws.com use it (kms:Decrypt, kms:GenerateDataKey)? If not, alarm " + eventRule + "-lost went off",
		},
		"a queue for another rule": {
			broken: func(w *world) {
				w.amend(cloud.QueuePolicyType, "delivery-1-dead-letters", "policy", "from-system1", "from-system2")
			},
			tells: "arrived in trade-processing-local-delivery-1-dead-letters within 600ms: does the queue's policy let the rule send",
		},
		"an event that is altered on the way": {
			tamper: func(w http.ResponseWriter, r *http.Request, call endpoint.Call, body []byte, serve http.Handler) bool {
				return strings.Contains(string(body), "delivery-1-") && alterMessages("190.50", "190.5")(w, r, call, body, serve)
			},
			tells: "differs from the event as sent",
		},
		"a caller who may not add a target": {
			tamper: refuseCalls("PutTargets", "", "AccessDeniedException"), tells: "adding a target to rule " + eventRule + ": ",
		},
		"a target that isn't added": {
			tamper: answer("PutTargets", "", `{"FailedEntryCount": 1, "FailedEntries": [{"TargetId": "1", "ErrorCode": "ConcurrentModificationException"}]}`),
			tells:  "adding a target to rule " + eventRule + ": ConcurrentModificationException",
		},
		"a rule that is gone": {
			broken: func(w *world) {
				w.Tamper = func(_ http.ResponseWriter, _ *http.Request, call endpoint.Call, _ []byte, _ http.Handler) bool {
					if call.Operation == "ListTargetsByRule" {
						w.drop(cloud.RuleType, "from-system1")
						w.Tamper = nil
					}
					return false
				}
			},
			tells: "listing the targets of rule " + eventRule + ": ",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, "local", nil)
			w.Tamper = test.tamper
			if test.broken != nil {
				test.broken(w)
			}
			report := w.verifyDelivery()
			if code := report.ExitCode(); code != exitcode.NotKept {
				t.Errorf("exit code %d, want %d", code, exitcode.NotKept)
			}
			for _, step := range report.Steps {
				if problems := strings.Join(step.Problems, "\n"); (step.Step == verify.Delivery.Name) != (problems != "") || !strings.Contains(problems, test.tells) && problems != "" {
					t.Errorf("step %s says %q, want %q of step %s", step.Step, problems, test.tells, verify.Delivery.Name)
				}
			}
			if left := w.added(); len(left) > 0 {
				t.Errorf("it left the targets %v", left)
			}
			for _, body := range w.bodies() {
				if strings.Contains(body, report.Run) {
					t.Errorf("it left %s", body)
				}
			}
		})
	}
}

// A target that can't be removed is reported, twice: by its step and, after another try, by the last one.
func TestATargetThatStaysIsReported(t *testing.T) {
	w := newWorld(t, "local", nil)
	w.Tamper = refuseCalls("RemoveTargets", "", "AccessDeniedException")
	report := w.verifyDelivery()
	for _, step := range report.Steps {
		problems := strings.Join(step.Problems, "\n")
		if tried := step.Step == verify.Delivery.Name || step.Step == verify.CleanUp.Name; tried != strings.Contains(problems, "removing the target verify-"+report.Run+" of rule trade-processing-local-from-system1") {
			t.Errorf("step %s says %q", step.Step, problems)
		}
	}
	if left := w.added(); !slices.Equal(left, []string{"verify-" + report.Run}) {
		t.Errorf("the targets %v are left", left)
	}
	w.Tamper = nil
	if w.verifyDelivery(); len(w.added()) > 0 {
		t.Errorf("the next run leaves the targets %v", w.added())
	}
}

// Real trades of the same source are recorded once while one of the rule's targets fails. Copies stay in the queue.
func TestRealTradesGoOnWhileADeliveryFails(t *testing.T) {
	w := newWorld(t, "local", nil)
	real := 0
	w.Tamper = func(_ http.ResponseWriter, r *http.Request, call endpoint.Call, _ []byte, _ http.Handler) bool {
		if call.Operation != "ReceiveMessage" || len(w.added()) == 0 || real > 2 {
			return false
		}
		real++
		detail := fmt.Sprintf(`{"tradeId": "real-%d", "sourceSystem": "system1", "amount": "190.50", "currency": "USD", "price": "190.50",
			"quantity": "1", "side": "BUY", "symbol": "AAPL", "venue": "XNAS", "executedAt": "2026-05-28T14:00:00.000Z"}`, real)
		if _, err := w.Cloud.PutEvent(r.Context(), "us-east-1", w.Stack.Outputs.EventBusName, cloud.Entry{
			Source: "trading.system1", DetailType: "Trade Event", Detail: json.RawMessage(detail),
		}); err != nil {
			t.Error(err)
		}
		return false
	}
	if code := w.verifyDelivery().ExitCode(); code != exitcode.OK || real == 0 {
		t.Errorf("exit code %d, with %d trades meanwhile", code, real)
	}
	trades, err := w.Cloud.Table("us-east-1", w.Stack.Outputs.TradeTableName)
	if err != nil {
		t.Fatal(err)
	}
	recorded := map[string]int{}
	for item := range trades.Items() {
		text, _ := json.Marshal(item)
		for i := range real {
			if id := fmt.Sprintf("real-%d", i+1); strings.Contains(string(text), `"tradeId":{"Value":"`+id+`"}`) && strings.Contains(string(text), `"RECORDED"`) {
				recorded[id]++
			}
		}
	}
	if copies := len(w.bodies()); len(recorded) != real || slices.Max(slices.Collect(maps.Values(recorded))) != 1 || copies != real {
		t.Errorf("of %d trades, recorded %v times, there are %d copies", real, recorded, copies)
	}
}

// Nobody's rule is touched unless a verification is asked to.
func TestADeliveryFailsOnlyIfAskedFor(t *testing.T) {
	w := newWorld(t, "local", nil)
	w.Tamper = func(_ http.ResponseWriter, _ *http.Request, call endpoint.Call, _ []byte, _ http.Handler) bool {
		if strings.Contains(call.Operation, "Target") {
			t.Errorf("%s was called", call.Operation)
		}
		return false
	}
	report := w.verify()
	at := slices.IndexFunc(report.Steps, func(r verify.Result) bool { return r.Step == verify.Delivery.Name })
	if got := report.Steps[at]; report.ExitCode() != exitcode.OK || got.Outcome != verify.Skipped || !slices.Equal(got.Found, []string{"only with --delivery"}) {
		t.Errorf("exit code %d, and the step says %+v", report.ExitCode(), got)
	}
}

// added lists the targets that verifications gave to rules.
func (w *world) added() []string {
	return slices.DeleteFunc(w.targets(), func(id string) bool { return !strings.HasPrefix(id, verify.Mark) })
}

// amend replaces a text in a property of the first resource whose id ends like this.
func (w *world) amend(typ, id, property, old, with string) {
	w.t.Helper()
	for _, r := range w.Cloud.Resources() {
		if r.Type != typ || !strings.HasSuffix(r.ID, id) {
			continue
		}
		inputs := maps.Clone(r.Inputs)
		text := inputs[property].(string)
		if inputs[property] = strings.ReplaceAll(text, old, with); inputs[property] == text {
			w.t.Fatalf("%s of %s has no %s: %s", property, r.ID, old, text)
		}
		if _, err := w.Cloud.Update(typ, r.Region, r.ID, inputs); err != nil {
			w.t.Fatal(err)
		}
		return
	}
	w.t.Fatalf("no %s ends in %q", typ, id)
}

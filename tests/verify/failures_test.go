package verify_test

import (
	"context"
	"crypto/md5"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"

	"trade-processing/internal/exitcode"
	"trade-processing/internal/verify"
	"trade-processing/local/endpoint"
	"trade-processing/local/queue"
	"trade-processing/tests/deployed"
)

// answer answers calls of an operation that contain a text, instead of the deployment.
func answer(operation, holding, with string) deployed.Tampering {
	return func(w http.ResponseWriter, _ *http.Request, call endpoint.Call, body []byte, _ http.Handler) bool {
		if call.Operation != operation || !strings.Contains(string(body), holding) {
			return false
		}
		reply(w, with)
		return true
	}
}

// refuseCalls has an operation fail.
func refuseCalls(operation, holding, code string) deployed.Tampering {
	return func(w http.ResponseWriter, _ *http.Request, call endpoint.Call, body []byte, _ http.Handler) bool {
		if call.Operation != operation || !strings.Contains(string(body), holding) {
			return false
		}
		w.Header().Set("X-Amzn-ErrorType", code)
		w.WriteHeader(http.StatusBadRequest)
		w.Write([]byte(`{"__type": "` + code + `", "message": "for the test"}`)) //nolint:errcheck // the caller is gone
		return true
	}
}

// alter replaces texts, given as pairs of old and new, in the answers to an operation in a region, or in all if it is
// empty.
func alter(operation, region, holding string, texts ...string) deployed.Tampering {
	return func(w http.ResponseWriter, r *http.Request, call endpoint.Call, body []byte, serve http.Handler) bool {
		if call.Operation != operation || region != "" && call.Region != region || !strings.Contains(string(body), holding) {
			return false
		}
		recorded := httptest.NewRecorder()
		serve.ServeHTTP(recorded, r)
		for name, values := range recorded.Header() {
			w.Header()[name] = values
		}
		w.Header().Del("Content-Length")
		reply(w, strings.NewReplacer(texts...).Replace(recorded.Body.String()))
		return true
	}
}

// noReplication keeps a region's replica empty forever.
func noReplication(region string) deployed.Tampering {
	return func(w http.ResponseWriter, _ *http.Request, call endpoint.Call, _ []byte, _ http.Handler) bool {
		if call.Operation != "GetItem" || call.Region != region {
			return false
		}
		reply(w, `{}`)
		return true
	}
}

// losing makes the bus accept the event that isn't a trade, and lose it.
func losing(w http.ResponseWriter, _ *http.Request, call endpoint.Call, body []byte, _ http.Handler) bool {
	if call.Operation != "PutEvents" || strings.Contains(string(body), verify.Mark) {
		return false
	}
	reply(w, `{"Entries": [{"EventId": "00000000-0000-4000-8000-000000000000"}], "FailedEntryCount": 0}`)
	return true
}

// alterMessages replaces texts in the bodies of messages.
func alterMessages(old, new string) deployed.Tampering {
	return func(w http.ResponseWriter, r *http.Request, call endpoint.Call, _ []byte, serve http.Handler) bool {
		if call.Operation != "ReceiveMessage" {
			return false
		}
		recorded := httptest.NewRecorder()
		serve.ServeHTTP(recorded, r)
		var answer struct{ Messages []map[string]string }
		if err := json.Unmarshal(recorded.Body.Bytes(), &answer); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return true
		}
		for _, message := range answer.Messages {
			message["Body"] = strings.ReplaceAll(message["Body"], old, new)
			message["MD5OfBody"] = fmt.Sprintf("%x", md5.Sum([]byte(message["Body"])))
		}
		replyJSON(w, answer)
		return true
	}
}

// reply answers with a text, and the checksum that DynamoDB's clients check.
func reply(w http.ResponseWriter, text string) {
	w.Header().Set("X-Amz-Crc32", fmt.Sprint(crc32.ChecksumIEEE([]byte(text))))
	w.Write([]byte(text)) //nolint:errcheck // the caller is gone
}

func replyJSON(w http.ResponseWriter, value any) {
	text, err := json.Marshal(value)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	reply(w, string(text))
}

// A fault in a deployment fails the step that is meant to notice it, and no earlier one.
func TestABrokenDeploymentIsNotVerified(t *testing.T) {
	for name, test := range map[string]struct {
		stack  string // default: local
		broken func(*world)
		tamper deployed.Tampering
		step   verify.Step
		tells  string // what the step's problem says
		also   []verify.Step
	}{
		"a bus that refuses a trade": {
			tamper: answer("PutEvents", "", `{"Entries": [{"EventId": "1"}, {"ErrorCode": "ThrottlingException", "ErrorMessage": "slow down"}, {"EventId": "3"}, {"EventId": "4"}], "FailedEntryCount": 1}`),
			step:   verify.Send, tells: "the bus refuses the trade of system2: ThrottlingException: slow down",
			also: []verify.Step{verify.CleanUp}, // the ids that the bus made up don't exist anywhere
		},
		"a rule that is gone": {
			broken: func(w *world) { w.drop("aws:cloudwatch/eventRule:EventRule", "from-system2") },
			step:   verify.Recorded, tells: "the trade of system2 ", also: []verify.Step{verify.CleanUp},
		},
		"a function that is gone": {
			broken: func(w *world) { w.drop("aws:lambda/function:Function", "recorder") },
			step:   verify.Recorded, tells: "was not recorded but sent to trade-processing-local-recorder-dead-letters: Lambda.ResourceNotFoundException",
			also: []verify.Step{verify.Rejected, verify.Watching},
		},
		"a workflow that can't be started": {
			broken: func(w *world) { w.drop("aws:sfn/alias:Alias", ":live") },
			step:   verify.Recorded, tells: "sent to trade-processing-local-delivery-1-dead-letters: it could not be delivered to the workflow",
			also: []verify.Step{verify.Rejected, verify.Watching, verify.DeadLetter}, // of the rule whose starts fail
		},
		"an amount that is altered on the way": {
			tamper: alter("GetItem", "us-east-1", "-system3", `"amount":{"S":"190.50"}`, `"amount":{"S":"190.5"}`),
			step:   verify.Fields, tells: `the record of system3: amount: "190.5", want "190.50"`,
			also: []verify.Step{verify.Replicas}, // which has the right value
		},
		"a trade whose text is altered": {
			tamper: alter("GetItem", "us-east-1", "-system1", `\"synthetic\":true`, `\"synthetic\":false`),
			step:   verify.Fields, tells: "the record of system1: trade: ", also: []verify.Step{verify.Replicas, verify.Duplicate},
		},
		"a digest that is another trade's": {
			tamper: alter("GetItem", "", "-system1", `"digest":{"S":"`, `"digest":{"S":"00`),
			step:   verify.Fields, tells: `the record of system1: digest: "00`, also: []verify.Step{verify.Duplicate},
		},
		"a rejected trade that is recorded as valid": {
			tamper: alter("GetItem", "", "-invalid", "REJECTED", "RECORDED"),
			step:   verify.Rejected, tells: `status: "RECORDED", want "REJECTED"`,
		},
		"a rejected trade without its reason": {
			tamper: alter("GetItem", "", "-invalid", "AMOUNT_ZERO", "OTHER"),
			step:   verify.Rejected, tells: "violations: [OTHER], want [AMOUNT_ZERO]",
		},
		"an invalid trade that is lost": {
			tamper: func(w http.ResponseWriter, r *http.Request, call endpoint.Call, body []byte, serve http.Handler) bool {
				return answer("GetItem", "-invalid", `{}`)(w, r, call, body, serve)
			},
			step: verify.Rejected, tells: "the trade of invalid (event ", also: []verify.Step{verify.CleanUp},
		},
		"a replica that lags for ever": {
			tamper: noReplication("eu-west-1"),
			step:   verify.Replicas, tells: "the replica in eu-west-1 differs from the table after 600ms: the trade of system1 is not there",
		},
		"a replica that differs": {
			tamper: alter("GetItem", "eu-west-1", "-system2", `"venue":{"S":"XNAS"}`, `"venue":{"S":"XNYS"}`),
			step:   verify.Replicas, tells: "the record of system2 differs in venue",
		},
		"a duplicated record": {
			tamper: alter("Query", "", "-system1", `"Items":[`, `"Items":[{"tradeId":{"S":"verify-twice"}},`),
			step:   verify.Duplicate, tells: "has 2 records",
		},
		"a duplicate that changes the record": {
			tamper: alter("Query", "", "-system1", `"recordedAt":{"S":"2`, `"recordedAt":{"S":"3`),
			step:   verify.Duplicate, tells: "changed in recordedAt",
		},
		"a recorder that takes a duplicate for a new trade": {
			tamper: alter("FilterLogEvents", "", "eventId", `\"DuplicateTrades\":1`, `\"DuplicateTrades\":0`),
			step:   verify.Duplicate, tells: "took the trade that was sent again for a new one",
		},
		"a recorder that says nothing": {
			tamper: answer("FilterLogEvents", "eventId", `{"events": []}`),
			step:   verify.Duplicate, tells: "no line of /aws/lambda/trade-processing-local-recorder showed", also: []verify.Step{verify.CleanUp},
		},
		"a cancel that names another version": {
			tamper: alter("GetItem", "", "-versions", `"replaces":{"S":"system1#`, `"replaces":{"S":"system2#`),
			step:   verify.Versions, tells: "replaces: ",
		},
		"a correction that changes the trade": {
			tamper: alter("Query", "", "-versions", `"recordedAt":{"S":"2`, `"recordedAt":{"S":"3`),
			step:   verify.Versions, tells: "unchanged",
		},
		"an alarm that goes off": {
			broken: func(w *world) {
				once := false
				w.Tamper = func(_ http.ResponseWriter, _ *http.Request, call endpoint.Call, _ []byte, _ http.Handler) bool {
					if call.Operation == "PutEvents" && !once {
						once = true
						w.deadLetter("recorder", "somebody else's")
					}
					return false
				}
			},
			step: verify.Watching, tells: "trade-processing-local-recorder-dead-letters-depth went off",
		},
		"a malformed trade that is lost": {
			tamper: losing, step: verify.DeadLetter,
			tells: "did not arrive in trade-processing-local-validator-dead-letters within 600ms, and is in no other queue", also: []verify.Step{verify.CleanUp},
		},
		"a malformed trade in another queue": {
			broken: func(w *world) {
				urls := w.Stack.Outputs.DeadLetters
				urls["validator"], urls["enricher"] = urls["enricher"], urls["validator"]
			},
			step: verify.DeadLetter, tells: "but to trade-processing-local-validator-dead-letters: MalformedTrade",
		},
		"a dead letter that doesn't hold the event": {
			tamper: alterMessages(`190.50`, `190.5`),
			step:   verify.DeadLetter, tells: "differs from the event as sent",
		},
		"a dead letter of another error": {
			tamper: alterMessages(`"MalformedTrade"`, `"InternalError"`),
			step:   verify.DeadLetter, tells: `names the error "InternalError", want "MalformedTrade"`,
		},
		"a state machine whose failures aren't logged": {
			tamper: answer("FilterLogEvents", "vendedlogs", `{"events": []}`),
			step:   verify.Logs, tells: "/aws/vendedlogs/states/trade-processing-local-workflow has nothing about execution ",
		},
		"a state machine that logs everything but one": {
			stack: "dev", tamper: answer("FilterLogEvents", "vendedlogs", `{"events": []}`),
			step: verify.Logs, tells: "at level ALL",
		},
		"a state machine without a log group": {
			tamper: alter("DescribeStateMachine", "", "", `"destinations":[`, `"destinations":[],"was":[`),
			step:   verify.Logs, tells: "logs at level ERROR to no log group",
		},
		"a state machine that doesn't trace": {
			tamper: alter("DescribeStateMachine", "", "", `"enabled":true`, `"enabled":false`),
			step:   verify.Logs, tells: "doesn't trace its executions",
		},
		"no traces": {
			tamper: answer("BatchGetTraces", "", `{"Traces": [], "UnprocessedTraceIds": []}`),
			step:   verify.Traces, tells: "X-Ray has no trace of the 3 trades within 600ms",
		},
		"a queue that can't be searched for marks": {
			tamper: refuseCalls("ReceiveMessage", "recorder-dead-letters", "AccessDenied"),
			step:   verify.CleanUp, tells: "lacks this permission",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			stack := test.stack
			if stack == "" {
				stack = "local"
			}
			w := newWorld(t, stack, nil)
			w.Tamper = test.tamper
			if test.broken != nil {
				test.broken(w)
			}
			report := w.verify()
			if got := report.ExitCode(); got != test.step.Code {
				t.Errorf("exit code %d, want %d", got, test.step.Code)
			}
			var failed []string
			for _, step := range report.Steps {
				if step.Outcome == verify.Failed {
					failed = append(failed, step.Step)
				}
				if step.Step == test.step.Name && !strings.Contains(strings.Join(step.Problems, "\n"), test.tells) {
					t.Errorf("it says %q, want %q", step.Problems, test.tells)
				}
			}
			want := []string{test.step.Name}
			for _, step := range test.also {
				want = append(want, step.Name)
			}
			if !slices.Equal(failed, want) {
				t.Errorf("failed: %v, want %v", failed, want)
			}
			for _, body := range w.bodies() {
				if strings.Contains(body, verify.Mark) || strings.Contains(body, report.Run) {
					t.Errorf("it left %s", body)
				}
			}
		})
	}
}

// Each attribute of a record is checked, for a wrong value and for its absence.
func TestEveryAttributeIsCompared(t *testing.T) {
	w := newWorld(t, "local", nil)
	for _, attribute := range []string{
		"status", "sourceSystem", "trade", "digest", "amount", "currency", "symbol", "venue",
		"rulesVersion", "market", "eventId", "eventTime", "execution", "traceId", "recordedAt",
		"version", "timestamp", "action", "eventAccount",
	} {
		for name, value := range map[string]any{"is missing": nil, "is another": map[string]string{"S": "another"}, "is of another type": map[string]string{"N": "1"}} {
			if attribute == "rulesVersion" && name == "is another" || (attribute == "eventId" || attribute == "traceId") && name == "is missing" {
				continue // any version is one; the execution's name begins with the event's id; not all traces are taken
			}
			t.Run(attribute+" "+name, func(t *testing.T) {
				w.t = t
				w.Tamper = func(response http.ResponseWriter, r *http.Request, call endpoint.Call, body []byte, serve http.Handler) bool {
					if call.Operation != "GetItem" || !strings.Contains(string(body), "-system2") {
						return false
					}
					recorded := httptest.NewRecorder()
					serve.ServeHTTP(recorded, r)
					var answer struct{ Item map[string]any }
					if err := json.Unmarshal(recorded.Body.Bytes(), &answer); err != nil {
						http.Error(response, err.Error(), http.StatusInternalServerError)
						return true
					}
					if answer.Item[attribute] = value; value == nil {
						delete(answer.Item, attribute)
					}
					replyJSON(response, answer)
					return true
				}
				options := w.options()
				options.Outputs.ReplicaRegions = nil
				report := verify.Run(t.Context(), options)
				if got := report.ExitCode(); got != exitcode.WrongRecord {
					t.Errorf("exit code %d, want %d", got, exitcode.WrongRecord)
				}
				for _, step := range report.Steps {
					if step.Step == verify.Fields.Name && (len(step.Problems) != 1 || !strings.HasPrefix(step.Problems[0], "the record of system2: "+attribute+": ")) {
						t.Errorf("it says %q", step.Problems)
					}
				}
			})
		}
	}
}

// That a calendar ends soon is told but isn't a failure: no deployment can change it, and a verification must not turn
// red by the passing of time.
func TestACalendarThatEndsSoonIsToldAndPasses(t *testing.T) {
	w := newWorld(t, "local", nil)
	w.amend("aws:cloudwatch/metricAlarm:MetricAlarm", "trade-processing-local-calendar-ends", "metricName", "CalendarDaysLeft", "PartialContext") // of the malformed trade
	for _, step := range w.verify().Steps {
		if step.Outcome != verify.Passed && step.Outcome != verify.Skipped {
			t.Errorf("%+v", step)
		}
		if step.Step == verify.Watching.Name && !strings.Contains(strings.Join(step.Found, "\n"), "calendar-ends went off: see docs/runbook.md#a-calendar-ends-soon") {
			t.Errorf("it says %q", step.Found)
		}
	}
}

// An incomplete market context is reported but isn't a failure: an API outage must not stop a deployment.
func TestAPartialContextIsToldAndPasses(t *testing.T) {
	w := newWorld(t, "local", nil)
	w.Tamper = alter("GetItem", "", "",
		`"status":{"S":"COMPLETE"}`, `"status":{"S":"PARTIAL"},"reasons":{"L":[{"S":"API_UNREACHABLE"}]}`)
	options := w.options()
	options.Outputs.ReplicaRegions = nil
	report := verify.Run(t.Context(), options)
	for _, step := range report.Steps {
		if step.Step == verify.Fields.Name && (step.Outcome != verify.Passed || !strings.Contains(strings.Join(step.Found, "\n"), "PARTIAL: see docs/reasons.md for API_UNREACHABLE")) {
			t.Errorf("%+v", step)
		}
	}
}

// drop deletes a resource whose name ends like this, as somebody might by hand.
func (w *world) drop(typ, name string) {
	w.t.Helper()
	for _, r := range w.Cloud.Resources() {
		if r.Type == typ && strings.HasSuffix(r.ID, name) {
			if err := w.Cloud.Delete(typ, r.Region, r.ID); err != nil {
				w.t.Fatal(err)
			}
			return
		}
	}
	w.t.Fatalf("no %s ends in %s", typ, name)
}

// deadLetter puts somebody else's message into a function's dead-letter queue.
func (w *world) deadLetter(function, body string) {
	w.t.Helper()
	if _, err := w.Queue(w.Stack.Outputs.DeadLetters[function]).Send(context.WithoutCancel(w.t.Context()), queue.Draft{Body: body}); err != nil {
		w.t.Error(err)
	}
}

// Outputs, credentials and region that don't fit together are wrong usage: nothing is sent.
func TestNothingIsSentWhereTheSettingsDoNotFit(t *testing.T) {
	w := newWorld(t, "local", nil)
	w.Tamper = func(_ http.ResponseWriter, _ *http.Request, call endpoint.Call, _ []byte, _ http.Handler) bool {
		if call.Operation == "PutEvents" {
			t.Error("something was sent")
		}
		return false
	}
	for name, test := range map[string]struct {
		change func(*verify.Options)
		tells  string
	}{
		"no credentials": {func(o *verify.Options) { o.Config.Credentials = nil }, "no AWS credentials: get some with `aws sso login`"},
		"credentials that can't be had": {func(o *verify.Options) {
			o.Config.Credentials = aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
				return aws.Credentials{}, context.DeadlineExceeded
			})
		}, "choose with AWS_PROFILE: context deadline exceeded"},
		"another account": {func(o *verify.Options) {
			o.Outputs.TradeTableARN = strings.Replace(o.Outputs.TradeTableARN, "000000000000", "111111111111", 1)
		}, "these are credentials for account 000000000000, but the stack is in account 111111111111"},
		"another region":         {func(o *verify.Options) { o.Outputs.Region = "eu-west-1" }, "It isn't in account 000000000000, region eu-west-1"},
		"a bus that is gone":     {func(o *verify.Options) { o.Outputs.EventBusName = "other" }, "looking for the bus other: "},
		"a table that is gone":   {func(o *verify.Options) { o.Outputs.TradeTableName = "other" }, "looking for the table other: "},
		"a stack without alarms": {func(o *verify.Options) { o.Outputs.Environment = "other" }, "no alarm's name begins with trade-processing-other-"},
		"an endpoint that isn't there": {func(o *verify.Options) {
			o.Config.BaseEndpoint, o.Config.RetryMaxAttempts = aws.String("http://127.0.0.1:1"), 1
		}, "AWS can't be reached"},
	} {
		t.Run(name, func(t *testing.T) {
			options := w.options()
			test.change(&options)
			report := verify.Run(t.Context(), options)
			if got := report.ExitCode(); got != exitcode.Usage {
				t.Errorf("exit code %d, want %d", got, exitcode.Usage)
			}
			if got := strings.Join(report.Steps[0].Problems, "\n"); !strings.Contains(got, test.tells) {
				t.Errorf("it says %q, want %q", got, test.tells)
			}
		})
	}
}

// AWS's refusals are reported with how to fix them.
func TestRefusalsSayWhatMendsThem(t *testing.T) {
	w := newWorld(t, "local", nil)
	for code, tells := range map[string]string{
		"ExpiredTokenException":       "The credentials have expired",
		"UnrecognizedClientException": "AWS doesn't know these credentials",
		"AccessDeniedException":       "docs/verify.md lists everything a verification needs",
	} {
		t.Run(code, func(t *testing.T) {
			w.Tamper = refuseCalls("DescribeTable", "", code)
			if got := strings.Join(w.verify().Steps[0].Problems, "\n"); !strings.Contains(got, tells) {
				t.Errorf("it says %q, want %q", got, tells)
			}
		})
	}
}

// A verification removes its own dead letters and nobody else's, and returns those it had to look at.
func TestOtherDeadLettersStay(t *testing.T) {
	w := newWorld(t, "local", nil)
	var before []string
	for i := range 25 {
		body, err := json.Marshal(map[string]any{"event": map[string]any{"id": i, "detail": map[string]any{"tradeId": "real"}}})
		if err != nil {
			t.Fatal(err)
		}
		w.deadLetter("validator", string(body))
		before = append(before, string(body))
	}
	w.deadLetter("validator", "no JSON at all")
	before = append(before, "no JSON at all")
	report := w.verify()
	// Alarms already in ALARM are not news.
	if code := report.ExitCode(); code != exitcode.OK {
		t.Errorf("exit code %d: %+v", code, report.Steps)
	}
	after := w.bodies()
	slices.Sort(before)
	slices.Sort(after)
	if !slices.Equal(before, after) {
		t.Errorf("the queues hold %v, want %v", after, before)
	}
	if state := w.Queue(w.Stack.Outputs.DeadLetters["validator"]).State(); state.Visible != len(before) {
		t.Errorf("%d of %d messages can be seen", state.Visible, len(before))
	}
}

// An interrupted verification leaves no dead letters, whenever that happens.
func TestAnInterruptLeavesNothingInTheQueues(t *testing.T) {
	for name, at := range map[string]func(call endpoint.Call, body []byte) bool{
		"before anything is sent":    func(call endpoint.Call, _ []byte) bool { return call.Operation == "DescribeTable" },
		"when the trades are sent":   func(call endpoint.Call, _ []byte) bool { return call.Operation == "PutEvents" },
		"when the duplicate is sent": func(call endpoint.Call, _ []byte) bool { return call.Operation == "FilterLogEvents" },
		"when the malformed one is sent": func(call endpoint.Call, body []byte) bool {
			return call.Operation == "PutEvents" && !strings.Contains(string(body), verify.Mark)
		},
		"before its dead letter is found": func(call endpoint.Call, _ []byte) bool { return call.Operation == "ReceiveMessage" },
		"when a target is added":          func(call endpoint.Call, _ []byte) bool { return call.Operation == "PutTargets" },
		"when its event is looked for": func(call endpoint.Call, body []byte) bool {
			return call.Operation == "ReceiveMessage" && strings.Contains(string(body), "delivery-1")
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, "local", nil)
			ctx, interrupt := context.WithCancel(t.Context())
			defer interrupt()
			w.Tamper = func(response http.ResponseWriter, r *http.Request, call endpoint.Call, body []byte, serve http.Handler) bool {
				if ctx.Err() != nil || !at(call, body) {
					return false
				}
				if call.Operation == "ReceiveMessage" {
					interrupt()
					return false
				}
				serve.ServeHTTP(httptest.NewRecorder(), r) // it arrives, but its answer doesn't
				interrupt()
				panic(http.ErrAbortHandler)
			}
			options := w.options()
			options.Delivery = true
			report := verify.Run(ctx, options)
			if code := report.ExitCode(); code != exitcode.Interrupted || !report.Interrupted {
				t.Errorf("exit code %d, want %d: %+v", code, exitcode.Interrupted, report.Steps)
			}
			if len(report.Steps) != len(verify.Steps()) {
				t.Errorf("%d of %d steps are told of", len(report.Steps), len(verify.Steps()))
			}
			if left := w.added(); len(left) > 0 {
				t.Errorf("it left the targets %v", left)
			}
			if left := w.bodies(); len(left) > 0 {
				t.Errorf("it left in the queues %v", left)
			}
		})
	}
}

// Stacks of other shapes are verified as well.
func TestStacksOfEveryShapeAreVerified(t *testing.T) {
	for name, settings := range map[string]map[string]string{
		"no replica":                        {"replicaRegions": "[]"},
		"two replicas":                      {"replicaRegions": `["eu-west-1", "eu-central-1"]`},
		"more sources than fit into a call": {"sources": `["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l"]`},
		"an express workflow":               {"workflowType": "EXPRESS", "maxRetries": "1"},
		"the account's default bus":         {"eventBusName": "default"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, "local", settings)
			report := w.verify()
			if code := report.ExitCode(); code != exitcode.OK {
				t.Errorf("exit code %d: %+v", code, report.Steps)
			}
			if left := w.bodies(); len(left) > 0 {
				t.Errorf("it left in the queues %v", left)
			}
		})
	}
}

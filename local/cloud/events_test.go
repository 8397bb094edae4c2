package cloud_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"trade-processing/local/cloud"
)

func TestWhatTheBusDoesNotTake(t *testing.T) {
	deep := strings.Repeat("[", 20_000) + strings.Repeat("]", 20_000)
	for _, tc := range []struct {
		name  string
		entry cloud.Entry
		code  string
	}{
		{"no source", cloud.Entry{DetailType: "Order", Detail: []byte(`{}`)}, "InvalidArgument"},
		{"no detail type", cloud.Entry{Source: "shop", Detail: []byte(`{}`)}, "InvalidArgument"},
		{"no detail", cloud.Entry{Source: "shop", DetailType: "Order"}, "InvalidArgument"},
		{"a source of AWS's own", cloud.Entry{Source: "aws.ec2", DetailType: "Order", Detail: []byte(`{}`)}, "NotAuthorizedForSourceException"},
		{"a detail of white space", cloud.Entry{Source: "shop", DetailType: "Order", Detail: []byte(" \n")}, "MalformedDetail"},
		{"a list as detail", cloud.Entry{Source: "shop", DetailType: "Order", Detail: []byte(`[1]`)}, "MalformedDetail"},
		{"a text as detail", cloud.Entry{Source: "shop", DetailType: "Order", Detail: []byte(`"{}"`)}, "MalformedDetail"},
		{"null as detail", cloud.Entry{Source: "shop", DetailType: "Order", Detail: []byte(`null`)}, "MalformedDetail"},
		{"a detail that is cut off", cloud.Entry{Source: "shop", DetailType: "Order", Detail: []byte(`{"id": 1`)}, "MalformedDetail"},
		{"two objects", cloud.Entry{Source: "shop", DetailType: "Order", Detail: []byte(`{} {}`)}, "MalformedDetail"},
		{"a number with a leading zero", cloud.Entry{Source: "shop", DetailType: "Order", Detail: []byte(`{"id": 01}`)}, "MalformedDetail"},
		{"a detail nested without end", cloud.Entry{Source: "shop", DetailType: "Order", Detail: []byte(`{"a":` + deep + `}`)}, "MalformedDetail"},
		{"more than a megabyte", cloud.Entry{Source: "shop", DetailType: "Order", Detail: []byte(`{"id":"` + strings.Repeat("x", 1<<20) + `"}`)}, "ValidationException"},
		{"a megabyte with its resources", cloud.Entry{Source: "shop", DetailType: "Order", Detail: []byte(`{}`), Resources: []string{strings.Repeat("x", 1<<20-10)}}, "ValidationException"},
		{"a detail nested 1,101 deep", cloud.Entry{Source: "shop", DetailType: "Order", Detail: nested(1101)}, "MalformedDetail"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := newWorld(t)
			_, err := w.PutEvent(t.Context(), here, "orders", tc.entry)
			refusal, named := errors.AsType[*cloud.Refusal](err)
			if !named || refusal.Code != tc.code || refusal.Message == "" {
				t.Errorf("got %v, want %s", err, tc.code)
			}
			if count := w.count("orders"); count != 0 {
				t.Errorf("%d orders were kept", count)
			}
		})
	}
}

// nested is a detail of so many levels.
func nested(levels int) []byte {
	return []byte(`{"a\"[":` + strings.Repeat("[", levels-1) + strings.Repeat("]", levels-1) + `}`)
}

func TestWhatTheBusJustTakes(t *testing.T) {
	for name, entry := range map[string]cloud.Entry{
		"a source that only looks like AWS's": {Source: "awsome", DetailType: "Order", Detail: []byte(`{}`)},
		"a detail nested 1,100 deep":          {Source: "shop", DetailType: "Order", Detail: nested(1100)},
		"a megabyte":                          {Source: "shop", DetailType: "Order", Detail: []byte(`{"id":"` + strings.Repeat("x", 1<<20-18) + `"}`)},
	} {
		t.Run(name, func(t *testing.T) {
			if receipt, err := newWorld(t).PutEvent(t.Context(), here, "default", entry); err != nil || receipt.EventID == "" {
				t.Errorf("got %+v, %v", receipt, err)
			}
		})
	}
}

func (w *world) count(table string) int {
	w.t.Helper()
	living, err := w.Table(here, table)
	if err != nil {
		w.t.Fatal(err)
	}
	return living.Count()
}

func TestAnEventThatNoRuleMatchesStartsNothing(t *testing.T) {
	w := newWorld(t)
	for _, entry := range []cloud.Entry{
		{Source: "market", DetailType: "Order", Detail: []byte(`{"id": "1"}`)},
		{Source: "SHOP", DetailType: "Order", Detail: []byte(`{"id": "1"}`)},
	} {
		if got := w.putEntry(entry); got != "not matched" {
			t.Errorf("%s: %s", entry.Source, got)
		}
	}
	if count := w.count("orders"); count != 0 {
		t.Errorf("%d orders were kept", count)
	}
}

func TestEveryRuleThatMatchesDeliversToEachOfItsTargets(t *testing.T) {
	w := newWorld(t)
	for _, name := range []string{"second", "third"} {
		inputs := machineInputs(calling(name, "$.Payload"))
		inputs["name"] = name
		w.create(cloud.MachineType, name, inputs)
	}
	w.create(cloud.TargetType, "second", cloud.Properties{"rule": "orders", "eventBusName": "orders", "targetId": "2", "arn": w.arn(cloud.MachineType, "second"), "roleArn": w.arn(cloud.RoleType, "router")})
	w.create(cloud.RuleType, "all", cloud.Properties{"name": "all", "eventBusName": "orders", "eventPattern": `{"detail-type": ["Order"]}`})
	w.create(cloud.TargetType, "third", cloud.Properties{"rule": "all", "eventBusName": "orders", "targetId": "3", "arn": w.arn(cloud.MachineType, "third"), "roleArn": w.arn(cloud.RoleType, "router")})
	w.expect(`{"id": "1"}`, "third; hello kept; second") // rules in name order
	w.delete(cloud.TargetType, "orders")
	w.expect(`{"id": "2"}`, "third; second")
}

// An event matches a rule once, and invokes each of its targets, even one whose alias was never made.
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-monitoring.html
func TestATargetWhoseAliasIsMissing(t *testing.T) {
	w := newWorld(t)
	target := w.targetInputs()
	target["targetId"], target["arn"] = "2", w.arn(cloud.MachineType, "orders")+":next"
	w.create(cloud.TargetType, "next", target)
	for _, metric := range []string{"MatchedEvents", "Invocations", "FailedInvocations", "InvocationsSentToDlq"} {
		inputs := alarmInputs(metric)
		inputs["name"], inputs["namespace"], inputs["statistic"], inputs["threshold"] = metric, "AWS/Events", "Sum", 2.0
		inputs["dimensions"] = object{"RuleName": "orders", "EventBusName": "orders"}
		w.create(cloud.MetricAlarmType, metric, inputs)
	}
	w.expect(`{"id": "1"}`, "hello kept; failed: StateMachineDoesNotExist, kept in undelivered as StateMachineDoesNotExist")
	w.clock.Advance(time.Minute)
	w.alarms("Invocations")
}

// A rule sees the whole event as AWS documents it, and the function gets the detail byte for byte.
func TestTheEnvelopeOfAnEvent(t *testing.T) {
	w := newWorld(t)
	w.update(cloud.MachineType, "orders", cloud.Properties{"definition": calling("x", "$$.Execution.Input")})
	const detail = `{ "amount": 1.50, "big": 12345678901234567890123456789, "text": "<\u00e9>", "e": 1E+2 }`
	receipt, err := w.PutEvent(t.Context(), here, "orders", cloud.Entry{
		Source: "shop", DetailType: `An "order"`, Detail: []byte(detail), Resources: []string{"arn:one", "arn:two"},
		Time: time.Date(2026, 2, 1, 10, 0, 0, 999_999_999, time.FixedZone("", 3600)),
	})
	if err != nil || len(receipt.Deliveries) != 1 || receipt.Deliveries[0].Failure != nil {
		t.Fatalf("got %+v, %v", receipt, err)
	}
	output := string(receipt.Deliveries[0].Output)
	want := `{"version":"0","id":"` + receipt.EventID + `","detail-type":"An \"order\"","source":"shop","account":"000000000000",` +
		`"time":"2026-02-01T09:00:00Z","region":"us-east-1","resources":["arn:one","arn:two"],"detail":` + detail + `}`
	if output != want {
		t.Errorf("got  %s\nwant %s", output, want)
	}
	for _, pattern := range []string{
		`{"detail-type": ["An \"order\""]}`, `{"account": ["000000000000"], "region": ["us-east-1"]}`,
		`{"resources": ["arn:two"]}`, `{"time": [{"prefix": "2026-02-01"}]}`, `{"version": ["0"], "id": [{"exists": true}]}`,
		`{"detail": {"amount": [{"numeric": ["=", 1.5]}], "text": ["<é>"]}}`,
		`{"detail": {"text": ["<é>"]}}`,
	} {
		w.update(cloud.RuleType, "orders", cloud.Properties{"eventPattern": pattern})
		got := w.putEntry(cloud.Entry{
			Source: "shop", DetailType: `An "order"`, Detail: []byte(detail), Resources: []string{"arn:one", "arn:two"},
			Time: time.Date(2026, 2, 1, 9, 0, 0, 0, time.UTC),
		})
		if got == "not matched" {
			t.Errorf("%s matches nothing", pattern)
		}
	}
}

func TestAnEventWithoutATimeHasThatOfTheBus(t *testing.T) {
	w := newWorld(t)
	w.update(cloud.MachineType, "orders", cloud.Properties{"definition": calling("x", "$$.Execution.Input.time")})
	w.expect(`{}`, "2026-03-02T12:00:00Z")
}

// An event that can't start an execution is kept where the target says.
func TestWhatATargetCanNotBeStartedWith(t *testing.T) {
	large := `{"id": "` + strings.Repeat("x", 256<<10) + `"}`
	t.Run("an event over 256 KiB, which the target's dead-letter queue does not take either", func(t *testing.T) {
		w := newWorld(t)
		w.expect(large, "failed: InvalidExecutionInput")
	})
	t.Run("so is one where there is no queue", func(t *testing.T) {
		w := newWorld(t)
		w.update(cloud.TargetType, "orders", cloud.Properties{"deadLetterConfig": nil})
		w.expect(large, "failed: InvalidExecutionInput")
	})
	t.Run("an event just below goes through", func(t *testing.T) {
		w := newWorld(t)
		w.update(cloud.MachineType, "orders", cloud.Properties{"definition": calling("done", "$.Payload")})
		w.expect(`{"id": "`+strings.Repeat("x", 255<<10)+`"}`, "done")
	})
	t.Run("a state machine that is gone", func(t *testing.T) {
		w := newWorld(t)
		w.delete(cloud.MachineAliasType, "orders")
		w.expect(`{"id": "1"}`, "failed: StateMachineDoesNotExist, kept in undelivered as StateMachineDoesNotExist")
		for message := range w.queue("undelivered").Messages() {
			var event struct{ Detail json.RawMessage }
			if err := json.Unmarshal([]byte(message.Body), &event); err != nil || string(event.Detail) != `{"id": "1"}` {
				t.Errorf("the queue holds %s", message.Body)
			}
		}
	})
}

func TestABusThatIsNotThere(t *testing.T) {
	w := newWorld(t)
	entry := cloud.Entry{Source: "shop", DetailType: "Order", Detail: []byte(`{}`)}
	// AWS accepts and drops them: recorded in LocalStack's test_put_events_nonexistent_event_bus.
	for region, name := range map[string]string{here: "nobody", there: "orders"} {
		if receipt, err := w.PutEvent(t.Context(), region, name, entry); err != nil || receipt.EventID == "" || len(receipt.Deliveries) > 0 {
			t.Errorf("%s in %s: %+v, %v", name, region, receipt, err)
		}
	}
	if _, err := w.PutEvent(t.Context(), here, "nobody", cloud.Entry{Source: "shop"}); err == nil {
		t.Error("what no bus takes is taken there")
	}
	if receipt, err := w.PutEvent(t.Context(), here, "default", entry); err != nil || len(receipt.Deliveries) > 0 {
		t.Errorf("the default bus, which every account has: %+v, %v", receipt, err)
	}
	if receipt, err := w.PutEvent(t.Context(), here, w.arn(cloud.BusType, "orders"), entry); err != nil || len(receipt.Deliveries) != 1 {
		t.Errorf("by its ARN: %+v, %v", receipt, err)
	}
	if _, err := w.PutEvent(t.Context(), there, w.arn(cloud.BusType, "orders"), entry); err == nil || !contains(err.Error(), "a bus of another region or account") {
		t.Errorf("by its ARN, in another region: %v", err)
	}
}

func TestARunThatIsStoppedSaysWhy(t *testing.T) {
	w := newWorld(t)
	why := errors.New("the house is on fire")
	ctx, stop := context.WithCancelCause(t.Context())
	stop(why)
	_, err := w.PutEvent(ctx, here, "orders", cloud.Entry{Source: "shop", DetailType: "Order", Detail: []byte(`{"id": "1"}`)})
	if !errors.Is(err, why) {
		t.Errorf("got %v, want %v", err, why)
	}
}

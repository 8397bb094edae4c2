package cloud_test

import (
	"maps"
	"strings"
	"testing"
	"time"

	"trade-processing/local/cloud"
	"trade-processing/local/queue"
)

func alarmInputs(metric string) cloud.Properties {
	return cloud.Properties{
		"name": "failures-depth", "namespace": "AWS/SQS", "metricName": metric, "dimensions": object{"QueueName": "failures"},
		"statistic": "Maximum", "period": 60.0, "evaluationPeriods": 1.0, "threshold": 1.0,
		"comparisonOperator": "GreaterThanOrEqualToThreshold", "treatMissingData": "notBreaching",
	}
}

// What was deployed really changes, and its contents stay.
func TestAnUpdateChangesTheLivingResource(t *testing.T) {
	for _, tc := range []struct {
		name   string
		before func(*world)
		typ    string
		of     string
		change func(*world) cloud.Properties
		after  func(*world)
	}{
		{
			name: "a queue's retention takes messages that were there", typ: cloud.QueueType, of: "failures",
			before: func(w *world) {
				w.expect(`{"id": "1", "fail": "Broken"}`, "failed: Broken, kept in failures as Broken")
				w.clock.Advance(10 * time.Minute)
			},
			change: func(*world) cloud.Properties { return cloud.Properties{"messageRetentionSeconds": 300.0} },
			after: func(w *world) {
				if depth := w.queue("failures").State().Depth(); depth != 0 {
					w.t.Errorf("%d messages are older than the new retention", depth)
				}
			},
		}, {
			name: "a queue's default comes back when a property goes", typ: cloud.QueueType, of: "undelivered",
			change: func(*world) cloud.Properties { return cloud.Properties{"messageRetentionSeconds": nil} },
			after: func(w *world) {
				if got, want := w.queue("undelivered").Definition().Retention, queue.Default("").Retention; got != want {
					w.t.Errorf("the retention is %s, want %s", got, want)
				}
			},
		}, {
			name: "a rule's pattern routes otherwise, with the targets that it had", typ: cloud.RuleType, of: "orders",
			before: func(w *world) { w.expect(`{"id": "1"}`, "hello kept") },
			change: func(*world) cloud.Properties {
				return cloud.Properties{"eventPattern": `{"source": ["shop"], "detail": {"id": [{"prefix": "b"}]}}`}
			},
			after: func(w *world) {
				w.expect(`{"id": "a2"}`, "not matched")
				w.expect(`{"id": "b2"}`, "hello kept")
			},
		}, {
			name: "a state machine's definition runs behind the alias that was there", typ: cloud.MachineType, of: "orders",
			before: func(w *world) { w.expect(`{"id": "1"}`, "hello kept") },
			change: func(*world) cloud.Properties {
				return cloud.Properties{"definition": calling("skipped", "$.Payload")}
			},
			after: func(w *world) {
				w.expect(`{"id": "2"}`, "skipped")
				if got, want := w.resource(cloud.MachineType, "orders").Outputs["stateMachineVersionArn"], w.arn(cloud.MachineType, "orders")+":2"; got != want {
					w.t.Errorf("the version is %v, want %v", got, want)
				}
			},
		}, {
			name: "a target leads elsewhere", typ: cloud.TargetType, of: "orders",
			change: func(w *world) cloud.Properties {
				inputs := machineInputs(calling("elsewhere", "$.Payload"))
				inputs["name"] = "elsewhere"
				return cloud.Properties{"arn": w.create(cloud.MachineType, "elsewhere", inputs).ID}
			},
			after: func(w *world) { w.expect(`{"id": "1"}`, "elsewhere") },
		}, {
			name: "an alarm's threshold counts from its next evaluation", typ: cloud.MetricAlarmType, of: "failures-depth",
			before: func(w *world) {
				w.create(cloud.MetricAlarmType, "failures-depth", alarmInputs("ApproximateNumberOfMessagesVisible"))
				w.expect(`{"id": "1", "fail": "Broken"}`, "failed: Broken, kept in failures as Broken")
				w.expect(`{"id": "2", "fail": "Broken"}`, "failed: Broken, kept in failures as Broken")
			},
			change: func(*world) cloud.Properties { return cloud.Properties{"threshold": 3.0} },
			after: func(w *world) {
				w.alarms()
				w.expect(`{"id": "3", "fail": "Broken"}`, "failed: Broken, kept in failures as Broken")
				w.alarms("failures-depth")
			},
		}, {
			name: "a parameter has its new value and the next version", typ: cloud.ParameterType, of: "/orders/limit",
			before: func(w *world) {
				w.create(cloud.ParameterType, "/orders/limit", cloud.Properties{"name": "/orders/limit", "type": "String", "value": "1"})
			},
			change: func(*world) cloud.Properties { return cloud.Properties{"value": "2"} },
			after: func(w *world) {
				if version := w.resource(cloud.ParameterType, "/orders/limit").Outputs["version"]; version != 2.0 {
					w.t.Errorf("the version is %v", version)
				}
			},
		}, {
			name: "a table's protection holds from then on", typ: cloud.TableType, of: "orders",
			change: func(*world) cloud.Properties { return cloud.Properties{"deletionProtectionEnabled": true} },
			after: func(w *world) {
				if err := w.Delete(cloud.TableType, here, "orders"); err == nil {
					w.t.Error("a protected table was deleted")
				}
				w.expect(`{"id": "1"}`, "hello kept")
			},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := newWorld(t)
			if tc.before != nil {
				tc.before(w)
			}
			w.update(tc.typ, tc.of, tc.change(w))
			tc.after(w)
		})
	}
}

// expect puts an event and expects this outcome.
func (w *world) expect(detail, want string) {
	w.t.Helper()
	if got := w.put(detail); got != want {
		w.t.Errorf("%s: %s; want %s", detail, got, want)
	}
}

// alarms evaluates the alarms and expects these to have gone off, each once.
func (w *world) alarms(want ...string) {
	w.t.Helper()
	changes := w.EvaluateAlarms()
	if len(changes) != len(want) {
		w.t.Fatalf("%v went off, want %v", changes, want)
	}
	for i, change := range changes {
		if change.Alarm != want[i] {
			w.t.Errorf("%+v went off, want %s", change, want[i])
		}
	}
}

// A function publishes a version with each change, and its alias decides which of them answers.
func TestAFunctionAnswersAsTheVersionThatItsAliasNames(t *testing.T) {
	w := newWorld(t)
	w.expect(`{"id": "1"}`, "hello kept")

	changed := w.update(cloud.FunctionType, "keeper", functionInputs(w.resource(cloud.ImageType, "keeper"), "goodbye"))
	if changed.Outputs["version"] != "2" || changed.Outputs["qualifiedArn"] != w.arn(cloud.FunctionType, "keeper")+":2" {
		t.Errorf("the outputs are %v", changed.Outputs)
	}
	w.expect(`{"id": "2"}`, "hello kept")

	w.update(cloud.FunctionAliasType, "keeper", cloud.Properties{"functionVersion": "2"})
	w.expect(`{"id": "2"}`, "goodbye duplicate")

	w.update(cloud.FunctionAliasType, "keeper", cloud.Properties{"functionVersion": "1"})
	w.expect(`{"id": "2"}`, "hello duplicate")
}

// An update that is refused leaves the resource as it was.
func TestARefusedUpdateChangesNothing(t *testing.T) {
	for _, tc := range []struct {
		name    string
		typ, of string
		changes cloud.Properties
	}{
		{"a queue", cloud.QueueType, "failures", cloud.Properties{"messageRetentionSeconds": 1.0}},
		{"a rule", cloud.RuleType, "orders", cloud.Properties{"eventPattern": `{"source": "shop"}`}},
		{"a state machine", cloud.MachineType, "orders", cloud.Properties{"definition": "{}"}},
		{"a function whose container does not start", cloud.FunctionType, "keeper", cloud.Properties{"environment": object{}}},
		{"a function whose image is not there", cloud.FunctionType, "keeper", cloud.Properties{"imageUri": "r/nobody@sha256:0"}},
		{"an alias of no version", cloud.FunctionAliasType, "keeper", cloud.Properties{"functionVersion": "7"}},
		{"a target that is not there", cloud.TargetType, "orders", cloud.Properties{"arn": "arn:aws:states:us-east-1:000000000000:stateMachine:nobody"}},
		{"a table's keys", cloud.TableType, "orders", cloud.Properties{"hashKey": "other", "attributes": []any{object{"name": "other", "type": "S"}}}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := newWorld(t)
			before := w.resource(tc.typ, tc.of)
			if _, err := w.tryUpdate(tc.typ, tc.of, tc.changes); err == nil {
				t.Fatal("it was taken")
			}
			if now, found := w.Read(tc.typ, here, before.ID); !found || now != before {
				t.Errorf("on record is %+v", now)
			}
			w.expect(`{"id": "1"}`, "hello kept")
			w.expect(`{"id": "1", "fail": "Broken"}`, "failed: Broken, kept in failures as Broken")
		})
	}
}

func TestUpdatingWhatIsGoneSaysSo(t *testing.T) {
	w := newWorld(t)
	w.delete(cloud.QueueType, "failures")
	_, err := w.tryUpdate(cloud.QueueType, "failures", cloud.Properties{"messageRetentionSeconds": 300.0})
	const want = "deleted behind the engine's back; refresh the stack"
	if err == nil || !contains(err.Error(), want) {
		t.Errorf("got %v, want %q", err, want)
	}
}

// A pushed image has a new name and digest, and stays the resource that the engine knows.
func TestAnImageThatIsPushedAnewStaysOneResource(t *testing.T) {
	w := newWorld(t)
	before := w.resource(cloud.ImageType, "keeper")
	count := len(w.Resources())
	after := w.update(cloud.ImageType, "keeper", imageInputs("2"))
	if after.ID != before.ID || after.Outputs["repoDigest"] == before.Outputs["repoDigest"] || after.Outputs["baseImageName"] != "registry.example/keeper:2" {
		t.Errorf("before %s %v, after %s %v", before.ID, before.Outputs, after.ID, after.Outputs)
	}
	if now := len(w.Resources()); now != count {
		t.Errorf("%d resources became %d", count, now)
	}
	w.update(cloud.FunctionType, "keeper", functionInputs(after, "goodbye"))
	w.update(cloud.FunctionAliasType, "keeper", cloud.Properties{"functionVersion": "2"})
	w.expect(`{"id": "1"}`, "goodbye kept")
}

// The AWS provider changes a table by one request, of which DynamoDB takes one change alone, and none that changes nothing.
func TestATableTakesOneChangeAtATime(t *testing.T) {
	w := newWorld(t)
	limits := func(units float64) object { return object{"maxWriteRequestUnits": units} }
	for _, step := range []struct {
		name   string
		change cloud.Properties
		want   string
	}{
		{"limits", cloud.Properties{"onDemandThroughput": limits(100)}, ""},
		{"other limits and the protection", cloud.Properties{"onDemandThroughput": limits(200), "deletionProtectionEnabled": true}, "DeletionProtection modification must be the only operation in the request"},
		{"no limits", cloud.Properties{"onDemandThroughput": nil}, "At least one of ProvisionedThroughput, "},
		{"other limits", cloud.Properties{"onDemandThroughput": limits(40000)}, ""},
		{"the protection", cloud.Properties{"deletionProtectionEnabled": true}, ""},
	} {
		r, _ := w.Read(cloud.TableType, here, "orders")
		inputs := maps.Clone(r.Inputs)
		maps.Copy(inputs, step.change)
		_, err := w.Update(r.Type, here, r.ID, inputs)
		if (err == nil) != (step.want == "") || err != nil && !strings.Contains(err.Error(), step.want) {
			t.Errorf("%s: %v, want %q", step.name, err, step.want)
		}
	}
}

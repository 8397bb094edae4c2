package engine_test

import (
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"trade-processing/internal/engine"
)

func TestTheLifeOfAStack(t *testing.T) {
	d := newDesk(t, "local")
	if plan := d.up(); plan.Counts["create"] == 0 || len(plan.Counts) != 1 {
		t.Fatalf("the first deployment did %v", plan.Counts)
	}
	for _, name := range []string{"stateMachineArn", "tradeTableName", "eventBusName", "deadLetterQueueUrls", "parameterPrefix"} {
		if d.outputs[name].Value == nil {
			t.Errorf("no output %s", name)
		}
	}
	sources := []string{"system1", "system2", "system3"}
	d.trades("the first deployment", sources...)

	for _, step := range []struct {
		name       string
		config     map[string]any
		sources    []string       // the sources from then on; nil: as before
		operations []string       // the only ones
		changes    map[string]int // at least these
		previewed  bool           // whether a preview must say the same beforehand
	}{
		{name: "nothing changes"},
		{
			name: "more memory", config: map[string]any{"recorderMemory": 1024}, operations: []string{"update"},
			changes: map[string]int{
				"update aws:lambda/function:Function": 1, "update aws:lambda/alias:Alias": 1,
				"update aws:cloudwatch/dashboard:Dashboard": 1, // which says what a function costs
			},
		}, {
			name: "settings of every kind", previewed: true, operations: []string{"create", "update"},
			config: map[string]any{
				"processingThreshold": "2500000", "alarmEmail": "on-call@example.com", "logRetentionDays": 30, "maxRetries": 5,
				"validatorReservedConcurrency": 50, "archiveDays": 30,
				"tags": map[string]string{"Project": "trade-processing", "Environment": "local", "Owner": "others", "CostCenter": "none"},
			},
			changes: map[string]int{
				"create aws:sns/topicSubscription:TopicSubscription": 1, "update aws:ssm/parameter:Parameter": 3,
				"update aws:sfn/stateMachine:StateMachine": 1, "update aws:sfn/alias:Alias": 1, "update aws:dynamodb/table:Table": 1,
				"update aws:cloudwatch/eventArchive:EventArchive": 1, "update aws:lambda/function:Function": 3,
				"update pulumi:providers:aws": 2, // whose tags they are
			},
		}, {
			name: "a source and a replica region more", operations: []string{"create", "update"},
			config:  map[string]any{"sources": []string{"system1", "system2", "system3", "system4"}, "replicaRegions": []string{"eu-west-1", "eu-central-1"}},
			sources: []string{"system1", "system2", "system3", "system4"},
			changes: map[string]int{
				"create aws:dynamodb/tableReplica:TableReplica": 1, "create aws:kms/replicaKey:ReplicaKey": 1,
				"create aws:cloudwatch/eventRule:EventRule": 1, "create aws:cloudwatch/eventTarget:EventTarget": 1, "create aws:sqs/queue:Queue": 1,
			},
		}, {
			name: "a source renamed and a replica region less", previewed: true, operations: []string{"create", "delete", "update"},
			config:  map[string]any{"sources": []string{"desk", "system2", "system3", "system4"}, "replicaRegions": []string{"eu-central-1"}},
			sources: []string{"desk", "system2", "system3", "system4"},
			changes: map[string]int{
				"delete aws:dynamodb/tableReplica:TableReplica": 1,
				"delete aws:cloudwatch/eventRule:EventRule":     1, "create aws:cloudwatch/eventRule:EventRule": 1,
			},
		}, {
			name: "an express workflow", previewed: true, config: map[string]any{"workflowType": "EXPRESS", "maxRetries": 1},
			operations: []string{"replace", "update"},
			changes:    map[string]int{"replace aws:sfn/stateMachine:StateMachine": 1, "replace aws:sfn/alias:Alias": 1},
		},
	} {
		t.Run(step.name, func(t *testing.T) {
			d.t = t
			d.reopen()
			d.set(step.config)
			var predicted *engine.Plan
			if step.previewed {
				predicted = d.preview()
			}
			done := d.up()
			if predicted != nil && !slices.Equal(resources(predicted), resources(done)) {
				t.Errorf("what the preview said (-) and what was done (+):\n%s", cmp.Diff(resources(predicted), resources(done)))
			}
			keeps(t, done)
			if got := operations(done); !slices.Equal(got, step.operations) {
				t.Errorf("it did %v, want %v: %v", got, step.operations, changes(done))
			}
			got := changes(done)
			for change, count := range step.changes {
				if got[change] != count {
					t.Errorf("%s: %d times, want %d", change, got[change], count)
				}
			}
			if step.sources != nil {
				sources = step.sources
			}
			d.trades(step.name, sources...)
		})
	}
	t.Run("a refresh finds everything as it was", func(t *testing.T) {
		d.t = t
		if plan := d.refresh(); len(plan.Changed()) > 0 {
			t.Errorf("it found %v", resources(plan))
		}
	})
	t.Run("a refresh finds what somebody deleted or altered, and the next deployment mends it", func(t *testing.T) {
		d.t = t
		found, mended := map[string]int{}, map[string]int{}
		for _, r := range d.cloud.Resources() {
			switch {
			case r.Name == "pipeline-page" || r.Type == "aws:cloudwatch/dashboard:Dashboard":
				if err := d.cloud.Delete(r.Type, r.Region, r.ID); err != nil {
					t.Fatal(err)
				}
				found["delete "+r.Type], mended["create "+r.Type] = 1, 1
			case r.Name == "pipeline-bus-dead-letters-queue":
				altered := maps.Clone(r.Inputs)
				altered["messageRetentionSeconds"] = 60.0
				if _, err := d.cloud.Update(r.Type, r.Region, r.ID, altered); err != nil {
					t.Fatal(err)
				}
				found["update "+r.Type], mended["update "+r.Type] = 1, 1
			}
		}
		if len(found) != 3 {
			t.Fatalf("somebody did %v", found)
		}
		if diff := cmp.Diff(found, changes(d.refresh())); diff != "" {
			t.Error(diff)
		}
		if diff := cmp.Diff(mended, changes(d.up())); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("destroying leaves nothing", func(t *testing.T) {
		if _, err := d.stack.Destroy(t.Context()); err != nil {
			t.Fatal(err)
		}
		if left := d.cloud.Resources(); len(left) > 0 {
			t.Errorf("%d resources are left, the first %s %s", len(left), left[0].Type, left[0].Name)
		}
	})
}

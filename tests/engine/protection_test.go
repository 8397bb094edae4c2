package engine_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"trade-processing/components"
	"trade-processing/internal/engine"
	"trade-processing/local/cloud"
)

// made returns the resources that the cloud has, by type and name.
func (d *desk) made() []string {
	var all []string
	for _, r := range d.cloud.Resources() {
		all = append(all, r.Type+" "+r.Region+" "+r.Name)
	}
	slices.Sort(all)
	return all
}

func TestProductionIsDestroyedOnlyOnceItsProtectionIsLifted(t *testing.T) {
	d := newDesk(t, "prod")
	d.up()
	before := d.made()

	if _, err := d.stack.Destroy(t.Context()); err == nil || !strings.Contains(err.Error(), "protected") {
		t.Errorf("destroying: got %v", err)
	}
	d.set(map[string]any{"eventBusName": "another"})
	if _, err := d.stack.Preview(t.Context()); err == nil || !strings.Contains(err.Error(), "marked for protection") {
		t.Errorf("another bus, which would replace the one that is there: got %v", err)
	}
	if after := d.made(); !slices.Equal(before, after) {
		t.Fatalf("%d resources are left of %d", len(after), len(before))
	}

	d.set(map[string]any{"eventBusName": "", "deletionProtection": false})
	if done := d.up(); !slices.Equal(operations(done), []string{"update"}) {
		t.Errorf("lifting the protection did %v", changes(done))
	}
	if _, err := d.stack.Destroy(t.Context()); err != nil {
		t.Fatal(err)
	}
	if left := d.made(); len(left) > 0 {
		t.Errorf("left are %q", left)
	}
}

// queues declares some queues, enough to be interrupted in the middle of.
func queues(ctx *pulumi.Context) error {
	for i := range 12 {
		name := fmt.Sprintf("queue-%d", i)
		_, err := components.NewMonitoredQueue(ctx, name, &components.MonitoredQueueArgs{
			Scope: components.Scope{Partition: "aws", Account: "000000000000", Region: "us-east-1"}, QueueName: name, Holds: "nothing",
			KeyARN:        pulumi.String("arn:aws:kms:us-east-1:000000000000:key/mrk-1"),
			AlarmTopicARN: pulumi.String("arn:aws:sns:us-east-1:000000000000:alarms"),
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func TestAnUpdateThatIsCutOffIsTakenUpAgain(t *testing.T) {
	d := newDesk(t, "local")
	d.program = queues

	ctx, interrupt := context.WithCancel(t.Context())
	defer interrupt()
	go func() {
		for len(d.cloud.Resources()) < 20 && ctx.Err() == nil {
			time.Sleep(time.Millisecond)
		}
		interrupt()
	}()
	if _, _, err := d.stack.Up(ctx); err == nil {
		t.Fatal("the update was cut off and says nothing of it")
	}
	begun := len(d.cloud.Resources())
	if begun < 20 {
		t.Fatalf("it was cut off with %d resources", begun)
	}

	d.reopen()
	done := d.up()
	if kept := done.Counts["same"]; kept == 0 || done.Counts["create"] == 0 {
		t.Errorf("taken up again it did %v", done.Counts)
	}
	if got := operations(done); !slices.Equal(got, []string{"create"}) {
		t.Errorf("taken up again it did %v", got)
	}
	if again := d.up(); len(again.Changed()) > 0 {
		t.Errorf("and then %v", resources(again))
	}

	// What is in the cloud but not in the state would stay forever.
	if _, err := d.stack.Destroy(t.Context()); err != nil {
		t.Fatal(err)
	}
	if left := d.made(); len(left) > 0 {
		t.Errorf("in no state were %q", left)
	}
}

// What a deployment has created that was killed before the state was saved is taken over by the next one, whose program may have
// changed. What was there before stays another's.
func TestWhatAKilledDeploymentCreatedIsTakenOver(t *testing.T) {
	d := newDesk(t, "local")
	others, err := d.cloud.Create(cloud.QueueType, "others", "us-east-1", cloud.Properties{"name": "others"})
	if err != nil {
		t.Fatal(err)
	}
	for round, settings := range []map[string]any{{}, {"archiveDays": 7}, {"workflowType": "EXPRESS", "maxRetries": 2}} {
		d.options.State = nil
		if d.stack, err = engine.Open(d.options); err != nil {
			t.Fatal(err)
		}
		d.set(settings)
		d.cloud.Deploying()
		if done := operations(d.up()); !slices.Equal(done, []string{"create"}) {
			t.Errorf("round %d did %q", round, done)
		}
		d.trades(fmt.Sprintf("round-%d", round), "system1")
	}
	if again := d.up(); len(again.Changed()) > 0 {
		t.Errorf("and then %v", resources(again))
	}
	if _, err := d.cloud.Create(cloud.QueueType, "others", "us-east-1", others.Inputs); err == nil || !strings.Contains(err.Error(), "exists already") {
		t.Errorf("what was there before is made again: %v", err)
	}
	d.cloud.SetState(d.stack.Export(), true)
	d.cloud.Deploying()
	d.options.State = nil
	if d.stack, err = engine.Open(d.options); err != nil {
		t.Fatal(err)
	}
	if _, _, err := d.stack.Up(t.Context()); err == nil || !strings.Contains(err.Error(), "exists already") {
		t.Errorf("what a completed deployment has created is made again: %v", err)
	}
}

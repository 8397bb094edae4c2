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

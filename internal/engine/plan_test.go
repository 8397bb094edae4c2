package engine

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/pulumi/pulumi/pkg/v3/display"
	pulumi_engine "github.com/pulumi/pulumi/pkg/v3/engine"
	"github.com/pulumi/pulumi/pkg/v3/resource/deploy"
	"github.com/pulumi/pulumi/sdk/v3/go/common/diag"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
)

const (
	queueURN = "urn:pulumi:test::orders::aws:sqs/queue:Queue::failures"
	tableURN = "urn:pulumi:test::orders::aws:dynamodb/table:Table::orders"
	stackURN = "urn:pulumi:test::orders::pulumi:pulumi:Stack::orders-test"
)

// plan reads what the engine reported.
func plan(told ...pulumi_engine.Event) *Plan {
	events := make(chan pulumi_engine.Event, len(told))
	for _, event := range told {
		events <- event
	}
	close(events)
	return collect(events)
}

func step(m pulumi_engine.StepEventMetadata) pulumi_engine.Event {
	return pulumi_engine.NewEvent(pulumi_engine.ResourcePreEventPayload{Metadata: m})
}

func TestStepsAreToldOnceAndInOrder(t *testing.T) {
	got := plan(
		step(pulumi_engine.StepEventMetadata{Op: deploy.OpDelete, URN: tableURN, Type: "aws:dynamodb/table:Table", Old: &pulumi_engine.StepEventStateMetadata{
			Custom: true, Parent: stackURN,
		}}),
		// A replacement arrives as three steps.
		step(pulumi_engine.StepEventMetadata{Op: deploy.OpDeleteReplaced, URN: queueURN}),
		step(pulumi_engine.StepEventMetadata{Op: deploy.OpReplace, URN: queueURN, Type: "aws:sqs/queue:Queue", Keys: []resource.PropertyKey{"name"}, Diffs: []resource.PropertyKey{"name"},
			Provider: "provider", New: &pulumi_engine.StepEventStateMetadata{Custom: true},
			Old: &pulumi_engine.StepEventStateMetadata{}}),
		step(pulumi_engine.StepEventMetadata{Op: deploy.OpCreateReplacement, URN: queueURN}),
		step(pulumi_engine.StepEventMetadata{Op: deploy.OpSame, URN: stackURN, Type: "pulumi:pulumi:Stack", New: &pulumi_engine.StepEventStateMetadata{}}),
		pulumi_engine.NewEvent(pulumi_engine.SummaryEventPayload{ResourceChanges: display.ResourceChanges{"delete": 1, "replace": 1, "same": 1}}),
	)
	want := []Step{
		{Op: "delete", URN: tableURN, Type: "aws:dynamodb/table:Table", Name: "orders", Parent: stackURN, Custom: true},
		{Op: "replace", URN: queueURN, Type: "aws:sqs/queue:Queue", Name: "failures", Provider: "provider", Custom: true,
			Changes: []string{"name"}, Replaces: []string{"name"}},
		{Op: "same", URN: stackURN, Type: "pulumi:pulumi:Stack", Name: "orders-test"},
	}
	if diff := cmp.Diff(want, got.Steps); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(want[:2], got.Changed()); diff != "" {
		t.Error("changed:", diff)
	}
	if got.Summary() != "1 delete, 1 replace, 1 same" {
		t.Errorf("the summary is %q", got.Summary())
	}
}

// A refresh says that it reads a resource, and then what it found.
func TestARefreshTellsWhatItFound(t *testing.T) {
	outputs := func(m pulumi_engine.StepEventMetadata) pulumi_engine.Event {
		return pulumi_engine.NewEvent(pulumi_engine.ResourceOutputsEventPayload{Metadata: m})
	}
	got := plan(
		step(pulumi_engine.StepEventMetadata{Op: deploy.OpRefresh, URN: queueURN}),
		step(pulumi_engine.StepEventMetadata{Op: deploy.OpRefresh, URN: tableURN}),
		outputs(pulumi_engine.StepEventMetadata{Op: deploy.OpSame, URN: queueURN}),
		outputs(pulumi_engine.StepEventMetadata{Op: deploy.OpDelete, URN: tableURN}),
		step(pulumi_engine.StepEventMetadata{Op: deploy.OpCreate, URN: stackURN}),
		outputs(pulumi_engine.StepEventMetadata{Op: deploy.OpSame, URN: stackURN}),
	)
	var changed []string
	for _, step := range got.Changed() {
		changed = append(changed, step.Op+" "+step.Name)
	}
	if diff := cmp.Diff([]string{"delete orders", "create orders-test"}, changed); diff != "" {
		t.Error(diff)
	}
}

func TestWhatTheEngineSaysIsKeptWithoutItsColours(t *testing.T) {
	diagnostic := func(severity diag.Severity, prefix, message string) pulumi_engine.Event {
		return pulumi_engine.NewEvent(pulumi_engine.DiagEventPayload{Severity: severity, Prefix: prefix, Message: message})
	}
	got := plan(
		diagnostic(diag.Error, "<{%fg 1%}>error: <{%reset%}>", "no such <{%bold%}>type<{%reset%}>\n"),
		diagnostic(diag.Warning, "", "soon gone"),
		diagnostic(diag.Info, "", "of no interest"),
		diagnostic(diag.Error, "<{%reset%}>", " \n"),
		diagnostic(diag.Error, "", "a tag that <{%never ends"),
		pulumi_engine.NewEvent(pulumi_engine.PolicyViolationEventPayload{
			PolicyPackName: "pack", PolicyName: "tagged", EnforcementLevel: "mandatory", ResourceURN: queueURN, Message: "<{%reset%}>tag it",
		}),
		pulumi_engine.NewCancelEvent(),
	)
	want := &Plan{
		Counts: map[string]int{}, Errors: []string{"error: no such type", "a tag that <{%never ends"}, Warnings: []string{"soon gone"},
		Policies: Verdict{Violations: []Violation{{Pack: "pack", Policy: "tagged", Level: "mandatory", URN: queueURN, Message: "tag it"}}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if got.Summary() != "nothing to do" {
		t.Errorf("the summary is %q", got.Summary())
	}
}

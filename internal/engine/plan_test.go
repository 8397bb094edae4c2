package engine

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/pulumi/pulumi/pkg/v3/display"
	pulumiengine "github.com/pulumi/pulumi/pkg/v3/engine"
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
func plan(told ...pulumiengine.Event) *Plan {
	events := make(chan pulumiengine.Event, len(told))
	for _, event := range told {
		events <- event
	}
	close(events)
	return collect(events)
}

func step(m pulumiengine.StepEventMetadata) pulumiengine.Event {
	return pulumiengine.NewEvent(pulumiengine.ResourcePreEventPayload{Metadata: m})
}

func TestStepsAreToldOnceAndInOrder(t *testing.T) {
	got := plan(
		step(pulumiengine.StepEventMetadata{Op: deploy.OpDelete, URN: tableURN, Type: "aws:dynamodb/table:Table", Old: &pulumiengine.StepEventStateMetadata{
			Custom: true, Parent: stackURN,
		}}),
		// A replacement arrives as three steps.
		step(pulumiengine.StepEventMetadata{Op: deploy.OpDeleteReplaced, URN: queueURN}),
		step(pulumiengine.StepEventMetadata{Op: deploy.OpReplace, URN: queueURN, Type: "aws:sqs/queue:Queue", Keys: []resource.PropertyKey{"name"}, Diffs: []resource.PropertyKey{"name"},
			Provider: "provider", New: &pulumiengine.StepEventStateMetadata{Custom: true},
			Old: &pulumiengine.StepEventStateMetadata{}}),
		step(pulumiengine.StepEventMetadata{Op: deploy.OpCreateReplacement, URN: queueURN}),
		step(pulumiengine.StepEventMetadata{Op: deploy.OpSame, URN: stackURN, Type: "pulumi:pulumi:Stack", New: &pulumiengine.StepEventStateMetadata{}}),
		pulumiengine.NewEvent(pulumiengine.SummaryEventPayload{ResourceChanges: display.ResourceChanges{"delete": 1, "replace": 1, "same": 1}}),
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
	outputs := func(m pulumiengine.StepEventMetadata) pulumiengine.Event {
		return pulumiengine.NewEvent(pulumiengine.ResourceOutputsEventPayload{Metadata: m})
	}
	got := plan(
		step(pulumiengine.StepEventMetadata{Op: deploy.OpRefresh, URN: queueURN}),
		step(pulumiengine.StepEventMetadata{Op: deploy.OpRefresh, URN: tableURN}),
		outputs(pulumiengine.StepEventMetadata{Op: deploy.OpSame, URN: queueURN}),
		outputs(pulumiengine.StepEventMetadata{Op: deploy.OpDelete, URN: tableURN}),
		step(pulumiengine.StepEventMetadata{Op: deploy.OpCreate, URN: stackURN}),
		outputs(pulumiengine.StepEventMetadata{Op: deploy.OpSame, URN: stackURN}),
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
	diagnostic := func(severity diag.Severity, prefix, message string) pulumiengine.Event {
		return pulumiengine.NewEvent(pulumiengine.DiagEventPayload{Severity: severity, Prefix: prefix, Message: message})
	}
	got := plan(
		diagnostic(diag.Error, "<{%fg 1%}>error: <{%reset%}>", "no such <{%bold%}>type<{%reset%}>\n"),
		diagnostic(diag.Warning, "", "soon gone"),
		diagnostic(diag.Info, "", "of no interest"),
		diagnostic(diag.Error, "<{%reset%}>", " \n"),
		diagnostic(diag.Error, "", "a tag that <{%never ends"),
		pulumiengine.NewEvent(pulumiengine.PolicyViolationEventPayload{
			PolicyPackName: "pack", PolicyName: "tagged", EnforcementLevel: "mandatory", ResourceURN: queueURN, Message: "<{%reset%}>tag it",
		}),
		pulumiengine.NewCancelEvent(),
	)
	want := &Plan{
		Counts: map[string]int{}, Errors: []string{"no such type", "a tag that <{%never ends"}, Warnings: []string{"soon gone"},
		Policies: Verdict{Violations: []Violation{{Pack: "pack", Policy: "tagged", Level: "mandatory", URN: queueURN, Message: "tag it"}}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if got.Summary() != "nothing to do" {
		t.Errorf("the summary is %q", got.Summary())
	}
}

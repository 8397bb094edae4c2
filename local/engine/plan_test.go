package engine

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/pulumi/pulumi/sdk/v3/go/auto/events"
	"github.com/pulumi/pulumi/sdk/v3/go/common/apitype"
)

const (
	queueURN = "urn:pulumi:test::orders::aws:sqs/queue:Queue::failures"
	tableURN = "urn:pulumi:test::orders::aws:dynamodb/table:Table::orders"
	stackURN = "urn:pulumi:test::orders::pulumi:pulumi:Stack::orders-test"
)

// plan reads what the engine told.
func plan(t *testing.T, told ...apitype.EngineEvent) *Plan {
	t.Helper()
	p, err := collect(func(stream chan<- events.EngineEvent) error {
		defer close(stream)
		for _, event := range told {
			stream <- events.EngineEvent{EngineEvent: event}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func step(m apitype.StepEventMetadata) apitype.EngineEvent {
	return apitype.EngineEvent{ResourcePreEvent: &apitype.ResourcePreEvent{Metadata: m}}
}

func TestStepsAreToldOnceAndInOrder(t *testing.T) {
	got := plan(t,
		step(apitype.StepEventMetadata{Op: apitype.OpDelete, URN: tableURN, Type: "aws:dynamodb/table:Table", Old: &apitype.StepEventStateMetadata{
			Custom: true, Parent: stackURN, Inputs: map[string]any{"name": "orders"},
		}}),
		// A replacement comes as three steps.
		step(apitype.StepEventMetadata{Op: apitype.OpDeleteReplaced, URN: queueURN}),
		step(apitype.StepEventMetadata{Op: apitype.OpReplace, URN: queueURN, Type: "aws:sqs/queue:Queue", Keys: []string{"name"}, Diffs: []string{"name"},
			Provider: "provider", New: &apitype.StepEventStateMetadata{Custom: true, Inputs: map[string]any{"name": "new"}},
			Old: &apitype.StepEventStateMetadata{Inputs: map[string]any{"name": "old"}}}),
		step(apitype.StepEventMetadata{Op: apitype.OpCreateReplacement, URN: queueURN}),
		step(apitype.StepEventMetadata{Op: apitype.OpSame, URN: stackURN, Type: "pulumi:pulumi:Stack", New: &apitype.StepEventStateMetadata{}}),
		apitype.EngineEvent{SummaryEvent: &apitype.SummaryEvent{ResourceChanges: map[apitype.OpType]int{"delete": 1, "replace": 1, "same": 1}}},
	)
	want := []Step{
		{Op: "delete", URN: tableURN, Type: "aws:dynamodb/table:Table", Name: "orders", Parent: stackURN, Custom: true, Inputs: map[string]any{"name": "orders"}},
		{Op: "replace", URN: queueURN, Type: "aws:sqs/queue:Queue", Name: "failures", Provider: "provider", Custom: true,
			Changes: []string{"name"}, Replaces: []string{"name"}, Inputs: map[string]any{"name": "new"}},
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

// A refresh says that it reads a resource, and then what came of it.
func TestARefreshTellsWhatItFound(t *testing.T) {
	outputs := func(m apitype.StepEventMetadata) apitype.EngineEvent {
		return apitype.EngineEvent{ResOutputsEvent: &apitype.ResOutputsEvent{Metadata: m}}
	}
	got := plan(t,
		step(apitype.StepEventMetadata{Op: apitype.OpRefresh, URN: queueURN}),
		step(apitype.StepEventMetadata{Op: apitype.OpRefresh, URN: tableURN}),
		outputs(apitype.StepEventMetadata{Op: apitype.OpSame, URN: queueURN}),
		outputs(apitype.StepEventMetadata{Op: apitype.OpDelete, URN: tableURN}),
		step(apitype.StepEventMetadata{Op: apitype.OpCreate, URN: stackURN}),
		outputs(apitype.StepEventMetadata{Op: apitype.OpSame, URN: stackURN}),
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
	diagnostic := func(severity, prefix, message string) apitype.EngineEvent {
		return apitype.EngineEvent{DiagnosticEvent: &apitype.DiagnosticEvent{Severity: severity, Prefix: prefix, Message: message}}
	}
	got := plan(t,
		diagnostic("error", "<{%fg 1%}>error: <{%reset%}>", "no such <{%bold%}>type<{%reset%}>\n"),
		diagnostic("warning", "", "soon gone"),
		diagnostic("info", "", "of no interest"),
		diagnostic("error", "<{%reset%}>", " \n"),
		diagnostic("error", "", "a tag that <{%never ends"),
		apitype.EngineEvent{PolicyEvent: &apitype.PolicyEvent{
			PolicyPackName: "pack", PolicyName: "tagged", EnforcementLevel: "mandatory", ResourceURN: queueURN, Message: "<{%reset%}>tag it",
		}},
		apitype.EngineEvent{},
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

// The Automation API closes the stream only if the engine began.
func TestAnEngineThatNeverBeginsIsNotWaitedFor(t *testing.T) {
	why := errors.New("no such stack")
	p, err := collect(func(chan<- events.EngineEvent) error { return why })
	if !errors.Is(err, why) || len(p.Steps) > 0 {
		t.Errorf("got %v, %v", p, err)
	}
}

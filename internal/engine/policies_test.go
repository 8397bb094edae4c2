package engine

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	pulumiengine "github.com/pulumi/pulumi/pkg/v3/engine"
	"github.com/pulumi/pulumi/sdk/v3/go/common/apitype"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
)

func TestAPolicyPassesIfItFindsNoFaultInAnyResource(t *testing.T) {
	judged := func(urn resource.URN, passed ...string) pulumiengine.Event {
		return pulumiengine.NewEvent(pulumiengine.PolicyAnalyzeSummaryEventPayload{ResourceURN: urn, Passed: passed})
	}
	broken := func(urn resource.URN, policy string, level apitype.EnforcementLevel, message string) pulumiengine.Event {
		return pulumiengine.NewEvent(pulumiengine.PolicyViolationEventPayload{
			PolicyPackName: "pack", PolicyName: policy, EnforcementLevel: level, ResourceURN: urn, Message: message,
		})
	}
	whole := pulumiengine.NewEvent(pulumiengine.PolicyAnalyzeStackSummaryEventPayload{Passed: []string{"alarmed"}})
	for _, tc := range []struct {
		name    string
		told    []pulumiengine.Event
		summary string
		want    Verdict
		stops   string
	}{
		{name: "no policies", summary: ""},
		{
			name: "all kept", told: []pulumiengine.Event{judged(queueURN, "tagged", "encrypted"), judged(tableURN, "tagged"), whole},
			summary: "3 passed", want: Verdict{Passed: []string{"alarmed", "encrypted", "tagged"}},
		}, {
			name: "one broken by two resources and kept by another", summary: "1 passed, 1 violated",
			told: []pulumiengine.Event{
				judged(stackURN, "tagged", "encrypted"), broken(queueURN, "tagged", "mandatory", "Who owns it?\ntags lack Owner."), judged(queueURN, "encrypted"),
				broken(queueURN, "tagged", "mandatory", "Who owns it?\ntags lack CostCenter."), broken(tableURN, "tagged", "mandatory", "tags lack Owner."),
			},
			want: Verdict{Passed: []string{"encrypted"}, Violations: []Violation{
				{Pack: "pack", Policy: "tagged", Level: "mandatory", URN: tableURN, Message: "tags lack Owner."},
				{Pack: "pack", Policy: "tagged", Level: "mandatory", URN: queueURN, Message: "Who owns it?\ntags lack CostCenter."},
				{Pack: "pack", Policy: "tagged", Level: "mandatory", URN: queueURN, Message: "Who owns it?\ntags lack Owner."},
			}},
			stops: `policy tagged is broken (mandatory)
  aws:dynamodb/table:Table "orders"
    tags lack Owner.
  aws:sqs/queue:Queue "failures"
    Who owns it?
    tags lack CostCenter.
    tags lack Owner.`,
		}, {
			name: "an advice, and a fault of the whole stack", summary: "0 passed, 2 violated",
			told: []pulumiengine.Event{broken("", "alarmed", "mandatory", "no alarm"), broken(queueURN, "named", "advisory", "a long name")},
			want: Verdict{Violations: []Violation{
				{Pack: "pack", Policy: "alarmed", Level: "mandatory", Message: "no alarm"},
				{Pack: "pack", Policy: "named", Level: "advisory", URN: queueURN, Message: "a long name"},
			}},
			stops: "policy alarmed is broken (mandatory)\n  the stack\n    no alarm",
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			p := plan(tc.told...)
			if diff := cmp.Diff(tc.want, p.Policies); diff != "" {
				t.Error(diff)
			}
			if got := p.Policies.Summary(); got != tc.summary {
				t.Errorf("the summary is %q, want %q", got, tc.summary)
			}
			if diff := cmp.Diff(tc.stops, Tell(p.Policies.Stopping())); diff != "" {
				t.Error(diff)
			}
		})
	}
}

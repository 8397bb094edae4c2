package engine

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	pulumiengine "github.com/pulumi/pulumi/pkg/v3/engine"
	"github.com/pulumi/pulumi/pkg/v3/resource/deploy"
	"github.com/pulumi/pulumi/sdk/v3/go/common/diag"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
)

// Step is what the engine does, or would do, to one resource.
type Step struct {
	Op       string   `json:"op"` // create, update, replace, delete, same, …
	URN      string   `json:"urn"`
	Type     string   `json:"type"`
	Name     string   `json:"name"`
	Parent   string   `json:"parent,omitempty"` // URN
	Provider string   `json:"provider,omitempty"`
	Custom   bool     `json:"custom"`
	Changes  []string `json:"changes,omitempty"` // properties that differ
	Replaces []string `json:"replaces,omitempty"`
}

// Plan is the engine's account of a preview, an update or a destroy.
type Plan struct {
	Steps    []Step         `json:"steps"` // in order of URN
	Counts   map[string]int `json:"counts"`
	Warnings []string       `json:"warnings,omitempty"`
	Errors   []string       `json:"errors,omitempty"`
	Policies Verdict        `json:"policies"`
}

// Changed returns the steps that do something.
func (p *Plan) Changed() []Step {
	return slices.DeleteFunc(slices.Clone(p.Steps), func(s Step) bool { return s.Op == string(deploy.OpSame) })
}

// Summary says in a few words what was done, such as "158 create".
func (p *Plan) Summary() string {
	var parts []string
	for _, op := range slices.Sorted(maps.Keys(p.Counts)) {
		parts = append(parts, fmt.Sprintf("%d %s", p.Counts[op], op))
	}
	if len(parts) == 0 {
		return "nothing to do"
	}
	return strings.Join(parts, ", ")
}

func newPlan() *Plan { return &Plan{Counts: map[string]int{}} }

// collect reads all events of an operation.
func collect(events <-chan pulumiengine.Event) *Plan {
	plan, steps := newPlan(), map[string]Step{}
	for event := range events {
		plan.read(event, steps)
	}
	plan.Policies.sort()
	plan.Steps = slices.SortedFunc(maps.Values(steps), func(a, b Step) int { return cmp.Compare(a.URN, b.URN) })
	return plan
}

func (p *Plan) read(event pulumiengine.Event, steps map[string]Step) {
	if event.Internal() { // such as the default providers that the engine creates
		return
	}
	switch told := event.Payload().(type) {
	case pulumiengine.ResourcePreEventPayload:
		if step := newStep(told.Metadata); step.Op != "" {
			steps[step.URN] = step
		}
	case pulumiengine.ResourceOutputsEventPayload:
		// A refresh knows what it does to a resource once it has read it.
		if step := newStep(told.Metadata); steps[step.URN].Op == string(deploy.OpRefresh) {
			steps[step.URN] = step
		}
	case pulumiengine.SummaryEventPayload:
		for op, n := range told.ResourceChanges {
			p.Counts[string(op)] += n
		}
	case pulumiengine.DiagEventPayload:
		p.note(told)
	default:
		p.Policies.read(told)
	}
}

func (p *Plan) note(d pulumiengine.DiagEventPayload) {
	message := plainText(d.Prefix + d.Message)
	if message == "" {
		return
	}
	switch d.Severity {
	case diag.Error:
		p.Errors = append(p.Errors, strings.TrimPrefix(message, "error: "))
	case diag.Warning:
		p.Warnings = append(p.Warnings, message)
	default: // the engine's own progress
	}
}

// newStep reads one step; the steps of a replacement are reported as one, under the operation for the whole.
func newStep(m pulumiengine.StepEventMetadata) Step {
	if m.Op == deploy.OpCreateReplacement || m.Op == deploy.OpDeleteReplaced {
		return Step{}
	}
	step := Step{
		Op: string(m.Op), URN: string(m.URN), Type: string(m.Type), Name: m.URN.Name(),
		Provider: m.Provider, Changes: texts(m.Diffs), Replaces: texts(m.Keys),
	}
	for _, state := range []*pulumiengine.StepEventStateMetadata{m.New, m.Old} {
		if state != nil {
			step.Parent, step.Custom = string(state.Parent), state.Custom
			break
		}
	}
	return step
}

func texts(keys []resource.PropertyKey) []string {
	var all []string
	for _, key := range keys {
		all = append(all, string(key))
	}
	return all
}

// plainText removes the engine's colour tags from a message.
func plainText(message string) string {
	for {
		start := strings.Index(message, "<{%")
		if start < 0 {
			return strings.TrimSpace(message)
		}
		end := strings.Index(message[start:], "%}>")
		if end < 0 {
			return strings.TrimSpace(message)
		}
		message = message[:start] + message[start+end+3:]
	}
}

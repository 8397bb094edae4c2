package engine

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/pulumi/pulumi/sdk/v3/go/auto/events"
	"github.com/pulumi/pulumi/sdk/v3/go/common/apitype"
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
	// Inputs are what the program sent, with unknown values of a preview as
	// the engine's placeholder text.
	Inputs map[string]any `json:"-"`
}

// Plan is the engine's account of a preview, an update or a destruction.
type Plan struct {
	Steps    []Step         `json:"steps"` // in order of URN
	Counts   map[string]int `json:"counts"`
	Warnings []string       `json:"warnings,omitempty"`
	Errors   []string       `json:"errors,omitempty"`
	Policies Verdict        `json:"policies"`
}

// Changed lists the steps that do something.
func (p *Plan) Changed() []Step {
	return slices.DeleteFunc(slices.Clone(p.Steps), func(s Step) bool { return s.Op == string(apitype.OpSame) })
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

// collect runs an operation of the engine and reads its event stream.
func collect(operation func(chan<- events.EngineEvent) error) (*Plan, error) {
	plan := &Plan{Counts: map[string]int{}}
	steps := map[string]Step{}
	err := Follow(operation, func(event apitype.EngineEvent) { plan.read(event, steps) })
	plan.Policies.sort()
	plan.Steps = slices.SortedFunc(maps.Values(steps), func(a, b Step) int { return cmp.Compare(a.URN, b.URN) })
	return plan, err
}

// Follow runs an operation of the engine, and tells each event of the stream that the operation is given, one at a time.
func Follow(operation func(chan<- events.EngineEvent) error, tell func(apitype.EngineEvent)) error {
	stream := make(chan events.EngineEvent)
	// The Automation API closes the stream when the engine ends, but not when
	// the engine never began; either way nothing is sent once it returns.
	over := make(chan struct{})
	var reading sync.WaitGroup
	reading.Go(func() {
		for {
			select {
			case event, open := <-stream:
				if !open {
					return
				}
				tell(event.EngineEvent)
			case <-over:
				return
			}
		}
	})
	err := operation(stream)
	close(over)
	reading.Wait()
	return err
}

func (p *Plan) read(event apitype.EngineEvent, steps map[string]Step) {
	switch {
	case event.ResourcePreEvent != nil:
		if step := newStep(event.ResourcePreEvent.Metadata); step.Op != "" {
			steps[step.URN] = step
		}
	case event.ResOutputsEvent != nil:
		// A refresh knows what it does to a resource once it has read it.
		if step := newStep(event.ResOutputsEvent.Metadata); steps[step.URN].Op == string(apitype.OpRefresh) {
			steps[step.URN] = step
		}
	case event.SummaryEvent != nil:
		for op, n := range event.SummaryEvent.ResourceChanges {
			p.Counts[string(op)] += n
		}
	case event.DiagnosticEvent != nil:
		p.note(*event.DiagnosticEvent)
	default:
		p.Policies.read(event)
	}
}

func (p *Plan) note(d apitype.DiagnosticEvent) {
	message := PlainText(d.Prefix + d.Message)
	if message == "" {
		return
	}
	switch d.Severity {
	case "error":
		p.Errors = append(p.Errors, message)
	case "warning":
		p.Warnings = append(p.Warnings, message)
	}
}

// newStep reads one step; the steps that make up a replacement are told as
// one, by the operation that stands for the whole.
func newStep(m apitype.StepEventMetadata) Step {
	if m.Op == apitype.OpCreateReplacement || m.Op == apitype.OpDeleteReplaced {
		return Step{}
	}
	step := Step{
		Op: string(m.Op), URN: m.URN, Type: m.Type, Name: resource.URN(m.URN).Name(),
		Provider: m.Provider, Changes: m.Diffs, Replaces: m.Keys,
	}
	for _, state := range []*apitype.StepEventStateMetadata{m.New, m.Old} {
		if state != nil {
			step.Parent, step.Custom, step.Inputs = state.Parent, state.Custom, state.Inputs
			break
		}
	}
	return step
}

// PlainText takes the engine's colour tags out of a message.
func PlainText(message string) string {
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

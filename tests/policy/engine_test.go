// Package policy_test runs the policy pack on the real Pulumi engine: every case of every rule, and this program's own
// stacks. These tests take a minute or two and an engine: they run where POLICY and REQUIRE_ENGINE are set, as `make policy`
// sets them.
package policy_test

import (
	"cmp"
	"context"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/auto"
	"github.com/pulumi/pulumi/sdk/v3/go/auto/events"
	"github.com/pulumi/pulumi/sdk/v3/go/auto/optpreview"
	"github.com/pulumi/pulumi/sdk/v3/go/auto/optup"
	"github.com/pulumi/pulumi/sdk/v3/go/common/apitype"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"trade-processing/local/engine"
	"trade-processing/local/engine/enginetest"
	"trade-processing/policy/pack"
)

// TestMain is the pack where the engine runs this very test as one.
func TestMain(m *testing.M) {
	if pack.Called(os.Args) {
		os.Exit(pack.Main(context.Background(), os.Args, os.Stdout, os.Stderr))
	}
	os.Exit(m.Run())
}

// needEngine skips the test where it isn't asked for.
func needEngine(t *testing.T) auto.PulumiCommand {
	t.Helper()
	if os.Getenv("POLICY") == "" {
		t.Skip("make policy runs it")
	}
	return enginetest.CLI(t)
}

// desk is a stack on the engine with the pack on.
type desk struct {
	t      *testing.T
	stack  auto.Stack
	packs  []string
	config string // file with the pack's configuration
}

// program is what to run on the engine, and how the pack judges it.
type program struct {
	run    pulumi.RunFunc
	stack  string
	attach string         // the providers to attach to
	config map[string]any // of the pack
	// folder and path are the pack's; "" for the pack within this test.
	folder, path string
}

func open(t *testing.T, p program) *desk {
	t.Helper()
	cli := needEngine(t)
	folder := t.TempDir()
	if p.folder == "" {
		embedded, err := pack.Embed(filepath.Join(folder, "pack"))
		if err != nil {
			t.Fatal(err)
		}
		p.folder, p.path = embedded.Folder, embedded.Path(os.Getenv("PATH"))
	}
	text, err := json.Marshal(p.config)
	if err != nil {
		t.Fatal(err)
	}
	d := &desk{t: t, packs: []string{p.folder}, config: filepath.Join(folder, "pack.json")}
	if err := os.WriteFile(d.config, text, 0o600); err != nil {
		t.Fatal(err)
	}
	backend := filepath.Join(folder, "backend")
	if err := os.Mkdir(backend, 0o700); err != nil {
		t.Fatal(err)
	}
	d.stack, err = auto.UpsertStackInlineSource(t.Context(), p.stack, "cases", p.run,
		auto.Pulumi(cli), auto.PulumiHome(filepath.Join(folder, "home")), auto.SecretsProvider("passphrase"),
		auto.EnvVars(map[string]string{
			"PATH":                     p.path,
			"PULUMI_BACKEND_URL":       "file://" + filepath.ToSlash(backend),
			"PULUMI_CONFIG_PASSPHRASE": "test",
			"PULUMI_DEBUG_PROVIDERS":   p.attach,
			"PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION":   "true",
			"PULUMI_SKIP_UPDATE_CHECK":                      "true",
			"PULUMI_DIY_BACKEND_DISABLE_CHECKPOINT_BACKUPS": "true",
			"PULUMI_EXPERIMENTAL":                           "true",
			"PULUMI_SKIP_CHECKPOINTS":                       "true",
		}))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// verdict is what the engine said of the policies.
type verdict struct {
	violations []apitype.PolicyEvent
	remedies   []apitype.PolicyRemediationEvent
	passed     map[string]bool // names of policies that found something to judge, and nothing wrong
	failed     map[string]bool
	steps      map[string]string // operations by URN
	err        error
	problems   []string // what the engine reported as errors
}

func (d *desk) preview() verdict {
	return d.read(func(stream chan<- events.EngineEvent) error {
		_, err := d.stack.Preview(d.t.Context(), optpreview.EventStreams(stream), optpreview.ProgressStreams(io.Discard),
			optpreview.ErrorProgressStreams(io.Discard), optpreview.PolicyPacks(d.packs...), optpreview.PolicyPackConfigs(d.config))
		return err
	})
}

func (d *desk) up() verdict {
	return d.read(func(stream chan<- events.EngineEvent) error {
		_, err := d.stack.Up(d.t.Context(), optup.EventStreams(stream), optup.ProgressStreams(io.Discard),
			optup.ErrorProgressStreams(io.Discard), optup.PolicyPacks(d.packs...), optup.PolicyPackConfigs(d.config))
		return err
	})
}

func (d *desk) read(operation func(chan<- events.EngineEvent) error) verdict {
	v := verdict{passed: map[string]bool{}, failed: map[string]bool{}, steps: map[string]string{}}
	v.err = engine.Follow(operation, v.note)
	for name := range v.failed {
		delete(v.passed, name)
	}
	slices.SortFunc(v.violations, func(a, b apitype.PolicyEvent) int {
		return cmp.Or(cmp.Compare(a.ResourceURN, b.ResourceURN), cmp.Compare(a.PolicyName, b.PolicyName))
	})
	return v
}

func (v *verdict) note(event apitype.EngineEvent) {
	sum := func(passed, failed []string) {
		for _, name := range passed {
			v.passed[name] = true
		}
		for _, name := range failed {
			v.failed[name] = true
		}
	}
	switch {
	case event.PolicyEvent != nil:
		v.violations = append(v.violations, *event.PolicyEvent)
	case event.PolicyRemediationEvent != nil:
		v.remedies = append(v.remedies, *event.PolicyRemediationEvent)
	case event.PolicyAnalyzeSummaryEvent != nil:
		sum(event.PolicyAnalyzeSummaryEvent.Passed, event.PolicyAnalyzeSummaryEvent.Failed)
	case event.PolicyAnalyzeStackSummaryEvent != nil:
		sum(event.PolicyAnalyzeStackSummaryEvent.Passed, event.PolicyAnalyzeStackSummaryEvent.Failed)
	case event.ResourcePreEvent != nil:
		v.steps[event.ResourcePreEvent.Metadata.URN] = string(event.ResourcePreEvent.Metadata.Op)
	case event.DiagnosticEvent != nil && event.DiagnosticEvent.Severity == "error":
		v.problems = append(v.problems, strings.TrimSpace(event.DiagnosticEvent.Message))
	}
}

// messages are what a rule said of a resource, without the reason that the engine shows first.
func (v *verdict) messages(rule, urn string) []string {
	var all []string
	for _, violation := range v.violations {
		if violation.PolicyName == rule && violation.ResourceURN == urn {
			_, message, _ := strings.Cut(engine.PlainText(violation.Message), "\n")
			all = append(all, message)
		}
	}
	return all
}

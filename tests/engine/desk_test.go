// Package engine_test runs the program on the real Pulumi engine over the local cloud. Its tests take a minute and an
// engine: they run where REQUIRE_ENGINE is set, as `make test-engine` sets it once there is one.
package engine_test

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/auto"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"gopkg.in/yaml.v3"

	"trade-processing/internal/feed"
	"trade-processing/internal/localrun"
	"trade-processing/internal/report"
	"trade-processing/internal/stackconfig"
	"trade-processing/local/cloud"
	"trade-processing/local/engine"
	"trade-processing/local/engine/enginetest"
	"trade-processing/local/provider"
	"trade-processing/stack"
)

const root = "../.."

// desk is a stack, opened on the engine over a cloud of its own, whose program
// and config the test changes between one operation and the next. Opening a
// stack takes the engine a second, so that each test does it once.
type desk struct {
	t       *testing.T
	cloud   *cloud.Cloud
	state   string
	config  string // file
	program pulumi.RunFunc
	stack   *engine.Deployment
	outputs auto.OutputMap
}

func newDesk(t *testing.T, name string) *desk {
	t.Helper()
	return openDesk(t, optionsFor(t, name))
}

// optionsFor are the options that open a stack as it is, if there is to be an engine.
func optionsFor(t *testing.T, name string) engine.Options {
	t.Helper()
	cli := enginetest.CLI(t)
	folder, err := filepath.Abs(root)
	if err != nil {
		t.Fatal(err)
	}
	return engine.Options{CLI: cli, Root: folder, Stack: name, WriteOnce: true}
}

// openDesk opens a stack as the options say; what a desk is made of is filled in.
func openDesk(t *testing.T, options engine.Options) *desk {
	t.Helper()
	d := &desk{t: t, cloud: cloud.New(cloud.Options{Images: localrun.Images()}), state: t.TempDir(), program: stack.DeployFrom(options.Root)}
	d.config = filepath.Join(d.state, "work", stackconfig.FileOf(options.Stack))
	servers, err := provider.Serve(d.cloud)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(servers.Close)
	options.Program = func(ctx *pulumi.Context) error { return d.program(ctx) }
	options.Attach, options.State = servers.Attach(), d.state
	if d.stack, err = engine.Open(t.Context(), options); err != nil {
		t.Fatal(err)
	}
	return d
}

// set changes keys of the stack's config.
func (d *desk) set(changes map[string]any) {
	d.t.Helper()
	text, err := os.ReadFile(d.config)
	if err != nil {
		d.t.Fatal(err)
	}
	var file map[string]any
	if err := yaml.Unmarshal(text, &file); err != nil {
		d.t.Fatal(err)
	}
	config, _ := file["config"].(map[string]any)
	for key, value := range changes {
		config["trade-processing:"+key] = value
	}
	if text, err = yaml.Marshal(file); err != nil {
		d.t.Fatal(err)
	}
	if err := os.WriteFile(d.config, text, 0o600); err != nil {
		d.t.Fatal(err)
	}
}

func (d *desk) up() *engine.Plan {
	d.t.Helper()
	plan, outputs, err := d.stack.Up(d.t.Context())
	if err != nil {
		d.t.Fatal(err)
	}
	d.outputs = outputs
	return plan
}

func (d *desk) preview() *engine.Plan {
	d.t.Helper()
	plan, err := d.stack.Preview(d.t.Context())
	if err != nil {
		d.t.Fatal(err)
	}
	return plan
}

func (d *desk) refresh() *engine.Plan {
	d.t.Helper()
	plan, err := d.stack.Refresh(d.t.Context())
	if err != nil {
		d.t.Fatal(err)
	}
	return plan
}

// trades sends a trade from each of the sources and wants every one recorded.
// Each step of a test has ids of its own.
func (d *desk) trades(step string, sources ...string) {
	d.t.Helper()
	output := func(name string) string {
		text, _ := d.outputs[name].Value.(string)
		return text
	}
	p := localrun.Pipeline{Cloud: d.cloud, Region: output("region"), Bus: output("eventBusName"), Table: output("tradeTableName")}
	var lines []string
	for _, source := range sources {
		lines = append(lines, fmt.Sprintf(`{"Source": "trading.%s", "DetailType": "Trade Event", "Detail": {"tradeId": "%s.%s", "amount": "1", "currency": "USD", "sourceSystem": "%s"}}`,
			source, strings.ReplaceAll(step, " ", "-"), source, source))
	}
	before, err := p.Take()
	if err != nil {
		d.t.Fatal(err)
	}
	collector := localrun.NewCollector()
	if err := p.Process(d.t.Context(), feed.FromReader(step, strings.NewReader(strings.Join(lines, "\n"))), collector); err != nil {
		d.t.Fatal(err)
	}
	r, err := p.Report(d.t.Context(), collector, before, report.Run{})
	if err != nil {
		d.t.Fatal(err)
	}
	if !r.Reconciles || r.Recorded != int64(len(sources)) {
		text, _ := r.JSON()
		d.t.Errorf("of %d trades %d were recorded: %s", len(sources), r.Recorded, text)
	}
}

// changes tells of a plan what it does to which types, such as
// "update aws:sqs/queue:Queue".
func changes(plan *engine.Plan) map[string]int {
	counts := map[string]int{}
	for _, step := range plan.Changed() {
		if step.Custom {
			counts[step.Op+" "+step.Type]++
		}
	}
	return counts
}

// resources tells of a plan what it does to which resources.
func resources(plan *engine.Plan) []string {
	var all []string
	for _, step := range plan.Changed() {
		if step.Custom {
			all = append(all, step.Op+" "+step.URN)
		}
	}
	return all
}

// keeps fails where a plan replaces or deletes what holds trades.
func keeps(t *testing.T, plan *engine.Plan) {
	t.Helper()
	for _, step := range plan.Changed() {
		holds := step.Type == "aws:dynamodb/table:Table" || step.Type == "aws:sqs/queue:Queue"
		if holds && (step.Op == "replace" || step.Op == "delete") {
			t.Errorf("%s %s %s, which holds trades: %v", step.Op, step.Type, step.Name, step.Replaces)
		}
	}
}

// operations are what a plan does, without to what.
func operations(plan *engine.Plan) []string {
	all := map[string]bool{}
	for _, step := range plan.Changed() {
		if step.Custom {
			all[step.Op] = true
		}
	}
	return slices.Sorted(maps.Keys(all))
}

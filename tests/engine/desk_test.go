// Package engine_test runs the program on the real Pulumi engine over the local cloud.
package engine_test

import (
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"trade-processing/internal/engine"
	"trade-processing/internal/feed"
	"trade-processing/internal/localrun"
	"trade-processing/internal/report"
	"trade-processing/internal/stackconfig"
	"trade-processing/local/cloud"
	"trade-processing/local/provider"
	"trade-processing/stack"
)

const root = "../.."

// desk is a stack, opened on the engine over its own cloud, whose program and config the test changes between
// operations.
type desk struct {
	t       *testing.T
	cloud   *cloud.Cloud
	options engine.Options
	program pulumi.RunFunc
	stack   *engine.Deployment
	outputs map[string]engine.Output
}

func newDesk(t *testing.T, name string) *desk {
	t.Helper()
	return openDesk(t, engine.Options{Stack: name})
}

// openDesk opens a stack with the options; the desk's own parts are filled in.
func openDesk(t *testing.T, options engine.Options) *desk {
	t.Helper()
	here := cloud.New(cloud.Options{Images: localrun.Images(), HTTP: &http.Client{Transport: anyAPI{}}})
	d := &desk{t: t, cloud: here, options: options, program: stack.DeployFrom(root)}
	d.options.Root = root
	d.options.Program = func(ctx *pulumi.Context) error { return d.program(ctx) }
	d.options.Providers = engine.InProcess(provider.Of(d.cloud))
	d.options.Settings = map[string]string{}
	d.reopen()
	return d
}

// anyAPI answers whatever apiEndpoint is asked, without a network.
type anyAPI struct{}

func (anyAPI) RoundTrip(request *http.Request) (*http.Response, error) {
	return &http.Response{
		StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader("{}")), Request: request,
	}, nil
}

// reopen opens the stack again, from its current state.
func (d *desk) reopen() {
	d.t.Helper()
	if d.stack != nil {
		d.options.State = d.stack.Export()
	}
	var err error
	if d.stack, err = engine.Open(d.options); err != nil {
		d.t.Fatal(err)
	}
}

// set changes keys of the stack's config.
func (d *desk) set(changes map[string]any) {
	d.t.Helper()
	for key, value := range changes {
		spelled, err := stackconfig.Spell(value)
		if err != nil {
			d.t.Fatal(err)
		}
		d.options.Settings[key] = spelled
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

// trades sends a trade from each source and expects every one to be recorded. Each step of a test has its own ids.
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

// changes returns what a plan does to which types, such as "update aws:sqs/queue:Queue".
func changes(plan *engine.Plan) map[string]int {
	counts := map[string]int{}
	for _, step := range plan.Changed() {
		if step.Custom {
			counts[step.Op+" "+step.Type]++
		}
	}
	return counts
}

// resources returns what a plan does to which resources.
func resources(plan *engine.Plan) []string {
	var all []string
	for _, step := range plan.Changed() {
		if step.Custom {
			all = append(all, step.Op+" "+step.URN)
		}
	}
	return all
}

// keeps fails if a plan replaces or deletes what holds trades.
func keeps(t *testing.T, plan *engine.Plan) {
	t.Helper()
	for _, step := range plan.Changed() {
		holds := step.Type == cloud.TableType || step.Type == cloud.QueueType
		if holds && (step.Op == "replace" || step.Op == "delete") {
			t.Errorf("%s %s %s, which holds trades: %v", step.Op, step.Type, step.Name, step.Replaces)
		}
	}
}

// operations returns a plan's operations, without their targets.
func operations(plan *engine.Plan) []string {
	all := map[string]bool{}
	for _, step := range plan.Changed() {
		if step.Custom {
			all[step.Op] = true
		}
	}
	return slices.Sorted(maps.Keys(all))
}

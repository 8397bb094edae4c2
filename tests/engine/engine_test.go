// Package engine_test runs the program on the real Pulumi engine over the local cloud. Its tests take a minute and an
// engine: they run where REQUIRE_ENGINE is set, as `make test-engine` sets it once there is one.
package engine_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/kms"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/sqs"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ssm"
	"github.com/pulumi/pulumi/sdk/v3/go/auto"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"gopkg.in/yaml.v3"

	"trade-processing/internal/feed"
	"trade-processing/internal/pipeline"
	"trade-processing/internal/report"
	"trade-processing/internal/stackconfig"
	"trade-processing/local/cloud"
	"trade-processing/local/engine"
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
	if os.Getenv("REQUIRE_ENGINE") == "" {
		t.Skip("REQUIRE_ENGINE is not set: `make test-engine` runs the tests on the real engine")
	}
	cli, found := engine.FindCLI(t.Context())
	if !found {
		t.Fatal("there is no Pulumi engine: `tradectl local engine` builds one")
	}
	folder, err := filepath.Abs(root)
	if err != nil {
		t.Fatal(err)
	}
	return engine.Options{CLI: cli, Root: folder, Stack: name, WriteOnce: true}
}

// openDesk opens a stack as the options say; what a desk is made of is filled in.
func openDesk(t *testing.T, options engine.Options) *desk {
	t.Helper()
	d := &desk{t: t, cloud: cloud.New(cloud.Options{Images: pipeline.Images()}), state: t.TempDir(), program: stack.DeployFrom(options.Root)}
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
	p := pipeline.Pipeline{Cloud: d.cloud, Region: output("region"), Bus: output("eventBusName"), Table: output("tradeTableName")}
	var lines []string
	for _, source := range sources {
		lines = append(lines, fmt.Sprintf(`{"Source": "trading.%s", "DetailType": "Trade Event", "Detail": {"tradeId": "%s.%s", "amount": "1", "currency": "USD", "sourceSystem": "%s"}}`,
			source, strings.ReplaceAll(step, " ", "-"), source, source))
	}
	before, err := p.Take()
	if err != nil {
		d.t.Fatal(err)
	}
	collector := report.NewCollector()
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

func TestTheLifeOfAStack(t *testing.T) {
	d := newDesk(t, "local")
	if plan := d.up(); plan.Counts["create"] == 0 || len(plan.Counts) != 1 {
		t.Fatalf("the first deployment did %v", plan.Counts)
	}
	for _, name := range []string{"stateMachineArn", "tradeTableName", "eventBusName", "deadLetterQueueUrls", "parameterPrefix"} {
		if d.outputs[name].Value == nil {
			t.Errorf("no output %s", name)
		}
	}
	sources := []string{"system1", "system2", "system3"}
	d.trades("the first deployment", sources...)

	for _, step := range []struct {
		name       string
		config     map[string]any
		sources    []string       // those that send from then on; nil: as before
		operations []string       // the only ones
		changes    map[string]int // at least these
		previewed  bool           // whether a preview must say the same before
	}{
		{name: "nothing changes"},
		{
			name: "more memory", config: map[string]any{"recorderMemory": 1024}, operations: []string{"update"},
			changes: map[string]int{
				"update aws:lambda/function:Function": 1, "update aws:lambda/alias:Alias": 1,
				"update aws:cloudwatch/dashboard:Dashboard": 1, // which tells what a function costs
			},
		}, {
			name: "settings of every kind", previewed: true, operations: []string{"create", "update"},
			config: map[string]any{
				"processingThreshold": "2500000", "alarmEmail": "on-call@example.com", "logRetentionDays": 30, "maxRetries": 5,
				"validatorReservedConcurrency": 50, "archiveDays": 30,
				"tags": map[string]string{"Project": "trade-processing", "Environment": "local", "Owner": "others", "CostCenter": "none"},
			},
			changes: map[string]int{
				"create aws:sns/topicSubscription:TopicSubscription": 1, "update aws:ssm/parameter:Parameter": 3,
				"update aws:sfn/stateMachine:StateMachine": 1, "update aws:sfn/alias:Alias": 1, "update aws:dynamodb/table:Table": 1,
				"update aws:cloudwatch/eventArchive:EventArchive": 1, "update aws:lambda/function:Function": 3,
				"update pulumi:providers:aws": 2, // whose tags they are
			},
		}, {
			name: "a source and a replica region more", operations: []string{"create", "update"},
			config:  map[string]any{"sources": []string{"system1", "system2", "system3", "system4"}, "replicaRegions": []string{"eu-west-1", "eu-central-1"}},
			sources: []string{"system1", "system2", "system3", "system4"},
			changes: map[string]int{
				"create aws:dynamodb/tableReplica:TableReplica": 1, "create aws:kms/replicaKey:ReplicaKey": 1,
				"create aws:cloudwatch/eventRule:EventRule": 1, "create aws:cloudwatch/eventTarget:EventTarget": 1, "create aws:sqs/queue:Queue": 1,
			},
		}, {
			name: "a source renamed and a replica region less", previewed: true, operations: []string{"create", "delete", "update"},
			config:  map[string]any{"sources": []string{"desk", "system2", "system3", "system4"}, "replicaRegions": []string{"eu-central-1"}},
			sources: []string{"desk", "system2", "system3", "system4"},
			changes: map[string]int{
				"delete aws:dynamodb/tableReplica:TableReplica": 1,
				"delete aws:cloudwatch/eventRule:EventRule":     1, "create aws:cloudwatch/eventRule:EventRule": 1,
			},
		}, {
			name: "an express workflow", previewed: true, config: map[string]any{"workflowType": "EXPRESS", "maxRetries": 1},
			operations: []string{"replace", "update"}, changes: map[string]int{"replace aws:sfn/stateMachine:StateMachine": 1},
		},
	} {
		t.Run(step.name, func(t *testing.T) {
			d.t = t
			d.set(step.config)
			var predicted *engine.Plan
			if step.previewed {
				predicted = d.preview()
			}
			done := d.up()
			if predicted != nil && !slices.Equal(resources(predicted), resources(done)) {
				t.Errorf("what the preview said (-) and what was done (+):\n%s", cmp.Diff(resources(predicted), resources(done)))
			}
			keeps(t, done)
			if got := operations(done); !slices.Equal(got, step.operations) {
				t.Errorf("it did %v, want %v: %v", got, step.operations, changes(done))
			}
			got := changes(done)
			for change, count := range step.changes {
				if got[change] != count {
					t.Errorf("%s: %d times, want %d", change, got[change], count)
				}
			}
			if step.sources != nil {
				sources = step.sources
			}
			d.trades(step.name, sources...)
		})
	}
	t.Run("a refresh finds everything as it was", func(t *testing.T) {
		d.t = t
		if plan := d.refresh(); len(plan.Changed()) > 0 {
			t.Errorf("it found %v", resources(plan))
		}
	})
	t.Run("a refresh finds what somebody deleted or altered, and the next deployment mends it", func(t *testing.T) {
		d.t = t
		found, mended := map[string]int{}, map[string]int{}
		for _, r := range d.cloud.Resources() {
			switch {
			case r.Name == "pipeline-page" || r.Type == "aws:cloudwatch/dashboard:Dashboard":
				if err := d.cloud.Delete(r.Type, r.Region, r.ID); err != nil {
					t.Fatal(err)
				}
				found["delete "+r.Type], mended["create "+r.Type] = 1, 1
			case r.Name == "pipeline-bus-dead-letters-queue":
				altered := maps.Clone(r.Inputs)
				altered["messageRetentionSeconds"] = 60.0
				if _, err := d.cloud.Update(r.Type, r.Region, r.ID, altered); err != nil {
					t.Fatal(err)
				}
				found["update "+r.Type], mended["update "+r.Type] = 1, 1
			}
		}
		if len(found) != 3 {
			t.Fatalf("somebody did %v", found)
		}
		if diff := cmp.Diff(found, changes(d.refresh())); diff != "" {
			t.Error(diff)
		}
		if diff := cmp.Diff(mended, changes(d.up())); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("destroying leaves nothing", func(t *testing.T) {
		if _, err := d.stack.Destroy(t.Context()); err != nil {
			t.Fatal(err)
		}
		if left := d.cloud.Resources(); len(left) > 0 {
			t.Errorf("%d resources are left, the first %s %s", len(left), left[0].Type, left[0].Name)
		}
	})
}

// golden are the URNs of a stack's golden resource graph, as short as they stand there.
func golden(t *testing.T, name string) []string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, "stack", "testdata", name+".graph.json"))
	if err != nil {
		t.Fatal(err)
	}
	var nodes []struct{ URN string }
	if err := json.Unmarshal(text, &nodes); err != nil {
		t.Fatal(err)
	}
	var urns []string
	for _, n := range nodes {
		urns = append(urns, n.URN)
	}
	return urns
}

// program are the URNs of what the program itself asks for, spelled as golden's: without the stack and the providers that
// the engine adds.
func program(plan *engine.Plan) []string {
	var urns []string
	for _, step := range plan.Steps {
		if strings.HasPrefix(step.Type, "pulumi:pulumi:") || step.Type == "pulumi:providers:docker" {
			continue
		}
		urn := step.URN[strings.LastIndex(step.URN[:strings.LastIndex(step.URN, "::")], "::")+2:]
		urns = append(urns, strings.ReplaceAll(urn, "trade-processing:components:", ""))
	}
	return urns
}

func TestAPreviewIsTheSameEveryTime(t *testing.T) {
	for _, name := range []string{"dev", "prod"} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t, name)
			once, again := d.preview(), d.preview()
			if diff := cmp.Diff(once, again); diff != "" {
				t.Error(diff)
			}
			if got := operations(once); len(once.Steps) < 100 || !slices.Equal(got, []string{"create"}) {
				t.Errorf("%d resources: %v", len(once.Steps), got)
			}
			if diff := cmp.Diff(golden(t, name), program(once), cmpopts.SortSlices(strings.Compare)); diff != "" {
				t.Errorf("the golden resource graph (-) and the preview (+): %s", diff)
			}
			if made := d.cloud.Resources(); len(made) > 0 {
				t.Errorf("it made %d resources", len(made))
			}
		})
	}
}

func TestWhatTheLocalCloudDoesNotKnowIsRefusedByName(t *testing.T) {
	d := newDesk(t, "local")
	for name, test := range map[string]struct {
		program pulumi.RunFunc
		want    []string
	}{
		"a resource type": {func(ctx *pulumi.Context) error {
			_, err := kms.NewCustomKeyStore(ctx, "store", &kms.CustomKeyStoreArgs{
				CloudHsmClusterId: pulumi.String("c"), CustomKeyStoreName: pulumi.String("s"),
				KeyStorePassword: pulumi.String("p"), TrustAnchorCertificate: pulumi.String("t"),
			})
			return err
		}, []string{"aws:kms/customKeyStore:CustomKeyStore", "does not know"}},
		"a property": {func(ctx *pulumi.Context) error {
			_, err := sqs.NewQueue(ctx, "queue", &sqs.QueueArgs{Name: pulumi.String("queue"), SqsManagedSseEnabled: pulumi.Bool(true)})
			return err
		}, []string{"aws:sqs/queue:Queue", "sqsManagedSseEnabled"}},
		"a kind of queue": {func(ctx *pulumi.Context) error {
			_, err := sqs.NewQueue(ctx, "queue", &sqs.QueueArgs{Name: pulumi.String("queue.fifo"), FifoQueue: pulumi.Bool(true)})
			return err
		}, []string{"fifoQueue"}},
	} {
		t.Run(name, func(t *testing.T) {
			d.program = test.program
			_, _, err := d.stack.Up(t.Context())
			for _, want := range test.want {
				if err == nil || !strings.Contains(err.Error(), want) {
					t.Errorf("got %v, want it to name %s", err, want)
				}
			}
		})
	}
}

func TestASecretStandsNowhereInTheStateAsPlainText(t *testing.T) {
	d := newDesk(t, "local")
	secret := "https://market-data.example.com/?key=s3cr3t-t0ken-1"
	d.program = func(ctx *pulumi.Context) error {
		value := pulumi.ToSecret(pulumi.String(secret)).(pulumi.StringOutput)
		made, err := ssm.NewParameter(ctx, "endpoint", &ssm.ParameterArgs{
			Name: pulumi.String("/endpoint"), Type: pulumi.String("SecureString"), Value: value,
		})
		if err == nil {
			ctx.Export("value", made.Value)
		}
		return err
	}
	d.up()
	if output := d.outputs["value"]; !output.Secret || output.Value != secret {
		t.Errorf("the output is %+v", output)
	}
	secret = "https://market-data.example.com/?key=s3cr3t-t0ken-2"
	d.up()
	if r, found := d.cloud.Read("aws:ssm/parameter:Parameter", "us-east-1", "/endpoint"); !found || r.Inputs["value"] != secret {
		t.Errorf("the parameter is %v", r)
	}

	files := map[string]bool{}
	err := filepath.WalkDir(d.state, func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		files[path] = strings.Contains(string(text), "s3cr3t-t0ken")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(files) == 0 {
		t.Fatal("there is no state to look at")
	}
	for _, path := range slices.Sorted(maps.Keys(files)) {
		if files[path] {
			t.Errorf("%s holds the secret", path)
		}
	}
}

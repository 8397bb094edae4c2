// Package engine_test runs the program on the real Pulumi engine over the
// local cloud. Without an engine on this machine the tests are skipped, unless
// REQUIRE_ENGINE is set; `tradectl local engine` builds one.
package engine_test

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/kms"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/sqs"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ssm"
	"github.com/pulumi/pulumi/sdk/v3/go/auto"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi/config"
	"gopkg.in/yaml.v3"

	"trade-processing/internal/pipeline"
	"trade-processing/local/cloud"
	"trade-processing/local/engine"
	"trade-processing/local/provider"
	"trade-processing/stack"
)

const root = "../.."

// desk is a project folder, a cloud, and the engine between them.
type desk struct {
	cloud  *cloud.Cloud
	folder string // holds copies of the project's files
	state  string
	cli    auto.PulumiCommand
	attach string
}

func newDesk(t *testing.T) *desk {
	t.Helper()
	cli, found := engine.FindCLI(t.Context())
	if !found && os.Getenv("REQUIRE_ENGINE") != "" {
		t.Fatal("there is no Pulumi engine: run tradectl local engine")
	}
	if !found {
		t.Skip("there is no Pulumi engine: tradectl local engine builds one")
	}
	d := &desk{cloud: cloud.New(cloud.Options{Images: pipeline.Images()}), folder: t.TempDir(), state: t.TempDir(), cli: cli}
	servers, err := provider.Serve(d.cloud)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(servers.Close)
	d.attach = servers.Attach()
	for _, name := range []string{"Pulumi.yaml", "Pulumi.local.yaml", "Pulumi.dev.yaml", "Pulumi.prod.yaml"} {
		text, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			t.Fatal(err)
		}
		d.write(t, name, text)
	}
	return d
}

func (d *desk) write(t *testing.T, name string, text []byte) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(d.folder, name), text, 0o600); err != nil {
		t.Fatal(err)
	}
}

// set changes keys of a stack's config; nil takes a key out.
func (d *desk) set(t *testing.T, name string, changes map[string]any) {
	t.Helper()
	file := "Pulumi." + name + ".yaml"
	text, err := os.ReadFile(filepath.Join(d.folder, file))
	if err != nil {
		t.Fatal(err)
	}
	var read struct {
		Config map[string]any `yaml:"config"`
	}
	if err := yaml.Unmarshal(text, &read); err != nil {
		t.Fatal(err)
	}
	for key, value := range changes {
		if read.Config["trade-processing:"+key] = value; value == nil {
			delete(read.Config, "trade-processing:"+key)
		}
	}
	if text, err = yaml.Marshal(read); err != nil {
		t.Fatal(err)
	}
	d.write(t, file, text)
}

// open opens a stack with the config as it is now.
func (d *desk) open(t *testing.T, name string, program pulumi.RunFunc) *engine.Deployment {
	t.Helper()
	opened, err := engine.Open(t.Context(), engine.Options{
		CLI: d.cli, Root: d.folder, Stack: name, Program: program, Attach: d.attach, State: d.state, WriteOnce: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	return opened
}

func (d *desk) up(t *testing.T, program pulumi.RunFunc) (*engine.Plan, auto.OutputMap) {
	t.Helper()
	plan, outputs, err := d.open(t, "local", program).Up(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return plan, outputs
}

func project() pulumi.RunFunc {
	folder, err := filepath.Abs(root)
	if err != nil {
		panic(err) // only where the working folder is gone
	}
	return stack.DeployFrom(folder)
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

func TestTheLifeOfAStack(t *testing.T) {
	d := newDesk(t)
	plan, outputs := d.up(t, project())
	if created := plan.Counts["create"]; created == 0 || len(plan.Counts) != 1 {
		t.Fatalf("the first deployment did %v", plan.Counts)
	}
	for _, name := range []string{"stateMachineArn", "tradeTableName", "eventBusName", "deadLetterQueueUrls", "parameterPrefix"} {
		if outputs[name].Value == nil {
			t.Errorf("no output %s", name)
		}
	}

	steps := []struct {
		name   string
		config map[string]any
		want   map[string]int // nil: whatever keeps what holds trades
	}{
		{"nothing changes", nil, map[string]int{}},
		{"more memory", map[string]any{"recorderMemory": 1024}, map[string]int{
			"update aws:lambda/function:Function": 1, "update aws:lambda/alias:Alias": 1,
			"update aws:cloudwatch/dashboard:Dashboard": 1, // which tells what a function costs
		}},
		{"another threshold", map[string]any{"processingThreshold": "2500000"}, nil},
		{"an address for alarms", map[string]any{"alarmEmail": "on-call@example.com"}, map[string]int{
			"create aws:sns/topicSubscription:TopicSubscription": 1,
		}},
		{"a source more", map[string]any{"sources": []string{"system1", "system2", "system3", "system4"}}, nil},
		{"a source renamed", map[string]any{"sources": []string{"system1", "system2", "system3", "desk"}}, nil},
		{"another replica region", map[string]any{"replicaRegions": []string{"eu-west-1", "eu-central-1"}}, nil},
	}
	for _, step := range steps {
		t.Run(step.name, func(t *testing.T) {
			d.set(t, "local", step.config)
			plan, _ := d.up(t, project())
			keeps(t, plan)
			if step.want != nil {
				if diff := cmp.Diff(step.want, changes(plan)); diff != "" {
					t.Error(diff)
				}
			}
			if step.config != nil && len(plan.Changed()) == 0 {
				t.Error("the change changed nothing")
			}
		})
	}
	t.Run("a replica region less", func(t *testing.T) {
		d.set(t, "local", map[string]any{"replicaRegions": []string{"eu-west-1"}})
		plan, _ := d.up(t, project())
		keeps(t, plan)
		if deleted := changes(plan)["delete aws:dynamodb/tableReplica:TableReplica"]; deleted != 1 {
			t.Errorf("%d replicas deleted, want 1", deleted)
		}
	})
	t.Run("a refresh finds everything as it was", func(t *testing.T) {
		if _, err := d.open(t, "local", project()).Refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
		plan, _ := d.up(t, project())
		if diff := cmp.Diff(map[string]int{}, changes(plan)); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("destroying leaves nothing", func(t *testing.T) {
		if _, err := d.open(t, "local", project()).Destroy(t.Context()); err != nil {
			t.Fatal(err)
		}
		if left := d.cloud.Resources(); len(left) > 0 {
			t.Errorf("%d resources are left, the first %s %s", len(left), left[0].Type, left[0].Name)
		}
	})
}

func TestAPreviewIsTheSameEveryTime(t *testing.T) {
	for _, name := range []string{"dev", "prod"} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t)
			var before []string
			for range 2 {
				plan, err := d.open(t, name, project()).Preview(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				var urns []string
				for _, step := range plan.Steps {
					urns = append(urns, step.Op+" "+step.URN)
				}
				if before != nil {
					if diff := cmp.Diff(before, urns); diff != "" {
						t.Error(diff)
					}
				}
				if before = urns; len(urns) < 100 {
					t.Errorf("only %d resources", len(urns))
				}
			}
		})
	}
}

func TestWhatTheLocalCloudDoesNotKnowIsRefusedByName(t *testing.T) {
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
			_, _, err := newDesk(t).open(t, "local", test.program).Up(t.Context())
			for _, want := range test.want {
				if err == nil || !strings.Contains(err.Error(), want) {
					t.Errorf("got %v, want it to name %s", err, want)
				}
			}
		})
	}
}

func TestASecretStandsNowhereInTheStateAsPlainText(t *testing.T) {
	d := newDesk(t)
	const secret = "https://market-data.example.com/?key=s3cr3t-t0ken"
	program := func(ctx *pulumi.Context) error {
		value := pulumi.ToSecret(pulumi.String(secret)).(pulumi.StringOutput)
		_, err := ssm.NewParameter(ctx, "endpoint", &ssm.ParameterArgs{
			Name: pulumi.String("/endpoint"), Type: pulumi.String("SecureString"), Value: value,
		})
		ctx.Export("region", pulumi.String(config.Get(ctx, "aws:region")))
		return err
	}
	d.up(t, program)
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

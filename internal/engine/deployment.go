// Package engine deploys Pulumi programs with Pulumi's own engine, which is linked into this process: the program, the
// providers and the policy pack run here too. No CLI, plugin or environment variable is involved.
package engine

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/pulumi/pulumi/pkg/v3/display"
	pulumiengine "github.com/pulumi/pulumi/pkg/v3/engine"
	"github.com/pulumi/pulumi/pkg/v3/resource/deploy"
	"github.com/pulumi/pulumi/pkg/v3/util/cancel"
	"github.com/pulumi/pulumi/sdk/v3/go/common/tokens"
	"github.com/pulumi/pulumi/sdk/v3/go/common/util/env"
	"github.com/pulumi/pulumi/sdk/v3/go/property"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"

	"trade-processing/internal/stackconfig"
)

// The engine's settings are PULUMI_… environment variables, which are meant for a user's own CLI, not for us. The store
// is set before anything can read it.
func init() {
	env.Global = env.MapStore{"PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true"}
}

// parallel is how many resources the engine handles at once, as its CLI would on four cores.
const parallel = 16

// Options say what to deploy, and where.
type Options struct {
	Root      string              // the project's folder, with Pulumi.yaml
	Stack     string              // whose Pulumi.<stack>.yaml is the config; organization and project may come before it
	Program   pulumi.RunFunc      // runs in this process
	Providers map[string]Provider // by package; there are no others
	State     []byte              // of the stack, from Export; nil for a new stack
	Settings  map[string]string   // replace config keys, named without the project; read by each operation

	StandIns stackconfig.StandIns // for what isn't known of the config

	Policies     pulumirpc.AnalyzerServer // a policy pack that judges every preview and update; nil for none
	PolicyConfig string                   // the pack's configuration, a JSON file; empty for none
}

// Deployment is one stack on the engine. It does one thing at a time.
type Deployment struct {
	options Options
	state   []byte
}

// Open prepares a stack.
func Open(options Options) (*Deployment, error) {
	var err error
	if options.Root, err = filepath.Abs(options.Root); err != nil {
		return nil, fmt.Errorf("finding the project: %w", err)
	}
	d := &Deployment{options: options, state: options.State}
	if _, err := d.load(context.Background()); err != nil {
		return nil, err
	}
	return d, nil
}

// Export returns the state of the stack, for Options.State.
func (d *Deployment) Export() []byte { return d.state }

// Up deploys the program and returns the executed plan, with the stack's outputs.
func (d *Deployment) Up(ctx context.Context) (*Plan, Outputs, error) {
	plan, snapshot, err := d.operate(ctx, pulumiengine.Update, false)
	if err != nil {
		return plan, nil, failure(ctx, "deploying", plan, err)
	}
	return plan, outputs(snapshot), nil
}

// Preview asks the engine what an update would do.
func (d *Deployment) Preview(ctx context.Context) (*Plan, error) {
	plan, _, err := d.operate(ctx, pulumiengine.Update, true)
	return plan, failure(ctx, "previewing", plan, err)
}

// Refresh reads every resource back into the state.
func (d *Deployment) Refresh(ctx context.Context) (*Plan, error) {
	plan, _, err := d.operate(ctx, pulumiengine.Refresh, false)
	return plan, failure(ctx, "refreshing", plan, err)
}

// Destroy removes every resource of the stack, or none if one is protected. It previews first, because the engine
// itself finds a protected resource only after deleting others.
func (d *Deployment) Destroy(ctx context.Context) (*Plan, error) {
	if plan, _, err := d.operate(ctx, pulumiengine.Destroy, true); err != nil {
		return plan, failure(ctx, "previewing the destroy", plan, err)
	}
	plan, _, err := d.operate(ctx, pulumiengine.Destroy, false)
	return plan, failure(ctx, "destroying", plan, err)
}

// operation is one of the engine's operations.
type operation func(pulumiengine.UpdateInfo, *pulumiengine.Context, pulumiengine.UpdateOptions, bool) (
	*deploy.Plan, display.ResourceChanges, error)

// operate runs an operation to its end, or until ctx ends. Whatever it did is in the stack's state even if it failed,
// unless it was only a preview.
func (d *Deployment) operate(ctx context.Context, run operation, preview bool) (*Plan, *deploy.Snapshot, error) {
	if err := ctx.Err(); err != nil {
		return newPlan(), nil, err
	}
	info, err := d.load(ctx)
	if err != nil {
		return newPlan(), nil, err
	}
	// The engine finishes what it has begun before it heeds a cancellation, but forgets it if it is terminated: so
	// terminate only when everything is over.
	canceled, source := cancel.NewContext(context.WithoutCancel(ctx))
	defer source.Terminate()
	defer context.AfterFunc(ctx, source.Cancel)()

	options := pulumiengine.UpdateOptions{
		HostFactory: d.options.newHost, Parallel: parallel, SkipPluginPreInstall: true,
	}
	if d.options.Policies != nil {
		options.LocalPolicyPacks = []pulumiengine.LocalPolicyPack{{Path: "policies", Config: d.options.PolicyConfig}}
	}
	events := make(chan pulumiengine.Event)
	told := make(chan *Plan)
	go func() { told <- collect(events) }()
	journal := pulumiengine.NewTestJournal()
	_, _, err = run(info, &pulumiengine.Context{
		Cancel: canceled, Events: events, SnapshotManager: journal, BackendClient: noOtherStacks{},
	}, options, preview)
	close(events)
	plan := <-told
	if closeErr := journal.Close(); closeErr != nil {
		return plan, nil, errors.Join(err, fmt.Errorf("ending the engine's journal: %w", closeErr))
	}
	if preview {
		return plan, nil, err
	}
	snapshot, snapErr := journal.Snap(info.Target.Snapshot)
	if snapErr != nil {
		return plan, nil, errors.Join(err, fmt.Errorf("creating the state of the stack: %w", snapErr))
	}
	state, writeErr := write(context.WithoutCancel(ctx), snapshot)
	if writeErr != nil {
		return plan, nil, errors.Join(err, writeErr)
	}
	d.state = state
	return plan, snapshot, err
}

// load reads the project, the config and the state of the stack.
func (d *Deployment) load(ctx context.Context) (pulumiengine.UpdateInfo, error) {
	organization, _, stack, err := stackconfig.Name(d.options.Stack)
	if err != nil {
		return pulumiengine.UpdateInfo{}, err
	}
	name, err := tokens.ParseStackName(stack)
	if err != nil {
		return pulumiengine.UpdateInfo{}, fmt.Errorf("reading the name of the stack: %w", err)
	}
	project, values, err := stackconfig.Load(ctx, d.options.Root, d.options.Stack, d.options.Settings, d.options.StandIns)
	if err != nil {
		return pulumiengine.UpdateInfo{}, err
	}
	snapshot, err := read(ctx, d.state)
	if err != nil {
		return pulumiengine.UpdateInfo{}, err
	}
	return pulumiengine.UpdateInfo{
		Root: d.options.Root, Project: project,
		Target: &deploy.Target{Name: name, Organization: tokens.Name(organization), Config: values, Decrypter: stackconfig.Masked, Snapshot: snapshot},
	}, nil
}

// noOtherStacks answers a program that refers to other stacks.
type noOtherStacks struct{}

func (noOtherStacks) GetStackOutputs(_ context.Context, name string, _ func(error) error) (property.Map, error) {
	return property.Map{}, fmt.Errorf("stack %s is not supported here, nor is any other", name)
}

func (n noOtherStacks) GetStackResourceOutputs(ctx context.Context, name string) (property.Map, error) {
	return n.GetStackOutputs(ctx, name, nil)
}

// failure turns the engine's error into one with what the engine reported.
func failure(ctx context.Context, doing string, plan *Plan, err error) error {
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return fmt.Errorf("%s: %w", doing, context.Cause(ctx))
	case len(plan.Policies.Stopping()) > 0:
		reasons := append([]string{Tell(plan.Policies.Stopping())}, plan.Errors...)
		return fmt.Errorf("%s: refused by the policies\n%s", doing, strings.Join(reasons, "\n"))
	case len(plan.Errors) > 0:
		return fmt.Errorf("%s: %s", doing, strings.Join(plan.Errors, "\n"))
	default:
		return fmt.Errorf("%s: %w", doing, err)
	}
}

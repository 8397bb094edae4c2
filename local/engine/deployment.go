package engine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/auto"
	"github.com/pulumi/pulumi/sdk/v3/go/auto/events"
	"github.com/pulumi/pulumi/sdk/v3/go/auto/optdestroy"
	"github.com/pulumi/pulumi/sdk/v3/go/auto/optpreview"
	"github.com/pulumi/pulumi/sdk/v3/go/auto/optrefresh"
	"github.com/pulumi/pulumi/sdk/v3/go/auto/optup"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"trade-processing/internal/stackconfig"
	"trade-processing/policy/pack"
)

// Options say what to deploy and where its state lives.
type Options struct {
	CLI     auto.PulumiCommand
	Root    string         // the project's folder, which holds Pulumi.yaml
	Stack   string         // whose Pulumi.<stack>.yaml is the config
	Program pulumi.RunFunc // runs inside this process
	Attach  string         // the providers to attach to, as Servers.Attach gives it
	State   string         // folder for the engine's state; "" for one that Close removes
	// WriteOnce writes the state at the end of an update and not after each of
	// its resources, which takes a third of the time: for a state that nobody
	// resumes an interrupted update from.
	WriteOnce bool
	// Policies has the project's policy pack judge every preview and update. The engine runs this very program as the pack,
	// whose main has to serve it where pack.Called says so.
	Policies bool
}

// Deployment is one stack on the real engine, with local state and no access
// to any cloud.
type Deployment struct {
	stack    auto.Stack
	state    string
	owned    bool     // whether Close removes the state
	policies []string // folders of policy packs
}

// Open prepares a stack. The project's own files are copied, since the engine
// writes into the stack's config file.
func Open(ctx context.Context, options Options) (_ *Deployment, err error) {
	d := &Deployment{state: options.State, owned: options.State == ""}
	if d.owned {
		if d.state, err = os.MkdirTemp("", "trade-processing-"); err != nil {
			return nil, fmt.Errorf("making a folder for the engine's state: %w", err)
		}
		defer func() {
			if err != nil {
				err = errors.Join(err, d.Close())
			}
		}()
	}
	work, backend := filepath.Join(d.state, "work"), filepath.Join(d.state, "backend")
	for _, folder := range []string{work, backend} {
		if err := os.MkdirAll(folder, 0o700); err != nil {
			return nil, fmt.Errorf("making the engine's folders: %w", err)
		}
	}
	if err := copyProject(options.Root, work, options.Stack); err != nil {
		return nil, err
	}
	environment := map[string]string{
		"PULUMI_BACKEND_URL":                            "file://" + filepath.ToSlash(backend),
		"PULUMI_CONFIG_PASSPHRASE":                      "local", // the state holds nothing real
		"PULUMI_DEBUG_PROVIDERS":                        options.Attach,
		"PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION":   "true",
		"PULUMI_SKIP_UPDATE_CHECK":                      "true",
		"PULUMI_DIY_BACKEND_DISABLE_CHECKPOINT_BACKUPS": "true",
	}
	if options.WriteOnce {
		environment["PULUMI_EXPERIMENTAL"], environment["PULUMI_SKIP_CHECKPOINTS"] = "true", "true"
	}
	if options.Policies {
		embedded, err := pack.Embed(filepath.Join(d.state, "policies"))
		if err != nil {
			return nil, err
		}
		environment["PATH"], d.policies = embedded.Path(os.Getenv("PATH")), []string{embedded.Folder}
	}
	workspace, err := auto.NewLocalWorkspace(ctx,
		auto.Pulumi(options.CLI),
		auto.WorkDir(work),
		auto.Program(options.Program),
		auto.PulumiHome(filepath.Join(d.state, "home")),
		auto.SecretsProvider("passphrase"),
		auto.EnvVars(environment))
	if err != nil {
		return nil, fmt.Errorf("opening the engine's workspace: %w", err)
	}
	if d.stack, err = auto.UpsertStack(ctx, options.Stack, workspace); err != nil {
		return nil, fmt.Errorf("selecting stack %s: %w", options.Stack, err)
	}
	return d, nil
}

// State is the folder that holds the engine's state.
func (d *Deployment) State() string { return d.state }

// Close removes the state unless the caller named its folder.
func (d *Deployment) Close() error {
	if !d.owned {
		return nil
	}
	return os.RemoveAll(d.state)
}

// Up deploys the program and returns the plan as it was carried out, with the
// stack's outputs.
func (d *Deployment) Up(ctx context.Context) (*Plan, auto.OutputMap, error) {
	var outputs auto.OutputMap
	plan, err := collect(func(stream chan<- events.EngineEvent) error {
		result, err := d.stack.Up(ctx, optup.EventStreams(stream), optup.ProgressStreams(io.Discard),
			optup.ErrorProgressStreams(io.Discard), optup.SuppressOutputs(),
			optup.PolicyPacks(d.policies...))
		outputs = result.Outputs
		return err
	})
	return plan, outputs, failure(ctx, "deploying", plan, err)
}

// Preview asks the engine what an update would do.
func (d *Deployment) Preview(ctx context.Context) (*Plan, error) {
	plan, err := collect(func(stream chan<- events.EngineEvent) error {
		_, err := d.stack.Preview(ctx, optpreview.EventStreams(stream), optpreview.ProgressStreams(io.Discard),
			optpreview.ErrorProgressStreams(io.Discard), optpreview.PolicyPacks(d.policies...))
		return err
	})
	return plan, failure(ctx, "previewing", plan, err)
}

// Refresh reads every resource back into the state.
func (d *Deployment) Refresh(ctx context.Context) (*Plan, error) {
	plan, err := collect(func(stream chan<- events.EngineEvent) error {
		_, err := d.stack.Refresh(ctx, optrefresh.EventStreams(stream), optrefresh.ProgressStreams(io.Discard),
			optrefresh.ErrorProgressStreams(io.Discard))
		return err
	})
	return plan, failure(ctx, "refreshing", plan, err)
}

// Destroy removes every resource of the stack, or none where one is protected:
// it asks for a preview first, as the engine itself comes upon a protected
// resource when others are gone already.
func (d *Deployment) Destroy(ctx context.Context) (*Plan, error) {
	plan, err := collect(func(stream chan<- events.EngineEvent) error {
		_, err := d.stack.PreviewDestroy(ctx, optdestroy.EventStreams(stream), optdestroy.ProgressStreams(io.Discard),
			optdestroy.ErrorProgressStreams(io.Discard))
		return err
	})
	if err != nil {
		return plan, failure(ctx, "previewing the destruction", plan, err)
	}
	plan, err = collect(func(stream chan<- events.EngineEvent) error {
		_, err := d.stack.Destroy(ctx, optdestroy.EventStreams(stream), optdestroy.ProgressStreams(io.Discard),
			optdestroy.ErrorProgressStreams(io.Discard))
		return err
	})
	return plan, failure(ctx, "destroying", plan, err)
}

// failure turns the engine's exit into an error that says what it reported,
// rather than the whole of its output.
func failure(ctx context.Context, doing string, plan *Plan, err error) error {
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return fmt.Errorf("%s: %w", doing, context.Cause(ctx))
	case len(plan.Policies.Stopping()) > 0:
		reasons := append([]string{Tell(plan.Policies.Stopping())}, plan.Errors...)
		return fmt.Errorf("%s: the policies don't allow it\n%s", doing, strings.Join(reasons, "\n"))
	case len(plan.Errors) > 0:
		return fmt.Errorf("%s: %s", doing, strings.Join(plan.Errors, "\n"))
	default:
		return fmt.Errorf("%s: %w", doing, err)
	}
}

// copyProject copies the project file and the stack's config into the
// engine's work folder.
func copyProject(root, work, stack string) error {
	project, err := os.ReadFile(filepath.Join(root, stackconfig.ProjectFile))
	if err != nil {
		return fmt.Errorf("reading the project file: %w", err)
	}
	if err := os.WriteFile(filepath.Join(work, stackconfig.ProjectFile), project, 0o600); err != nil {
		return fmt.Errorf("copying the project file: %w", err)
	}
	config, err := stackconfig.File(root, stack)
	if err != nil {
		return err
	}
	name := stackconfig.FileOf(stack)
	config, err = stackconfig.WithoutSecrets(config)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	if err := os.WriteFile(filepath.Join(work, name), config, 0o600); err != nil {
		return fmt.Errorf("copying the config of stack %s: %w", stack, err)
	}
	return nil
}

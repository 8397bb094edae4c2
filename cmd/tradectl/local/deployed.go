package local

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/adrg/xdg"
	"github.com/pulumi/pulumi/sdk/v3/go/auto"

	"trade-processing/internal/outfile"
	"trade-processing/internal/terminal"
	"trade-processing/local/cloud"
	"trade-processing/local/engine"
	"trade-processing/local/provider"
	"trade-processing/stack"
)

// stackName is the stack that runs here.
const stackName = "local"

// deployed is stack local, live on the cloud of this process.
type deployed struct {
	cloud      *cloud.Cloud
	providers  *provider.Servers
	deployment *engine.Deployment
	outputs    auto.OutputMap
	kept       string // file of the kept cloud; empty when nothing is kept
}

// deploy brings stack local up with the real engine. Where the last run was
// kept, it starts from there and the engine finds nothing to change.
func deploy(ctx context.Context, t *terminal.Terminal, cli auto.PulumiCommand, root string, here *cloud.Cloud, keep bool) (_ *deployed, err error) {
	d := &deployed{cloud: here}
	defer func() {
		if err != nil {
			d.close()
		}
	}()
	state := ""
	if keep {
		if state, err = d.reopen(root); err != nil {
			return nil, err
		}
	}
	if d.providers, err = provider.Serve(here); err != nil {
		return nil, err
	}
	progress := t.Step("deploying stack " + stackName + " on the Pulumi engine " + cli.Version().String())
	defer progress.Stop()
	d.deployment, err = engine.Open(ctx, engine.Options{
		CLI: cli, Root: root, Stack: stackName, Program: stack.DeployFrom(root), Attach: d.providers.Attach(), State: state,
		WriteOnce: !keep, Policies: true,
	})
	if err != nil {
		return nil, err
	}
	plan, outputs, err := d.deployment.Up(ctx)
	if err != nil {
		return nil, err
	}
	d.outputs = outputs
	progress.Done(fmt.Sprintf("deployed stack %s: %s; policies: %s", stackName, plan.Summary(), plan.Policies.Summary()))
	if advice := plan.Policies.Violations; len(advice) > 0 { // all else would have stopped it
		t.Note("%s", engine.Tell(advice))
	}
	return d, nil
}

// reopen loads what the last run kept, and says where the engine's state is.
func (d *deployed) reopen(root string) (state string, err error) {
	folder := keptFolder(root)
	d.kept = filepath.Join(folder, "cloud.zip")
	file, err := os.Open(d.kept)
	if errors.Is(err, os.ErrNotExist) {
		// State without its cloud is of no use: the engine would believe in
		// resources that are gone.
		return folder, os.RemoveAll(folder)
	}
	if err != nil {
		return "", fmt.Errorf("opening the kept cloud: %w", err)
	}
	defer file.Close() //nolint:errcheck // only read
	info, err := file.Stat()
	if err != nil {
		return "", fmt.Errorf("opening the kept cloud: %w", err)
	}
	if err := d.cloud.Load(file, info.Size()); err != nil {
		return "", fmt.Errorf("opening the kept cloud %s (remove its folder to start over): %w", d.kept, err)
	}
	return folder, nil
}

// keptFolder is where a project's kept stack lives.
func keptFolder(root string) string {
	return filepath.Join(xdg.StateHome, "trade-processing", "kept-"+cloud.Fingerprint(root))
}

// output is a text output of the stack.
func (d *deployed) output(name string) (string, error) {
	text, ok := d.outputs[name].Value.(string)
	if !ok || text == "" {
		return "", fmt.Errorf("stack %s has no output %s", stackName, name)
	}
	return text, nil
}

// save keeps the cloud for the next run.
func (d *deployed) save(ctx context.Context) error {
	file, err := outfile.Create(d.kept)
	if err != nil {
		return err
	}
	defer file.Discard()
	if err := d.cloud.Save(ctx, file); err != nil {
		return err
	}
	return file.Commit()
}

func (d *deployed) destroy(ctx context.Context, t *terminal.Terminal) error {
	progress := t.Step("destroying stack " + stackName)
	defer progress.Stop()
	plan, err := d.deployment.Destroy(ctx)
	if err != nil {
		return err
	}
	if left := d.cloud.Resources(); len(left) > 0 {
		return fmt.Errorf("destroying stack %s left %d resources behind, first %s %q", stackName, len(left), left[0].Type, left[0].Name)
	}
	progress.Done(fmt.Sprintf("destroyed stack %s: %s", stackName, plan.Summary()))
	return nil
}

// close ends the providers and removes temporary state.
func (d *deployed) close() {
	if d.providers != nil {
		d.providers.Close()
	}
	if d.deployment != nil {
		d.deployment.Close() //nolint:errcheck // a temporary folder that stays behind harms nobody
	}
}

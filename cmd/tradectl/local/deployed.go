package local

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/adrg/xdg"
	"github.com/pulumi/pulumi/sdk/v3"

	"trade-processing/internal/engine"
	"trade-processing/internal/outfile"
	"trade-processing/internal/terminal"
	"trade-processing/local/cloud"
)

// stackName is the stack that runs here.
const stackName = "local"

// deployed is stack local, live on the cloud of this process.
type deployed struct {
	cloud      *cloud.Cloud
	deployment *engine.Deployment
	outputs    map[string]engine.Output
	kept       string // folder of the kept stack; empty if nothing is kept
}

// The files of a kept stack. One is useless without the other: the engine would believe in resources that are gone, or
// recreate existing ones.
const (
	keptCloud = "cloud.zip"
	keptState = "stack.json"
)

// deploy brings stack local up with the real engine. If the last run was kept, it starts from there and the engine
// finds nothing to change.
func deploy(ctx context.Context, t *terminal.Terminal, root string, here *cloud.Cloud, keep bool) (*deployed, error) {
	d := &deployed{cloud: here}
	var state []byte
	if keep {
		var err error
		if state, err = d.reopen(root); err != nil {
			return nil, err
		}
	}
	progress := t.Step("deploying stack " + stackName + " on the Pulumi engine " + sdk.Version.String())
	defer progress.Stop()
	var err error
	if d.deployment, err = open(root, stackName, here, state); err != nil {
		return nil, err
	}
	plan, outputs, err := d.deployment.Up(ctx)
	if err != nil {
		return nil, err
	}
	d.outputs = outputs
	progress.Done(fmt.Sprintf("deployed stack %s: %s; policies: %s", stackName, plan.Summary(), plan.Policies.Summary()))
	if advice := plan.Policies.Violations; len(advice) > 0 { // a mandatory one would have stopped it
		t.Note("%s", engine.Tell(advice))
	}
	return d, nil
}

// reopen loads the cloud kept by the last run, and returns the engine's state of it.
func (d *deployed) reopen(root string) (state []byte, err error) {
	d.kept = keptFolder(root)
	state, err = os.ReadFile(filepath.Join(d.kept, keptState))
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("opening the kept stack: %w", err)
	}
	file, err := os.Open(filepath.Join(d.kept, keptCloud))
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("opening the kept cloud: %w", err)
	}
	defer file.Close() //nolint:errcheck // only read
	info, err := file.Stat()
	if err != nil {
		return nil, fmt.Errorf("opening the kept cloud: %w", err)
	}
	if err := d.cloud.Load(file, info.Size()); err != nil {
		return nil, fmt.Errorf("opening the kept cloud %s (remove its folder to start over): %w", file.Name(), err)
	}
	return state, nil
}

// keptFolder returns where a project's kept stack lives.
func keptFolder(root string) string {
	return filepath.Join(xdg.StateHome, "trade-processing", "kept-"+cloud.Fingerprint(root))
}

// output returns a string output of the stack.
func (d *deployed) output(name string) (string, error) {
	text, ok := d.outputs[name].Value.(string)
	if !ok || text == "" {
		return "", fmt.Errorf("stack %s has no output %s", stackName, name)
	}
	return text, nil
}

// save keeps the stack for the next run.
func (d *deployed) save(ctx context.Context) error {
	if err := os.MkdirAll(d.kept, 0o700); err != nil {
		return fmt.Errorf("creating the folder of the kept stack: %w", err)
	}
	state, err := outfile.Create(context.WithoutCancel(ctx), filepath.Join(d.kept, keptState))
	if err != nil {
		return err
	}
	defer state.Discard()
	file, err := outfile.Create(context.WithoutCancel(ctx), filepath.Join(d.kept, keptCloud))
	if err != nil {
		return err
	}
	defer file.Discard()
	if err := d.cloud.Save(ctx, file); err != nil {
		return err
	}
	if _, err := state.Write(d.deployment.Export()); err != nil {
		return fmt.Errorf("keeping the state of the stack: %w", err)
	}
	return errors.Join(state.Commit(), file.Commit())
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

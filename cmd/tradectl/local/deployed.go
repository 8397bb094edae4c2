package local

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"
	"github.com/pulumi/pulumi/sdk/v3"

	"trade-processing/internal/engine"
	"trade-processing/internal/outfile"
	"trade-processing/internal/stackconfig"
	"trade-processing/internal/terminal"
	"trade-processing/local/cloud"
)

// stackName is the stack that runs here.
const stackName = "local"

// deployed is stack local, live on the cloud of this process.
type deployed struct {
	cloud      *cloud.Cloud
	deployment *opened
	outputs    engine.Outputs
	kept       string // file of the kept stack; empty if nothing is kept
	lock       *flock.Flock
}

// deploy brings stack local up with the real engine. If the last run was kept, it starts from there and the engine
// finds nothing to change. Call release at the end.
func deploy(ctx context.Context, t *terminal.Terminal, root string, here *cloud.Cloud, keep bool) (_ *deployed, err error) {
	d := &deployed{cloud: here}
	defer func() {
		if err != nil {
			d.release()
		}
	}()
	var state []byte
	if keep {
		if state, err = d.reopen(ctx, t, root); err != nil {
			return nil, err
		}
	}
	return d, d.bringUp(ctx, t, root, state)
}

// bringUp deploys the stack from the engine's state of it; none: from nothing.
func (d *deployed) bringUp(ctx context.Context, t *terminal.Terminal, root string, state []byte) (err error) {
	progress := t.Step("deploying stack " + stackName + " on the Pulumi engine " + sdk.Version.String())
	defer progress.Stop()
	if d.deployment, err = open(root, stackName, d.cloud, state); err != nil {
		return err
	}
	plan, outputs, err := d.deployment.Up(ctx)
	if err != nil {
		return d.deployment.told(err)
	}
	d.outputs = outputs
	progress.Done(fmt.Sprintf("deployed stack %s: %s; policies: %s", stackName, plan.Summary(), plan.Policies.Summary()))
	if advice := plan.Policies.Violations; len(advice) > 0 { // a mandatory one would have stopped it
		t.Note("%s", engine.Tell(advice))
	}
	return nil
}

// reopen loads the stack kept by the last run, and returns the engine's state of it. Until release, no other run does:
// what that keeps would be lost. The lock ends with its process, however that ends.
func (d *deployed) reopen(ctx context.Context, t *terminal.Terminal, root string) (state []byte, err error) {
	d.kept = stackconfig.KeptAt(root, "kept")
	if err := os.MkdirAll(filepath.Dir(d.kept), 0o700); err != nil {
		return nil, fmt.Errorf("creating the folder of the kept stack: %w", err)
	}
	d.lock = flock.New(d.kept + ".lock")
	mine, err := d.lock.TryLock()
	if err == nil && !mine {
		t.Note("waiting for another run with --keep to end")
		_, err = d.lock.TryLockContext(ctx, 50*time.Millisecond)
	}
	if err != nil {
		return nil, fmt.Errorf("locking the kept stack: %w", err)
	}
	file, err := os.Open(d.kept)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("opening the kept stack: %w", err)
	}
	defer file.Close() //nolint:errcheck // only read
	if state, err = readKept(file, d.cloud); err != nil {
		return nil, fmt.Errorf("opening the kept stack %s (remove it to start over): %w", d.kept, err)
	}
	return state, nil
}

// release lets another run have the kept stack.
func (d *deployed) release() {
	if d.lock != nil {
		_ = d.lock.Close()
	}
}

// A kept stack is one file, so that neither part is ever there without the other: the engine would believe in resources
// that are gone, or create existing ones anew. It has the length of the engine's state, the state, and the saved cloud.
const lengthSize = 8

func readKept(file *os.File, here *cloud.Cloud) (state []byte, err error) {
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	var length [lengthSize]byte
	if _, err := io.ReadFull(file, length[:]); err != nil {
		return nil, err
	}
	after := int64(binary.BigEndian.Uint64(length[:]))
	if after < 0 || after > info.Size()-lengthSize {
		return nil, io.ErrUnexpectedEOF
	}
	state = make([]byte, after)
	if _, err := io.ReadFull(file, state); err != nil {
		return nil, err
	}
	rest := info.Size() - lengthSize - after
	return state, here.Load(io.NewSectionReader(file, lengthSize+after, rest), rest)
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
	file, err := outfile.Create(context.WithoutCancel(ctx), d.kept)
	if err != nil {
		return err
	}
	defer file.Discard()
	state := d.deployment.Export()
	if _, err := file.Write(append(binary.BigEndian.AppendUint64(nil, uint64(len(state))), state...)); err != nil {
		return fmt.Errorf("keeping the state of the stack: %w", err)
	}
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

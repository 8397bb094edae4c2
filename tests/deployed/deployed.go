// Package deployed brings the project's stacks up on a local cloud, for tests of what happens afterwards.
package deployed

import (
	"bytes"
	"context"
	"fmt"
	"path/filepath"
	"sync"
	"testing"

	"trade-processing/internal/engine"
	"trade-processing/local/cloud"
	"trade-processing/local/provider"
	"trade-processing/stack"
)

// deployments are the stacks this process has already brought up, as saved clouds. Tests need many clouds of few
// stacks, and loading one is quicker than deploying it.
var (
	mutex       sync.Mutex
	deployments = map[string]deployment{}
)

type deployment struct {
	saved   []byte
	outputs []byte // JSON
}

// On deploys a stack of the project in folder root on an empty cloud and returns what it exports, as `pulumi stack output
// --json` prints it. The settings replace keys of the stack's config.
func On(t testing.TB, here *cloud.Cloud, root, name string, settings map[string]string) []byte {
	t.Helper()
	mutex.Lock()
	defer mutex.Unlock()
	key := fmt.Sprint(root, name, settings)
	known, before := deployments[key]
	var err error
	if before {
		err = here.Load(bytes.NewReader(known.saved), int64(len(known.saved)))
	} else if known, err = deploy(t.Context(), here, root, name, settings); err == nil {
		deployments[key] = known
	}
	if err != nil {
		t.Fatal(err)
	}
	return known.outputs
}

func deploy(ctx context.Context, here *cloud.Cloud, root, name string, settings map[string]string) (deployment, error) {
	folder, err := filepath.Abs(root)
	if err != nil {
		return deployment{}, fmt.Errorf("finding the project: %w", err)
	}
	opened, err := engine.Open(engine.Options{
		Root: folder, Stack: name, Program: stack.DeployFrom(folder), Providers: engine.InProcess(provider.Of(here)), Settings: settings,
	})
	if err != nil {
		return deployment{}, err
	}
	_, exported, err := opened.Up(ctx)
	if err != nil {
		return deployment{}, err
	}
	text, err := exported.JSON()
	if err != nil {
		return deployment{}, err
	}
	var saved bytes.Buffer
	if err := here.Save(ctx, &saved); err != nil {
		return deployment{}, err
	}
	return deployment{saved.Bytes(), text}, nil
}

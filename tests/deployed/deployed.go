// Package deployed brings the project's stacks up on a local cloud for tests that are about what happens on it then.
package deployed

import (
	"context"
	"fmt"
	"path/filepath"

	"trade-processing/internal/engine"
	"trade-processing/local/cloud"
	"trade-processing/local/provider"
	"trade-processing/stack"
)

// On deploys a stack of the project in folder root on a cloud and returns what it exports. The settings replace keys of the
// stack's config.
func On(ctx context.Context, here *cloud.Cloud, root, name string, settings map[string]string) (map[string]any, error) {
	folder, err := filepath.Abs(root)
	if err != nil {
		return nil, fmt.Errorf("finding the project: %w", err)
	}
	deployment, err := engine.Open(engine.Options{
		Root: folder, Stack: name, Program: stack.DeployFrom(folder), Providers: engine.InProcess(provider.Of(here)), Settings: settings,
	})
	if err != nil {
		return nil, err
	}
	_, exported, err := deployment.Up(ctx)
	if err != nil {
		return nil, err
	}
	outputs := map[string]any{}
	for name, output := range exported {
		outputs[name] = output.Value
	}
	return outputs, nil
}

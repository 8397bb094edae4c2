// Package noengine brings the project's stacks up on a local cloud within this process, without the engine, for tests.
package noengine

import (
	"fmt"
	"path/filepath"
	"sync"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"trade-processing/internal/stackconfig"
	"trade-processing/local/cloud"
	"trade-processing/local/provider"
	"trade-processing/stack"
)

// Deploy runs the program of the project in folder root on a cloud, with the config of a stack, and returns what it
// exports. The settings replace keys of the config, without their namespace.
func Deploy(here *cloud.Cloud, root, name string, settings map[string]string) (map[string]any, error) {
	folder, err := filepath.Abs(root)
	if err != nil {
		return nil, fmt.Errorf("finding the project: %w", err)
	}
	config, err := stackconfig.Read(folder, name)
	if err != nil {
		return nil, err
	}
	for key, value := range settings {
		config["trade-processing:"+key] = value
	}
	outputs := map[string]any{}
	var mu sync.Mutex
	var known sync.WaitGroup // the end of the program doesn't wait for what it exports
	err = pulumi.RunErr(func(ctx *pulumi.Context) error {
		if err := stack.DeployFrom(folder)(ctx); err != nil {
			return err
		}
		for name, output := range ctx.GetCurrentExportMap() {
			known.Add(1)
			pulumi.ToOutput(output).ApplyT(func(value any) any {
				defer known.Done()
				mu.Lock()
				defer mu.Unlock()
				outputs[name] = value
				return value
			})
		}
		return nil
	}, pulumi.WithMocks("trade-processing", name, provider.NewMonitor(here)), func(info *pulumi.RunInfo) {
		info.RootDirectory, info.Config = folder, config
	})
	if err != nil {
		return nil, fmt.Errorf("deploying stack %s: %w", name, err)
	}
	known.Wait()
	return outputs, nil
}

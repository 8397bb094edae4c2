// Package local is the command group that runs the stack on this machine: the real Pulumi engine over the embedded
// local cloud, without an AWS account.
package local

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"trade-processing/internal/engine"
	"trade-processing/internal/terminal"
	"trade-processing/local/cloud"
	"trade-processing/local/provider"
	"trade-processing/policy/pack"
	"trade-processing/stack"
)

// NewCommand returns `tradectl local`.
func NewCommand(t *terminal.Terminal) *cobra.Command {
	command := &cobra.Command{
		Use:   "local",
		Short: "Run the stack on this machine, without an AWS account",
	}
	command.AddCommand(newRunCommand(t), newPreviewCommand(t), newServeCommand(t))
	return command
}

// open prepares a stack of the project on the engine, over a local cloud and judged by the policy pack.
func open(root, name string, here *cloud.Cloud, state []byte) (*engine.Deployment, error) {
	policies, err := pack.Server(time.Now)
	if err != nil {
		return nil, err
	}
	return engine.Open(engine.Options{
		Root: root, Stack: name, Program: stack.DeployFrom(root), Providers: engine.InProcess(provider.Of(here)), State: state,
		Policies: policies,
	})
}

// projectFlag adds the flag that names the project's folder.
func projectFlag(command *cobra.Command, root *string) {
	command.Flags().StringVar(root, "project", "", "the project's folder (default: the nearest one above with a Pulumi.yaml)")
}

// findProject returns the absolute path of the folder with Pulumi.yaml: the given one, or the nearest from here
// upwards.
func findProject(named string) (string, error) {
	if named != "" {
		root, err := filepath.Abs(named)
		if err != nil {
			return "", fmt.Errorf("finding the project: %w", err)
		}
		if !isProject(root) {
			return "", fmt.Errorf("%s has no Pulumi.yaml; use --project to name the folder that does", named)
		}
		return root, nil
	}
	folder, err := os.Getwd()
	if err != nil {
		return "", fmt.Errorf("finding the project: %w", err)
	}
	for !isProject(folder) {
		parent := filepath.Dir(folder)
		if parent == folder {
			return "", errors.New("there is no Pulumi.yaml here or in any folder above; " +
				"run this inside the project, or name its folder with --project")
		}
		folder = parent
	}
	return folder, nil
}

func isProject(folder string) bool {
	info, err := os.Stat(filepath.Join(folder, "Pulumi.yaml"))
	return err == nil && info.Mode().IsRegular()
}

// Package local is the command group that runs the stack on this machine: the real Pulumi engine over the embedded
// local cloud, without an AWS account.
package local

import (
	"time"

	"github.com/spf13/cobra"

	"trade-processing/internal/engine"
	"trade-processing/internal/stackconfig"
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
	command.Flags().StringVar(root, "project", "", stackconfig.ProjectFlag)
}

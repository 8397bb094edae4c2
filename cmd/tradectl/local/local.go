// Package local is the command group that runs the stack on this machine: the real Pulumi engine over the embedded
// local cloud, without an AWS account.
package local

import (
	"context"
	"errors"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/spf13/cobra"

	"trade-processing/internal/engine"
	"trade-processing/internal/exitcode"
	"trade-processing/internal/localrun"
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
	command.AddCommand(newRunCommand(t), newPreviewCommand(t), newUpCommand(t), newDownCommand(t), newStatusCommand(t))
	return command
}

// opened is a stack on the engine, and what is wrong with its config, if its program found anything.
type opened struct {
	*engine.Deployment
	wrong *stack.ConfigError
}

// open prepares a stack of the project on the engine, over a local cloud and judged by the policy pack.
func open(root, name string, here *cloud.Cloud, state []byte) (*opened, error) {
	return openWith(root, name, here, state, nil)
}

func openWith(root, name string, here *cloud.Cloud, state []byte, settings map[string]string) (*opened, error) {
	policies, err := pack.Server(time.Now)
	if err != nil {
		return nil, err
	}
	o := &opened{}
	o.Deployment, err = engine.Open(engine.Options{
		Root: root, Stack: name, Program: o.run(stack.DeployFrom(root)), Providers: engine.InProcess(provider.Of(here)), State: state,
		Policies: policies, StandIns: stack.StandIns(), Settings: settings,
	})
	return o, exitcode.With(exitcode.Usage, err) // there is nothing but names and config to be wrong
}

func (o *opened) run(program pulumi.RunFunc) pulumi.RunFunc {
	return func(ctx *pulumi.Context) error {
		err := program(ctx)
		errors.As(err, &o.wrong)
		return err
	}
}

// told returns an operation's error with the exit code of wrong config, if that is its cause.
func (o *opened) told(err error) error {
	if o.wrong != nil && err != nil {
		return exitcode.With(exitcode.Usage, o.wrong)
	}
	return err
}

// projectFlag adds the flag that names the project's folder.
func projectFlag(command *cobra.Command, root *string) {
	command.Flags().StringVar(root, "project", "", stackconfig.ProjectFlag)
}

// Resources deploys a stack of the project on a cloud of its own, and returns what it is made of. settings replace keys of
// its config.
func Resources(ctx context.Context, root, name string, settings map[string]string) ([]*cloud.Resource, error) {
	here := cloud.New(cloud.Options{Images: localrun.Images()})
	o, err := openWith(root, name, here, nil, settings)
	if err != nil {
		return nil, err
	}
	if _, _, err := o.Up(ctx); err != nil {
		return nil, o.told(err)
	}
	return here.Resources(), nil
}

package local

import (
	"context"
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/auto"
	"github.com/spf13/cobra"

	"trade-processing/internal/terminal"
	"trade-processing/local/engine"
)

// newEngineCommand returns `tradectl local engine`.
func newEngineCommand(t *terminal.Terminal) *cobra.Command {
	var project string
	command := &cobra.Command{
		Use:   "engine",
		Short: "Find the Pulumi engine, or build it, and print its version",
		Long: "Looks for a recent enough pulumi CLI on PATH, or else builds the one pinned by tools/go.mod into the\n" +
			"user's cache. The other local commands do the same when they need it.",
		Args: cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			root, err := findProject(project)
			if err != nil {
				return err
			}
			cli, err := findEngine(command.Context(), t, root)
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(t.Out, "pulumi v%s\n", cli.Version())
			return err
		},
	}
	projectFlag(command, &project)
	return command
}

// findEngine finds or builds the CLI and shows that it is at work.
func findEngine(ctx context.Context, t *terminal.Terminal, root string) (auto.PulumiCommand, error) {
	if cli, found := engine.FindCLI(ctx); found {
		return cli, nil
	}
	progress := t.Step("building the Pulumi engine from source, only this once (about five minutes)")
	defer progress.Stop()
	cli, err := engine.BuildCLI(ctx, root)
	if err != nil {
		return nil, err
	}
	progress.Done(fmt.Sprintf("built the Pulumi engine %s", cli.Version()))
	return cli, nil
}

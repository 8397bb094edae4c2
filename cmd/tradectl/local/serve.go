package local

import (
	"fmt"

	"github.com/spf13/cobra"

	"trade-processing/internal/exitcode"
	"trade-processing/internal/localrun"
	"trade-processing/internal/terminal"
	"trade-processing/local/cloud"
	"trade-processing/local/provider"
)

// newServeCommand returns `tradectl local serve`.
func newServeCommand(t *terminal.Terminal) *cobra.Command {
	return &cobra.Command{
		Use:   "serve",
		Short: "Serve an empty local cloud to your own pulumi CLI until interrupted",
		Long: "Starts the providers of an empty local cloud and prints the variables that attach a pulumi CLI to them: with\n" +
			"these set, the CLI brings stacks up on this cloud and never calls AWS. The cloud is in memory and ends with\n" +
			"this command, so start with a new stack each time.\n\n" + exitcode.HelpFor(),
		Args: cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			servers, err := provider.Serve(cloud.New(cloud.Options{Images: localrun.Images()}))
			if err != nil {
				return err
			}
			defer servers.Close()
			if _, err := fmt.Fprintf(t.Out, "export PULUMI_DEBUG_PROVIDERS=%s\n", servers.Attach()); err != nil {
				return fmt.Errorf("printing the variables: %w", err)
			}
			<-command.Context().Done()
			return exitcode.Silent(exitcode.Interrupted)
		},
	}
}

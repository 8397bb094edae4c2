// Package doctor implements `tradectl doctor`.
package doctor

import (
	"github.com/spf13/cobra"

	"trade-processing/cmd/tradectl/output"
	"trade-processing/cmd/tradectl/target"
	"trade-processing/internal/doctor"
	"trade-processing/internal/exitcode"
	"trade-processing/internal/stackconfig"
	"trade-processing/internal/terminal"
)

// NewCommand returns `tradectl doctor`.
func NewCommand(t *terminal.Terminal) *cobra.Command {
	var project, stack string
	var form output.Form
	command := &cobra.Command{
		Use:   "doctor",
		Short: "Check what a stack's first deployment needs, here and in AWS",
		Long: "Checks Pulumi, its backend and secrets provider, Docker, credentials, regions, quotas, what an account has only\n" +
			"once, and Lambda Insights' checksum. The stack needs only its config file. Each line that isn't ok says how to\n" +
			"fix it. Changes nothing. The exit code is 1 if there is a problem.\n\n" + exitcode.HelpFor(),
		Example: "  tradectl doctor --stack dev",
		Args:    cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			root, err := stackconfig.FindProject(project)
			if err != nil {
				return exitcode.With(exitcode.Usage, err)
			}
			progress := t.Step("checking stack " + stack)
			results, err := doctor.Examine(command.Context(), root, stack)
			progress.Stop()
			if err != nil {
				return exitcode.With(exitcode.Usage, err)
			}
			return show(t, form, results)
		},
	}
	flags := command.Flags()
	flags.StringVar(&project, "project", "", stackconfig.ProjectFlag)
	target.Stack(command, &stack, "dev", "the stack: dev, prod, or any with a Pulumi.<stack>.yaml")
	output.Flag(command, &form)
	return command
}

func show(t *terminal.Terminal, form output.Form, results []doctor.Result) error {
	rows := output.NewRows(t, form, func(r doctor.Result) []output.Cell {
		return []output.Cell{
			{Name: "check", Text: r.Check, Whole: true}, {Name: "status", Text: string(r.Status), Colour: colours[r.Status]},
			{Name: "found", Text: r.Found, Whole: true}, {Name: "fix", Text: r.Fix, Whole: true},
		}
	})
	if err := rows.All(results, ""); err != nil {
		return err
	}
	return verdict(results)
}

var colours = map[doctor.Status]func(terminal.Style, string) string{
	doctor.OK: terminal.Style.Green, doctor.Problem: terminal.Style.Red, doctor.Warning: terminal.Style.Yellow, doctor.NotChecked: terminal.Style.Faint,
}

// verdict is a failure if there was a problem. The output says it all.
func verdict(results []doctor.Result) error {
	for _, result := range results {
		if result.Status == doctor.Problem {
			return exitcode.Silent(exitcode.Failure)
		}
	}
	return nil
}

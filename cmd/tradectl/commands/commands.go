// Package commands lists tradectl's commands, for the program and for tests that check texts naming a command.
package commands

import (
	"github.com/spf13/cobra"

	"trade-processing/cmd/tradectl/chaos"
	"trade-processing/cmd/tradectl/console"
	"trade-processing/cmd/tradectl/cost"
	"trade-processing/cmd/tradectl/images"
	"trade-processing/cmd/tradectl/local"
	"trade-processing/cmd/tradectl/operate"
	"trade-processing/cmd/tradectl/sample"
	"trade-processing/cmd/tradectl/simulate"
	"trade-processing/cmd/tradectl/verify"
	"trade-processing/cmd/tradectl/version"
	"trade-processing/internal/terminal"
)

// All returns the commands, one package each. They are listed only here.
func All(t *terminal.Terminal) []*cobra.Command {
	return []*cobra.Command{
		chaos.NewCommand(t),
		operate.NewExecution(t),
		operate.NewExecutions(t),
		console.NewCommand(t),
		operate.NewGet(t),
		cost.NewCommand(t),
		images.NewCommand(t),
		operate.NewList(t),
		local.NewCommand(t),
		operate.NewDLQ(t),
		operate.NewParams(t),
		operate.NewReplay(t),
		operate.NewSend(t),
		sample.NewCommand(t),
		simulate.NewCommand(t),
		operate.NewStatus(t),
		operate.NewTail(t),
		verify.NewCommand(t),
		version.NewCommand(t),
	}
}

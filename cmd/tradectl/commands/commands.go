// Package commands lists tradectl's commands, for the program and for tests that check texts naming a command.
package commands

import (
	"github.com/spf13/cobra"

	"trade-processing/cmd/tradectl/chaos"
	"trade-processing/cmd/tradectl/console"
	"trade-processing/cmd/tradectl/cost"
	"trade-processing/cmd/tradectl/doctor"
	"trade-processing/cmd/tradectl/images"
	"trade-processing/cmd/tradectl/local"
	"trade-processing/cmd/tradectl/operate"
	"trade-processing/cmd/tradectl/sample"
	"trade-processing/cmd/tradectl/simulate"
	"trade-processing/cmd/tradectl/verify"
	"trade-processing/cmd/tradectl/version"
	"trade-processing/internal/terminal"
)

// Add adds the commands to a command line, in the groups of its help. They are listed only here.
func Add(root *cobra.Command, t *terminal.Terminal) {
	for _, group := range []struct {
		title    string
		commands []*cobra.Command
	}{
		{"On this machine, without an AWS account:", []*cobra.Command{
			local.NewCommand(t), sample.NewCommand(t), chaos.NewCommand(t),
		}},
		{"Before a deployment:", []*cobra.Command{
			doctor.NewCommand(t), cost.NewCommand(t), simulate.NewCommand(t), images.NewCommand(t),
		}},
		{"With a deployed stack, in AWS or on this machine:", []*cobra.Command{
			operate.NewStatus(t), operate.NewSend(t), operate.NewGet(t), operate.NewList(t), operate.NewExecution(t),
			operate.NewExecutions(t), operate.NewDLQ(t), operate.NewReplay(t), operate.NewParams(t), operate.NewTail(t),
			console.NewCommand(t), verify.NewCommand(t),
		}},
	} {
		root.AddGroup(&cobra.Group{ID: group.title, Title: group.title})
		for _, command := range group.commands {
			command.GroupID = group.title
			root.AddCommand(command)
		}
	}
	root.AddCommand(version.NewCommand(t))
}

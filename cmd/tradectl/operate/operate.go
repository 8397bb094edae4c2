// Package operate implements the commands with which operators look after a deployed stack. They read flags and print; what
// they do is in internal/operate.
package operate

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"trade-processing/cmd/tradectl/output"
	"trade-processing/cmd/tradectl/target"
	"trade-processing/internal/exitcode"
	"trade-processing/internal/operate"
	"trade-processing/internal/terminal"
)

// do is what a command does with a stack that was found.
type do func(ctx context.Context, stack *operate.Stack, form output.Form, args []string) error

// withStack gives a command the flags that all of them have, and opens the stack that they name. check, if not nil, looks at the
// command's own flags before that: its errors are of usage. own are the exit codes that only this command has.
func withStack(t *terminal.Terminal, command *cobra.Command, check func() error, run do, own ...exitcode.Code) *cobra.Command {
	var where operate.Where
	var form output.Form
	target.Flags(command, &where)
	output.Flag(command, &form)
	command.Long += "\n\n" + exitcode.HelpFor(own...)
	if command.Args == nil {
		command.Args = cobra.NoArgs
	}
	command.RunE = func(command *cobra.Command, args []string) error {
		ctx := command.Context()
		if check != nil {
			if err := check(); err != nil {
				return exitcode.With(exitcode.Usage, err)
			}
		}
		stack, err := operate.Open(ctx, t.In, where)
		if err == nil {
			err = operate.FindCredentials(ctx, stack.Config)
		}
		if err != nil {
			return exitcode.With(exitcode.Usage, err)
		}
		return operate.Explain(run(ctx, stack, form, args), stack.Outputs, "docs/tradectl.md lists those that operators need")
	}
	return command
}

// exactly takes one argument for each name, such as TRADE.
func exactly(names ...string) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		if len(args) > len(names) {
			return fmt.Errorf("unexpected argument %q", args[len(names)])
		}
		for i, name := range names {
			if i >= len(args) || args[i] == "" {
				return fmt.Errorf("%s is missing", name)
			}
		}
		return nil
	}
}

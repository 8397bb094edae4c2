package main

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"trade-processing/cmd/tradectl/commands"
	"trade-processing/internal/exitcode"
	"trade-processing/internal/terminal"
)

// newRoot returns the command line.
func newRoot(t *terminal.Terminal) *cobra.Command {
	root := &cobra.Command{
		Use:   "tradectl",
		Short: "Run the whole pipeline on this machine, and operate and verify a deployment",
		Long: "tradectl runs this project's pipeline on your machine, without an AWS account, and operates and verifies a\n" +
			"deployment in AWS.",
		SilenceUsage:  true, // execute reports what is wrong, and where to find help
		SilenceErrors: true,
	}
	root.SetIn(t.In)
	root.SetOut(t.Out)
	root.SetErr(t.Err)
	cobra.EnableCommandSorting = false // they are added in order
	commands.Add(root, t)
	root.SetUsageTemplate(root.UsageTemplate() + "{{if not .HasParent}}\n" + exitcode.Help() + "\n{{end}}")
	root.InitDefaultCompletionCmd() // so that it is treated like every command
	return root
}

// execute runs one command line. It always returns an exit code, with the reason on Err.
func execute(ctx context.Context, t *terminal.Terminal, args []string) (code exitcode.Code) {
	defer func() {
		if cause := recover(); cause != nil {
			fmt.Fprintf(t.Err, "%s internal error: %v\nThis is a bug in tradectl; please report it with the text below.\n\n%s",
				t.ErrStyle().Red("✗"), terminal.Safe(fmt.Sprint(cause)), terminal.Safe(string(debug.Stack())))
			code = exitcode.Failure
		}
	}()
	root := newRoot(t)
	root.SetArgs(args)
	started := false
	prepare(root, &started)
	command, err := root.ExecuteContextC(ctx)
	if err != nil && !started {
		// Cobra's errors for flags, arguments and unknown commands have no type of their own. Any error before a
		// command's own code is one of these.
		err = exitcode.With(exitcode.Usage, err)
	}
	code, printed := exitcode.Of(err)
	switch {
	case !printed && ctx.Err() != nil:
		code = exitcode.Interrupted // whatever the interrupt broke
	case t.Closed():
		code, printed = exitcode.OutputClosed, false
		err = errors.New("standard output was closed before everything was written: the rest is lost")
	}
	if !printed {
		explain(t, command, code, err)
	}
	return code
}

// prepare notes when a command's own code starts, and makes command groups refuse unknown commands: by default, cobra
// prints the group's help and succeeds.
func prepare(command *cobra.Command, started *bool) {
	for _, child := range command.Commands() {
		prepare(child, started)
	}
	switch do := command.RunE; {
	case do != nil:
		command.RunE = func(command *cobra.Command, args []string) error {
			if err := noneEmpty(command.Flags()); err != nil {
				return err
			}
			*started = true
			return do(command, args)
		}
	case command.HasSubCommands() && command.Run == nil:
		command.DisableFlagsInUseLine = true
		command.Args = cobra.ArbitraryArgs
		command.SuggestionsMinimumDistance = 2 // cobra's own default, which it sets too late for us
		command.RunE = func(command *cobra.Command, args []string) error {
			if len(args) == 0 {
				return command.Help()
			}
			message := fmt.Sprintf("unknown command %q for %q", args[0], command.CommandPath())
			if similar := command.SuggestionsFor(args[0]); len(similar) > 0 {
				message += "; did you mean " + strings.Join(similar, " or ") + "?"
			}
			return errors.New(message)
		}
	}
}

// noneEmpty refuses an empty value, which comes from a script's unset variable: ignoring the flag would lose an output.
func noneEmpty(flags *pflag.FlagSet) error {
	var problems []error
	flags.Visit(func(flag *pflag.Flag) {
		if flag.Value.Type() == "string" && flag.Value.String() == "" {
			problems = append(problems, fmt.Errorf("--%s is empty; give it a value, or leave it out", flag.Name))
		}
	})
	return errors.Join(problems...)
}

// explain prints an error and, after wrong usage, where to read more.
func explain(t *terminal.Terminal, command *cobra.Command, code exitcode.Code, err error) {
	style := t.ErrStyle()
	message := err.Error()
	if code == exitcode.Interrupted {
		message = "interrupted"
	}
	text := fmt.Sprintf("%s %s\n", style.Red("✗"), terminal.Safe(strings.TrimSpace(message)))
	if code == exitcode.Usage {
		text += fmt.Sprintf("%s shows the usage.\n", style.Cyan(command.CommandPath()+" --help"))
	}
	fmt.Fprint(t.Err, text)
}

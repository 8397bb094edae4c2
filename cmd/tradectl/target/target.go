// Package target has the flags by which commands name a deployed stack.
package target

import (
	"errors"
	"io/fs"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"trade-processing/cmd/tradectl/output"
	"trade-processing/internal/operate"
	"trade-processing/internal/stackconfig"
)

// Flags adds the flags --stack, --local, --outputs and --project, which fill where. One of the first three must be given.
func Flags(command *cobra.Command, where *operate.Where) {
	flags := command.Flags()
	Stack(command, &where.Stack, "", "the stack; its outputs come from pulumi")
	flags.BoolVar(&where.Local, "local", false, "the stack that tradectl local up serves")
	flags.StringVar(&where.File, "outputs", "", "a `FILE` with the stack's outputs, as pulumi stack output --json prints them; - is standard input")
	flags.StringVar(&where.Project, "project", "", "with --stack or --local: "+stackconfig.ProjectFlag)
	command.MarkFlagsOneRequired("stack", "local", "outputs") // for completion; its message comes too late to be seen
	command.PreRunE = func(*cobra.Command, []string) error {
		if !flags.Changed("stack") && !flags.Changed("local") && !flags.Changed("outputs") {
			return errors.New("name a stack with --stack, --local or --outputs")
		}
		return nil
	}
	command.MarkFlagsMutuallyExclusive("stack", "local", "outputs")
}

// Stack adds the flag --stack. The shell offers the project's stacks.
func Stack(command *cobra.Command, name *string, usual, help string) {
	command.Flags().StringVarP(name, "stack", "s", usual, help)
	output.Complete(command, "stack", stacks)
}

// Inputs are the files that finding the stack reads.
func Inputs(where operate.Where) []string {
	if where.File == "" || where.File == "-" {
		return nil
	}
	return []string{where.File}
}

// stacks are the stacks of this project, by the names of their config files.
func stacks() []string {
	root, err := stackconfig.FindProject("")
	if err != nil {
		return nil
	}
	files, _ := fs.Glob(os.DirFS(root), "Pulumi.*.yaml") // the pattern is right, and the folder's own name isn't in it
	names := make([]string, len(files))
	for i, file := range files {
		names[i] = strings.TrimSuffix(strings.TrimPrefix(file, "Pulumi."), ".yaml")
	}
	return names
}

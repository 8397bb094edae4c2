// Package images implements `tradectl images`.
package images

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"trade-processing/cmd/tradectl/target"
	"trade-processing/internal/exitcode"
	"trade-processing/internal/images"
	"trade-processing/internal/stackconfig"
	"trade-processing/internal/terminal"
	"trade-processing/stack"
)

type options struct {
	project   string
	stack     string
	docker    string
	programs  string   // a folder; empty: images are built
	arguments []string // NAME=VALUE
}

// NewCommand returns `tradectl images`.
func NewCommand(t *terminal.Terminal) *cobra.Command {
	var o options
	command := &cobra.Command{
		Use:   "images [FUNCTION...]",
		Short: "Build the functions' container images as a deployment would, without deploying",
		Long: `Builds the functions' images, all of them or only those named, with Docker and BuildKit. Names, arguments and
content are the same as in a deployment of the stack; nothing is pushed.

Prints the name of each image on standard output, and the builder's output on standard error.

--programs builds only the programs, without Docker: the same files as in the images.

` + exitcode.HelpFor(),
		Example: `  tradectl images
  tradectl images recorder --build-arg INSIGHTS=without
  tradectl images --programs dist/programs`,
		ValidArgs: stack.Functions(),
		Args:      cobra.OnlyValidArgs,
		RunE: func(command *cobra.Command, functions []string) error {
			if len(functions) == 0 {
				functions = stack.Functions()
			}
			return run(command.Context(), t, o, functions)
		},
	}
	flags := command.Flags()
	flags.StringVar(&o.project, "project", "", stackconfig.ProjectFlag)
	target.Stack(command, &o.stack, "dev", "build with the imageArguments of this stack")
	flags.StringVar(&o.docker, "docker", "docker", "the Docker client to build with")
	flags.StringVar(&o.programs, "programs", "", "build only the programs, for arm64, into `FOLDER`")
	flags.StringArrayVar(&o.arguments, "build-arg", nil, "an extra build argument, as `NAME=VALUE`: "+strings.Join(stack.ImageArguments(), ", "))
	command.MarkFlagsMutuallyExclusive("programs", "build-arg") // programs are built without any of it
	command.MarkFlagsMutuallyExclusive("programs", "docker")
	return command
}

func run(ctx context.Context, t *terminal.Terminal, o options, functions []string) error {
	own, err := o.own()
	if err != nil {
		return exitcode.With(exitcode.Usage, err)
	}
	if o.project, err = stackconfig.FindProject(o.project); err != nil {
		return exitcode.With(exitcode.Usage, err)
	}
	if o.programs != "" {
		return o.buildPrograms(ctx, t, functions)
	}
	arguments, err := o.read(own)
	if err != nil {
		return exitcode.With(exitcode.Usage, err)
	}
	builder := images.Builder{Docker: o.docker, Project: o.project, Arguments: arguments, Progress: t.Err}
	for _, function := range functions {
		image, err := builder.Build(ctx, function)
		if err != nil {
			return err
		}
		if _, err := fmt.Fprintln(t.Out, image); err != nil {
			return err
		}
	}
	return nil
}

func (o options) buildPrograms(ctx context.Context, t *terminal.Terminal, functions []string) error {
	if err := os.MkdirAll(o.programs, 0o755); err != nil {
		return exitcode.Usagef("creating the folder for the programs: %w", err)
	}
	for _, function := range functions {
		if info, err := os.Stat(filepath.Join(o.programs, function)); err == nil && info.IsDir() {
			return exitcode.Usagef("--programs %s: it has a folder %s, where the program of that name would be; name another folder", o.programs, function)
		}
	}
	for _, function := range functions {
		out := filepath.Join(o.programs, function)
		if err := images.BuildProgram(ctx, o.project, function, "arm64", out); err != nil {
			return err
		}
		if _, err := fmt.Fprintln(t.Out, out); err != nil {
			return err
		}
	}
	return nil
}

// own returns the arguments of the command line.
func (o options) own() (map[string]string, error) {
	own := map[string]string{}
	for _, argument := range o.arguments {
		name, value, found := strings.Cut(argument, "=")
		if !found || !slices.Contains(stack.ImageArguments(), name) {
			return nil, fmt.Errorf("--build-arg %s: use NAME=VALUE with one of the names %s", argument, strings.Join(stack.ImageArguments(), ", "))
		}
		own[name] = value
	}
	return own, nil
}

// read combines the stack's arguments with those of the command line.
func (o options) read(own map[string]string) (map[string]string, error) {
	config, err := stackconfig.Read(o.project, o.stack)
	if err != nil {
		return nil, err
	}
	arguments := map[string]string{}
	if text := config["trade-processing:imageArguments"]; text != "" {
		if err := json.Unmarshal([]byte(text), &arguments); err != nil {
			return nil, fmt.Errorf("trade-processing:imageArguments of stack %s: %w", o.stack, err)
		}
	}
	maps.Copy(arguments, own)
	return arguments, nil
}

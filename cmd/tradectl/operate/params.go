package operate

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"trade-processing/cmd/tradectl/output"
	"trade-processing/internal/exitcode"
	"trade-processing/internal/files"
	"trade-processing/internal/operate"
	"trade-processing/internal/terminal"
)

// NewParams returns `tradectl params`.
func NewParams(t *terminal.Terminal) *cobra.Command {
	command := &cobra.Command{
		Use:   "params",
		Short: "List or change the parameters that functions reread at run time",
		Long:  "Lists or changes the stack's parameters, which each function rereads within 60 seconds.",
	}
	command.AddCommand(newParamsList(t), newParamsSet(t))
	return command
}

func newParamsList(t *terminal.Terminal) *cobra.Command {
	command := &cobra.Command{
		Use:     "list",
		Short:   "List the parameters",
		Long:    "Lists the parameters with their values, except secret ones, and the config key that each is deployed from.",
		Example: "  tradectl params list --stack prod",
	}
	return withStack(t, command, nil, func(ctx context.Context, stack *operate.Stack, form output.Form, _ []string) error {
		all, err := stack.Parameters(ctx)
		if err != nil {
			return err
		}
		return showParameters(t, form, all...)
	})
}

func showParameters(t *terminal.Terminal, form output.Form, all ...operate.Parameter) error {
	return output.NewRows(t, form, func(p operate.Parameter) []output.Cell {
		value := p.Value
		if p.Secret {
			value = "(secret)"
		}
		return []output.Cell{
			{Name: "name", Text: p.Name, Whole: true}, {Name: "value", Text: value}, {Name: "version", Text: fmt.Sprint(p.Version)},
			{Name: "changed", Text: shown(p.Changed)}, {Name: "configKey", Text: p.ConfigKey},
		}
	}).All(all, "the stack has no parameters")
}

func newParamsSet(t *terminal.Terminal) *cobra.Command {
	command := &cobra.Command{
		Use:   "set NAME VALUE",
		Short: "Change a parameter",
		Long: "Changes a parameter, if the functions accept the value. Each function rereads it within 60 seconds. Give a\n" +
			"secret value as - and write it to standard input: others can see command lines.\n\n" +
			"Put the value into the config key too, and deploy: until then a plain pulumi up leaves the parameter alone,\n" +
			"but pulumi up --refresh sets it back.\n\n" +
			"Parameters: " + strings.Join(operate.ParameterNames(), ", ") + ".",
		Example: "  tradectl params set --stack prod processing-threshold 2500000\n" +
			"  tradectl params set --stack prod api-endpoint none",
		Args: exactly("NAME", "VALUE"),
		ValidArgsFunction: func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			if len(args) > 0 {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			return operate.ParameterNames(), cobra.ShellCompDirectiveNoFileComp
		},
	}
	return withStack(t, command, nil, func(ctx context.Context, stack *operate.Stack, form output.Form, args []string) error {
		name, text := args[0], args[1]
		if text == "-" {
			const most = 64 << 10 // bytes; a parameter has up to 8 KiB
			read, err := files.Read(t.In, most)
			if err != nil {
				return exitcode.Usagef("reading the value from standard input: %w", err)
			}
			text = strings.TrimRight(string(read), "\r\n")
		}
		before, after, err := stack.SetParameter(ctx, name, text)
		if err != nil {
			return err
		}
		if err := showParameters(t, form, after); err != nil {
			return err
		}
		if before.Secret {
			t.Note("version %d was another secret", before.Version)
		} else {
			t.Note("it was %s", before.Value)
		}
		t.Note("set %s to the same value in the stack's config, and deploy: pulumi up --refresh sets the parameter back until then", after.ConfigKey)
		return nil
	}, exitcode.NotFound)
}

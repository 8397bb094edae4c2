package local

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/apitype"
	"github.com/spf13/cobra"

	"trade-processing/cmd/tradectl/target"
	"trade-processing/internal/engine"
	"trade-processing/internal/exitcode"
	"trade-processing/internal/stackconfig"
	"trade-processing/internal/terminal"
	"trade-processing/local/cloud"
)

type previewOptions struct {
	project string
	stack   string
	json    bool
}

// newPreviewCommand returns `tradectl local preview`.
func newPreviewCommand(t *terminal.Terminal) *cobra.Command {
	var options previewOptions
	command := &cobra.Command{
		Use:   "preview",
		Short: "Show what `pulumi up` of a stack would create, offline",
		Long: "Runs the real engine's preview of a stack's program and config against an empty cloud: every resource\n" +
			"that a first deployment would create, as a tree, and how many of each type. Needs no credentials.\n" +
			"What only the stack's owner can decrypt, and what comes from Pulumi ESC, is replaced by a value of its kind.\n\n" + exitcode.HelpFor(),
		Example: "  tradectl local preview --stack prod",
		Args:    cobra.NoArgs,
		RunE:    func(command *cobra.Command, _ []string) error { return preview(command, t, options) },
	}
	projectFlag(command, &options.project)
	target.Stack(command, &options.stack, "local", "the stack: local, dev, prod, or any with a Pulumi.<stack>.yaml, also as organization/project/stack")
	command.Flags().BoolVar(&options.json, "json", false, "print the plan as JSON")
	return command
}

func preview(command *cobra.Command, t *terminal.Terminal, options previewOptions) error {
	ctx := command.Context()
	root, err := stackconfig.FindProject(options.project)
	if err != nil {
		return exitcode.With(exitcode.Usage, err)
	}
	progress := t.Step("previewing stack " + options.stack)
	defer progress.Stop()
	deployment, err := open(root, options.stack, cloud.New(cloud.Options{}), nil)
	if err != nil {
		return err
	}
	plan, err := deployment.Preview(ctx)
	if err != nil {
		return deployment.told(err)
	}
	progress.Stop()

	if options.json {
		text, err := json.MarshalIndent(plan, "", "  ")
		if err != nil {
			return fmt.Errorf("writing the plan: %w", err)
		}
		_, err = fmt.Fprintf(t.Out, "%s\n", text)
		return err
	}
	_, err = fmt.Fprintf(t.Out, "%s%s%s\n", tree(t.Style(), plan), counts(t.Style(), plan), judgement(t.Style(), plan.Policies))
	return err
}

// tree draws the resources under their parents.
func tree(style terminal.Style, plan *engine.Plan) string {
	children := map[string][]engine.Step{}
	var roots []engine.Step
	known := map[string]bool{}
	for _, step := range plan.Steps {
		known[step.URN] = true
	}
	for _, step := range plan.Steps {
		if known[step.Parent] {
			children[step.Parent] = append(children[step.Parent], step)
		} else {
			roots = append(roots, step)
		}
	}
	var b strings.Builder
	var draw func(steps []engine.Step, indent string)
	draw = func(steps []engine.Step, indent string) {
		slices.SortFunc(steps, byTypeAndName)
		for i, step := range steps {
			branch, below := "├─ ", "│  "
			if i == len(steps)-1 {
				branch, below = "└─ ", "   "
			}
			fmt.Fprintf(&b, "%s%s%s %s %s\n", indent, style.Faint(branch), sign(style, step.Op), terminal.Safe(step.Name), style.Faint(step.Type))
			draw(children[step.URN], indent+below)
		}
	}
	for _, root := range roots {
		fmt.Fprintf(&b, "%s %s %s\n", sign(style, root.Op), style.Bold(root.Name), style.Faint(root.Type))
		draw(children[root.URN], "")
	}
	return b.String()
}

// byTypeAndName puts components before plain resources, then sorts by name.
func byTypeAndName(a, b engine.Step) int {
	if a.Custom != b.Custom {
		if a.Custom {
			return 1
		}
		return -1
	}
	if c := strings.Compare(a.Name, b.Name); c != 0 {
		return c
	}
	return strings.Compare(a.Type, b.Type)
}

func sign(style terminal.Style, op string) string {
	switch apitype.OpType(op) {
	case apitype.OpCreate:
		return style.Green("+")
	case apitype.OpUpdate:
		return style.Yellow("~")
	case apitype.OpDelete, apitype.OpReplace:
		return style.Red(map[bool]string{true: "-", false: "±"}[op == string(apitype.OpDelete)])
	default:
		return " "
	}
}

// counts prints the number of resources per type and operation.
func counts(style terminal.Style, plan *engine.Plan) string {
	types := map[string]int{}
	for _, step := range plan.Steps {
		if step.Custom {
			types[step.Type]++
		}
	}
	names := make([]string, 0, len(types))
	for name := range types {
		names = append(names, name)
	}
	slices.Sort(names)
	var b strings.Builder
	fmt.Fprintf(&b, "\n%s\n", style.Bold("Resources by type"))
	total := 0
	for _, name := range names {
		fmt.Fprintf(&b, "  %4d  %s\n", types[name], terminal.Safe(name))
		total += types[name]
	}
	components := len(plan.Steps) - total
	var operations []string
	for op, n := range plan.Counts {
		operations = append(operations, fmt.Sprintf("%d to %s", n, op))
	}
	slices.Sort(operations)
	fmt.Fprintf(&b, "\n%s: %d resources in %d components and the stack\n",
		style.Bold(strings.Join(operations, ", ")), total, components-1)
	return b.String()
}

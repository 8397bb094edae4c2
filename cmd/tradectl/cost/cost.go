// Package cost implements `tradectl cost`.
package cost

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"trade-processing/cmd/tradectl/output"
	"trade-processing/cmd/tradectl/target"
	"trade-processing/internal/cost"
	"trade-processing/internal/exitcode"
	"trade-processing/internal/stackconfig"
	"trade-processing/internal/terminal"
)

type options struct {
	project, stack  string
	sample          int
	rate            float64
	call, execution time.Duration
	insights        bool
	compare         []string
	form            output.Form
}

// The workflow types that can be compared.
var types = []string{"standard", "express"}

// NewCommand returns `tradectl cost`.
func NewCommand(t *terminal.Terminal) *cobra.Command {
	var o options
	command := &cobra.Command{
		Use:   "cost",
		Short: "Compute what a stack costs, offline",
		Long: "Deploys a stack's program on a local cloud of its own, sends a sample through it, and computes what a million\n" +
			"trades and a month cost in USD: from what the program declares, what the run wrote, and AWS's prices as of\n" +
			cost.Looked + ", without free tiers, discounts and taxes. The last lines show what other choices would change.\n" +
			"Needs no credentials. Only AWS knows how long calls and executions take: see the dashboard.\n\n" + exitcode.HelpFor(),
		Example: "  tradectl cost --stack prod --rate 50\n" +
			"  tradectl cost --compare standard,express --output csv > cost.csv",
		Args: cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error { return run(command, t, o) },
	}
	assumed := cost.Assumed
	flags := command.Flags()
	flags.StringVar(&o.project, "project", "", stackconfig.ProjectFlag)
	target.Stack(command, &o.stack, "prod", "the stack: dev, prod, or any with a Pulumi.<stack>.yaml")
	flags.IntVar(&o.sample, "sample", cost.Sample, "how many trades to measure")
	flags.Float64Var(&o.rate, "rate", 0, "trades per second (default: a million a month, 0.38)")
	flags.DurationVar(&o.call, "call", time.Duration(assumed.CallMS)*time.Millisecond, "how long a function's call takes, on average")
	flags.DurationVar(&o.execution, "execution", time.Duration(assumed.ExecutionMS)*time.Millisecond, "how long an execution takes, on average")
	flags.BoolVar(&o.insights, "insights", false, "the images contain Lambda Insights")
	flags.StringSliceVar(&o.compare, "compare", nil, "workflow types to compare: standard,express (default: the stack's own)")
	output.Flag(command, &o.form)
	return command
}

func run(command *cobra.Command, t *terminal.Terminal, o options) error {
	root, err := stackconfig.FindProject(o.project)
	if err != nil {
		return exitcode.With(exitcode.Usage, err)
	}
	a := cost.Assumed
	if command.Flags().Changed("rate") {
		a.PerSecond = o.rate
	}
	a.CallMS, a.ExecutionMS = float64(o.call)/float64(time.Millisecond), float64(o.execution)/float64(time.Millisecond)
	a.Insights = o.insights
	switch {
	case !(a.PerSecond > 0 && a.PerSecond <= 1e6):
		return exitcode.Usagef("--rate %v: use more than 0, and at most a million trades a second", o.rate)
	case o.call <= 0 || o.call > 15*time.Minute || o.execution <= 0 || o.execution > 5*time.Minute:
		return exitcode.Usagef("--call takes up to 15m, and --execution up to 5m")
	case o.sample < 1:
		return exitcode.Usagef("--sample %d: use at least 1", o.sample)
	}
	for _, name := range o.compare {
		if !slices.Contains(types, name) {
			return exitcode.Usagef("--compare %q: use %s", name, strings.Join(types, ","))
		}
	}
	progress := t.Step("measuring stack " + o.stack)
	defer progress.Stop()
	prices, err := cost.Prices()
	if err != nil {
		return err
	}
	d, u, err := cost.Measure(command.Context(), root, o.stack, o.sample)
	if err != nil {
		return err
	}
	progress.Stop()

	rows := output.NewRows(t, o.form, func(l cost.Line) []output.Cell {
		return []output.Cell{
			{Name: "workflow", Text: l.Workflow}, {Name: "service", Text: l.Service}, {Name: "what", Text: l.What},
			{Name: "trades", Text: fmt.Sprintf("%.2f", l.Trades)}, {Name: "month", Text: fmt.Sprintf("%.2f", l.Month)},
		}
	})
	if err := rows.All(cost.Compared(d, u, a, prices, o.compare), "nothing costs anything"); err != nil {
		return err
	}
	t.Note("trades: USD for a million trades; month: USD a month at %.4g trades a second; prices as of %s", a.PerSecond, cost.Looked)
	return nil
}

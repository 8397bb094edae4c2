// Package simulate implements `tradectl simulate`.
package simulate

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"trade-processing/cmd/tradectl/local"
	"trade-processing/cmd/tradectl/output"
	"trade-processing/cmd/tradectl/target"
	"trade-processing/internal/cost"
	"trade-processing/internal/exitcode"
	"trade-processing/internal/simulate"
	"trade-processing/internal/stackconfig"
	"trade-processing/internal/terminal"
)

type options struct {
	project, stack string
	rates          []float64
	factor         float64
	load           simulate.Load
	config, limits []string
	raise          bool
	form           output.Form
}

// NewCommand returns `tradectl simulate`.
func NewCommand(t *terminal.Terminal) *cobra.Command {
	var o options
	command := &cobra.Command{
		Use:   "simulate",
		Short: "Simulate bursts of trades under AWS's quotas, and see which limit binds first",
		Long: "Deploys a stack offline and simulates what bursts of trades do to it under AWS's default quotas: how many are\n" +
			"recorded a second, how late, how long the rest takes, how many become dead letters, what it costs, which limits\n" +
			"bind and in which order, and which alarms go off. The same seed gives the same result. Quotas and assumptions\n" +
			"are in docs/scale.md.\n\n" + exitcode.HelpFor(),
		Example: "  tradectl simulate --stack prod\n" +
			"  tradectl simulate --stack prod --rate 3000 --config workflowType=EXPRESS,maxRetries=3 --output json\n" +
			"  tradectl simulate --stack prod --rate 10000 --limit starts=15000,concurrency=5000\n" +
			"  tradectl simulate --stack prod --rate 10000 --raise",
		Args: cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error { return run(command.Context(), t, o) },
	}
	flags := command.Flags()
	flags.StringVar(&o.project, "project", "", stackconfig.ProjectFlag)
	target.Stack(command, &o.stack, "prod", "the stack, with a Pulumi.<stack>.yaml")
	flags.Float64SliceVar(&o.rates, "rate", []float64{100, 300, 1000, 3000, 10_000, 30_000, 100_000}, "trades per second in the burst, one or more rates")
	flags.Lookup("rate").DefValue = "100,300,1000,3000,10000,30000,100000" // pflag's has six decimals
	flags.Float64Var(&o.factor, "factor", 10, "the burst's rate, as a multiple of the rate before it")
	flags.Float64Var(&o.load.Seconds, "seconds", 60, "how many seconds the burst lasts")
	flags.Float64Var(&o.load.Lead, "lead", 20, "how many seconds before the burst to simulate")
	flags.Uint64Var(&o.load.Seed, "seed", 1, "the random seed")
	flags.IntVar(&o.load.Parcels, "parcels", 200_000, "simulate a burst of more trades than this in parcels, whose trades share one fate")
	flags.StringSliceVar(&o.config, "config", nil, "override the stack's config, as in maxRetries=3")
	flags.StringSliceVar(&o.limits, "limit", nil, "override limits, as in starts=1000")
	flags.BoolVar(&o.raise, "raise", false, "raise config and quotas until all limits allow the rate, and say how")
	output.Flag(command, &o.form)
	return command
}

// row is a burst, and what was changed for it.
type row struct {
	simulate.Result
	First   simulate.Bound `json:"first"` // the limit that binds first
	Changes []string       `json:"changes,omitempty"`
	USD     float64        `json:"usd"` // what its trades cost
}

func run(ctx context.Context, t *terminal.Terminal, o options) error {
	settings := map[string]string{}
	for _, setting := range o.config {
		key, value, ok := strings.Cut(setting, "=")
		if !ok {
			return exitcode.Usagef("--config %q is not key=value", setting)
		}
		settings[key] = value
	}
	for _, rate := range append(o.rates, o.factor, o.load.Seconds) {
		if !(rate > 0) || math.IsInf(rate, 0) || o.load.Parcels < 1 || !(o.load.Lead >= 0) || math.IsInf(o.load.Lead, 0) {
			return exitcode.Usagef("--rate, --factor, --seconds and --parcels must be more than 0, and --lead not less")
		}
	}
	root, err := stackconfig.FindProject(o.project)
	if err != nil {
		return exitcode.With(exitcode.Usage, err)
	}
	progress := t.Step("deploying stack " + o.stack + " offline, and simulating it")
	defer progress.Stop()
	created, err := local.Resources(ctx, root, o.stack, settings)
	if err != nil {
		return err
	}
	var resources []simulate.Resource
	for _, r := range created {
		resources = append(resources, simulate.Resource{Type: r.Type, Region: r.Region, Inputs: r.Inputs})
	}
	d, err := simulate.Read(resources)
	if err != nil {
		return err
	}
	limits := simulate.LimitsOf(d)
	for _, limit := range o.limits {
		if err := limits.Set(limit); err != nil {
			return exitcode.Usagef("--limit: %v", err)
		}
	}
	price, err := priced(ctx, root, o.stack)
	if err != nil {
		return err
	}
	var rows []row
	for _, rate := range o.rates {
		its, of, changes := d, limits, []string(nil)
		if o.raise {
			its, of, changes = simulate.Raise(d, limits, rate)
		}
		load := o.load
		load.Rate, load.Base = rate, rate/o.factor
		result, err := simulate.Run(ctx, its, of, load)
		if err != nil {
			return err
		}
		rows = append(rows, row{*result, simulate.Sustained(its, of), changes, price(its, result)})
	}
	progress.Stop()
	return printed(t, o, d, limits, rows)
}

// priced returns what the trades of a burst cost: each what it always does, and retries of states, which STANDARD bills.
func priced(ctx context.Context, root, stack string) (func(*simulate.Deployed, *simulate.Result) float64, error) {
	prices, err := cost.Prices()
	if err != nil {
		return nil, err
	}
	d, usage, err := cost.Measure(ctx, root, stack, cost.Sample)
	if err != nil {
		return nil, err
	}
	return func(its *simulate.Deployed, r *simulate.Result) float64 {
		of := d
		of.Express = its.Type == "EXPRESS"
		usd := cost.Sum(cost.Lines(of, usage, cost.Assumed, prices)).Trades * float64(r.Trades) / cost.Million
		i := slices.IndexFunc(prices, func(p cost.Price) bool { return p.Name == "transition" && p.Region == d.Region })
		if !of.Express && i >= 0 {
			usd += prices[i].USD * float64(r.Retries) / cost.Million
		}
		return usd
	}, nil
}

func printed(t *terminal.Terminal, o options, d *simulate.Deployed, limits simulate.Limits, rows []row) error {
	if o.form == output.Table {
		first := simulate.Sustained(d, limits)
		fmt.Fprintf(t.Out, "%s sustains %s trades a second; then %s binds: raise %s\n\n", terminal.Safe(o.stack),
			terminal.Count(int64(first.Rate)), first.Limit, first.Change)
	}
	count := func(n int64) string {
		if o.form == output.CSV {
			return fmt.Sprint(n)
		}
		return terminal.Count(n)
	}
	seconds := func(s float64) string { return fmt.Sprintf("%.1f", s) }
	return output.NewRows(t, o.form, func(r row) []output.Cell {
		var hits []string
		for _, hit := range r.Hits {
			hits = append(hits, hit.Limit)
		}
		cells := []output.Cell{
			{Name: "rate", Text: count(int64(r.Rate))}, {Name: "trades", Text: count(r.Trades)},
			{Name: "recordedPerSecond", Text: count(int64(r.PerSecond))},
			{Name: "p50Seconds", Text: seconds(r.P50)}, {Name: "p99Seconds", Text: seconds(r.P99)},
			{Name: "backlog", Text: count(r.Backlog)}, {Name: "drainSeconds", Text: seconds(r.Drain)},
			{Name: "deadLetters", Text: count(r.DeadLetters)}, {Name: "timedOut", Text: count(r.TimedOut)},
			{Name: "usd", Text: fmt.Sprintf("%.2f", r.USD)},
			{Name: "limits", Text: strings.Join(hits, ", ")}, {Name: "alarms", Text: strings.Join(r.Alarms, ", ")},
		}
		if o.raise {
			cells = append(cells, output.Cell{Name: "changes", Text: strings.Join(r.Changes, "; ")})
		}
		return cells
	}).All(rows, "")
}

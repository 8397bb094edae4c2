// Package chaos implements `tradectl chaos`.
package chaos

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/spf13/cobra"

	"trade-processing/internal/chaos"
	"trade-processing/internal/exitcode"
	"trade-processing/internal/outfile"
	"trade-processing/internal/stackconfig"
	"trade-processing/internal/terminal"
)

type options struct {
	chaos.Options
	runs           int
	project        string
	events, faults string
	trace          string
}

// NewCommand returns `tradectl chaos`.
func NewCommand(t *terminal.Terminal) *cobra.Command {
	var o options
	command := &cobra.Command{
		Use:   "chaos",
		Short: "Simulate the whole pipeline under faults, and check that it keeps its promises",
		Long: "Runs the pipeline of stack local on a simulated clock and scheduler, with trades and faults that follow from a seed,\n" +
			"and checks from outside that nothing is lost, doubled, altered or misrouted, and that the right alarms go off. The\n" +
			"same seed gives the same trace, byte for byte. A seed that fails is reduced to the least that makes it fail, and\n" +
			"printed as a command.\n\n" + exitcode.HelpFor(exitcode.Unreconciled),
		Example: "  tradectl chaos --runs 500\n" +
			"  tradectl chaos --seed 7 --events 3,17 --faults 2 --trace trace.txt",
		Args: cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error { return run(command.Context(), t, o) },
	}
	flags := command.Flags()
	flags.StringVar(&o.project, "project", "", stackconfig.ProjectFlag)
	flags.Uint64Var(&o.Seed, "seed", 1, "the first seed")
	flags.IntVar(&o.runs, "runs", 1, "how many seeds to run, from the first one up")
	flags.IntVar(&o.Trades, "trades", 200, "how many trades a seed has")
	flags.StringVar(&o.events, "events", "", "send only the trades with these `NUMBERS`, from 0, separated by commas")
	flags.StringVar(&o.faults, "faults", "", "keep only the faults with these `NUMBERS`, or none")
	flags.StringVar(&o.trace, "trace", "", "write everything that happens in the one run to `FILE`")
	return command
}

func run(ctx context.Context, t *terminal.Terminal, o options) error {
	var err error
	if o.Events, err = numbers(o.events); err == nil {
		o.Faults, err = numbers(o.faults)
	}
	switch {
	case err != nil:
	case o.runs < 1 || o.Trades < 1:
		err = fmt.Errorf("--runs %d and --trades %d must be 1 or more", o.runs, o.Trades)
	case o.runs > 1 && o.trace != "":
		err = fmt.Errorf("--trace is for one run, and --runs is %d", o.runs)
	}
	if err != nil {
		return exitcode.With(exitcode.Usage, err)
	}
	root, err := stackconfig.FindProject(o.project)
	if err != nil {
		return exitcode.With(exitcode.Usage, err)
	}
	files, err := outfile.Open(ctx, []outfile.Output{{Flag: "--trace", Path: o.trace}})
	if err != nil {
		return exitcode.With(exitcode.Usage, err)
	}
	defer outfile.Discard(files...)
	trace := files[0]
	if trace != nil {
		o.Trace = trace
	}
	d, err := chaos.Deploy(ctx, root)
	if err != nil {
		return err
	}
	failed, err := all(ctx, t, d, o)
	if trace != nil {
		err = errors.Join(err, trace.Commit())
	}
	if err == nil && failed > 0 {
		err = exitcode.Silent(exitcode.Unreconciled)
	}
	return err
}

// all runs the seeds, several at once, and reports on them.
func all(ctx context.Context, t *terminal.Terminal, d *chaos.Deployment, o options) (failed int64, err error) {
	var next, done, broken, events, injected atomic.Int64
	begun := time.Now()
	progress := t.Progress("running seeds", int64(o.runs), func() terminal.Reading {
		return terminal.Reading{Done: done.Load(), Count: done.Load()}
	})
	defer progress.Stop()
	var mu sync.Mutex // guards err, and the output
	var working sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), o.runs) {
		working.Go(func() {
			for n := next.Add(1); n <= int64(o.runs) && ctx.Err() == nil; n = next.Add(1) {
				one := o.Options
				one.Seed += uint64(n - 1)
				r, problem := d.Run(ctx, one)
				text := ""
				if problem == nil && len(r.Violations) > 0 {
					broken.Add(1)
					text, problem = explain(ctx, d, one, r)
				}
				mu.Lock()
				if problem != nil && err == nil {
					err = problem
				}
				fmt.Fprint(t.Out, terminal.Safe(text))
				mu.Unlock()
				done.Add(1)
				events.Add(int64(r.Events))
				injected.Add(int64(r.Injected))
			}
		})
	}
	working.Wait()
	progress.Stop()
	fmt.Fprintf(t.Out, "%s with %s trades and %s faulty calls in %s: %s failed\n", terminal.Plural(done.Load(), "run"),
		terminal.Count(events.Load()), terminal.Count(injected.Load()), terminal.Duration(time.Since(begun)), terminal.Count(broken.Load()))
	return broken.Load(), err
}

// explain says what a seed broke, and the least that breaks it.
func explain(ctx context.Context, d *chaos.Deployment, failing chaos.Options, r *chaos.Result) (string, error) {
	var b strings.Builder
	fmt.Fprintf(&b, "seed %d broke %s:\n", failing.Seed, terminal.Plural(len(r.Violations), "promise"))
	for _, violation := range r.Violations[:min(5, len(r.Violations))] {
		fmt.Fprintf(&b, "  %s\n", violation)
	}
	invariant, _, _ := strings.Cut(r.Violations[0], ":")
	shrunk, err := d.Shrink(ctx, failing, invariant)
	if err != nil {
		return b.String(), err
	}
	again, err := d.Run(ctx, shrunk)
	if err != nil {
		return b.String(), err
	}
	for _, f := range again.Faults {
		fmt.Fprintf(&b, "  fault %s\n", f)
	}
	fmt.Fprintf(&b, "repeat it with\n  %s\n", shrunk.Command())
	return b.String(), nil
}

// numbers reads a list of numbers; nil if there is none.
func numbers(text string) ([]int, error) {
	switch text {
	case "":
		return nil, nil
	case "none":
		return []int{}, nil
	}
	var list []int
	for part := range strings.SplitSeq(text, ",") {
		n, err := strconv.Atoi(part)
		if err != nil || n < 0 {
			return nil, fmt.Errorf("%q is not a list of numbers such as 3,17", text)
		}
		list = append(list, n)
	}
	return list, nil
}

package local

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"trade-processing/internal/exitcode"
	"trade-processing/internal/feed"
	"trade-processing/internal/localrun"
	"trade-processing/internal/outfile"
	"trade-processing/internal/report"
	"trade-processing/internal/stackconfig"
	"trade-processing/internal/terminal"
	"trade-processing/local/cloud"
	"trade-processing/local/disk"
)

// mostAtOnce is more than any machine gains by.
const mostAtOnce = 1000

type runOptions struct {
	project     string
	files       []string
	sample      int
	seed        uint64
	keep        bool
	json        bool
	out         string
	logs        string
	report      string
	concurrency int
}

// newRunCommand returns `tradectl local run`.
func newRunCommand(t *terminal.Terminal) *cobra.Command {
	var options runOptions
	command := &cobra.Command{
		Use:   "run [file ...]",
		Short: "Deploy stack local on the real engine and process trades",
		Long: "Deploys stack local with the real Pulumi engine onto the embedded local cloud, sends every entry of the\n" +
			"files through the deployed pipeline, reports what became of each, and destroys the stack again.\n\n" +
			"A file holds PutEvents entries as JSON, in lines, arrays or requests: Source, DetailType and Detail (an object, or\n" +
			"a string containing one), and optionally Time, Resources and TraceHeader. It may be compressed with gzip.\n" +
			"- is standard input. Without files, a generated sample is processed.\n\n" + exitcode.HelpFor(exitcode.Unreconciled, exitcode.RefusedInput),
		Example: "  tradectl local run trades.ndjson more.ndjson.gz\n" +
			"  zcat trades.gz | tradectl local run --json - > report.json\n" +
			"  tradectl local run --sample 100000 --seed 7 --out recorded.ndjson",
		RunE: func(command *cobra.Command, args []string) error {
			options.files = args
			for _, flag := range []string{"sample", "seed"} {
				if len(args) > 0 && command.Flags().Changed(flag) {
					return exitcode.Usagef("--%s is for a generated sample, and %s is a file; give one or the other", flag, args[0])
				}
			}
			if options.concurrency < 1 || options.concurrency > mostAtOnce {
				return exitcode.Usagef("--concurrency %d: use 1 to %d", options.concurrency, mostAtOnce)
			}
			return run(command.Context(), t, options)
		},
	}
	projectFlag(command, &options.project)
	flags := command.Flags()
	flags.IntVar(&options.sample, "sample", 20_000, "how many trades to generate if no file is given")
	flags.Uint64Var(&options.seed, "seed", 1, "the seed of the generated sample")
	flags.BoolVar(&options.keep, "keep", false, "keep the stack and its contents for the next run with --keep")
	flags.BoolVar(&options.json, "json", false, "print the report as JSON")
	flags.StringVarP(&options.out, "out", "o", "", "write the table's items to this file, one per line (.gz compresses)")
	flags.StringVar(&options.logs, "logs", "", "write the functions' log lines to this file (.gz compresses)")
	flags.StringVar(&options.report, "report", "", "write the console's views of the run's end to this self-contained HTML file")
	flags.IntVar(&options.concurrency, "concurrency", localrun.DefaultConcurrency, "how many trades to process at once")
	return command
}

func run(ctx context.Context, t *terminal.Terminal, options runOptions) error {
	root, err := stackconfig.FindProject(options.project)
	if err != nil {
		return exitcode.With(exitcode.Usage, err)
	}
	in, err := openInput(t, options)
	if err != nil {
		return exitcode.With(exitcode.Usage, err)
	}
	defer in.close()
	files, err := outfile.Open(ctx, []outfile.Output{{Flag: "--out", Path: options.out}, {Flag: "--logs", Path: options.logs}, {Flag: "--report", Path: options.report}}, options.inputs(root)...)
	if err != nil {
		return exitcode.With(exitcode.Usage, err)
	}
	defer outfile.Discard(files...)
	items, logs, page := files[0], &log{file: files[1]}, files[2]

	running, stop := context.WithCancel(ctx)
	defer stop()
	useRoom(running)

	collector := localrun.NewCollector()
	disk.Sweep()
	here := cloud.New(cloud.Options{Images: localrun.Images(), Logs: logs, Observe: localrun.Observe(collector), Memory: inMemory, Executions: options.remembered()})
	defer here.Close() //nolint:errcheck // the next run removes what is left
	d, err := deploy(ctx, t, root, here, options.keep)
	if err != nil {
		return err
	}
	defer d.release()
	r, err := process(ctx, t, d, in, collector, options)
	if err != nil {
		return err
	}
	if page != nil && !r.Interrupted { // before the stack is destroyed
		if err := writePage(ctx, page, d); err != nil {
			return err
		}
	}
	if err := conclude(ctx, t, d, r, items, logs, options); err != nil {
		return err
	}
	return exitcode.Silent(r.ExitCode())
}

// remembered is how many executions a page can show.
func (o runOptions) remembered() int {
	if o.report == "" {
		return 0
	}
	return 100
}

// inputs are the files that a run reads.
func (o runOptions) inputs(root string) []string {
	read := []string{filepath.Join(root, stackconfig.ProjectFile), filepath.Join(root, stackconfig.FileOf(stackName))}
	for _, file := range o.files {
		if file != feed.StandardInput {
			read = append(read, file)
		}
	}
	return read
}

// process sends the input through the deployed pipeline and reports on it.
func process(ctx context.Context, t *terminal.Terminal, d *deployed, in input, collector *report.Collector, options runOptions) (*report.Report, error) {
	bus, err := d.output("eventBusName")
	if err != nil {
		return nil, err
	}
	table, err := d.output("tradeTableName")
	if err != nil {
		return nil, err
	}
	region, err := d.output("region")
	if err != nil {
		return nil, err
	}
	p := localrun.Pipeline{Cloud: d.cloud, Region: region, Bus: bus, Table: table, Concurrency: options.concurrency}
	before, err := p.Take()
	if err != nil {
		return nil, err
	}
	progress := t.Progress("processing trades", in.total, func() terminal.Reading {
		return terminal.Reading{Done: in.done(), Count: collector.Finished()}
	})
	defer progress.Stop()
	begun := time.Now()
	err = p.Process(ctx, in.feed, collector)
	elapsed := time.Since(begun)
	interrupted := ctx.Err() != nil
	if err != nil && !interrupted {
		return nil, err
	}
	progress.Stop()
	r, err := p.Report(ctx, collector, before, report.Run{
		Names: in.names, Lines: in.feed.Lines(), Elapsed: elapsed, Interrupted: interrupted,
		PeakMemory: report.PeakMemory(),
	})
	if err == nil && in.expected != nil && before.Empty() && !interrupted {
		r.Unexpected = append(r.Unexpected, in.expected.Compare(r)...)
	}
	return r, err
}

// conclude writes the run's files, and destroys or keeps the stack.
func conclude(ctx context.Context, t *terminal.Terminal, d *deployed, r *report.Report, items *outfile.File, logs *log, options runOptions) error {
	problems := []error{logs.commit()}
	switch {
	case items == nil:
	case r.Interrupted: // after Ctrl-C people want the prompt, not a file with some of the items
		t.Note("%s is not written: the run was interrupted", options.out)
	default:
		problems = append(problems, writeItems(items, d))
	}
	switch {
	case options.keep:
		problems = append(problems, d.save(context.WithoutCancel(ctx)))
	case r.Interrupted: // don't spend time destroying what is only in this process's memory
	default:
		problems = append(problems, d.destroy(ctx, t))
	}
	problems = append(problems, show(t, r, options.json))
	return errors.Join(problems...)
}

func show(t *terminal.Terminal, r *report.Report, asJSON bool) error {
	if !asJSON {
		return r.WriteText(t)
	}
	text, err := r.JSON()
	if err != nil {
		return err
	}
	_, err = t.Out.Write(text)
	return err
}

// writeItems writes the table's items in key order.
func writeItems(file *outfile.File, d *deployed) error {
	name, err := d.output("tradeTableName")
	if err != nil {
		return err
	}
	region, err := d.output("region")
	if err != nil {
		return err
	}
	table, err := d.cloud.Table(region, name)
	if err != nil {
		return err
	}
	for item := range table.Items() {
		line, err := localrun.ItemJSON(item)
		if err != nil {
			return err
		}
		if _, err := file.Write(append(line, '\n')); err != nil {
			return fmt.Errorf("writing the table's items: %w", err)
		}
	}
	return file.Commit()
}

// Package sample implements `tradectl sample`.
package sample

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"sync/atomic"

	"github.com/spf13/cobra"

	"trade-processing/internal/exitcode"
	"trade-processing/internal/outfile"
	"trade-processing/internal/sample"
	"trade-processing/internal/terminal"
)

type options struct {
	seed   uint64
	count  int
	out    string // "" and "-" are standard output
	expect string // "" is nowhere
}

// NewCommand returns `tradectl sample`.
func NewCommand(t *terminal.Terminal) *cobra.Command {
	var o options
	command := &cobra.Command{
		Use:   "sample",
		Short: "Generate trades with a known number of everything that can go wrong",
		Long: fmt.Sprintf(`Writes entries for PutEvents, one JSON object per line: trades in US equities (system1), crypto pairs in five
currencies (system2) and gold futures (system3), over ten trading days from October 2025 to June 2026.

Of 100,000 entries about 3,000 break one or more validation rules, 1,500 are duplicates, 300 correct and 200 cancel
an earlier trade, 300 conflict with one, 400 can't be identified, and 1,000 come from a source that no rule matches.
From %d entries on, every violation code occurs. --expect writes the exact numbers, which a run must report.

The same seed and count give the same bytes everywhere.

`, sample.Everything) + exitcode.HelpFor(),
		Example: `  tradectl sample --count 1000 > trades.ndjson
  tradectl sample --seed 7 --count 1000000 --out trades.ndjson.gz --expect expected.json`,
		Args: cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error { return run(command.Context(), t, o) },
	}
	flags := command.Flags()
	flags.Uint64Var(&o.seed, "seed", 1, "a different seed gives different trades")
	flags.IntVarP(&o.count, "count", "n", 10_000, "how many entries")
	flags.StringVarP(&o.out, "out", "o", "", "write to `FILE` instead of standard output, compressed if its name ends in .gz")
	flags.StringVar(&o.expect, "expect", "", "write what a run of the sample must report to `FILE`, as JSON")
	return command
}

func run(ctx context.Context, t *terminal.Terminal, o options) error {
	generator, err := sample.New(o.seed, o.count)
	if err != nil {
		return exitcode.With(exitcode.Usage, fmt.Errorf("--count: %w", err))
	}
	if o.out == "-" || o.out == "/dev/stdout" {
		o.out = "" // standard output, which may append to a file
	}
	files, err := outfile.Open(ctx, []outfile.Output{{Flag: "--out", Path: o.out}, {Flag: "--expect", Path: o.expect}})
	if err != nil {
		return exitcode.With(exitcode.Usage, err)
	}
	defer outfile.Discard(files...)
	if out := files[0]; out != nil {
		err = writeFile(ctx, t, out, o.out, generator, int64(o.count))
	} else {
		err = printTo(ctx, t.Out, generator)
	}
	if expect := files[1]; expect != nil && err == nil {
		return writeExpectation(expect, generator.Expect())
	}
	return err
}

func printTo(ctx context.Context, to io.Writer, generator *sample.Generator) error {
	out := bufio.NewWriterSize(to, 256<<10)
	if err := write(ctx, out, generator, new(atomic.Int64)); err != nil {
		return err
	}
	return out.Flush()
}

// writeFile writes the sample to a file that is either complete or absent.
func writeFile(ctx context.Context, t *terminal.Terminal, file *outfile.File, path string, generator *sample.Generator, count int64) error {
	var written atomic.Int64
	progress := t.Progress("writing "+path, count, func() terminal.Reading {
		return terminal.Reading{Done: written.Load(), Count: written.Load()}
	})
	defer progress.Stop()
	if err := write(ctx, file, generator, &written); err != nil {
		return err
	}
	if err := file.Commit(); err != nil {
		return err
	}
	progress.Done(fmt.Sprintf("wrote %s entries to %s", terminal.Count(count), path))
	return nil
}

// write writes the sample until the context ends, and counts the entries.
func write(ctx context.Context, w io.Writer, generator *sample.Generator, written *atomic.Int64) error {
	for line := range generator.Lines() {
		if err := ctx.Err(); err != nil {
			return err
		}
		if _, err := w.Write(line); err != nil {
			return fmt.Errorf("writing the sample: %w", err)
		}
		written.Add(1)
	}
	return nil
}

func writeExpectation(file *outfile.File, expectation sample.Expectation) error {
	text, err := json.MarshalIndent(expectation, "", "  ")
	if err != nil {
		return fmt.Errorf("writing the expectation: %w", err)
	}
	if _, err := file.Write(append(text, '\n')); err != nil {
		return fmt.Errorf("writing the expectation: %w", err)
	}
	return file.Commit()
}

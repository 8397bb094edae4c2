// Package verify implements `tradectl verify`.
package verify

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"trade-processing/cmd/tradectl/target"
	"trade-processing/internal/exitcode"
	"trade-processing/internal/operate"
	"trade-processing/internal/outfile"
	"trade-processing/internal/terminal"
	"trade-processing/internal/verify"
)

type options struct {
	where   operate.Where
	timeout time.Duration
	watch   time.Duration
	json    bool
	junit   string

	delivery bool
}

// NewCommand returns `tradectl verify`.
func NewCommand(t *terminal.Terminal) *cobra.Command {
	var o options
	command := &cobra.Command{
		Use:   "verify",
		Short: "Verify a deployment with synthetic trades",
		Long: "Sends synthetic trades through a deployed stack and checks what becomes of them: one from each source, an\n" +
			"invalid one, a duplicate and a malformed one. Compares the records field by field, waits for the replicas,\n" +
			"watches the alarms, reads logs and traces, and removes its own messages, and no others, from the dead-letter\n" +
			"queues. Its records stay: their ids begin with " + verify.Mark + ", and their field synthetic is true.\n\n" +
			"Uses the same credentials and endpoint as the AWS CLI: AWS_PROFILE, AWS_ENDPOINT_URL and so on. The region\n" +
			"is the stack's.\n\n" +
			"Steps: " + strings.Join(stepNames(), ", ") + ".\n\n" + exitcode.HelpFor(stepCodes()...),
		Example: "  tradectl verify --stack dev\n" +
			"  pulumi stack output --json -s prod | tradectl verify --outputs - --json --junit verify.xml",
		Args: cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error { return run(command.Context(), t, o) },
	}
	target.Flags(command, &o.where)
	flags := command.Flags()
	flags.DurationVar(&o.timeout, "timeout", 2*time.Minute, "how long each step waits")
	flags.DurationVar(&o.watch, "watch", 2*time.Minute, "how long to watch the alarms after the trades are sent; 0 looks once")
	flags.BoolVar(&o.delivery, "delivery", false, "also check that EventBridge keeps an event that it can't deliver: gives a rule a second target for a while")
	flags.BoolVar(&o.json, "json", false, "print the report as JSON")
	flags.StringVar(&o.junit, "junit", "", "write the report to this file in JUnit format")
	return command
}

func stepNames() []string {
	var names []string
	for _, step := range verify.Steps() {
		names = append(names, step.Name)
	}
	return names
}

func stepCodes() []exitcode.Code {
	var codes []exitcode.Code
	for _, step := range verify.Steps() {
		codes = append(codes, step.Code)
	}
	return codes
}

func run(ctx context.Context, t *terminal.Terminal, o options) error {
	if o.timeout <= 0 || o.watch < 0 {
		return exitcode.Usagef("--timeout must be more than 0, and --watch can't be negative")
	}
	// Opened before anything is sent, so that a bad path doesn't waste a verification.
	files, err := outfile.Open(ctx, []outfile.Output{{Flag: "--junit", Path: o.junit}}, target.Inputs(o.where)...)
	if err != nil {
		return exitcode.With(exitcode.Usage, err)
	}
	defer outfile.Discard(files...)
	junit := files[0]
	stack, err := operate.Open(ctx, t.In, o.where)
	if err != nil {
		return exitcode.With(exitcode.Usage, err)
	}
	report := prove(ctx, t, o, stack)
	code := report.ExitCode()
	if err := conclude(t, o, report, junit); err != nil && code == exitcode.OK {
		return err
	} else if err != nil {
		return exitcode.With(code, err)
	}
	return exitcode.Silent(code)
}

// prove runs the verification and shows each step as it ends, unless the report is JSON.
func prove(ctx context.Context, t *terminal.Terminal, o options, stack *operate.Stack) *verify.Report {
	var progress *terminal.Progress
	options := verify.Options{
		Outputs: stack.Outputs, Config: stack.Config, Timeout: o.timeout, Watch: o.watch, Delivery: o.delivery,
		Begin: func(step verify.Step) { progress = t.Step(step.About) },
		End: func(result verify.Result) {
			progress.Stop()
			if !o.json {
				fmt.Fprint(t.Out, result.Line(t.Style()))
			}
		},
	}
	if o.watch == 0 {
		options.Watch = -1
	}
	return verify.Run(ctx, options)
}

// conclude writes the requested reports.
func conclude(t *terminal.Terminal, o options, report *verify.Report, junit *outfile.File) error {
	if junit != nil {
		text, err := report.JUnit()
		if err != nil {
			return err
		}
		if _, err := junit.Write(text); err != nil {
			return fmt.Errorf("writing %s: %w", o.junit, err)
		}
		if err := junit.Commit(); err != nil {
			return err
		}
	}
	if !o.json {
		return report.WriteSummary(t.Out, t.Style())
	}
	text, err := report.JSON()
	if err != nil {
		return err
	}
	if _, err := t.Out.Write(text); err != nil {
		return fmt.Errorf("writing the report: %w", err)
	}
	return nil
}

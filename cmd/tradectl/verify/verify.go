// Package verify implements `tradectl verify`.
package verify

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/spf13/cobra"

	"trade-processing/internal/child"
	"trade-processing/internal/exitcode"
	"trade-processing/internal/outfile"
	"trade-processing/internal/stackconfig"
	"trade-processing/internal/terminal"
	"trade-processing/internal/verify"
)

type options struct {
	stack   string
	outputs string
	project string
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
		Short: "Prove a deployment with synthetic trades",
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
	flags := command.Flags()
	flags.StringVarP(&o.stack, "stack", "s", "", "the stack to verify; its outputs come from pulumi")
	flags.StringVar(&o.outputs, "outputs", "", "a file with the stack's outputs, as `pulumi stack output --json` prints them; - is standard input")
	flags.StringVar(&o.project, "project", "", "with --stack: "+stackconfig.ProjectFlag)
	flags.DurationVar(&o.timeout, "timeout", 2*time.Minute, "how long each step waits")
	flags.DurationVar(&o.watch, "watch", 2*time.Minute, "how long to watch the alarms after the trades are sent; 0 looks once")
	flags.BoolVar(&o.delivery, "delivery", false, "also have EventBridge keep an event that it can't deliver: gives a rule a second target for a while")
	flags.BoolVar(&o.json, "json", false, "print the report as JSON")
	flags.StringVar(&o.junit, "junit", "", "write the report to this file in JUnit format")
	command.MarkFlagsOneRequired("stack", "outputs")
	command.MarkFlagsMutuallyExclusive("stack", "outputs")
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
	files, err := outfile.Open(ctx, []outfile.Output{{Flag: "--junit", Path: o.junit}}, o.inputs()...)
	if err != nil {
		return exitcode.With(exitcode.Usage, err)
	}
	defer outfile.Discard(files...)
	junit := files[0]
	text, err := readOutputs(ctx, t, o)
	if err != nil {
		return exitcode.With(exitcode.Usage, err)
	}
	outputs, err := verify.ReadOutputs(text)
	if err != nil {
		return exitcode.With(exitcode.Usage, err)
	}
	cloud, err := config.LoadDefaultConfig(ctx, config.WithRegion(outputs.Region))
	if err != nil {
		return exitcode.With(exitcode.Usage, fmt.Errorf("reading the AWS configuration: %w", err))
	}
	report := prove(ctx, t, o, outputs, cloud)
	code := report.ExitCode()
	if err := conclude(t, o, report, junit); err != nil && code == exitcode.OK {
		return err
	} else if err != nil {
		return exitcode.With(code, err)
	}
	return exitcode.Silent(code)
}

// inputs are the files that the verification reads.
func (o options) inputs() []string {
	if o.outputs == "" || o.outputs == "-" {
		return nil
	}
	return []string{o.outputs}
}

// readOutputs reads the stack's outputs from where the options say.
func readOutputs(ctx context.Context, t *terminal.Terminal, o options) ([]byte, error) {
	switch {
	case o.outputs == "-":
		text, err := io.ReadAll(t.In)
		if err != nil {
			return nil, fmt.Errorf("reading the stack's outputs from standard input: %w", err)
		}
		return text, nil
	case o.outputs != "":
		text, err := os.ReadFile(o.outputs)
		if err != nil {
			return nil, fmt.Errorf("reading the stack's outputs: %w", err)
		}
		return text, nil
	}
	return askPulumi(ctx, o)
}

// askPulumi has the user's CLI print the outputs of a stack.
func askPulumi(ctx context.Context, o options) ([]byte, error) {
	root, err := stackconfig.FindProject(o.project)
	if err != nil {
		return nil, err
	}
	ask := child.Command(ctx, "pulumi", "stack", "output", "--json", "--stack", o.stack, "--non-interactive")
	ask.Dir = root
	var problems bytes.Buffer
	ask.Stderr = &problems
	text, err := ask.Output()
	switch {
	case errors.Is(err, exec.ErrNotFound):
		return nil, errors.New("there is no pulumi on PATH: install it, or pass the outputs with --outputs")
	case err != nil:
		return nil, fmt.Errorf("getting the outputs of stack %s from pulumi: %w\n%s", o.stack, err, strings.TrimSpace(problems.String()))
	}
	return text, nil
}

// prove runs the verification and shows each step as it ends, unless the report is JSON.
func prove(ctx context.Context, t *terminal.Terminal, o options, outputs verify.Outputs, cloud aws.Config) *verify.Report {
	var progress *terminal.Progress
	options := verify.Options{
		Outputs: outputs, Config: cloud, Timeout: o.timeout, Watch: o.watch, Delivery: o.delivery,
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

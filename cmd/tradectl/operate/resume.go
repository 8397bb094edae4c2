package operate

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"trade-processing/cmd/tradectl/output"
	"trade-processing/internal/exitcode"
	"trade-processing/internal/operate"
	"trade-processing/internal/terminal"
)

// resumed is an execution with what the command does with it.
type resumed struct {
	operate.Execution
	Outcome operate.Outcome `json:"outcome,omitempty"`
	Reason  string          `json:"reason,omitempty"`
}

func newExecutionsRedrive(t *terminal.Terminal) *cobra.Command {
	var status string
	var since, until moment
	var yes bool
	var perSecond float64
	command := &cobra.Command{
		Use:   "redrive",
		Short: "Resume executions that left no dead letter",
		Long: "Resumes the executions whose event is in no queue, oldest first: those that ran out of time, those that somebody\n" +
			"stopped, and those that failed and couldn't send their dead letter. Each resumes where it stopped, with its\n" +
			"input and definition. Without --yes, it only shows which. Step Functions can do this for 14 days.\n\n" +
			"An execution with a dead letter would only fail again: redrive the letter, with `tradectl dlq redrive`. Fix\n" +
			"the cause first. EXPRESS executions can't be resumed: see `tradectl replay`.\n\n" +
			"You can stop it at any time and run it again.",
		Example: "  tradectl executions redrive --stack prod\n" +
			"  tradectl executions redrive --stack prod --status TIMED_OUT --since 2h --yes",
	}
	flags := command.Flags()
	flags.StringVar(&status, "status", "", "only those with this status: TIMED_OUT, ABORTED or FAILED")
	flags.Var(&since, "since", "started at or after this time (default: 14d): "+momentHelp)
	flags.Var(&until, "until", "started up to this time")
	flags.BoolVar(&yes, "yes", false, "resume them")
	flags.Float64Var(&perSecond, "rate", redriveRate, "at most this many executions per second")
	unsuccessful := []string{"TIMED_OUT", "ABORTED", "FAILED"}
	output.Complete(command, "status", func() []string { return unsuccessful })
	check := func() error {
		if err := oneOf("status", &status, unsuccessful); err != nil {
			return err
		}
		if err := above0("rate", perSecond); err != nil {
			return err
		}
		since.or(operate.Redrivable)
		return window(since, until)
	}
	return withStack(t, command, check, func(ctx context.Context, stack *operate.Stack, form output.Form, _ []string) error {
		found, err := stack.WithoutLetter(ctx, operate.ExecutionFilter{Status: status, Since: since.Time, Until: until.Time})
		if err != nil {
			return err
		}
		rows := output.NewRows(t, form, func(e resumed) []output.Cell {
			return []output.Cell{
				{Name: "started", Text: shown(e.Started), Whole: true},
				{Name: "status", Text: e.Status, Colour: colour(e.Status)},
				{Name: "execution", Text: e.Name, Whole: true},
				{Name: "outcome", Text: string(e.Outcome)},
				{Name: "reason", Text: e.Reason},
			}
		})
		none := "no execution without a dead letter since " + since.String()
		if !yes {
			for _, execution := range found {
				if err := rows.Add(resumed{execution, "resume", ""}); err != nil {
					return err
				}
			}
			if err := rows.End(none); err != nil {
				return err
			}
			if len(found) > 0 {
				t.Note("nothing was resumed; --yes resumes %d", len(found))
			}
			return nil
		}
		var failed error
		left := 0
		err = stack.Resume(ctx, found, perSecond, func(e operate.Execution, outcome operate.Outcome, reason string) {
			if outcome == operate.Left {
				left++
			}
			failed = errors.Join(failed, rows.Add(resumed{e, outcome, reason}), rows.Flush())
		})
		if rows.Count() > 0 {
			t.Note("%d of %d resumed, %d left", rows.Count()-left, len(found), left)
		}
		if err = errors.Join(err, failed); err != nil {
			return err
		}
		if err := rows.End(none); err != nil {
			return err
		}
		if left > 0 {
			return exitcode.Silent(exitcode.RefusedInput)
		}
		return nil
	}, exitcode.RefusedInput)
}

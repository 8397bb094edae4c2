package operate

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"trade-processing/cmd/tradectl/output"
	"trade-processing/internal/exitcode"
	"trade-processing/internal/operate"
	"trade-processing/internal/terminal"
)

// NewExecutions returns `tradectl executions`.
func NewExecutions(t *terminal.Terminal) *cobra.Command {
	var status string
	var since, until moment
	limit := 100
	command := &cobra.Command{
		Use:   "executions",
		Short: "List executions of the workflow by status and time",
		Long: "Lists executions, newest first. Those of an EXPRESS workflow come from its log group, which at log level ERROR\n" +
			"has only those that failed.",
		Example: "  tradectl executions --stack prod --status FAILED\n" +
			"  tradectl executions --stack prod --since 2026-11-20T09:00Z --until 2026-11-20T10:00Z --limit 0 --output csv",
	}
	flags := command.Flags()
	flags.StringVar(&status, "status", "", "only those with this status: "+strings.Join(operate.ExecutionStatuses, ", "))
	flags.Var(&since, "since", "started at or after this time (default: 24h): "+momentHelp)
	flags.Var(&until, "until", "started up to this time")
	flags.IntVar(&limit, "limit", limit, "at most this many; 0 for all")
	output.Complete(command, "status", func() []string { return operate.ExecutionStatuses })
	check := func() error {
		if err := oneOf("status", &status, operate.ExecutionStatuses); err != nil {
			return err
		}
		if err := atLeast0("limit", limit); err != nil {
			return err
		}
		since.or(24 * time.Hour)
		return window(since, until)
	}
	command.AddCommand(newExecutionsRedrive(t))
	return withStack(t, command, check, func(ctx context.Context, stack *operate.Stack, form output.Form, _ []string) error {
		machine, err := stack.Machine(ctx)
		if err != nil {
			return err
		}
		if machine.Express && machine.LogLevel != "ALL" {
			t.Note("the workflow is EXPRESS and logs at level %s: only executions that failed are listed", machine.LogLevel)
		}
		rows := output.NewRows(t, form, func(e operate.Execution) []output.Cell {
			return []output.Cell{
				{Name: "started", Text: shown(e.Started), Whole: true},
				{Name: "status", Text: e.Status, Colour: colour(e.Status)},
				{Name: "took", Text: took(e.Took())},
				{Name: "execution", Text: e.Name, Whole: true},
				{Name: "error", Text: e.Error},
			}
		})
		more := false
		for execution, err := range stack.Executions(ctx, machine, operate.ExecutionFilter{Status: status, Since: since.Time, Until: until.Time}) {
			if err != nil {
				return err
			}
			if more = limit > 0 && rows.Count() == limit; more {
				break
			}
			if err := rows.Add(execution); err != nil {
				return err
			}
		}
		if err := rows.End("no executions match since " + since.String()); err != nil {
			return err
		}
		if more {
			t.Note("there are more than %d: --limit 0 lists all", limit)
		}
		return nil
	})
}

// oneOf takes a value however it is written. Empty means any.
func oneOf(flag string, value *string, known []string) error {
	if *value = strings.ToUpper(*value); *value != "" && !slices.Contains(known, *value) {
		return fmt.Errorf("--%s is one of %s, not %q", flag, strings.Join(known, ", "), *value)
	}
	return nil
}

// NewExecution returns `tradectl execution`.
func NewExecution(t *terminal.Terminal) *cobra.Command {
	command := &cobra.Command{
		Use:   "execution EXECUTION",
		Short: "Show an execution as a timeline",
		Long: "Shows what an execution did, step by step. Name it by its ARN or, as lists and records do, by the part of the ARN\n" +
			"after the state machine. The events of an EXPRESS workflow come from its log group, which at log level ERROR\n" +
			"has only those of failures.",
		Example: "  tradectl execution --stack prod 0a1b2c3d-4e5f-6789-abcd-ef0123456789",
		Args:    exactly("EXECUTION"),
	}
	return withStack(t, command, nil, func(ctx context.Context, stack *operate.Stack, form output.Form, args []string) error {
		timeline, err := stack.Timeline(ctx, args[0])
		if err != nil {
			return err
		}
		if form == output.JSON {
			return output.Document(t, timeline)
		}
		if form == output.Table {
			page := output.NewPage(t)
			page.Heading("Execution "+timeline.Name, "")
			verdict := timeline.Status
			if timeline.Took() > 0 {
				verdict += " in " + terminal.Duration(timeline.Took())
			}
			page.Text(colour(timeline.Status)(page.Style, "● "), verdict)
			for _, fact := range [][2]string{{"started", shown(timeline.Started)}, {"version", timeline.Version}, {"error", timeline.Error}, {"cause", timeline.Cause}} {
				page.Fact(fact[0], fact[1])
			}
			page.Blank()
			if err := page.End(); err != nil {
				return err
			}
		}
		var first time.Time
		if len(timeline.Steps) > 0 {
			first = timeline.Steps[0].Time
		}
		return output.NewRows(t, form, func(s operate.Step) []output.Cell {
			status := ""
			if s.Error != "" {
				status = "FAILED"
			}
			return []output.Cell{
				{Name: "after", Text: took(s.Time.Sub(first))},
				{Name: "state", Text: s.State},
				{Name: "event", Text: s.Type, Colour: colour(status)},
				{Name: "what", Text: strings.Trim(s.Resource+" "+s.Error+": "+s.Cause, " :")},
			}
		}).All(timeline.Steps, "it has no events")
	}, exitcode.NotFound)
}

func took(d time.Duration) string {
	if d < 0 {
		return ""
	}
	return terminal.Duration(d)
}

func shown(at time.Time) string {
	if at.IsZero() {
		return ""
	}
	return at.UTC().Format(shownTime)
}

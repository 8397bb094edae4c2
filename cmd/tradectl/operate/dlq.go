package operate

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"trade-processing/cmd/tradectl/output"
	"trade-processing/internal/exitcode"
	"trade-processing/internal/operate"
	"trade-processing/internal/outfile"
	"trade-processing/internal/terminal"
)

// NewDLQ returns the command group `tradectl dlq`.
func NewDLQ(t *terminal.Terminal) *cobra.Command {
	command := &cobra.Command{
		Use:   "dlq",
		Short: "List, explain, redrive and purge dead letters",
	}
	command.AddCommand(newDLQList(t), newDLQPeek(t), newDLQRedrive(t), newDLQPurge(t))
	return command
}

func newDLQList(t *terminal.Terminal) *cobra.Command {
	command := &cobra.Command{
		Use:   "list",
		Short: "List the dead-letter queues, with what they hold",
		Long: "Lists the stack's dead-letter queues, the fullest first. Hidden letters were recently received by somebody, and\n" +
			"reappear unless they are deleted. The age of the oldest lags a few minutes. SQS deletes a letter 14 days after\n" +
			"it was sent.",
		Example: "  tradectl dlq list --stack prod",
	}
	return withStack(t, command, nil, func(ctx context.Context, stack *operate.Stack, form output.Form, _ []string) error {
		states, err := stack.LetterStates(ctx)
		if err != nil {
			return err
		}
		return output.NewRows(t, form, func(q operate.QueueState) []output.Cell {
			oldest := ""
			if q.OldestSeconds != nil {
				oldest = (time.Duration(*q.OldestSeconds) * time.Second).String()
			}
			return []output.Cell{
				{Name: "queue", Text: q.Name, Whole: true}, {Name: "waiting", Text: strconv.FormatInt(q.Waiting, 10)},
				{Name: "hidden", Text: strconv.FormatInt(q.Hidden, 10)}, {Name: "oldest", Text: oldest}, {Name: "holds", Text: q.Holds},
			}
		}).All(states, "the stack has no dead-letter queue")
	})
}

// letterFlags choose letters.
type letterFlags struct {
	filter       operate.LetterFilter
	older, newer time.Duration
}

func (f *letterFlags) add(flags *pflag.FlagSet) {
	flags.StringSliceVar(&f.filter.Errors, "error", nil, "only letters with one of these errors; * stands for anything, as in 'Lambda.*'")
	flags.StringVar(&f.filter.Source, "source", "", "only events of this source, such as system1")
	flags.StringVar(&f.filter.TradeID, "trade", "", "only the trade with this id")
	flags.StringVar(&f.filter.MessageID, "message", "", "only the message with this id")
	flags.DurationVar(&f.older, "older", 0, "only letters at least this old, such as 1h30m")
	flags.DurationVar(&f.newer, "newer", 0, "only letters at most this old")
}

// chosen returns the filter for the queues that are named.
func (f *letterFlags) chosen(stack *operate.Stack, names []string) (operate.LetterFilter, error) {
	filter, now := f.filter, time.Now()
	if f.older > 0 {
		filter.Before = now.Add(-f.older)
	}
	if f.newer > 0 {
		filter.After = now.Add(-f.newer)
	}
	var err error
	filter.Queues, err = stack.Outputs.FindQueues(names...)
	return filter, err
}

func (f *letterFlags) check() error {
	if f.older < 0 || f.newer < 0 {
		return errors.New("--older and --newer can't be negative")
	}
	return nil
}

const namedQueues = "Name queues as `dlq list` does; without names it takes all."

// told is a letter with what a command does with it.
type told struct {
	operate.Letter
	Outcome operate.Outcome `json:"outcome,omitempty"`
	Reason  string          `json:"reason,omitempty"`
}

// letterRows prints letters, with more cells than all lists of them have.
func letterRows(t *terminal.Terminal, form output.Form, more func(told) []output.Cell) *output.Rows[told] {
	return output.NewRows(t, form, func(l told) []output.Cell {
		return append([]output.Cell{
			{Name: "sent", Text: l.Sent.Format("2006-01-02T15:04:05Z"), Whole: true},
			{Name: "queue", Text: l.Queue},
			{Name: "messageId", Text: l.MessageID, Whole: true},
			{Name: "trade", Text: l.TradeID},
			{Name: "source", Text: l.Source},
			{Name: "error", Text: l.Error},
		}, more(l)...)
	})
}

func newDLQPeek(t *terminal.Terminal) *cobra.Command {
	var f letterFlags
	var limit int
	command := &cobra.Command{
		Use:   "peek [queue ...]",
		Short: "Show dead letters, what they mean and what to do",
		Long: "Shows dead letters and leaves them where they are: in which queue, which trade, which error, what it means\n" +
			"and what to do. JSON has everything, the event and the cause included. " + namedQueues,
		Example: "  tradectl dlq peek --stack prod\n" +
			"  tradectl dlq peek recorder --stack prod --error TradeConflict --output json",
		Args: cobra.ArbitraryArgs,
	}
	f.add(command.Flags())
	command.Flags().IntVar(&limit, "limit", 10, "at most this many")
	check := func() error {
		if limit < 1 || limit > operate.PurgeMost {
			return fmt.Errorf("--limit %d: use 1 to %d", limit, operate.PurgeMost)
		}
		return f.check()
	}
	return withStack(t, command, check, func(ctx context.Context, stack *operate.Stack, form output.Form, args []string) error {
		filter, err := f.chosen(stack, args)
		if err != nil {
			return err
		}
		letters, more, err := stack.Letters(ctx, filter, limit)
		if err != nil {
			return err
		}
		if form == output.Table {
			return explainLetters(t, letters, more)
		}
		return printLetters(letterRows(t, form, func(l told) []output.Cell {
			return []output.Cell{{Name: "cause", Text: l.Cause}, {Name: "means", Text: l.Means}, {Name: "do", Text: l.Do}, {Name: "execution", Text: l.Execution}}
		}), letters)
	}, exitcode.NotFound)
}

// explainLetters prints a few lines for each letter.
func explainLetters(t *terminal.Terminal, letters []operate.Letter, more bool) error {
	page := output.NewPage(t)
	for _, l := range letters {
		what := "trade " + l.TradeID
		if l.TradeID == "" {
			what = "event " + l.EventID
		}
		page.Heading(what, l.Source+" in "+l.Queue+", since "+l.Sent.Format(time.RFC3339))
		for _, fact := range [][2]string{
			{"error", l.Error}, {"cause", l.Cause}, {"means", l.Means}, {"do", l.Do}, {"event", l.EventID + " of " + l.EventTime},
			{"execution", l.Execution}, {"message", l.MessageID},
		} {
			page.Fact(fact[0], fact[1])
		}
		page.Blank()
	}
	if err := page.End(); err != nil {
		return err
	}
	switch {
	case len(letters) == 0:
		t.Note("no dead letter matches; `tradectl dlq list` also counts those that somebody else has just received")
	case more:
		t.Note("there may be more: see --limit")
	}
	return nil
}

// redriveRate is how many letters are sent again a second, unless somebody says otherwise: what failed under load isn't to
// fail under it again.
const redriveRate = 50

func newDLQRedrive(t *terminal.Terminal) *cobra.Command {
	var f letterFlags
	var perSecond float64
	var yes, directly bool
	command := &cobra.Command{
		Use:   "redrive [queue ...]",
		Short: "Send the events of dead letters again",
		Long: "Sends the event of each letter to the bus again, in order of arrival, and deletes the letter only once the bus\n" +
			"has accepted the event. Without --yes, it only says what it would do. " + namedQueues + "\n\n" +
			"The event keeps its time and the text of its detail, so its trade has the key and the digest that it had: if\n" +
			"it was recorded after all, it is a duplicate. Only the event's id is new. You can kill it at any time and run\n" +
			"it again: nothing is lost, and what is sent twice is recorded once.\n\n" +
			"Letters that would only fail again stay, unless --error names their error. So do letters that arrive while\n" +
			"it runs. A letter too large for its event only names it; the event is then read\n" +
			"from the history of a STANDARD execution. EXPRESS executions have none: see `tradectl replay`.\n\n" +
			"On a shared bus, every rule gets a redriven event. With --directly, only this stack's workflow does, and the\n" +
			"event keeps its id.",
		Example: "  tradectl dlq redrive --stack prod\n" +
			"  tradectl dlq redrive recorder --stack prod --error 'Lambda.*' --error States.Timeout --yes",
		Args: cobra.ArbitraryArgs,
	}
	flags := command.Flags()
	f.add(flags)
	flags.BoolVar(&yes, "yes", false, "send them, and delete what was accepted")
	flags.BoolVar(&directly, "directly", false, "start the workflow with the event instead of sending it to the bus")
	flags.Float64Var(&perSecond, "rate", redriveRate, "at most this many letters per second")
	check := func() error {
		if err := above0("rate", perSecond); err != nil {
			return err
		}
		return f.check()
	}
	return withStack(t, command, check, func(ctx context.Context, stack *operate.Stack, form output.Form, args []string) error {
		filter, err := f.chosen(stack, args)
		if err != nil {
			return err
		}
		if directly && stack.Outputs.StateMachineAliasARN == "" {
			return exitcode.Usagef("--directly needs the stack's output stateMachineAliasArn, which it lacks")
		}
		rows := letterRows(t, form, func(l told) []output.Cell {
			return []output.Cell{{Name: "outcome", Text: string(l.Outcome)}, {Name: "reason", Text: l.Reason}}
		})
		if !yes {
			return planRedrive(ctx, t, stack, filter, rows)
		}
		var failed error
		result, err := stack.Redrive(ctx, filter, operate.Redriving{Rate: perSecond, Directly: directly, Told: func(l operate.Letter, outcome operate.Outcome, reason string) {
			failed = errors.Join(failed, rows.Add(told{l, outcome, reason}), rows.Flush())
		}, Quiet: func(why string) { t.Note("%s", why) }})
		if err == nil {
			err = failed
		}
		if result.Sent+result.Copies+result.Left+result.Refused > 0 || err == nil {
			t.Note("%d sent again, %d copies of them removed, %d left, %d refused by the bus", result.Sent, result.Copies, result.Left, result.Refused)
		}
		if err != nil {
			return err
		}
		if err := rows.End("no dead letter matches"); err != nil {
			return err
		}
		if result.More > 0 {
			t.Note("the queues hold about %d more, which have just arrived or are hidden for up to 5 minutes, because somebody received them: run this again then", result.More)
		}
		if result.Left+result.Refused+result.More > 0 {
			return exitcode.Silent(exitcode.RefusedInput)
		}
		return nil
	}, exitcode.RefusedInput, exitcode.NotFound)
}

// planned is how many letters of all queues a plan looks at.
const planned = 1000

func planRedrive(ctx context.Context, t *terminal.Terminal, stack *operate.Stack, filter operate.LetterFilter, rows *output.Rows[told]) error {
	letters, more, err := stack.Letters(ctx, filter, planned)
	if err != nil {
		return err
	}
	send := 0
	for _, l := range letters {
		outcome, reason := filter.Plan(l)
		if outcome == operate.Redriven {
			outcome, send = "send", send+1
		}
		if err := rows.Add(told{l, outcome, reason}); err != nil {
			return err
		}
	}
	if err := rows.End("no dead letter matches"); err != nil {
		return err
	}
	also := ""
	if more {
		also = ", and there are more"
	}
	t.Note("nothing was sent; --yes sends %d and leaves %d%s", send, len(letters)-send, also)
	return nil
}

func newDLQPurge(t *terminal.Terminal) *cobra.Command {
	var f letterFlags
	var yes bool
	var to string
	command := &cobra.Command{
		Use:   "purge QUEUE ...",
		Short: "Delete dead letters, and keep a copy in a file",
		Long: "Writes the letters to a file, one JSON object per line with all that is known of each, and deletes them.\n" +
			"Without --yes, it only shows which. Name the queues; the flags filter letters in them. A dead letter is\n" +
			"evidence and holds a trade: keep the file where trades may be kept.",
		Example: "  tradectl dlq purge recorder --stack prod --message 0b8ae5a1-5e8b-4d3c-9d52-2f5f4a3c8d11\n" +
			"  tradectl dlq purge validator --stack prod --error MalformedTrade --keep malformed.ndjson --yes",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return errors.New("QUEUE is missing")
			}
			return nil
		},
	}
	flags := command.Flags()
	f.add(flags)
	flags.BoolVar(&yes, "yes", false, "write the file, and delete the letters")
	flags.StringVar(&to, "keep", "", "with --yes: the new `FILE` that keeps them (.gz compresses)")
	check := func() error {
		if yes && to == "" {
			return errors.New("--yes deletes letters: name the file that keeps them with --keep")
		}
		if _, err := os.Lstat(to); to != "" && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("--keep %s: the file exists or can't be created; name a new one", to)
		}
		return f.check()
	}
	return withStack(t, command, check, func(ctx context.Context, stack *operate.Stack, form output.Form, args []string) error {
		filter, err := f.chosen(stack, args)
		if err != nil {
			return err
		}
		rows := letterRows(t, form, func(told) []output.Cell { return nil })
		if !yes {
			letters, more, err := stack.Letters(ctx, filter, planned)
			if err != nil {
				return err
			}
			if err := printLetters(rows, letters); err != nil {
				return err
			}
			also := ""
			if more {
				also = ", and there are more"
			}
			t.Note("nothing was deleted; --yes deletes %d%s", len(letters), also)
			return nil
		}
		files, err := outfile.Open(ctx, []outfile.Output{{Flag: "--keep", Path: to}})
		if err != nil {
			return exitcode.With(exitcode.Usage, err)
		}
		defer outfile.Discard(files...)
		var kept []operate.Letter
		purged, more, err := stack.Purge(ctx, filter, func(letters []operate.Letter) error {
			kept = letters
			return keepLetters(files[0], letters)
		})
		if err != nil {
			return err
		}
		if err := printLetters(rows, kept); err != nil {
			return err
		}
		if purged > 0 {
			t.Note("%d deleted; %s keeps them", purged, to)
		}
		if more {
			t.Note("there may be more: run this again, with another file")
		}
		return nil
	}, exitcode.NotFound)
}

func printLetters(rows *output.Rows[told], letters []operate.Letter) error {
	for _, l := range letters {
		if err := rows.Add(told{Letter: l}); err != nil {
			return err
		}
	}
	return rows.End("no dead letter matches")
}

// keepLetters writes letters to a file, which is complete and on disk at the end.
func keepLetters(file *outfile.File, letters []operate.Letter) error {
	for _, l := range letters {
		line, err := json.Marshal(l)
		if err != nil {
			return err
		}
		if _, err := file.Write(append(line, '\n')); err != nil {
			return fmt.Errorf("keeping the letters: %w", err)
		}
	}
	return file.Commit()
}

package operate

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"trade-processing/cmd/tradectl/output"
	"trade-processing/internal/operate"
	"trade-processing/internal/terminal"
)

// NewList returns `tradectl list`.
func NewList(t *terminal.Terminal) *cobra.Command {
	var source, status, replica, table string
	var entries bool
	var since, until moment
	limit := 100
	command := &cobra.Command{
		Use:   "list",
		Short: "List trades of a source or status in a window of time",
		Long: "Lists versions of trades, newest first, by the time they were executed, corrected or cancelled. It reads the\n" +
			"table's indexes, which are a moment behind the table.\n\n" +
			"With --entries, it writes all of them, oldest first, as entries for `tradectl send`, one per line. Each keeps its\n" +
			"text and time, and so its key and digest: if it is recorded already, it counts as a duplicate. Trades rejected\n" +
			"for a JSON number with too many digits are left out: their records have it rounded.",
		Example: "  tradectl list --stack dev --source system1 --since 1h\n" +
			"  tradectl list --stack prod --status REJECTED --since 2026-11-20T09:00Z --until 2026-11-20T10:00Z --limit 0 --output csv > rejected.csv\n" +
			"  tradectl list --stack prod --table trade-processing-prod-trades-restored --source system1 --since 2h --entries > window.ndjson",
	}
	flags := command.Flags()
	flags.StringVar(&source, "source", "", "only of this source `SYSTEM`, such as system1")
	flags.StringVar(&status, "status", "", "only "+operate.Recorded+" or "+operate.Rejected)
	flags.Var(&since, "since", "from this time on: "+momentHelp)
	flags.Var(&until, "until", "up to this time")
	flags.StringVar(&replica, "replica", "", "read the replica in this `REGION`")
	flags.IntVar(&limit, "limit", limit, "at most this many; 0 for all")
	flags.StringVar(&table, "table", "", tableHelp)
	flags.BoolVar(&entries, "entries", false, "write entries for tradectl send, each with the text that its source sent")
	output.Complete(command, "status", func() []string { return []string{operate.Recorded, operate.Rejected} })
	command.MarkFlagsMutuallyExclusive("entries", "limit")
	check := func() error {
		if status = strings.ToUpper(status); !slices.Contains([]string{"", operate.Recorded, operate.Rejected}, status) {
			return fmt.Errorf("--status is %s or %s, not %q", operate.Recorded, operate.Rejected, status)
		}
		return cmp.Or(atLeast0("limit", limit), window(since, until))
	}
	defer func() { command.MarkFlagsMutuallyExclusive("entries", "output") }() // once it has both
	return withStack(t, command, check, func(ctx context.Context, stack *operate.Stack, form output.Form, _ []string) error {
		filter := operate.Filter{Source: source, Status: status, Since: since.Time, Until: until.Time, Replica: replica, Table: table}
		if entries {
			return writeEntries(ctx, t, stack, filter)
		}
		if limit > 0 {
			filter.Limit = limit + 1 // to know whether there are more
		}
		rows := output.NewRows(t, form, func(l operate.Listed) []output.Cell {
			return []output.Cell{
				{Name: "time", Text: l.Time().Format(shownTime), Whole: true},
				{Name: "tradeId", Text: l.TradeID, Whole: true},
				{Name: "source", Text: l.SourceSystem},
				{Name: "action", Text: l.Action},
				{Name: "status", Text: l.Status, Colour: colour(l.Status)},
				{Name: "amount", Text: l.Amount},
				{Name: "currency", Text: l.Currency},
				{Name: "symbol", Text: l.Symbol},
				{Name: "venue", Text: l.Venue},
			}
		})
		more := false
		for row, err := range stack.List(ctx, filter) {
			if err != nil {
				return err
			}
			if more = limit > 0 && rows.Count() == limit; more {
				break
			}
			if err := rows.Add(row); err != nil {
				return err
			}
		}
		if err := rows.End("no trades match"); err != nil {
			return err
		}
		if more {
			t.Note("there are more than %d: --limit 0 lists all", limit)
		}
		return nil
	})
}

// tableHelp is about the flag of the commands that read trades.
const tableHelp = "read another `TABLE` of the same form, such as a restored one"

// writeEntries writes PutEvents entries, a line each.
func writeEntries(ctx context.Context, t *terminal.Terminal, stack *operate.Stack, filter operate.Filter) error {
	count, left := 0, 0
	out := bufio.NewWriter(t.Out)
	for entry, err := range stack.Entries(ctx, filter) {
		if entry.Rounded {
			left++
			continue
		}
		var line []byte
		if err == nil {
			line, err = output.Line(entry)
		}
		if err == nil {
			_, err = out.Write(line)
		}
		if err != nil {
			return errors.Join(err, out.Flush())
		}
		count++
	}
	if err := out.Flush(); err != nil {
		return err
	}
	note := "written: " + terminal.Count(int64(count))
	if left > 0 {
		note += fmt.Sprintf("; %s left out, rejected for a JSON number of too many digits, which the record has rounded", terminal.Count(int64(left)))
	}
	t.Note("%s", note)
	return nil
}

// shownTime is how tables show times, which are in UTC.
const shownTime = "2006-01-02T15:04:05.000Z"

func atLeast0(flag string, value int) error {
	if value < 0 {
		return fmt.Errorf("--%s can't be negative", flag)
	}
	return nil
}

// above0 takes no NaN either.
func above0(flag string, value float64) error {
	if !(value > 0) {
		return fmt.Errorf("--%s %v: it must be more than 0", flag, value)
	}
	return nil
}

// colour is a status's: what went wrong is red, what is still going on yellow.
func colour(status string) func(terminal.Style, string) string {
	switch status {
	case operate.Recorded, operate.Stands, "SUCCEEDED", "OK":
		return terminal.Style.Green
	case operate.Rejected, operate.Cancelled, "FAILED", "TIMED_OUT", "ABORTED", "ALARM":
		return terminal.Style.Red
	case "RUNNING", "INSUFFICIENT_DATA":
		return terminal.Style.Yellow
	}
	return func(_ terminal.Style, text string) string { return text }
}

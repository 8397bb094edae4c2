package operate

import (
	"context"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"trade-processing/cmd/tradectl/output"
	"trade-processing/internal/operate"
	"trade-processing/internal/terminal"
)

// looks is how often logs are looked at while they are followed: FilterLogEvents allows few calls a second in an account.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/cloudwatch_limits_cwl.html
const looks = 2 * time.Second

// NewTail returns `tradectl tail`.
func NewTail(t *terminal.Terminal) *cobra.Command {
	var since, until moment
	var trade string
	var follow bool
	command := &cobra.Command{
		Use:   "tail",
		Short: "Show the logs of all functions and the workflow, in order of time",
		Long: "Merges the log groups of the functions and of the state machine in order of time. An ordinary trade has one\n" +
			"line, the recorder's; the workflow's lines don't name trades. With --follow it keeps printing new lines until it\n" +
			"is interrupted; CloudWatch has them a few seconds late.",
		Example: "  tradectl tail --stack dev --follow\n" +
			"  tradectl tail --stack prod --since 1d --trade system1-1-20251031-1 --output json",
	}
	flags := command.Flags()
	flags.Var(&since, "since", "from this time on (default: 10m): "+momentHelp)
	flags.Var(&until, "until", "up to this time")
	flags.StringVar(&trade, "trade", "", "only the functions' lines about the trade with this `ID`")
	flags.BoolVarP(&follow, "follow", "f", false, "keep printing new lines")
	command.MarkFlagsMutuallyExclusive("follow", "until")
	check := func() error {
		since.or(10 * time.Minute)
		return window(since, until)
	}
	return withStack(t, command, check, func(ctx context.Context, stack *operate.Stack, form output.Form, _ []string) error {
		levels := map[string]func(terminal.Style, string) string{"ERROR": terminal.Style.Red, "WARN": terminal.Style.Yellow}
		rows := output.NewRows(t, form, func(l operate.Line) []output.Cell {
			return []output.Cell{
				{Name: "time", Text: shown(l.Time), Whole: true},
				{Name: "from", Text: l.From},
				{Name: "level", Text: l.Level, Colour: levels[l.Level]},
				{Name: "tradeId", Text: l.TradeID},
				{Name: "message", Text: strings.Trim(l.Message+": "+l.Error, " :")},
			}
		})
		query := operate.LogQuery{Since: since.Time, Until: until.Time, TradeID: trade}
		if !follow {
			for line, err := range stack.Logs(ctx, query) {
				if err != nil {
					return err
				}
				if err := rows.Add(line); err != nil {
					return err
				}
			}
			return rows.End("no lines since " + since.String())
		}
		for lines, err := range stack.Follow(ctx, query, looks) {
			if ctx.Err() != nil {
				if err := rows.End("no lines since " + since.String()); err != nil { // so that JSON is a document
					return err
				}
			}
			if err != nil {
				return err
			}
			for _, line := range lines {
				if err := rows.Add(line); err != nil {
					return err
				}
			}
			if err := rows.Flush(); err != nil {
				return err
			}
		}
		return nil
	})
}

package operate

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"trade-processing/cmd/tradectl/output"
	"trade-processing/internal/console"
	"trade-processing/internal/exitcode"
	"trade-processing/internal/operate"
	"trade-processing/internal/outfile"
	"trade-processing/internal/terminal"
)

// redrawn is how often a screen is drawn that is watched: CloudWatch has most metrics once a minute.
const redrawn = 5 * time.Second

// NewStatus returns `tradectl status`.
func NewStatus(t *terminal.Terminal) *cobra.Command {
	window := time.Hour
	var watch bool
	var page string
	var file *outfile.File
	command := &cobra.Command{
		Use:   "status",
		Short: "Show how a stack is doing, on one screen",
		Long: "Shows what came from each source and what became of it, the latency, alarms, dead letters, replicas, and when the\n" +
			"workflow and its functions were last deployed. CloudWatch has metrics a minute or more after the event.",
		Example: "  tradectl status --stack prod --watch\n" +
			"  tradectl status --local --since 24h --output json",
	}
	command.Flags().DurationVar(&window, "since", window, "how far back to count, at most 360h")
	command.Flags().BoolVar(&watch, "watch", false, "redraw the screen every "+redrawn.String())
	command.Flags().StringVar(&page, "html", "", "write the console's views to this self-contained HTML `FILE` instead")
	check := func() error {
		if window < time.Minute || window > 360*time.Hour { // of metrics by the minute: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_concepts.html
			return errors.New("--since is from 1m to 360h")
		}
		var inputs []string
		if outputs := command.Flag("outputs").Value.String(); outputs != "" && outputs != "-" {
			inputs = []string{outputs}
		}
		files, err := outfile.Open(command.Context(), []outfile.Output{{Flag: "--html", Path: page}}, inputs...)
		if err == nil {
			file = files[0]
		}
		return err
	}
	command = withStack(t, command, check, func(ctx context.Context, stack *operate.Stack, form output.Form, _ []string) error {
		if watch && form != output.Table {
			return exitcode.Usagef("--watch draws a screen, and so needs --output table")
		}
		if file != nil {
			if err := console.WriteFile(ctx, file, stack, "trade-processing "+stack.Outputs.Environment); err != nil {
				return err
			}
			return file.Commit()
		}
		for {
			status, err := stack.Status(ctx, window)
			if err != nil {
				return err
			}
			if watch && t.OutIsTerminal {
				if _, err := fmt.Fprint(t.Out, "\x1b[H\x1b[2J"); err != nil { // to the corner, and clear
					return err
				}
			}
			if err := showStatus(t, form, status); err != nil || !watch {
				return err
			}
			select {
			case <-time.After(redrawn):
			case <-ctx.Done():
				return ctx.Err()
			}
		}
	})
	command.MarkFlagsMutuallyExclusive("html", "watch")
	command.MarkFlagsMutuallyExclusive("html", "output")
	run := command.RunE
	command.RunE = func(command *cobra.Command, args []string) error {
		defer func() {
			if file != nil {
				file.Discard() // nothing, once it is committed
			}
		}()
		return run(command, args)
	}
	return command
}

func showStatus(t *terminal.Terminal, form output.Form, status *operate.Status) error {
	if form == output.JSON {
		return output.Document(t, status)
	}
	facts := statusFacts(status)
	if form == output.CSV {
		return output.NewRows(t, form, func(f [3]string) []output.Cell {
			return []output.Cell{{Name: "what", Text: f[0]}, {Name: "name", Text: f[1]}, {Name: "value", Text: f[2]}}
		}).All(facts, "")
	}
	page := output.NewPage(t)
	page.Heading("Stack "+status.Environment, fmt.Sprintf("in %s, %s to %s", status.Region, status.Since.Format("2006-01-02 15:04"), status.Until.Format("15:04Z")))
	ringing := 0
	for _, alarm := range status.Alarms {
		if alarm.State == "ALARM" {
			ringing++
			line := alarm.Name + " since " + alarm.Since.Format(time.RFC3339) + ": " + alarm.Reason
			if t.OutIsTerminal { // so that it stays one screen
				line = output.Cut(line, max(2*(t.Columns-2), 1))
			}
			page.Text(page.Style.Red("✗ "), line)
		}
	}
	if ringing == 0 {
		page.Text(page.Style.Green("✓ "), fmt.Sprintf("none of %s is in ALARM", terminal.Plural(len(status.Alarms), "alarm")))
	}
	for i := 0; i < len(facts); {
		var told []string
		what := facts[i][0]
		for ; i < len(facts) && facts[i][0] == what; i++ {
			told = append(told, strings.TrimSpace(facts[i][1]+" "+facts[i][2]))
		}
		if what != "alarm" {
			page.Fact(what, strings.Join(told, ", "))
		}
	}
	return page.End()
}

// statusFacts are what a status says: of what, its name, and the value.
func statusFacts(status *operate.Status) [][3]string {
	var facts [][3]string
	add := func(what, name, value string) { facts = append(facts, [3]string{what, name, value}) }
	count := func(n float64) string { return terminal.Count(int64(n)) }
	for _, source := range status.Sources {
		value := count(source.Events)
		if source.Failed > 0 {
			value += " (" + count(source.Failed) + " not delivered)"
		}
		add("events", source.Source, value)
	}
	for _, outcome := range status.Outcomes {
		add("trades", outcome.Name, count(outcome.Value))
	}
	for _, percentile := range status.Latency {
		add("latency", percentile.Name, terminal.Duration(time.Duration(percentile.Value*float64(time.Millisecond))))
	}
	for _, alarm := range status.Alarms {
		add("alarm", alarm.Name, alarm.State)
	}
	for _, queue := range status.Queues {
		value := count(float64(queue.Waiting + queue.Hidden))
		if queue.OldestSeconds != nil {
			value += " (oldest " + (time.Duration(*queue.OldestSeconds) * time.Second).String() + ")"
		}
		add("letters", queue.Name, value)
	}
	for _, replica := range status.Replicas {
		value := replica.Status
		if replica.LagMilliseconds != nil {
			value += ", last " + terminal.Duration(time.Duration(*replica.LagMilliseconds*float64(time.Millisecond))) + " behind"
		}
		add("replica", replica.Region, value)
	}
	if len(status.Deployment.Versions) > 0 {
		add("workflow", "version "+strings.Join(status.Deployment.Versions, " and "), "of "+status.Deployment.At.Format(time.RFC3339))
	}
	for _, function := range status.Deployment.Functions {
		add("functions", function.Name, "version "+function.Version+" of "+function.At.Format(time.RFC3339))
	}
	return facts
}

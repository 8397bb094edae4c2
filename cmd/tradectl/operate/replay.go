package operate

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"trade-processing/cmd/tradectl/output"
	"trade-processing/internal/exitcode"
	"trade-processing/internal/operate"
	"trade-processing/internal/terminal"
)

// replayPoll is how often a replay is looked at.
const replayPoll = 2 * time.Second

// replayed is what `tradectl replay` prints as JSON.
type replayed struct {
	operate.ReplayPlan
	Replay *operate.Replay `json:"replay"` // null: it was only planned
}

// NewReplay returns `tradectl replay`.
func NewReplay(t *terminal.Terminal) *cobra.Command {
	var since, until moment
	var sources []string
	var yes bool
	command := &cobra.Command{
		Use:   "replay",
		Short: "Send a window of the archive to the workflow again",
		Long: "Has EventBridge send archived events to the rules of their sources again, and waits until it is done. Without\n" +
			"--yes, it only says what it would do, and about how many events there are.\n\n" +
			"The window is by the times in the events, which producers may set. The events come minute by minute, in no\n" +
			"order within one, as fast as EventBridge can send: take an hour or so at a time. Each costs what it cost the\n" +
			"first time. Recorded trades are duplicates and stay as they are; permanent failures fail again, and leave\n" +
			"another dead letter. An interrupt ends the waiting, not the replay.",
		Example: "  tradectl replay --stack prod --since 2026-11-20T09:00Z --until 2026-11-20T10:00Z --source system1\n" +
			"  tradectl replay --stack prod --since 90m --yes",
	}
	flags := command.Flags()
	flags.Var(&since, "since", "where the window begins: "+momentHelp)
	flags.Var(&until, "until", "where it ends, not included (default: now)")
	flags.StringSliceVar(&sources, "source", nil, "only events of these sources (default: all of the stack's)")
	flags.BoolVar(&yes, "yes", false, "start the replay")
	check := func() error {
		if since.IsZero() {
			return errors.New("--since is missing: where the window begins")
		}
		if until.IsZero() {
			until.Time = time.Now().UTC()
		}
		return window(since, until)
	}
	return withStack(t, command, check, func(ctx context.Context, stack *operate.Stack, form output.Form, _ []string) error {
		if stack.Outputs.EventArchiveName == "" {
			return exitcode.Usagef("the stack has no archive: its outputs lack eventArchiveName")
		}
		if len(sources) == 0 {
			sources = stack.Outputs.Sources()
		}
		plan, err := stack.PlanReplay(ctx, since.Time, until.Time, sources)
		if err != nil {
			return err
		}
		done := replayed{ReplayPlan: plan}
		if !yes {
			return printReplay(t, form, done)
		}
		ended, err := replay(ctx, t, stack, plan)
		if err != nil {
			return err
		}
		done.Replay = &ended
		if err := printReplay(t, form, done); err != nil {
			return err
		}
		if ended.State != "COMPLETED" {
			return fmt.Errorf("the replay %s ended as %s: %s", ended.Name, ended.State, ended.Reason)
		}
		return nil
	}, exitcode.NotFound)
}

// replay starts a replay and waits for its end.
func replay(ctx context.Context, t *terminal.Terminal, stack *operate.Stack, plan operate.ReplayPlan) (operate.Replay, error) {
	state, err := stack.StartReplay(ctx, plan)
	if err != nil {
		return state, err
	}
	t.Note("replay %s has started; `aws events cancel-replay --replay-name %[1]s` stops it", state.Name)
	progress := t.Step("replaying")
	defer progress.Stop()
	for last := state.Until; !state.Ended(); {
		select {
		case <-time.After(replayPoll):
		case <-ctx.Done():
			return state, context.Cause(ctx)
		}
		if state, err = stack.ReplayState(ctx, state.Name); err != nil {
			return state, err
		}
		if state.Until.After(last) {
			last = state.Until
			progress.Println("replayed up to " + last.UTC().Format(time.RFC3339))
		}
	}
	return state, nil
}

func printReplay(t *terminal.Terminal, form output.Form, done replayed) error {
	if form == output.JSON {
		return output.Document(t, done)
	}
	rows := output.NewRows(t, form, func(r replayed) []output.Cell {
		events, state := "", "planned"
		if r.Events != nil {
			events = fmt.Sprintf("%.0f", *r.Events)
		}
		if r.Replay != nil {
			state = r.Replay.State
		}
		return []output.Cell{
			{Name: "from", Text: r.From.Format(time.RFC3339)}, {Name: "to", Text: r.To.Format(time.RFC3339)},
			{Name: "sources", Text: strings.Join(r.Sources, " ")}, {Name: "events", Text: events}, {Name: "archive", Text: r.Archive}, {Name: "state", Text: state},
		}
	})
	if err := rows.All([]replayed{done}, ""); err != nil {
		return err
	}
	for _, note := range done.Notes {
		t.Note("%s", note)
	}
	if done.Replay == nil {
		about := "as many events as CloudWatch can't count any more"
		if done.Events != nil {
			about = "about " + terminal.Plural(int64(*done.Events), "event")
		}
		t.Note("nothing was replayed; --yes sends %s. Each costs what it cost the first time; recorded trades are duplicates", about)
	}
	return nil
}

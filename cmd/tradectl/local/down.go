package local

import (
	"context"
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"trade-processing/internal/exitcode"
	"trade-processing/internal/operate"
	"trade-processing/internal/stackconfig"
	"trade-processing/internal/terminal"
)

// patience is how long a local cloud may take to end: it answers those who wait first.
const patience = 15 * time.Second

// newDownCommand returns `tradectl local down`.
func newDownCommand(t *terminal.Terminal) *cobra.Command {
	var project string
	var wipe bool
	command := &cobra.Command{
		Use:   "down",
		Short: "End the local cloud that runs",
		Long: "Ends the project's local cloud, wherever it was started. What it holds is kept for the next `tradectl local up`,\n" +
			"unless you ask for its removal with --wipe. It is no failure if none runs.\n\n" + exitcode.HelpFor(),
		Example: "  tradectl local down\n  tradectl local down --wipe",
		Args:    cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			root, err := stackconfig.FindProject(project)
			if err != nil {
				return exitcode.With(exitcode.Usage, err)
			}
			return down(command.Context(), t, root, wipe)
		},
	}
	projectFlag(command, &project)
	command.Flags().BoolVar(&wipe, "wipe", false, "also remove everything that it holds")
	return command
}

func down(ctx context.Context, t *terminal.Terminal, root string, wipe bool) error {
	lock, mine, err := hold(root)
	if err != nil {
		return err
	}
	if !mine {
		there, err := operate.ReadLocal(root)
		if err != nil {
			return errors.New("a local cloud is starting or ending; try again when `tradectl local status` says where it serves")
		}
		if err := syscall.Kill(there.PID, syscall.SIGTERM); err != nil {
			return fmt.Errorf("ending process %d: %w", there.PID, err)
		}
		waiting, cancel := context.WithTimeout(ctx, patience)
		defer cancel()
		if mine, err = lock.TryLockContext(waiting, 20*time.Millisecond); !mine {
			return fmt.Errorf("process %d hasn't ended within %v (%w); end it with `kill -9 %[1]d`, which loses nothing", there.PID, patience, err)
		}
		t.Note("the local cloud at %s has ended", there.Endpoint)
	} else {
		t.Note("no local cloud is up")
	}
	defer lock.Close() //nolint:errcheck // the process ends
	_ = os.Remove(operate.LocalFile(root))
	if wipe {
		if err := os.RemoveAll(operate.LocalFolder(root)); err != nil {
			return fmt.Errorf("removing what the local cloud holds: %w", err)
		}
		t.Note("removed %s", operate.LocalFolder(root))
	}
	return nil
}

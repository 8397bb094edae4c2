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
		Short: "Stop the running local cloud",
		Long: "Stops the project's local cloud, wherever it was started. Its state is kept for the next `tradectl local up`,\n" +
			"unless --wipe removes it. Succeeds if none is running.\n\n" + exitcode.HelpFor(),
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
	command.Flags().BoolVar(&wipe, "wipe", false, "also remove its state")
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
			return errors.New("the local cloud is starting or stopping; try again when `tradectl local status` says where it serves")
		}
		if err := syscall.Kill(there.PID, syscall.SIGTERM); err != nil {
			return fmt.Errorf("stopping process %d: %w", there.PID, err)
		}
		waiting, cancel := context.WithTimeout(ctx, patience)
		defer cancel()
		if mine, err = lock.TryLockContext(waiting, 20*time.Millisecond); !mine {
			return fmt.Errorf("process %d hasn't stopped within %v (%w); `kill -9 %[1]d` stops it and loses nothing", there.PID, patience, err)
		}
		t.Note("stopped the local cloud at %s", there.Endpoint)
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

package local

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"trade-processing/cmd/tradectl/output"
	"trade-processing/internal/exitcode"
	"trade-processing/internal/operate"
	"trade-processing/internal/stackconfig"
	"trade-processing/internal/terminal"
)

// newStatusCommand returns `tradectl local status`.
func newStatusCommand(t *terminal.Terminal) *cobra.Command {
	var project string
	var asJSON bool
	command := &cobra.Command{
		Use:   "status",
		Short: "Show whether the local cloud is up, where, and what it keeps",
		Long: "Shows whether the project's local cloud is up, at which address, and where it keeps its state. For the stack on\n" +
			"it, see `tradectl status --local`.\n\n" + exitcode.HelpFor(exitcode.NotFound),
		Example: "  tradectl local status",
		Args:    cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			root, err := stackconfig.FindProject(project)
			if err != nil {
				return exitcode.With(exitcode.Usage, err)
			}
			return status(command.Context(), t, root, asJSON)
		},
	}
	projectFlag(command, &project)
	command.Flags().BoolVar(&asJSON, "json", false, "print it as JSON")
	return command
}

// The states of a local cloud.
const (
	isUp      = "up"
	isSilent  = "not answering"
	isBetween = "starting or stopping"
	isDown    = "down"
)

// found is what `tradectl local status` tells.
type found struct {
	State    string `json:"state"`
	Endpoint string `json:"endpoint,omitempty"`
	PID      int    `json:"pid,omitempty"`
	Folder   string `json:"folder"`
	Kept     int64  `json:"keptBytes"`

	// Stale says that the last one ended without saying so: it was killed, or the machine went down.
	Stale bool `json:"endedAbruptly,omitempty"`
}

func status(ctx context.Context, t *terminal.Terminal, root string, asJSON bool) error {
	it := found{State: isDown, Folder: operate.LocalFolder(root), Kept: sizeOf(operate.LocalFolder(root))}
	at, err := operate.ReadLocal(root)
	none := errors.Is(err, os.ErrNotExist) && it.Kept == 0
	if !none {
		lock, free, err := hold(root)
		if err != nil {
			return err
		}
		_, none = lock.Close(), free
	}
	switch {
	case none:
		it.Stale = err == nil
	case err != nil:
		it.State = isBetween
	default:
		it.State, it.Endpoint, it.PID = isUp, at.Endpoint, at.PID
		if !answers(ctx, at.Endpoint) {
			it.State = isSilent
		}
	}
	if asJSON {
		err = output.Document(t, it)
	} else {
		_, err = fmt.Fprint(t.Out, it.text())
	}
	if err == nil && it.State != isUp {
		return exitcode.Silent(exitcode.NotFound)
	}
	return err
}

func (it found) text() string {
	lines := []string{"the local cloud is " + it.State}
	switch it.State {
	case isUp:
		lines[0] += fmt.Sprintf(" at %s, in process %d", it.Endpoint, it.PID)
	case isSilent:
		lines = append(lines, fmt.Sprintf("process %d is running but doesn't answer at %s; stop it with `tradectl local down`", it.PID, it.Endpoint))
	case isDown:
		lines = append(lines, "start it with `tradectl local up`")
	}
	if it.Stale {
		lines = append(lines, "the last one was killed; what it acknowledged is kept")
	}
	lines = append(lines, fmt.Sprintf("it keeps %.1f MiB in %s", float64(it.Kept)/(1<<20), terminal.Safe(it.Folder)))
	return strings.Join(lines, "\n") + "\n"
}

// answers reports whether somebody takes connections.
func answers(ctx context.Context, endpoint string) bool {
	dialer := net.Dialer{Timeout: time.Second}
	connection, err := dialer.DialContext(ctx, "tcp", strings.TrimPrefix(endpoint, "http://"))
	if err != nil {
		return false
	}
	return connection.Close() == nil
}

// sizeOf adds up the files below a folder; those that go meanwhile count nothing.
func sizeOf(folder string) (bytes int64) {
	_ = filepath.WalkDir(folder, func(_ string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return nil //nolint:nilerr // it has gone
		}
		if info, err := entry.Info(); err == nil {
			bytes += info.Size()
		}
		return nil
	})
	return bytes
}

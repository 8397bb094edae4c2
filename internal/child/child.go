// Package child starts programs that are interrupted together with the command that needs them.
package child

import (
	"context"
	"os"
	"os/exec"
	"time"
)

// patience is how long an interrupted program may take to clean up.
const patience = 3 * time.Second

// Command is exec.CommandContext for programs that clean up after an interrupt: killed at once, go build and docker
// leave folders behind.
func Command(ctx context.Context, name string, args ...string) *exec.Cmd {
	command := exec.CommandContext(ctx, name, args...)
	command.Cancel = func() error { return command.Process.Signal(os.Interrupt) }
	command.WaitDelay = patience
	return command
}

// Command tradectl generates trades, runs the whole pipeline on this machine, and proves a deployment in AWS.
package main

import (
	beforebubbletea "before-bubbletea" // a terminal may not answer what bubbletea asks it
	"context"
	"os"
	"os/signal"
	"syscall"
	_ "time/tzdata" // venues have time zones, and not every machine has them

	"trade-processing/internal/terminal"
)

func main() {
	os.Exit(run())
}

// run is main without the exit, so tests can be tradectl too.
func run() int {
	beforebubbletea.Collect()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	// The first Ctrl-C asks the command to stop; a second one kills it at once.
	context.AfterFunc(ctx, stop)
	return int(execute(ctx, terminal.System(), os.Args[1:]))
}

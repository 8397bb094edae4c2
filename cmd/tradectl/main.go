// Command tradectl runs the whole pipeline on this machine, and operates and proves a deployment.
package main

import (
	_ "before-bubbletea" // a terminal may not answer what bubbletea asks it
	"before-bubbletea/early"
	"context"
	"os"
	"os/signal"
	"syscall"
	"time"
	_ "time/tzdata" // venues have time zones, and not every machine has them

	"trade-processing/internal/exitcode"
	"trade-processing/internal/terminal"
)

func main() {
	os.Exit(run())
}

// run is main without the exit, so tests can be tradectl too.
func run() int {
	ctx, stop := signal.NotifyContext(context.Background(), early.Interrupts()...)
	defer stop()
	// The first Ctrl-C asks the command to stop; a second one ends it at once. One that comes right behind the first is the same one:
	// timeout(1) sends a signal to its command and to its group, and a make in between passes on what its command gets anyway.
	context.AfterFunc(ctx, func() {
		time.Sleep(time.Second)
		again := make(chan os.Signal, 1)
		signal.Notify(again, early.Interrupts()...)
		<-again
		os.Exit(int(exitcode.Interrupted))
	})
	early.End()
	// Without this, a write to a closed pipe would kill the process before it has removed its temporary files. Ignoring
	// the signal would do too, but programs that are started here would inherit it.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
	return int(execute(ctx, terminal.System(ctx), os.Args[1:]))
}

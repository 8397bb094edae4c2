// Package early sees to what comes before main: an interrupt is an exit code there too, and no garbage is collected,
// because what the packages make stays. It imports next to nothing, so it is one of the first that Go initialises.
package early

import (
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
)

// interrupted is the exit code of an interrupt: exitcode.Interrupted, which this module can't see.
const interrupted = 130

var (
	percent = debug.SetGCPercent(-1)
	sent    = make(chan os.Signal, 1)
)

func init() {
	signal.Notify(sent, Interrupts()...)
	go func() {
		if _, ok := <-sent; ok {
			os.Exit(interrupted)
		}
	}()
}

// End ends all this. Call it once main heeds interrupts.
func End() {
	signal.Stop(sent)
	close(sent)
	debug.SetGCPercent(percent)
}

// hangup is whether a closed terminal ends the process: nohup and daemons have it ignored.
var hangup = !signal.Ignored(syscall.SIGHUP)

// Interrupts are the signals that ask a command to stop: Ctrl-C, kill, and a terminal that is closed.
func Interrupts() []os.Signal {
	signals := []os.Signal{os.Interrupt, syscall.SIGTERM}
	if hangup {
		signals = append(signals, syscall.SIGHUP)
	}
	return signals
}

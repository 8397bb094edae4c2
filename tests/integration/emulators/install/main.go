// The command that installs the emulators of the integration tests into the user's cache.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"

	"trade-processing/tests/integration/emulators"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	wanted := emulators.Wanted()
	err := wanted.Install(ctx, os.Stderr)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "Error:", err)
		os.Exit(1)
	}
	fmt.Println("The emulators are in", wanted.Folder())
}

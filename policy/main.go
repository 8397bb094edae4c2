// Command policy serves the policy pack. Pulumi's Go language host builds and runs it for this folder's
// PulumiPolicy.yaml; without a language host, the engine runs it from PATH under the name pulumi-analyzer-policy-go.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"trade-processing/policy/pack"
)

func main() {
	// The engine ends the pack itself, even after an interrupt that reaches both: there are still resources to judge then.
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	signal.Ignore(os.Interrupt)
	code := pack.Main(ctx, os.Args, os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

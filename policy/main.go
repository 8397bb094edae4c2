// Command policy serves the policy pack. Pulumi's Go language host builds and runs it for this folder's
// PulumiPolicy.yaml; where there is no language host, the engine runs it from PATH by the name
// pulumi-analyzer-policy-go.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"trade-processing/policy/pack"
)

func main() {
	// The engine ends the pack by itself, also after an interrupt that reaches both: resources are still to be judged
	// then.
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	signal.Ignore(os.Interrupt)
	code := pack.Main(ctx, os.Args, os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

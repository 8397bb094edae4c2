// Package analyzer serves a policy pack to the Pulumi engine, instead of policyx.Main. The pack and its policies are
// policyx's own types; this package adds what policyx's server lacks:
//
//   - policies learn the resource's provider, options, parent and dependencies, and whether this is a preview;
//   - stack policies run, and get their configuration;
//   - a remediation has a level: it may be off until configuration turns it on, or only report what it would fix;
//   - a panic in a policy is an error that names the policy and the resource, and doesn't end the server;
//   - a policy is reported as not applicable to resources it doesn't judge, so the engine doesn't count it
//     as passed;
//   - a configuration is checked as a whole beyond what its schema can say;
//   - the pack is known before any stack is, which publishing needs;
//   - the server ends when its engine does.
//
// Unknown values, secrets and outputs arrive as property.Value represents them; package value reads them.
package analyzer

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/common/util/rpcutil"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi/policyx"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc"
)

// Selective is a policy that judges only resources of some types.
type Selective interface {
	policyx.Policy
	Concerns(resourceType string) bool
}

// StackPolicy is a policy on a whole stack: policyx.StackValidationPolicy plus what that one isn't given.
type StackPolicy interface {
	policyx.Policy
	ValidateStack(ctx context.Context, args StackArgs) error
}

// StackArgs are what a stack policy gets.
type StackArgs struct {
	policyx.StackValidationArgs
	Config map[string]any
	DryRun bool
}

// Configured is a policy that checks its configuration beyond its schema. It returns all problems.
type Configured interface {
	policyx.Policy
	CheckConfig(given map[string]any) []string
}

// engineInterval is how often the server checks whether its engine is still running.
const engineInterval = 5 * time.Second

// Main serves the pack until ctx ends or the engine does. The engine starts the program with its own address as the
// first argument, and reads the port from the first line of output: don't write anything else there.
func Main(ctx context.Context, pack policyx.PolicyPack, arguments []string, output io.Writer) error {
	return serve(ctx, pack, arguments, output, engineInterval)
}

func serve(ctx context.Context, pack policyx.PolicyPack, arguments []string, output io.Writer, interval time.Duration) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if len(arguments) > 0 {
		if err := rpcutil.Healthcheck(ctx, arguments[0], interval, cancel); err != nil {
			return fmt.Errorf("watching the engine at %s: %w", arguments[0], err)
		}
	}
	stop := make(chan bool)
	context.AfterFunc(ctx, func() { close(stop) })
	handle, err := rpcutil.ServeWithOptions(rpcutil.ServeOptions{
		Cancel: stop,
		Init: func(server *grpc.Server) error {
			pulumirpc.RegisterAnalyzerServer(server, New(pack))
			return nil
		},
	})
	if err != nil {
		return fmt.Errorf("serving policy pack %s: %w", pack.Name(), err)
	}
	if _, err := fmt.Fprintln(output, handle.Port); err != nil {
		return fmt.Errorf("telling the engine the port of policy pack %s: %w", pack.Name(), err)
	}
	if err := <-handle.Done; err != nil {
		return fmt.Errorf("serving policy pack %s: %w", pack.Name(), err)
	}
	return nil
}

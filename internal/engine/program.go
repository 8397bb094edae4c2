package engine

import (
	"context"
	"errors"
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
)

// program is the language runtime of a program that is a function of this process.
type program struct {
	pulumirpc.UnimplementedLanguageRuntimeServer
	run    pulumi.RunFunc
	engine string // address that log lines of the program go to
}

// GetRequiredPackages returns none: the SDKs a program uses name their providers.
func (p program) GetRequiredPackages(context.Context, *pulumirpc.GetRequiredPackagesRequest) (*pulumirpc.GetRequiredPackagesResponse, error) {
	return &pulumirpc.GetRequiredPackagesResponse{}, nil
}

// Run runs the program against the engine's resource monitor.
func (p program) Run(ctx context.Context, request *pulumirpc.RunRequest) (*pulumirpc.RunResponse, error) {
	running, err := pulumi.NewContext(ctx, pulumi.RunInfo{
		EngineAddr: p.engine, MonitorAddr: request.GetMonitorAddress(),
		Project: request.GetProject(), Stack: request.GetStack(), Organization: request.GetOrganization(),
		RootDirectory: request.GetInfo().GetRootDirectory(),
		Config:        request.GetConfig(), ConfigSecretKeys: request.GetConfigSecretKeys(),
		Parallel: request.GetParallel(), DryRun: request.GetDryRun(),
	})
	if err != nil {
		return nil, fmt.Errorf("connecting the program to the engine: %w", err)
	}
	defer running.Close() //nolint:errcheck // the program has been told all it can be told
	err = p.recovered(running)
	if err == nil {
		return &pulumirpc.RunResponse{}, nil
	}
	// The engine would call an error in the response unhandled, as if the program had crashed.
	if err := running.Log.Error(inOwnWords(err), nil); err != nil {
		return nil, fmt.Errorf("telling the engine the program's error: %w", err)
	}
	return &pulumirpc.RunResponse{Bail: true}, nil
}

// inOwnWords returns an error's text without the counts and bullets that Pulumi puts around it.
func inOwnWords(err error) string {
	if all, ok := err.(interface{ WrappedErrors() []error }); ok {
		err = errors.Join(all.WrappedErrors()...)
	}
	return err.Error()
}

// recovered runs the program, and turns a panic into an error.
func (p program) recovered(running *pulumi.Context) (err error) {
	defer func() {
		if cause := recover(); cause != nil {
			err = fmt.Errorf("the program panicked: %v", cause)
		}
	}()
	return pulumi.RunWithContext(running, p.run)
}

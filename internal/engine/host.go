package engine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"

	pulumihost "github.com/pulumi/pulumi/pkg/v3/host"
	"github.com/pulumi/pulumi/pkg/v3/resource/plugin"
	"github.com/pulumi/pulumi/sdk/v3/go/common/diag"
	"github.com/pulumi/pulumi/sdk/v3/go/common/env"
	"github.com/pulumi/pulumi/sdk/v3/go/common/tokens"
	"github.com/pulumi/pulumi/sdk/v3/go/common/workspace"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// host gives the engine the plugins of an operation. Pulumi's own host starts processes; this one provides what the
// options name. For the rest, such as the program's log, it is Pulumi's own.
type host struct {
	plugin.Host
	options Options

	mutex       sync.Mutex
	connections []io.Closer
}

// newHost is an engine.HostFactory.
func (o Options) newHost(ctx context.Context, sink, statusSink diag.Sink, debugging plugin.DebugContext) (plugin.Host, error) {
	pulumis, err := pulumihost.New(ctx, sink, statusSink, debugging, nil, nil, nil, nil)
	if err != nil {
		return nil, fmt.Errorf("creating a host of plugins: %w", err)
	}
	return &host{Host: pulumis, options: o}, nil
}

// LanguageRuntime returns the program, whatever its language.
func (h *host) LanguageRuntime(*plugin.Context, string) (plugin.LanguageRuntime, error) {
	served := inProcess{&pulumirpc.LanguageRuntime_ServiceDesc, program{run: h.options.Program, engine: h.ServerAddr()}}
	return plugin.NewLanguageRuntimeClient("go", pulumirpc.NewLanguageRuntimeClient(served)), nil
}

// Provider connects to another instance of a provider each time.
func (h *host) Provider(ctx *plugin.Context, wanted workspace.PluginDescriptor, _ env.Env) (plugin.Provider, error) {
	connect, known := h.options.Providers[wanted.Name]
	if !known {
		return nil, fmt.Errorf("there is no provider %s here", wanted.Name)
	}
	connection, err := connect()
	if err != nil {
		return nil, fmt.Errorf("connecting to provider %s: %w", wanted.Name, err)
	}
	if closer, ok := connection.(io.Closer); ok {
		h.mutex.Lock()
		h.connections = append(h.connections, closer)
		h.mutex.Unlock()
	}
	client := pulumirpc.NewResourceProviderClient(connection)
	provider := plugin.NewProviderWithClient(ctx, client, false)
	_, err = provider.Handshake(ctx.Request(), plugin.ProviderHandshakeRequest{
		EngineAddress: h.ServerAddr(), ConfigureWithUrn: true, SupportsViews: true, SupportsRefreshBeforeUpdate: true,
		InvokeWithPreview: true, AcceptsByteString: true,
	})
	if err == nil || status.Code(err) == codes.Unimplemented {
		_, err = client.Attach(ctx.Request(), &pulumirpc.PluginAttach{Address: h.ServerAddr()})
	}
	if err != nil && status.Code(err) != codes.Unimplemented {
		return nil, fmt.Errorf("greeting provider %s: %w", wanted.Name, err)
	}
	return provider, nil
}

// PolicyAnalyzer returns the policy pack, configured with the stack it judges.
func (h *host) PolicyAnalyzer(ctx *plugin.Context, name tokens.QName, _ string, options *plugin.PolicyAnalyzerOptions) (plugin.Analyzer, error) {
	client := pulumirpc.NewAnalyzerClient(inProcess{&pulumirpc.Analyzer_ServiceDesc, h.options.Policies})
	_, err := client.ConfigureStack(ctx.Request(), &pulumirpc.AnalyzerStackConfigureRequest{
		Project: options.Project, Stack: options.Stack, Organization: options.Organization, DryRun: options.DryRun, Tags: options.Tags,
	})
	if err != nil {
		return nil, fmt.Errorf("telling the policy pack its stack: %w", err)
	}
	return plugin.NewAnalyzerWithClient(name, client), nil
}

// Close ends the connections to providers.
func (h *host) Close() error {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	var problems []error
	for _, connection := range h.connections {
		problems = append(problems, connection.Close())
	}
	h.connections = nil
	return errors.Join(append(problems, h.Host.Close())...)
}

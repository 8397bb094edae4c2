package policy_test

import (
	"context"

	"github.com/blang/semver"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"

	"trade-processing/internal/engine"
	"trade-processing/policy/cases"
)

// echo is a provider for resources of any type: it accepts whatever it is given, and adds what AWS would generate,
// which a preview doesn't know.
type echo struct{ plugin.UnimplementedProvider }

// echoes returns echo under the names of the cases' providers.
func echoes() map[string]engine.Provider {
	made := func() pulumirpc.ResourceProviderServer { return plugin.NewProviderServer(&echo{}) }
	return engine.InProcess(map[string]func() pulumirpc.ResourceProviderServer{"acme": made, "aws": made, "random": made})
}

func (*echo) SignalCancellation(context.Context) error { return nil }
func (*echo) GetPluginInfo(context.Context) (plugin.PluginInfo, error) {
	version := semver.MustParse("6.83.2")
	return plugin.PluginInfo{Version: &version}, nil
}

func (*echo) Handshake(context.Context, plugin.ProviderHandshakeRequest) (*plugin.ProviderHandshakeResponse, error) {
	return &plugin.ProviderHandshakeResponse{AcceptSecrets: true}, nil
}

func (*echo) CheckConfig(_ context.Context, request plugin.CheckConfigRequest) (plugin.CheckConfigResponse, error) {
	return plugin.CheckConfigResponse{Properties: request.News}, nil
}

func (*echo) Configure(context.Context, plugin.ConfigureRequest) (plugin.ConfigureResponse, error) {
	return plugin.ConfigureResponse{}, nil
}

func (*echo) Check(_ context.Context, request plugin.CheckRequest) (plugin.CheckResponse, error) {
	return plugin.CheckResponse{Properties: request.News}, nil
}

func (*echo) Create(_ context.Context, request plugin.CreateRequest) (plugin.CreateResponse, error) {
	outputs := request.Properties.Copy()
	computed := cases.Computed(string(request.Type), request.Name, request.Properties.Mappable())
	for name, value := range resource.NewPropertyMapFromMap(computed) {
		if request.Preview {
			value = resource.MakeComputed(resource.NewProperty(""))
		}
		outputs[resource.PropertyKey(name)] = value
	}
	if request.Preview {
		return plugin.CreateResponse{Properties: outputs}, nil // an id isn't known before the resource exists
	}
	return plugin.CreateResponse{ID: resource.ID(request.Name), Properties: outputs}, nil
}

func (*echo) DiffConfig(context.Context, plugin.DiffConfigRequest) (plugin.DiffResult, error) {
	return plugin.DiffResult{Changes: plugin.DiffNone}, nil
}

func (*echo) Diff(context.Context, plugin.DiffRequest) (plugin.DiffResult, error) {
	return plugin.DiffResult{Changes: plugin.DiffNone}, nil
}

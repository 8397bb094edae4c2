package analyzer

import (
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	"github.com/pulumi/pulumi/sdk/v3/go/property"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi/policyx"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/protobuf/types/known/structpb"
)

// keep preserves the distinction between unknown values, secrets, resources and outputs.
var keep = plugin.MarshalOptions{KeepUnknowns: true, KeepSecrets: true, KeepResources: true, KeepOutputValues: true}

func unmarshal(properties *structpb.Struct) (property.Map, error) {
	read, err := plugin.UnmarshalProperties(properties, keep)
	if err != nil {
		return property.Map{}, err
	}
	return resource.FromResourcePropertyMap(read), nil
}

func marshal(properties resource.PropertyMap) (*structpb.Struct, error) {
	return plugin.MarshalProperties(properties, keep)
}

// described is what requests about one resource and about a stack have in common.
type described interface {
	GetType() string
	GetUrn() string
	GetName() string
	GetProperties() *structpb.Struct
	GetOptions() *pulumirpc.AnalyzerResourceOptions
	GetProvider() *pulumirpc.AnalyzerProviderResource
}

func fromRequest(given described) (policyx.AnalyzerResource, error) {
	properties, err := unmarshal(given.GetProperties())
	if err != nil {
		return policyx.AnalyzerResource{}, fmt.Errorf("reading the properties of %s: %w", given.GetUrn(), err)
	}
	read := policyx.AnalyzerResource{
		Type: given.GetType(), URN: given.GetUrn(), Name: given.GetName(), Properties: properties,
		Options: options(given.GetOptions()), Parent: given.GetOptions().GetParent(),
	}
	if provider := given.GetProvider(); provider != nil {
		inputs, err := unmarshal(provider.GetProperties())
		if err != nil {
			return policyx.AnalyzerResource{}, fmt.Errorf("reading the provider of %s: %w", given.GetUrn(), err)
		}
		read.Provider = policyx.AnalyzerProviderResource{
			Type: provider.GetType(), URN: provider.GetUrn(), Name: provider.GetName(), Properties: inputs,
		}
	}
	return read, nil
}

// options returns the engine's options that the SDK's type can represent unchanged.
func options(given *pulumirpc.AnalyzerResourceOptions) pulumi.ResourceOptions {
	return pulumi.ResourceOptions{
		Protect: given.GetProtect(), IgnoreChanges: given.GetIgnoreChanges(),
		DeleteBeforeReplace: given.GetDeleteBeforeReplace(), AdditionalSecretOutputs: given.GetAdditionalSecretOutputs(),
	}
}

func fromStack(given *pulumirpc.AnalyzerResource) (policyx.AnalyzerResource, error) {
	read, err := fromRequest(given)
	if err != nil {
		return policyx.AnalyzerResource{}, err
	}
	read.Parent, read.Dependencies = given.GetParent(), given.GetDependencies()
	read.PropertyDependencies = map[string][]string{}
	for name, sources := range given.GetPropertyDependencies() {
		read.PropertyDependencies[name] = sources.GetUrns()
	}
	return read, nil
}

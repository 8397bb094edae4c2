package components

import (
	"fmt"
	"reflect"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// register begins a component: it checks the arguments, registers the component, finds its scope, and checks the
// arguments again with that. AWS isn't asked for anything before the arguments are right.
func register(ctx *pulumi.Context, token, name string, component pulumi.ComponentResource, scope *Scope, check func(name string) error, opts []pulumi.ResourceOption) error {
	if err := check(name); err != nil {
		return err
	}
	if err := ctx.RegisterComponentResource(token, name, component, opts...); err != nil {
		return fmt.Errorf("registering %s: %w", name, err)
	}
	if err := scope.resolve(ctx, name, component); err != nil {
		return err
	}
	return check(name)
}

// registerOutputs completes a component. Its outputs are the fields of its struct with a pulumi tag, so no output's
// name is written twice. They are set after the component is registered, because that sets them all to outputs that
// only a remote component's engine would resolve.
func registerOutputs(ctx *pulumi.Context, name string, component pulumi.ComponentResource) error {
	outputs := pulumi.Map{}
	of := reflect.ValueOf(component).Elem()
	for i := range of.NumField() {
		if tag := of.Type().Field(i).Tag.Get("pulumi"); tag != "" {
			outputs[tag] = pulumi.ToOutput(of.Field(i).Interface())
		}
	}
	if err := ctx.RegisterResourceOutputs(component, outputs); err != nil {
		return fmt.Errorf("registering the outputs of %s: %w", name, err)
	}
	return nil
}

// regional returns the provider of a component's parts in another region: the given one, or a new one.
func regional(ctx *pulumi.Context, component pulumi.Resource, name, region string, given *aws.Provider, tags map[string]string) (*aws.Provider, error) {
	if given != nil {
		return given, nil
	}
	made, err := aws.NewProvider(ctx, name+"-"+region+"-provider", &aws.ProviderArgs{
		Region:      pulumi.String(region),
		DefaultTags: &aws.ProviderDefaultTagsArgs{Tags: pulumi.ToStringMap(tags)},
	}, pulumi.Parent(component))
	if err != nil {
		return nil, fmt.Errorf("creating the provider of %s: %w", region, err)
	}
	return made, nil
}

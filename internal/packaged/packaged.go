// Package packaged serves components as a Pulumi package, so that programs in any of Pulumi's languages can use them. It
// says what the Go types can't say to other languages: names of properties, what is required, and schema.json.
//
// Each packaged component is a component of its own around the one that it is named after. It finds out by itself, with
// the providers that it is given, for which account and region it is made.
package packaged

import (
	"fmt"
	"reflect"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi/provider"

	"trade-processing/components"
)

const (
	// Name is the name of the package.
	Name = "trade-processing"

	// Version is the version of the package, which changes with the schema.
	Version = "0.1.0"
)

// component is one component of the package.
type component struct {
	description string
	inputs      reflect.Type // a struct whose fields carry the tags pulumi and doc
	outputs     reflect.Type // the component: those of its fields that do are its outputs
	construct   func(*pulumi.Context, string, provider.ConstructInputs, pulumi.ResourceOption) (*provider.ConstructResult, error)
}

// all are the components by their type tokens.
var all = map[string]component{
	token("MonitoredQueue"): packed("An SQS queue that nobody can forget: encrypted, kept for 14 days, with alarms on the first message and on its age.",
		func() *MonitoredQueue { return &MonitoredQueue{} }),
	token("GlobalTradeTable"): packed("The DynamoDB table of the trades with its replicas: on-demand, point-in-time recovery, encrypted in each region, with indexes for time windows and alarms.",
		func() *GlobalTradeTable { return &GlobalTradeTable{} }),
	token("ContainerFunction"): packed("A Lambda function from its source to its alias: image, repository, role, log group, dead-letter queue and alarms.",
		func() *ContainerFunction { return &ContainerFunction{} }),
	token("TradePipeline"): packed("The whole pipeline: bus and archive, one route a source, the workflow, its three functions, the table, parameters, alarms and a dashboard.",
		func() *TradePipeline { return &TradePipeline{} }),
}

func token(name string) string { return Name + ":index:" + name }

// packaged is a component that can be built from arguments once it is registered.
type packaged[Args any] interface {
	pulumi.ComponentResource
	build(ctx *pulumi.Context, name string, scope components.Scope, args *Args) error
}

// packed makes a component of the package. The new component is registered first, so that everything within it, even the
// question for the account, uses the providers that it was given.
func packed[Args any, C packaged[Args]](description string, empty func() C) component {
	return component{
		description: description,
		inputs:      reflect.TypeFor[Args](),
		outputs:     reflect.TypeFor[C]().Elem(),
		construct: func(ctx *pulumi.Context, name string, inputs provider.ConstructInputs, opts pulumi.ResourceOption) (*provider.ConstructResult, error) {
			var args Args
			if err := inputs.CopyTo(&args); err != nil {
				return nil, fmt.Errorf("reading the arguments of %s: %w", name, err)
			}
			c := empty()
			if err := ctx.RegisterComponentResource(token(reflect.TypeFor[C]().Elem().Name()), name, c, opts); err != nil {
				return nil, fmt.Errorf("registering %s: %w", name, err)
			}
			scope, err := components.LookupScope(ctx, pulumi.Parent(c))
			if err != nil {
				return nil, err
			}
			if err := c.build(ctx, name, scope, &args); err != nil {
				return nil, err
			}
			return provider.NewConstructResult(c)
		},
	}
}

// Construct makes one component. It is what the engine calls.
func Construct(ctx *pulumi.Context, typ, name string, inputs provider.ConstructInputs, opts pulumi.ResourceOption) (*provider.ConstructResult, error) {
	known, found := all[typ]
	if !found {
		return nil, fmt.Errorf("package %s has no component %s", Name, typ)
	}
	return known.construct(ctx, name, inputs, opts)
}

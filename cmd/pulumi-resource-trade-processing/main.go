// The Pulumi package of this project's components, as a plugin that the engine starts. Its types are those of the
// components: their pulumi tags name the properties, and their doc comments describe them.
package main

import (
	"context"
	_ "embed"
	"fmt"
	"os"
	"reflect"

	provider "github.com/pulumi/pulumi-go-provider"
	"github.com/pulumi/pulumi-go-provider/infer"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"trade-processing/components"
)

const (
	packageName = "trade-processing"

	// packageVersion changes with the schema.
	packageVersion = "0.2.0"
)

// schema is what infer makes of the components, with their doc comments, which no program has at run time. A test holds
// it against both, and writes it.
//
//go:embed schema.json
var schema string

func main() {
	served := inferred()
	served.GetSchema = func(context.Context, provider.GetSchemaRequest) (provider.GetSchemaResponse, error) {
		return provider.GetSchemaResponse{Schema: schema}, nil
	}
	if err := provider.RunProvider(context.Background(), packageName, packageVersion, served); err != nil {
		fmt.Fprintln(os.Stderr, "Error:", err)
		os.Exit(1)
	}
}

// inferred returns the package as infer makes it of the components' constructors. What takes other components, or a
// function, is for Go alone: SourceRoute and Workflow, which TradePipeline makes.
func inferred() provider.Provider {
	options := infer.Options{Components: []infer.InferredComponent{
		packed(components.NewAlarmTopic),
		packed(components.NewBackupPlan),
		packed(components.NewContainerFunction),
		packed(components.NewDashboard),
		packed(components.NewEncryptionKey),
		packed(components.NewEventBus),
		packed(components.NewGlobalTradeTable),
		packed(components.NewImageRepository),
		packed(components.NewMonitoredQueue),
		packed(components.NewPrivateNetwork),
		packed(components.NewRegistryReplication),
		packed(components.NewTradePipeline),
	}}
	options.Description = "The components of the trade processing pipeline: queues, tables, functions and the pipeline as a whole."
	options.License = "Apache-2.0"
	options.LanguageMap = map[string]any{
		"csharp": map[string]any{"respectSchemaVersion": true},
		"go":     map[string]any{"respectSchemaVersion": true, "generateResourceContainerTypes": true},
		"nodejs": map[string]any{"respectSchemaVersion": true},
		"python": map[string]any{"respectSchemaVersion": true, "pyproject": map[string]any{"enabled": true}},
	}
	return infer.Provider(options)
}

// packed returns a component of the package. Before version 0.2.0 it was the child of a component of the same name in
// the module index. An alias lets stacks keep what they have of it: the type of a child, as a URN spells it, begins
// with its parent's.
func packed[Args any, Component pulumi.ComponentResource](construct infer.ComponentFn[*Args, Component]) infer.InferredComponent {
	name := reflect.TypeFor[Component]().Elem().Name()
	before := packageName + ":index:" + name + "$" + packageName + ":components:" + name
	return infer.ComponentF(func(ctx *pulumi.Context, logicalName string, args *Args, opts ...pulumi.ResourceOption) (Component, error) {
		return construct(ctx, logicalName, args, append(opts, pulumi.Aliases([]pulumi.Alias{{Type: pulumi.String(before)}}))...)
	})
}

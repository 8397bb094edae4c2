package components

import (
	"fmt"
	"reflect"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// registerOutputs completes a component. Its outputs are the fields of its struct that carry a pulumi tag, so that no
// output's name is written twice. They are set after the component is registered, which sets all of them to outputs that
// only the engine of a remote component would resolve.
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

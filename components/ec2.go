package components

import (
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// ec2Resource is any resource of the package ec2 of the provider aws. The SDK has a type for each, and compiling all of them
// takes 53 of the 300 seconds of CPU that a first build of everything takes: more than any other package, for the eight types
// that a network needs. The provider checks names and values, and so does the local cloud.
type ec2Resource struct {
	pulumi.CustomResourceState

	PrefixListID pulumi.StringOutput `pulumi:"prefixListId"` // of a gateway endpoint
}

// newEC2 declares a resource by its type, such as vpc:Vpc.
func newEC2(ctx *pulumi.Context, typ, name string, inputs pulumi.Map, opts ...pulumi.ResourceOption) (*ec2Resource, error) {
	made := &ec2Resource{}
	return made, ctx.RegisterResource("aws:ec2/"+typ, name, inputs, made, opts...)
}

// lookupEC2 asks AWS for the id of something that is there already.
func lookupEC2(ctx *pulumi.Context, function string, filter pulumi.Map, opts ...pulumi.InvokeOption) pulumi.StringOutput {
	found := ctx.InvokeOutput("aws:ec2/"+function, filter, pulumi.AnyOutput{}, pulumi.InvokeOutputOptions{InvokeOptions: opts})
	return found.ApplyT(func(found any) (string, error) {
		id, ok := found.(map[string]any)["id"].(string)
		if !ok {
			return "", fmt.Errorf("%s tells no id of %v", function, filter)
		}
		return id, nil
	}).(pulumi.StringOutput)
}

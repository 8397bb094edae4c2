// The Pulumi program of the trade processing stack.
package main

import (
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"trade-processing/stack"
)

func main() { pulumi.Run(stack.Deploy) }

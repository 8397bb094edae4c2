// The Pulumi package of this project's components, as a plugin for the engine.
package main

import (
	"fmt"
	"os"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi/provider"

	"trade-processing/internal/packaged"
)

func main() {
	if err := provider.ComponentMain(packaged.Name, packaged.Version, packaged.Schema(), packaged.Construct); err != nil {
		fmt.Fprintln(os.Stderr, "Error:", err)
		os.Exit(1)
	}
}

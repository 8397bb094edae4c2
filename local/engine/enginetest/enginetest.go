// Package enginetest gives tests the real Pulumi engine.
package enginetest

import (
	"os"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/auto"

	"trade-processing/local/engine"
)

// CLI is the engine, for a test that takes seconds of it: such tests run where REQUIRE_ENGINE is set, as `make test-engine`
// and the CI set it, and then fail where there is no engine.
func CLI(t *testing.T) auto.PulumiCommand {
	t.Helper()
	if os.Getenv("REQUIRE_ENGINE") == "" {
		t.Skip("REQUIRE_ENGINE is not set: `make test-engine` runs the tests on the real engine")
	}
	cli, found := engine.FindCLI(t.Context())
	if !found {
		t.Fatal("there is no Pulumi engine: `tradectl local engine` builds one")
	}
	return cli
}

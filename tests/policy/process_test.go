package policy_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	pulumihost "github.com/pulumi/pulumi/pkg/v3/host"
	"github.com/pulumi/pulumi/pkg/v3/resource/plugin"
	"github.com/pulumi/pulumi/sdk/v3/go/property"
)

// judges fails if the pack, started as Pulumi's CLI starts a --policy-pack, lets a queue without a key pass.
func judges(t *testing.T) {
	t.Helper()
	folder, err := filepath.Abs("../../policy")
	if err != nil {
		t.Fatal(err)
	}
	host, err := pulumihost.New(t.Context(), nil, nil, nil, nil, nil, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	ctx, err := plugin.NewContextWithHost(t.Context(), nil, nil, host, folder, folder, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for _, closed := range []error{ctx.Close(), host.Close()} {
			// The pack may end by itself before it is ended.
			if closed != nil && !strings.Contains(closed.Error(), os.ErrProcessDone.Error()) {
				t.Error(closed)
			}
		}
	})
	analyzer, err := host.PolicyAnalyzer(ctx, "pack", folder, &plugin.PolicyAnalyzerOptions{Project: "cases", Stack: "dev"})
	if err != nil {
		t.Fatal(err)
	}
	answer, err := analyzer.Analyze(t.Context(), plugin.AnalyzerResource{
		URN: ordersURN, Type: "aws:sqs/queue:Queue", Name: "orders", Properties: property.NewMap(map[string]property.Value{"name": property.New("orders")}),
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, said := range answer.Diagnostics {
		if said.PolicyName == "sqs-customer-key" && strings.Contains(said.Message, "kmsMasterKeyId has no key.") {
			return
		}
	}
	t.Errorf("it says %+v", answer.Diagnostics)
}

func TestTheProgramOnPathServesThePack(t *testing.T) {
	bin := t.TempDir()
	build := exec.CommandContext(t.Context(), "go", "build", "-o", filepath.Join(bin, "pulumi-analyzer-policy-go"), ".")
	build.Dir = "../../policy"
	if output, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
	t.Setenv("PATH", bin+string(os.PathListSeparator)+os.Getenv("PATH"))
	judges(t)
}

// Pulumi's CLI brings the language host with it.
func TestTheLanguageHostServesThePack(t *testing.T) {
	if _, err := exec.LookPath("pulumi-language-go"); err != nil {
		t.Skip("there is no language host for Go on PATH")
	}
	judges(t)
}

package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/pulumi/pulumi/sdk/v3/go/common/workspace"

	"trade-processing/internal/packaged"
	"trade-processing/tests/cli"
)

func TestPulumiKnowsHowToStartThePackage(t *testing.T) {
	project, err := workspace.LoadPluginProject("PulumiPlugin.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if project.Runtime.Name() != "go" {
		t.Errorf("the runtime is %s", project.Runtime.Name())
	}
}

// The CLI starts the plugin, asks it for its schema, and refuses one that no SDK could be generated from.
func TestPulumiTakesTheSchema(t *testing.T) {
	pulumi := cli.OnPath(t)
	pulumi.Set(asPackage, "1")
	folder := t.TempDir()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	plugin := filepath.Join(folder, "pulumi-resource-"+packaged.Name)
	if err := os.Symlink(self, plugin); err != nil {
		t.Fatal(err)
	}
	output, err := pulumi.Run(t.Context(), folder, "package", "get-schema", plugin)
	if err != nil {
		t.Fatal(err)
	}
	var got, want map[string]any
	if err := json.Unmarshal([]byte(output), &got); err != nil {
		t.Fatalf("%v: %s", err, output)
	}
	if err := json.Unmarshal(packaged.Schema(), &want); err != nil {
		t.Fatal(err)
	}
	delete(got, "config") // which the CLI adds: there is none
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("what the package says (-) and what Pulumi makes of it (+): %s", diff)
	}
}

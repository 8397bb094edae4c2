package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"
)

// aProject returns a folder with this project and a stack of it, named try.
func aProject(t *testing.T, stack string) string {
	t.Helper()
	folder := t.TempDir()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.CopyFS(filepath.Join(folder, "lambdas"), os.DirFS(filepath.Join(root, "lambdas"))); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(root, "Pulumi.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string][]byte{"Pulumi.yaml": text, "Pulumi.try.yaml": []byte(stack)} {
		if err := os.WriteFile(filepath.Join(folder, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return folder
}

// Whatever a stack keeps secret, and wherever its config comes from, it can be previewed without its keys.
func TestAPreviewTakesOrdinaryStacks(t *testing.T) {
	text, err := os.ReadFile("../../Pulumi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var project struct{ Config map[string]any }
	if err := yaml.Unmarshal(text, &project); err != nil || len(project.Config) < 30 {
		t.Fatal(err, len(project.Config))
	}
	secrets := "config:\n  aws:region: {secure: AAABabc=}\n"
	for key := range project.Config {
		secrets += "  trade-processing:" + key + ": {secure: AAABabc=}\n"
	}
	for name, stack := range map[string]string{
		"every key a secret": secrets,
		"its environments":   "environment: [acme/prod]\n",
		"secrets in lists":   "environment: [acme/prod]\nconfig: {trade-processing:producerAccounts: {system1: [{secure: AAABabc=}]}, trade-processing:apiEndpointCidrs: [{secure: A}], trade-processing:apiEndpoint: {secure: A}}\n",
	} {
		t.Run(name, func(t *testing.T) {
			output, err := exec.Command("tradectl", "local", "preview", "--project", aProject(t, stack), "--stack", "acme/trade-processing/try").CombinedOutput()
			if err != nil || !strings.Contains(string(output), " to create: ") {
				t.Errorf("%v\n%s", err, output)
			}
		})
	}
}

func TestAMistakeInAConfigIsWrongUsage(t *testing.T) {
	const good = "config:\n  aws:region: us-east-1\n  trade-processing:tags: {Project: p, Environment: e, Owner: o, CostCenter: c}\n"
	folder := aProject(t, good+"  trade-processing:archiveDays: many\n  trade-processing:nonsense: 1\n")
	for stack, want := range map[string]string{
		"try":             `trade-processing:archiveDays: "many" is not a whole number`,
		"acme/others/try": "is of project others",
		"nowhere":         "Pulumi.nowhere.yaml does not exist",
		"a/b/c/d":         "is not a stack's name",
	} {
		command := exec.Command("tradectl", "local", "preview", "--project", folder, "--stack", stack)
		output, _ := command.CombinedOutput()
		if command.ProcessState.ExitCode() != 2 || !strings.Contains(string(output), want) {
			t.Errorf("stack %s: exit code %d\n%s", stack, command.ProcessState.ExitCode(), output)
		}
	}
}

// Package cli gives tests a pulumi CLI. Nothing here needs one, so tests of what people do with theirs run only if
// there is one.
package cli

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// CLI is a pulumi with its own home, which doesn't check for newer versions.
type CLI struct {
	path        string
	environment map[string]string
}

// OnPath returns the pulumi on PATH, or skips the test if there is none.
func OnPath(t *testing.T) CLI {
	t.Helper()
	path, err := exec.LookPath("pulumi")
	if err != nil {
		t.Skip("there is no pulumi on PATH")
	}
	return CLI{path: path, environment: map[string]string{
		"PULUMI_HOME": t.TempDir(), "PULUMI_SKIP_UPDATE_CHECK": "true", "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
	}}
}

// Set sets a variable of the CLI's environment.
func (c CLI) Set(name, value string) { c.environment[name] = value }

// Environment returns the variables the CLI gets besides those of this process.
func (c CLI) Environment() map[string]string { return c.environment }

// Run runs a command in a folder and returns what it prints.
func (c CLI) Run(ctx context.Context, folder string, args ...string) (string, error) {
	command := exec.CommandContext(ctx, c.path, args...)
	var problems bytes.Buffer
	command.Dir, command.Stderr = folder, &problems
	command.Env = os.Environ()
	for name, value := range c.environment {
		command.Env = append(command.Env, name+"="+value)
	}
	output, err := command.Output()
	if err != nil {
		return "", fmt.Errorf("pulumi %s: %w\n%s%s", strings.Join(args, " "), err, output, &problems)
	}
	return string(output), nil
}

// Package engine runs the real Pulumi engine: it finds or builds the CLI, and
// deploys, previews and destroys the program with it through the Automation
// API, attached to the providers of the embedded local cloud.
package engine

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/adrg/xdg"
	"github.com/pulumi/pulumi/sdk/v3"
	"github.com/pulumi/pulumi/sdk/v3/go/auto"
)

const (
	// cliPackage is the CLI's import path. Its version is pinned by
	// tools/go.mod.
	cliPackage = "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"

	// versionVariable is what the CLI's own release build sets. Without it the
	// CLI knows no version, and the Automation API refuses it.
	versionVariable = "github.com/pulumi/pulumi/sdk/v3/go/common/version.Version"
)

// FindCLI returns the Pulumi CLI that is there: the one on PATH where it is at
// least as new as the SDK, else the one that BuildCLI left in the user's
// cache.
func FindCLI(context.Context) (auto.PulumiCommand, bool) {
	for _, root := range []string{"", cacheFolder()} {
		cli, err := auto.NewPulumiCommand(&auto.PulumiCommandOptions{Root: root, Version: sdk.Version})
		if err == nil {
			return cli, true
		}
	}
	return nil, false
}

// cacheFolder is where a built CLI is kept, one folder a version.
func cacheFolder() string {
	return filepath.Join(xdg.CacheHome, "trade-processing", "pulumi-"+sdk.Version.String())
}

// BuildCLI compiles the CLI that tools/go.mod pins into the user's cache. It
// is built under a temporary name and moved into place, so that an interrupted
// build leaves nothing half-written behind. root is the project's folder.
func BuildCLI(ctx context.Context, root string) (auto.PulumiCommand, error) {
	target := filepath.Join(cacheFolder(), "bin", "pulumi")
	if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
		return nil, fmt.Errorf("making a folder for the Pulumi engine: %w", err)
	}
	draft := fmt.Sprintf("%s.%d", target, os.Getpid())
	defer os.Remove(draft) //nolint:errcheck // it is gone when all went well

	var output bytes.Buffer
	flags := "-ldflags=-s -w -X " + versionVariable + "=v" + sdk.Version.String()
	build := exec.CommandContext(ctx, "go", "build", flags, "-o", draft, cliPackage)
	build.Dir = filepath.Join(root, "tools")
	build.Stdout, build.Stderr = &output, &output
	build.Cancel = func() error { return build.Process.Signal(os.Interrupt) }
	build.WaitDelay = time.Second
	err := build.Run()
	switch {
	case ctx.Err() != nil:
		return nil, fmt.Errorf("building the Pulumi engine: %w", context.Cause(ctx))
	case errors.Is(err, exec.ErrNotFound):
		return nil, fmt.Errorf("building the Pulumi engine needs the go command on PATH; "+
			"install Go, or put a pulumi CLI of version %s or later on PATH", sdk.Version)
	case err != nil:
		return nil, fmt.Errorf("building the Pulumi engine in %s: %w\n%s", build.Dir, err, strings.TrimSpace(output.String()))
	}
	if err := os.Rename(draft, target); err != nil {
		return nil, fmt.Errorf("keeping the Pulumi engine: %w", err)
	}
	return auto.NewPulumiCommand(&auto.PulumiCommandOptions{Root: cacheFolder(), Version: sdk.Version})
}

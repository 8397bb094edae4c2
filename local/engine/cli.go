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

// cliPackage is the CLI's import path. Its version is pinned by tools/go.mod.
const cliPackage = "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"

// versionVariable is what the CLI's own release build sets.
const versionVariable = "github.com/pulumi/pulumi/sdk/v3/go/common/version.Version"

// Progress tells a person what is going on, one line each.
type Progress func(format string, args ...any)

// FindCLI returns the Pulumi CLI: the one on PATH where it is at least as new
// as the SDK, else the one that tools/go.mod pins, built once into the user's
// cache. root is the project's folder.
func FindCLI(ctx context.Context, root string, progress Progress) (auto.PulumiCommand, error) {
	if onPath, err := auto.NewPulumiCommand(&auto.PulumiCommandOptions{Version: sdk.Version}); err == nil {
		return onPath, nil
	}
	home, err := xdg.CacheFile(filepath.Join("trade-processing", "pulumi-"+sdk.Version.String(), "bin", "pulumi"))
	if err != nil {
		return nil, fmt.Errorf("finding a cache folder for the Pulumi CLI: %w", err)
	}
	options := &auto.PulumiCommandOptions{Root: filepath.Dir(filepath.Dir(home)), Version: sdk.Version}
	if cached, err := auto.NewPulumiCommand(options); err == nil {
		return cached, nil
	}
	if err := buildCLI(ctx, filepath.Join(root, "tools"), home, progress); err != nil {
		return nil, err
	}
	return auto.NewPulumiCommand(options)
}

// buildCLI compiles the CLI to a temporary name and moves it into place, so
// that an interrupted build leaves nothing half-written behind.
func buildCLI(ctx context.Context, tools, target string, progress Progress) error {
	progress("building the Pulumi engine %s from source, once; this takes some minutes", sdk.Version)
	start := time.Now()
	draft := fmt.Sprintf("%s.%d", target, os.Getpid())
	defer os.Remove(draft)

	var output bytes.Buffer
	// The CLI learns its version from the linker; without it it answers none,
	// and the Automation API refuses it.
	flags := "-ldflags=-s -w -X " + versionVariable + "=v" + sdk.Version.String()
	build := exec.CommandContext(ctx, "go", "build", "-trimpath", flags, "-o", draft, cliPackage)
	build.Dir = tools
	build.Env = append(os.Environ(), "GOFLAGS=-mod=readonly", "GOWORK=off")
	build.Stdout, build.Stderr = &output, &output
	build.Cancel = func() error { return build.Process.Signal(os.Interrupt) }
	build.WaitDelay = time.Second
	if err := build.Start(); err != nil {
		if errors.Is(err, exec.ErrNotFound) {
			return errors.New("building the Pulumi engine needs the go command on PATH; " +
				"install Go, or put a pulumi CLI of at least version " + sdk.Version.String() + " on PATH")
		}
		return fmt.Errorf("building the Pulumi engine: %w", err)
	}
	done := make(chan error, 1)
	go func() { done <- build.Wait() }()
	tick := time.NewTicker(15 * time.Second)
	defer tick.Stop()
	for {
		select {
		case err := <-done:
			if ctx.Err() != nil {
				return ctx.Err()
			}
			if err != nil {
				return fmt.Errorf("building the Pulumi engine in %s: %w\n%s", tools, err, strings.TrimSpace(output.String()))
			}
			if err := os.Rename(draft, target); err != nil {
				return fmt.Errorf("keeping the Pulumi engine: %w", err)
			}
			progress("engine built in %s, kept as %s", time.Since(start).Round(time.Second), target)
			return nil
		case <-tick.C:
			progress("still building the engine, %s so far", time.Since(start).Round(time.Second))
		}
	}
}

// Package clone runs what a newcomer runs, in a clone with everything against it.
package clone

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"trade-processing/components"
	"trade-processing/internal/images"
)

// run runs a program in a folder and returns its output. Variables override those of this process.
func run(t *testing.T, folder string, variables []string, words ...string) string {
	t.Helper()
	command := exec.CommandContext(t.Context(), words[0], words[1:]...)
	command.Dir, command.Env = folder, append(os.Environ(), variables...)
	text, err := command.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", strings.Join(words, " "), err, text)
	}
	return string(text)
}

// awkward clones the last commit with Windows line endings into a path with spaces and brackets, below someone else's
// go.work.
func awkward(t *testing.T) string {
	t.Helper()
	if text, err := exec.CommandContext(t.Context(), "git", "rev-parse", "HEAD").CombinedOutput(); err != nil {
		t.Skipf("this is not a clone that git trusts: %v\n%s", err, text)
	}
	above := filepath.Join(t.TempDir(), "a folder [1]")
	if err := os.Mkdir(above, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(above, "go.work"), []byte("go 1.26.0\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	clone := filepath.Join(above, "the clone")
	run(t, ".", nil, "git", "clone", "--quiet", "--config", "core.autocrlf=true", "../..", clone)
	return clone
}

// A tag that depends on the checkout builds the same commit twice, and the repository refuses the second push.
func TestImagesHaveTheSameTagsInEveryClone(t *testing.T) {
	clone, plain := awkward(t), t.TempDir()
	run(t, ".", nil, "git", "clone", "--quiet", "--config", "core.autocrlf=false", "../..", plain)
	for _, function := range []string{"validator", "enricher", "recorder"} {
		there, err := components.StageImage(clone, images.Sources, function, nil).Build()
		if err != nil {
			t.Fatal(err)
		}
		here, err := components.StageImage(plain, images.Sources, function, nil).Build()
		if err != nil {
			t.Fatal(err)
		}
		if there.Tag != here.Tag {
			t.Errorf("the %s's image is %s in the one and %s in the other", function, there.Tag, here.Tag)
		}
	}
}

func needsClone(t *testing.T) {
	t.Helper()
	if os.Getenv("CLONE") == "" {
		t.Skip("CLONE is not set: `make test-clone` runs make in a clone")
	}
}

func TestWhatANewcomerRuns(t *testing.T) {
	needsClone(t)
	clone := awkward(t)
	variables := []string{
		"GIT_TEST_ASSUME_DIFFERENT_OWNER=1", // git's own way to simulate another user's folder
		"GOFLAGS=-buildvcs=auto", "GOWORK=", // Go's defaults
		"MAKEFLAGS=", "CLONE=", // from the make that runs this test
	}
	for _, target := range []string{"demo", "lint", "test"} {
		t.Run(target, func(t *testing.T) { run(t, clone, variables, "make", target) })
	}
	if changed := run(t, clone, nil, "git", "status", "--porcelain"); changed != "" {
		t.Errorf("it leaves files that git doesn't ignore:\n%s", changed)
	}
}

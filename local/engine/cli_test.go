package engine

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/adrg/xdg"
	"github.com/pulumi/pulumi/sdk/v3"
)

// useMachine makes this process see a machine of its own: a PATH with the given programs, which are shell scripts, and an
// empty cache, whose folder it returns.
func useMachine(t *testing.T, programs map[string]string) (cache string) {
	t.Helper()
	path := t.TempDir()
	for name, script := range programs {
		writeScript(t, filepath.Join(path, name), script)
	}
	t.Setenv("PATH", path)
	t.Setenv("PULUMI_AUTOMATION_API_SKIP_VERSION_CHECK", "")
	cache = t.TempDir()
	t.Setenv("XDG_CACHE_HOME", cache)
	xdg.Reload()
	t.Cleanup(func() {
		os.Unsetenv("XDG_CACHE_HOME") //nolint:errcheck // t.Setenv puts back what was there, and then it is read again
		xdg.Reload()
	})
	return cache
}

func writeScript(t *testing.T, path, script string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+script+"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
}

// aProject is the root of a project with a tools module to build in.
func aProject(t *testing.T) string {
	t.Helper()
	root := t.TempDir()
	if err := os.Mkdir(filepath.Join(root, "tools"), 0o755); err != nil {
		t.Fatal(err)
	}
	return root
}

var (
	thisVersion = "echo v" + sdk.Version.String()
	anOldOne    = "echo v3.1.0"
)

func TestTheEngineThatIsThereIsFound(t *testing.T) {
	for _, tc := range []struct {
		name          string
		onPath, built string // scripts; empty: there is none
		found         bool
	}{
		{"none at all", "", "", false},
		{"the one on PATH", thisVersion, "", true},
		{"the one that was built", "", thisVersion, true},
		{"one on PATH that is too old is passed over", anOldOne, thisVersion, true},
		{"one that is too old is none", anOldOne, "", false},
		{"one that doesn't say its version is none", "echo hello", "", false},
		{"one that doesn't run is none", "exit 1", "", false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			programs := map[string]string{}
			if tc.onPath != "" {
				programs["pulumi"] = tc.onPath
			}
			useMachine(t, programs)
			if tc.built != "" {
				writeScript(t, filepath.Join(cacheFolder(), "bin", "pulumi"), tc.built)
			}
			cli, found := FindCLI(t.Context())
			if found != tc.found {
				t.Fatalf("found: %v", found)
			}
			if found && !cli.Version().Equals(sdk.Version) {
				t.Errorf("it is %s", cli.Version())
			}
		})
	}
}

// goTool is a go command that does something with the file behind -o.
func goTool(then string) string {
	return `while [ "$1" != -o ]; do shift; done; out=$2
` + then
}

func TestAnEngineIsBuiltOnceAndFoundFromThenOn(t *testing.T) {
	cache := useMachine(t, map[string]string{"go": goTool(`printf '#!/bin/sh\n` + thisVersion + `\n' > "$out"; /bin/chmod +x "$out"`)})
	cli, err := BuildCLI(t.Context(), aProject(t))
	if err != nil || !cli.Version().Equals(sdk.Version) {
		t.Fatalf("got %v, %v", cli, err)
	}
	if _, found := FindCLI(t.Context()); !found {
		t.Error("it isn't found")
	}
	if files := filesIn(t, cache); len(files) != 1 || filepath.Base(files[0]) != "pulumi" {
		t.Errorf("the cache holds %v", files)
	}
}

func TestABuildThatFailsSaysWhyAndLeavesNothing(t *testing.T) {
	for _, tc := range []struct {
		name     string
		programs map[string]string
		want     []string
	}{
		{"a compiler that complains", map[string]string{"go": goTool(`echo half > "$out"; echo "no space left on device" >&2; exit 1`)},
			[]string{"building the Pulumi engine in ", "/tools: exit status 1", "no space left on device"}},
		{"no go command", nil, []string{"needs the go command on PATH", "install Go, or put a pulumi CLI of version " + sdk.Version.String()}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			cache := useMachine(t, tc.programs)
			_, err := BuildCLI(t.Context(), aProject(t))
			for _, part := range tc.want {
				if err == nil || !strings.Contains(err.Error(), part) {
					t.Errorf("got %v, want %q", err, part)
				}
			}
			if files := filesIn(t, cache); len(files) > 0 {
				t.Errorf("the cache holds %v", files)
			}
		})
	}
}

func TestAnInterruptedBuildEndsAtOnceAndLeavesNothing(t *testing.T) {
	for name, script := range map[string]string{
		"a compiler that heeds it":   `exec /bin/sleep 60`,
		"a compiler that ignores it": `trap '' INT; exec /bin/sleep 60`,
	} {
		t.Run(name, func(t *testing.T) {
			root := aProject(t)
			cache := useMachine(t, map[string]string{"go": goTool(`echo half > "$out"; echo > begun; ` + script)})
			ctx, cancel := context.WithCancelCause(t.Context())
			why := errors.New("somebody pressed Ctrl-C")
			go func() {
				for _, err := os.Stat(filepath.Join(root, "tools", "begun")); err != nil; _, err = os.Stat(filepath.Join(root, "tools", "begun")) {
					time.Sleep(time.Millisecond)
				}
				cancel(why)
			}()
			begun := time.Now()
			_, err := BuildCLI(ctx, root)
			if !errors.Is(err, why) {
				t.Errorf("got %v, want %v", err, why)
			}
			if took := time.Since(begun); took > 2*time.Second {
				t.Errorf("it took %s", took)
			}
			if files := filesIn(t, cache); len(files) > 0 {
				t.Errorf("the cache holds %v", files)
			}
		})
	}
}

func filesIn(t *testing.T, folder string) []string {
	t.Helper()
	var files []string
	err := filepath.WalkDir(folder, func(path string, entry os.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			files = append(files, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

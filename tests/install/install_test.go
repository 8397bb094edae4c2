// Package install_test tests the installer of the tools that tests run.
package install_test

import (
	"crypto/sha256"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

const emulators = "../integration/emulators"

// install runs the installer of the emulators on a machine with an empty cache, with these programs, which are shell scripts, and what
// every machine has. It returns what it said and the cache.
func install(t *testing.T, cache string, programs map[string]string) (string, error) {
	t.Helper()
	path := t.TempDir()
	for name, script := range programs {
		if err := os.WriteFile(filepath.Join(path, name), []byte("#!/bin/sh\n"+script+"\n"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"bash", "cat", "cp", "cut", "diff", "dirname", "mkdir", "rm", "sha256sum", "touch"} {
		program, err := exec.LookPath(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(program, filepath.Join(path, name)); err != nil {
			t.Fatal(err)
		}
	}
	command := exec.CommandContext(t.Context(), "./install", emulators)
	command.Env = []string{"PATH=" + path, "XDG_CACHE_HOME=" + cache}
	text, err := command.CombinedOutput()
	return string(text), err
}

// makesEnvironment is a python3 that makes an environment whose pip is content with everything.
const makesEnvironment = `/bin/mkdir -p "$3/bin" && printf '#!/bin/sh\nexit 0\n' > "$3/bin/python" && /bin/chmod +x "$3/bin/python"`

func TestAnInstallationThatIsNotWhatWasLockedIsRefused(t *testing.T) {
	for _, test := range []struct {
		name     string
		programs map[string]string
		want     []string
	}{
		{"a tool that is missing is named", map[string]string{"python3": "", "java": ""}, []string{"need Maven", "mvn is not on PATH"}},
		{
			"a tool that fails ends the installation", map[string]string{"python3": makesEnvironment, "java": "", "mvn": "echo no network; exit 1"},
			[]string{"no network"},
		},
		{
			"a file with another content is refused",
			map[string]string{"python3": makesEnvironment, "java": "", "mvn": `for last; do :; done; echo x > "${last#-DoutputDirectory=}/DynamoDBLocal-2.6.1.jar"`},
			[]string{"> 73cb3858a687a8494ca3323053016282f3dad39d42cf62ca4e79dda2aac7d9ac  DynamoDBLocal-2.6.1.jar", "  guava-33.4.0-jre.jar", "not what was locked"},
		},
		{
			"a file that nobody asked for is refused",
			map[string]string{"python3": makesEnvironment, "java": "", "mvn": `for last; do :; done; echo x > "${last#-DoutputDirectory=}/more.jar"`},
			[]string{"  more.jar", "not what was locked"},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			cache := t.TempDir()
			said, err := install(t, cache, test.programs)
			for _, want := range test.want {
				if err == nil || !strings.Contains(said, want) {
					t.Errorf("got %v and %s, want it to say %q", err, said, want)
				}
			}
			if complete, _ := filepath.Glob(filepath.Join(cache, "trade-processing/*/complete")); len(complete) > 0 {
				t.Error("it counts as complete")
			}
		})
	}
}

func TestAnInstallationThatIsThereIsLeftAlone(t *testing.T) {
	var locks []byte
	for _, path := range []string{"install", emulators + "/requirements.txt", emulators + "/pom.xml", emulators + "/java.sha256"} {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		locks = append(locks, text...)
	}
	cache := t.TempDir()
	folder := filepath.Join(cache, "trade-processing", fmt.Sprintf("emulators-%x", sha256.Sum256(locks))[:len("emulators-")+12])
	if err := os.MkdirAll(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, "complete"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if said, err := install(t, cache, nil); err != nil || said != folder+"\n" {
		t.Errorf("it was installed again, without any tool: %v, %s", err, said)
	}
}

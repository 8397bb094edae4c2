package emulators

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/adrg/xdg"
)

// useMachine makes this process see a machine with an empty cache and a PATH with these programs only, which are shell
// scripts.
func useMachine(t *testing.T, programs map[string]string) {
	t.Helper()
	path := t.TempDir()
	for name, script := range programs {
		if err := os.WriteFile(filepath.Join(path, name), []byte("#!/bin/sh\n"+script+"\n"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("PATH", path)
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	xdg.Reload()
	t.Cleanup(func() {
		os.Unsetenv("XDG_CACHE_HOME") //nolint:errcheck // t.Setenv puts back what was there, and then it is read again
		xdg.Reload()
	})
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
			[]string{"installing the emulators: mvn: exit status 1"},
		},
		{
			"a file with another content is refused",
			map[string]string{"python3": makesEnvironment, "java": "", "mvn": `for last; do :; done; echo x > "${last#-DoutputDirectory=}/DynamoDBLocal-2.6.1.jar"`},
			[]string{"DynamoDBLocal-2.6.1.jar has digest 73cb3858a687a8494ca3323053016282f3dad39d42cf62ca4e79dda2aac7d9ac", "guava-33.4.0-jre.jar is missing"},
		},
		{
			"a file that nobody asked for is refused",
			map[string]string{"python3": makesEnvironment, "java": "", "mvn": `for last; do :; done; echo x > "${last#-DoutputDirectory=}/more.jar"`},
			[]string{"more.jar has digest", `says ""`},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			useMachine(t, test.programs)
			wanted := Wanted()
			err := wanted.Install(t.Context(), io.Discard)
			for _, want := range test.want {
				if err == nil || !strings.Contains(err.Error(), want) {
					t.Errorf("got %v, want it to say %q", err, want)
				}
			}
			if wanted.Complete() {
				t.Error("it counts as complete")
			}
		})
	}
}

func TestAnInstallationThatIsThereIsLeftAlone(t *testing.T) {
	useMachine(t, nil)
	wanted := Wanted()
	if err := os.MkdirAll(wanted.Folder(), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(wanted.Folder(), complete), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := wanted.Install(t.Context(), io.Discard); err != nil {
		t.Errorf("it was installed again, without any tool: %v", err)
	}
}

package images

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestTheCommandOfTheRecipeIsFound(t *testing.T) {
	command, err := programCommand("../..")
	if err != nil {
		t.Fatal(err)
	}
	for _, flag := range []string{"CGO_ENABLED=0", "-mod=readonly", "-trimpath", "-buildvcs=false", "-tags=lambda.norpc", `-ldflags="-s -w -buildid="`, `"./$FUNCTION/bootstrap"`} {
		if !strings.Contains(command, flag) {
			t.Errorf("%s isn't in %s", flag, command)
		}
	}
}

func TestARecipeWithoutTheCommandIsAnError(t *testing.T) {
	for name, recipe := range map[string]string{
		"no command":           "FROM scratch\n",
		"two commands":         "RUN " + firstWords + " go build -o " + output + "\nRUN " + firstWords + " go build -o " + output + "\n",
		"a command to nowhere": "RUN " + firstWords + " go build\n",
	} {
		t.Run(name, func(t *testing.T) {
			project := t.TempDir()
			if err := os.MkdirAll(filepath.Join(project, Sources), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(project, Sources, "Dockerfile"), []byte(recipe), 0o644); err != nil {
				t.Fatal(err)
			}
			if err := BuildProgram(t.Context(), project, "validator", "arm64", "x"); err == nil || !strings.Contains(err.Error(), "there is not one command") {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestAFunctionThatIsNotThereIsAnError(t *testing.T) {
	err := BuildProgram(t.Context(), "../..", "nobody", "arm64", filepath.Join(t.TempDir(), "bootstrap"))
	if err == nil || !strings.Contains(err.Error(), "building nobody") {
		t.Errorf("got %v", err)
	}
}

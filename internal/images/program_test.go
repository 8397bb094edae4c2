package images

import (
	"os"
	"path/filepath"
	"regexp"
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

// A tag stands for another image next week.
func TestBaseImagesAreNamedByTheirDigests(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("../..", Sources, "Dockerfile"))
	if err != nil {
		t.Fatal(err)
	}
	pinned := regexp.MustCompile(`(?m)^ARG (GO_IMAGE|BASE_IMAGE)=\S+:\S+@sha256:[0-9a-f]{64}$`).FindAllString(string(text), -1)
	if len(pinned) != 2 {
		t.Errorf("pinned are %q", pinned)
	}
	for _, line := range regexp.MustCompile(`(?m)^FROM .*$`).FindAllString(string(text), -1) {
		if !regexp.MustCompile(`\$\{(GO_IMAGE|BASE_IMAGE)\}|FROM insights-\$\{INSIGHTS\} `).MatchString(line + " ") {
			t.Errorf("%q begins with an image that no argument names", line)
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

package images

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

func TestTheRecipeBuildsProgramsWithTheSameFlags(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("../..", Sources, "Dockerfile"))
	if err != nil {
		t.Fatal(err)
	}
	quoted := strings.Replace(strings.Join(flags, " "), "-ldflags=-s -w -buildid=", `-ldflags="-s -w -buildid="`, 1)
	want := "CGO_ENABLED=0 GOOS=linux GOARCH=arm64 \\\n    go build " + quoted + ` -o /out/var/runtime/bootstrap "./$FUNCTION/bootstrap"`
	if !strings.Contains(string(text), want) {
		t.Errorf("the recipe doesn't say\n%s", want)
	}
}

// A tag means another image next week.
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

func TestAFunctionThatIsNotThereIsAnError(t *testing.T) {
	err := BuildProgram(t.Context(), "../..", "nobody", "arm64", filepath.Join(t.TempDir(), "bootstrap"))
	if err == nil || !strings.Contains(err.Error(), "building nobody") {
		t.Errorf("got %v", err)
	}
}

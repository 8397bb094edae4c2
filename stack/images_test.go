package stack

import (
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"trade-processing/components"
	"trade-processing/lambdas/enricher"
	"trade-processing/lambdas/recorder"
	"trade-processing/lambdas/validator"
)

// sources is the folder of the functions' module, relative to this package.
const sources = "../lambdas"

// The build context decides when an image is rebuilt. It must hold everything the function is made of, or a change
// wouldn't be deployed, and nothing else, or every change would deploy every function. Go knows what it is made of.
func TestTheContextOfAnImageIsWhatItsFunctionIsMadeOf(t *testing.T) {
	for _, function := range Functions() {
		t.Run(function, func(t *testing.T) {
			list := exec.Command("go", "list", "-deps", "-tags=lambda.norpc", "-f",
				`{{with .Module}}{{if .Main}}{{range $.GoFiles}}{{$.ImportPath}}/{{.}} {{end}}{{range $.EmbedFiles}}{{$.ImportPath}}/{{.}} {{end}}{{end}}{{end}}`,
				"./"+function+"/bootstrap")
			list.Dir, list.Env = sources, append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH=arm64", "GOWORK=off")
			out, err := list.Output()
			if err != nil {
				t.Fatal(err)
			}
			want := append(strings.Fields(strings.ReplaceAll(string(out), "trade-processing/lambdas/", "")), "Dockerfile", "go.mod", "go.sum")
			build, err := components.StageImage("..", "lambdas", function, nil).Build()
			if err != nil {
				t.Fatal(err)
			}
			if err := build.WriteContext(); err != nil {
				t.Fatal(err)
			}
			var got []string
			err = fs.WalkDir(os.DirFS(filepath.Join("..", build.Context)), ".", func(name string, entry fs.DirEntry, err error) error {
				if err == nil && !entry.IsDir() {
					got = append(got, name)
				}
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			slices.Sort(want)
			slices.Sort(got)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("what it is made of (-) and what is in the context (+): %s", diff)
			}
		})
	}
}

func TestEachFunctionIsBuiltFromItsOwnContext(t *testing.T) {
	stack := declare(t, "dev", set{"imageArguments": map[string]string{"INSIGHTS": "without"}})
	tags := map[string]bool{}
	for _, function := range Functions() {
		image := find(t, stack, "docker:index/image:Image", function+"-image")
		_, tag, _ := strings.Cut(image.Text("imageName"), ":")
		context := "dist/image-contexts/" + function + "-bootstrap-" + tag
		for path, want := range map[string]string{
			"context": context, "dockerfile": context + "/Dockerfile", "args.FUNCTION": function, "args.INSIGHTS": "without",
		} {
			if got := image.Text("build." + path); got != want {
				t.Errorf("%s: %s is %q, want %q", function, path, got, want)
			}
		}
		tags[tag] = true
	}
	if len(tags) != 3 {
		t.Errorf("the images are called %v", tags)
	}
}

// An image is rebuilt, pushed and published when its tag changes, so a change must change the tags of the images that
// contain it and of no others.
func TestAChangeBuildsTheImagesThatHoldItAndNoOther(t *testing.T) {
	project := t.TempDir()
	if err := os.CopyFS(filepath.Join(project, "lambdas"), os.DirFS(sources)); err != nil {
		t.Fatal(err)
	}
	tags := func() map[string]string {
		t.Helper()
		all := map[string]string{}
		for _, function := range Functions() {
			build, err := components.StageImage(project, "lambdas", function, nil).Build()
			if err != nil {
				t.Fatal(err)
			}
			all[function] = build.Tag
		}
		return all
	}
	for _, tc := range []struct {
		file   string
		builds []string
	}{
		{"lambdas/recorder/item.go", []string{recorder.Name}},
		{"lambdas/recorder/bootstrap/main.go", []string{recorder.Name}},
		{"lambdas/validator/validator.go", []string{validator.Name}},
		{"lambdas/market/data/venues.csv", []string{enricher.Name}},
		{"lambdas/parameters/store.go", []string{validator.Name, enricher.Name}},
		{"lambdas/trade/rules.go", Functions()},
		{"lambdas/go.sum", Functions()},
		{"lambdas/Dockerfile", Functions()},
		{"lambdas/recorder/recorder_test.go", nil},
		{"lambdas/recorder/testdata/valid.json", nil},
		{"lambdas/function/functiontest/functiontest.go", nil},
		{"components/containerfunction.go", nil},
		{"stack/deploy.go", nil},
		{"docs/architecture.md", nil},
		{"README.md", nil},
	} {
		before := tags()
		path := filepath.Join(project, tc.file)
		content, err := os.ReadFile(filepath.Join("..", tc.file))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, append(content, '\n'), 0o600); err != nil {
			t.Fatal(err)
		}
		var built []string
		after := tags()
		for _, function := range Functions() {
			if after[function] != before[function] {
				built = append(built, function)
			}
		}
		if !slices.Equal(built, tc.builds) {
			t.Errorf("a change of %s builds %v, and should build %v", tc.file, built, tc.builds)
		}
	}
}

func TestArgumentsOfImagesAreThoseOfTheDockerfile(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(sources, "Dockerfile"))
	if err != nil {
		t.Fatal(err)
	}
	declared := map[string]bool{}
	for _, match := range regexp.MustCompile(`(?m)^ARG ([A-Z0-9_]+)`).FindAllStringSubmatch(string(text), -1) {
		declared[match[1]] = true
	}
	for _, own := range []string{"FUNCTION", "VERSION", "REVISION"} { // those that Build sets
		delete(declared, own)
	}
	if diff := cmp.Diff(slices.Sorted(maps.Keys(declared)), slices.Sorted(slices.Values(ImageArguments()))); diff != "" {
		t.Error(diff)
	}
}

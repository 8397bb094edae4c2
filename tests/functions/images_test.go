package functions_test

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"debug/elf"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"trade-processing/components"
	"trade-processing/internal/images"
)

// without leaves Lambda Insights out.
var without = map[string]string{"INSIGHTS": "without", "SOURCE": "https://example.com/trade-processing"}

// maxCompressed is how many bytes, as pushed, an image may add to its base without Lambda Insights.
const maxCompressed = 10 << 20

// inspected is what the engine says about an image.
type inspected struct {
	ID               string `json:"Id"`
	Architecture, Os string
	Created          time.Time
	Config           struct {
		User       string
		Entrypoint []string
		Cmd        []string
		Env        []string
		Labels     map[string]string
	}
	RootFS struct{ Layers []string }
}

func (w *world) inspect(t *testing.T, name string) inspected {
	t.Helper()
	var all []inspected
	if err := json.Unmarshal(w.run(t, "image", "inspect", name), &all); err != nil || len(all) != 1 {
		t.Fatalf("%s: %v", name, err)
	}
	return all[0]
}

// file is one file of an image.
type file struct {
	mode    int64
	modTime time.Time
	content []byte
}

// files returns an image's regular files, except those that the engine puts into every container.
func (w *world) files(t *testing.T, name string) map[string]file {
	t.Helper()
	container := strings.TrimSpace(string(w.run(t, "create", "--platform", components.ImagePlatform, name)))
	defer w.run(t, "rm", container)
	all := map[string]file{}
	archive := tar.NewReader(bytes.NewReader(w.run(t, "export", container)))
	for {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if header.Typeflag != tar.TypeReg || slices.Contains([]string{".dockerenv", "dev/console", "etc/hostname", "etc/hosts", "etc/resolv.conf"}, header.Name) {
			continue
		}
		content, err := io.ReadAll(archive)
		if err != nil {
			t.Fatal(err)
		}
		all[header.Name] = file{header.Mode, header.ModTime, content}
	}
	return all
}

func (w *world) mustBuild(t *testing.T, function string, arguments map[string]string) string {
	t.Helper()
	image, err := w.build(t, w.project, function, arguments)
	if err != nil {
		t.Fatal(err)
	}
	return image
}

func TestAnImageHoldsTheProgramAndWhatItNeedsAndNothingElse(t *testing.T) {
	w := need(t)
	for _, function := range Functions() {
		t.Run(function, func(t *testing.T) {
			image := w.mustBuild(t, function, without)
			got := w.inspect(t, image)
			if got.Architecture != "arm64" || got.Os != "linux" {
				t.Errorf("it is for %s/%s", got.Os, got.Architecture)
			}
			if got.Config.User != "65534:65534" {
				t.Errorf("it runs as %q", got.Config.User)
			}
			if !slices.Equal(got.Config.Entrypoint, []string{"/var/runtime/bootstrap"}) || len(got.Config.Cmd) > 0 {
				t.Errorf("it runs %q %q", got.Config.Entrypoint, got.Config.Cmd)
			}
			_, tag, _ := strings.Cut(image, ":")
			labels := map[string]string{
				"org.opencontainers.image.title": "trade-processing/" + function, "org.opencontainers.image.source": "https://example.com/trade-processing",
				"org.opencontainers.image.version": tag, "org.opencontainers.image.revision": got.Config.Labels["org.opencontainers.image.revision"],
			}
			if diff := cmp.Diff(labels, got.Config.Labels); diff != "" || !strings.HasPrefix(labels["org.opencontainers.image.revision"], tag) {
				t.Errorf("the image's tag is %s, and its labels: %s", tag, diff)
			}

			files := w.files(t, image)
			want := []string{"usr/share/trade-processing/ca-certificates.crt", "usr/share/trade-processing/zoneinfo.zip", "var/runtime/bootstrap"}
			want = slices.Sorted(slices.Values(append(want, slices.Collect(maps.Keys(baseFiles))...)))
			if diff := cmp.Diff(want, slices.Sorted(maps.Keys(files))); diff != "" {
				t.Error(diff)
			}
			for name, mode := range map[string]int64{"var/runtime/bootstrap": 0o755, "usr/share/trade-processing/ca-certificates.crt": 0o644, "usr/share/trade-processing/zoneinfo.zip": 0o644} {
				if got := files[name]; got.mode&0o777 != mode || !got.modTime.Equal(time.Unix(0, 0)) {
					t.Errorf("%s has the mode %o and the time %v", name, got.mode, got.modTime)
				}
			}
			checkProgram(t, w.project, function, files["var/runtime/bootstrap"].content)
		})
	}
}

// checkProgram checks an image's program: it must be static, for arm64, and identical to one built outside an image, in
// another folder at another time.
func checkProgram(t *testing.T, project, function string, program []byte) {
	t.Helper()
	binary, err := elf.NewFile(bytes.NewReader(program))
	if err != nil {
		t.Fatal(err)
	}
	if libraries, err := binary.ImportedLibraries(); binary.Machine != elf.EM_AARCH64 || err == nil && len(libraries) > 0 {
		t.Errorf("the program is for %v and needs %v", binary.Machine, libraries)
	}
	out := filepath.Join(t.TempDir(), "bootstrap")
	if err := images.BuildProgram(t.Context(), project, function, "arm64", out); err != nil {
		t.Fatal(err)
	}
	again, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	if sha256.Sum256(program) != sha256.Sum256(again) {
		t.Error("the program in the image and one that is built beside it differ")
	}
}

// Two clones of a commit, built from scratch at different times, must give the same image, except for the creation
// time, which engines before 23 write into it. One function suffices; checkProgram shows that each program is the same
// wherever it is built.
func TestTwoBuildsInTwoFoldersAreTheSameImage(t *testing.T) {
	w := need(t)
	elsewhere := t.TempDir()
	if err := os.CopyFS(filepath.Join(elsewhere, "lambdas"), os.DirFS(filepath.Join(w.project, "lambdas"))); err != nil {
		t.Fatal(err)
	}
	future := time.Now().Add(time.Hour)
	err := filepath.WalkDir(elsewhere, func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.Type()&os.ModeSymlink != 0 {
			return err
		}
		return os.Chtimes(path, future, future)
	})
	if err != nil {
		t.Fatal(err)
	}
	// The engine started empty, so the first build is from scratch, whichever test it was for.
	first := w.inspect(t, w.mustBuild(t, Recorder, without))
	image, err := w.build(t, elsewhere, Recorder, without, "--no-cache")
	if err != nil {
		t.Fatal(err)
	}
	second := w.inspect(t, image)
	if len(first.RootFS.Layers) != 3 {
		t.Errorf("layers %v", first.RootFS.Layers)
	}
	if first.Created.Unix() != 0 || second.Created.Unix() != 0 { // the engine doesn't know SOURCE_DATE_EPOCH
		first.Created, first.ID = second.Created, second.ID
	}
	if diff := cmp.Diff(first, second); diff != "" {
		t.Error(diff)
	}
}

func TestInsightsIsCheckedAndCanBeLeftOut(t *testing.T) {
	w := need(t)
	right := fmt.Sprintf("%x", sha256.Sum256(w.insights))
	image := w.mustBuild(t, Recorder, map[string]string{"INSIGHTS": "with", "INSIGHTS_PACKAGE": w.packages, "INSIGHTS_SHA256": right})
	files := w.files(t, image)
	for name, mode := range map[string]int64{"opt/extensions/cloudwatch_lambda_agent": 0o755, "opt/cloudwatch/cloudwatch_lambda_agent.toml": 0o644} {
		if got, there := files[name]; !there || got.mode&0o777 != mode {
			t.Errorf("%s is there: %v, with the mode %o", name, there, got.mode)
		}
	}
	for name, tc := range map[string]struct {
		arguments map[string]string
		says      string
	}{
		"another package": {map[string]string{"INSIGHTS": "with", "INSIGHTS_PACKAGE": w.packages, "INSIGHTS_SHA256": strings.Repeat("0", 64)}, "/insights.rpm: FAILED"},
		"no checksum":     {map[string]string{"INSIGHTS": "with", "INSIGHTS_PACKAGE": w.packages, "INSIGHTS_SHA256": ""}, "run `make pin-insights` once"},
	} {
		if image, err := w.build(t, w.project, Recorder, tc.arguments); err == nil || !strings.Contains(err.Error(), tc.says) {
			t.Errorf("%s: got %v, %v", name, image, err)
		}
	}
}

func TestAFunctionThatIsNotThereIsNotBuilt(t *testing.T) {
	w := need(t)
	arguments := maps.Clone(without)
	arguments["FUNCTION"] = "nobody"
	if image, err := w.build(t, w.project, Recorder, arguments); err == nil || !strings.Contains(err.Error(), "There is no nobody/bootstrap/main.go") {
		t.Errorf("got %v, %v", image, err)
	}
}

// Lambda accepts the manifest of one image, in Docker's or OCI's form, but not an index
// (https://docs.aws.amazon.com/lambda/latest/dg/images-create.html#images-reqs).
func TestAnImageIsPushedSmallAsLambdaTakesItAndPulledByItsDigest(t *testing.T) {
	w := need(t)
	base, _, _, err := w.registry.manifest("mirror/provided", strings.SplitN(w.standins["BASE_IMAGE"], "@", 2)[1])
	if err != nil {
		t.Fatal(err)
	}
	for _, function := range Functions() {
		t.Run(function, func(t *testing.T) {
			image := w.mustBuild(t, function, without)
			repository, tag, _ := strings.Cut(image, ":")
			name := w.registry.address + "/" + image
			w.run(t, "tag", image, name)
			w.run(t, "push", "--quiet", name)
			pushed, mediaType, digest, err := w.registry.manifest(repository, tag)
			if err != nil {
				t.Fatal(err)
			}
			if mediaType != dockerManifest && mediaType != ociManifest {
				t.Errorf("what was pushed is a %s", mediaType)
			}
			size := 0
			for i, layer := range pushed.Layers {
				if i < len(base.Layers) {
					if layer.Digest != base.Layers[i].Digest {
						t.Errorf("layer %d is not the base's", i)
					}
					continue
				}
				size += layer.Size
			}
			fmt.Printf("image of the %s, compressed, without base and Lambda Insights: %.2f MiB\n", function, float64(size)/(1<<20))
			if size > maxCompressed {
				t.Errorf("it has %d bytes, more than %d", size, maxCompressed)
			}
			before := w.inspect(t, name)
			w.run(t, "rmi", "--force", name, image)
			byDigest := w.registry.address + "/" + repository + "@" + digest
			w.run(t, "pull", "--quiet", "--platform", components.ImagePlatform, byDigest)
			if diff := cmp.Diff(before, w.inspect(t, byDigest)); diff != "" {
				t.Errorf("pushed (-) and pulled (+): %s", diff)
			}
		})
	}
}

// emulator returns what runs arm64 programs here: nothing on arm64, else qemu-user-static.
func emulator() string {
	if runtime.GOARCH == "arm64" {
		return ""
	}
	return "qemu-aarch64-static"
}

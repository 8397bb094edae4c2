package components

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// module returns a project whose folder src is a Go module with two programs.
func module(t *testing.T) string {
	t.Helper()
	project := t.TempDir()
	for name, content := range map[string]string{
		"Dockerfile":                    "FROM scratch\n",
		"go.mod":                        "module \"example.com/orders\" // ours\n\ngo 1.26\n",
		"go.sum":                        "",
		"intake/bootstrap/main.go":      "package main\n\nimport (\n\t\"fmt\"\n\n\t\"example.com/orders/book\"\n\t\"example.com/orders-of-others\"\n)\n",
		"intake/bootstrap/README.md":    "What it does.\n",
		"intake/bootstrap/bootstrap":    "a program that somebody built here",
		"intake/bootstrap/_old.go":      "package main\n\nimport \"example.com/orders/billing\"\n",
		"book/book.go":                  "package book\n\nimport (\n\t\"embed\"\n\n\t\"example.com/orders\"\n)\n\n//go:embed data/*.csv \"fine print\"\nvar files embed.FS\n",
		"book/book_arm64.s":             "// assembly\n",
		"book/book_windows.go":          "package book\n\nimport \"example.com/orders/windows\"\n",
		"book/book_test.go":             "package book\n\nimport \"example.com/orders/booktest\"\n",
		"book/generate.go":              "//go:build ignore\n\npackage main\n",
		"book/data/venues.csv":          "XNYS\n",
		"book/data/notes.txt":           "not embedded",
		"book/fine print/terms.md":      "embedded, though Markdown",
		"book/fine print/.DS_Store":     "not embedded",
		"book/testdata/valid.json":      "{}",
		"booktest/booktest.go":          "package booktest\n",
		"windows/windows.go":            "package windows\n",
		"orders.go":                     "package orders\n\nimport \"example.com/orders/book\"\n", // a cycle ends here, not in a loop
		"billing/bootstrap/main.go":     "package main\n",
		"intake/bootstrap/main_test.go": "package main\n",
	} {
		write(t, filepath.Join(project, "src", name), content)
	}
	return project
}

func TestTheContextOfAProgramIsWhatGoReadsOfIt(t *testing.T) {
	build, err := ImageSource{Project: module(t), Context: "src", Dockerfile: "src/Dockerfile", Program: "intake/bootstrap"}.Build()
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"Dockerfile", "book/book.go", "book/book_arm64.s", "book/book_windows.go", "book/data/venues.csv", "book/fine print/terms.md",
		"book/generate.go", "go.mod", "go.sum", "intake/bootstrap/main.go", "orders.go", "windows/windows.go",
	}
	if diff := cmp.Diff(want, slices.Sorted(maps.Keys(build.files))); diff != "" {
		t.Error(diff)
	}
}

func TestAProgramThatIsNotThereIsAnError(t *testing.T) {
	for name, tc := range map[string]struct {
		program string
		change  func(sources string) error
		want    string
	}{
		"no folder":            {"nobody/bootstrap", nil, "reading the package nobody/bootstrap"},
		"nothing but tests":    {"book", func(s string) error { return removeAll(s, "book/book.go", "book/book_windows.go", "book/generate.go") }, "has only tests"},
		"a package is missing": {"intake/bootstrap", func(s string) error { return os.RemoveAll(filepath.Join(s, "book")) }, "reading the package book"},
		"no Go": {"intake/bootstrap", func(s string) error {
			return os.WriteFile(filepath.Join(s, "book", "book.go"), []byte("package"), 0o600)
		}, "book.go:1:"},
		"no module":           {"intake/bootstrap", func(s string) error { return os.Remove(filepath.Join(s, "go.mod")) }, "go.mod"},
		"a module of no name": {"intake/bootstrap", func(s string) error { return os.WriteFile(filepath.Join(s, "go.mod"), nil, 0o600) }, "names no module"},
	} {
		t.Run(name, func(t *testing.T) {
			project := module(t)
			if tc.change != nil {
				if err := tc.change(filepath.Join(project, "src")); err != nil {
					t.Fatal(err)
				}
			}
			_, err := ImageSource{Project: project, Context: "src", Dockerfile: "src/Dockerfile", Program: tc.program}.Build()
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestDockersIgnoreFileDecidesWhereThereIsNoProgram(t *testing.T) {
	for name, tc := range map[string]struct {
		dockerfile, ignoreFile string
		want                   []string
	}{
		"none":                           {"src/Dockerfile", "", []string{"Dockerfile", "a.txt", "sub/b.txt"}},
		"of the context":                 {"src/Dockerfile", "src/.dockerignore", []string{"Dockerfile", "sub/b.txt"}},
		"of the Dockerfile":              {"src/Dockerfile", "src/Dockerfile.dockerignore", []string{"Dockerfile", "sub/b.txt"}},
		"of another":                     {"src/Dockerfile", "src/other.dockerignore", []string{"Dockerfile", "a.txt", "other.dockerignore", "sub/b.txt"}},
		"of a Dockerfile outside":        {"images/app.Dockerfile", "images/app.Dockerfile.dockerignore", []string{"Dockerfile", "app.Dockerfile", "sub/b.txt"}},
		"of a Dockerfile in a folder":    {"src/sub/Dockerfile", "src/.dockerignore", []string{"Dockerfile", "sub/Dockerfile", "sub/b.txt"}},
		"that leaves out the Dockerfile": {"src/a.txt", "src/.dockerignore", []string{"Dockerfile", "a.txt", "sub/b.txt"}},
	} {
		t.Run(name, func(t *testing.T) {
			project := t.TempDir()
			for _, file := range []string{"src/Dockerfile", "src/a.txt", "src/sub/b.txt", tc.dockerfile} {
				write(t, filepath.Join(project, file), "")
			}
			if tc.ignoreFile != "" {
				write(t, filepath.Join(project, tc.ignoreFile), "a.*\n")
			}
			build, err := ImageSource{Project: project, Context: "src", Dockerfile: tc.dockerfile}.Build()
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, slices.Sorted(maps.Keys(build.files))); diff != "" {
				t.Error(diff)
			}
			if name := strings.TrimPrefix(build.Dockerfile, build.Context+"/"); !slices.Contains(tc.want, name) || filepath.Base(name) != filepath.Base(tc.dockerfile) {
				t.Errorf("the Dockerfile is %s", build.Dockerfile)
			}
		})
	}
}

func TestAContextThatCannotBeCopiedIsAnError(t *testing.T) {
	for name, tc := range map[string]struct {
		dockerfile string
		change     func(project string) error
		want       string
	}{
		"two Dockerfiles":    {"Dockerfile", nil, "it has its own Dockerfile as well as Dockerfile"},
		"a link to a folder": {"src/Dockerfile", func(p string) error { return os.Symlink("sub", filepath.Join(p, "src", "link")) }, "link is neither a file nor a link to one"},
		"a link to nowhere":  {"src/Dockerfile", func(p string) error { return os.Symlink("nowhere", filepath.Join(p, "src", "link")) }, "src/link: no such file"},
		"a bad pattern": {"src/Dockerfile", func(p string) error {
			return os.WriteFile(filepath.Join(p, "src", ".dockerignore"), []byte("[\n"), 0o600)
		}, "patterns of the ignore file"},
	} {
		t.Run(name, func(t *testing.T) {
			project := t.TempDir()
			for _, file := range []string{"src/Dockerfile", "src/sub/a.txt", "Dockerfile"} {
				write(t, filepath.Join(project, file), "")
			}
			if tc.change != nil {
				if err := tc.change(project); err != nil {
					t.Fatal(err)
				}
			}
			if _, err := (ImageSource{Project: project, Context: "src", Dockerfile: tc.dockerfile}).Build(); err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got %v", err)
			}
		})
	}
}

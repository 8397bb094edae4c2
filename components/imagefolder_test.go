package components

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// copied copies a build context, and returns what the Docker provider hashes: the mode and content of each file.
func copied(t *testing.T, source ImageSource) (ImageBuild, map[string]string) {
	t.Helper()
	build, err := source.Build()
	if err != nil {
		t.Fatal(err)
	}
	if err := build.WriteContext(); err != nil {
		t.Fatal(err)
	}
	return build, contents(t, filepath.Join(source.Project, build.Context))
}

func contents(t *testing.T, folder string) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		text := info.Mode().String()
		if !entry.IsDir() {
			content, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			text += " " + string(content)
		}
		files[strings.TrimPrefix(path, folder)] = text
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// The provider builds and pushes again when its own hash of the context changes, and an existing tag is refused: tag
// and copied files must be the same wherever a commit is checked out.
func TestACommitIsTheSameContextInEveryCheckout(t *testing.T) {
	defer syscall.Umask(syscall.Umask(0o022))
	program := ImageSource{Context: "src", Dockerfile: "src/Dockerfile", Program: "intake/bootstrap"}
	ignoring := ImageSource{Context: "src/book", Dockerfile: "src/Dockerfile"}
	for name, source := range map[string]ImageSource{"a program": program, "a folder": ignoring} {
		t.Run(name, func(t *testing.T) {
			var first ImageBuild
			var want map[string]string
			for _, checkout := range []struct {
				umask          int
				mode, executed fs.FileMode // of files, and of those that Git knows as executable
			}{{0o022, 0o644, 0o755}, {0o002, 0o664, 0o775}, {0o077, 0o600, 0o700}, {0o022, 0o655, 0o744}} {
				syscall.Umask(checkout.umask)
				source.Project = module(t)
				err := filepath.WalkDir(source.Project, func(path string, entry fs.DirEntry, err error) error {
					switch {
					case err != nil || entry.IsDir():
						return err
					case strings.HasSuffix(path, ".csv"):
						return os.Chmod(path, checkout.executed)
					}
					return os.Chmod(path, checkout.mode)
				})
				if err != nil {
					t.Fatal(err)
				}
				build, got := copied(t, source)
				if want == nil {
					first, want = build, got
				}
				if diff := cmp.Diff(want, got); diff != "" || build.Tag != first.Tag || build.Context != first.Context {
					t.Errorf("with the umask %o the tag is %s, not %s: %s", checkout.umask, build.Tag, first.Tag, diff)
				}
			}
			for name, content := range want {
				mode, _, _ := strings.Cut(content, " ")
				allowed := []string{"-rw-r--r--", "drwxr-xr-x"}
				if source.Program == "" && strings.HasSuffix(name, ".csv") {
					allowed = []string{"-rwxr-xr-x"}
				}
				if !slices.Contains(allowed, mode) {
					t.Errorf("%s is copied with the mode %s", name, mode)
				}
			}
		})
	}
}

func TestLinksAreCopiedAsTheFilesTheyLeadTo(t *testing.T) {
	linked, plain := sources(t), sources(t)
	if err := os.Symlink("main.go", filepath.Join(linked, "src", "again.go")); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(plain, "src", "again.go"), "package main\n")
	a, link := copied(t, ImageSource{Project: linked, Context: "src", Dockerfile: "src/Dockerfile"})
	b, file := copied(t, ImageSource{Project: plain, Context: "src", Dockerfile: "src/Dockerfile"})
	if diff := cmp.Diff(file, link); diff != "" || a.Tag != b.Tag {
		t.Errorf("%s and %s: %s", a.Tag, b.Tag, diff)
	}
}

// A context that is the whole project would contain the earlier copies.
func TestCopiesAreNoPartOfAContext(t *testing.T) {
	source := ImageSource{Project: sources(t), Context: ".", Dockerfile: "src/Dockerfile"}
	first, want := copied(t, source)
	second, got := copied(t, source)
	if diff := cmp.Diff(want, got); diff != "" || first.Tag != second.Tag {
		t.Errorf("%s, then %s: %s", first.Tag, second.Tag, diff)
	}
	if ignored, err := os.ReadFile(filepath.Join(source.Project, "dist", "image-contexts", ".gitignore")); err != nil || string(ignored) != "*\n" {
		t.Errorf("Git ignores %q (%v)", ignored, err)
	}
}

func TestACopyIsUsedAgainAndMendedWhereItWasChanged(t *testing.T) {
	source := ImageSource{Project: sources(t), Context: "src", Dockerfile: "src/Dockerfile"}
	build, want := copied(t, source)
	folder := filepath.Join(source.Project, build.Context)
	before, err := os.Stat(folder)
	if err != nil {
		t.Fatal(err)
	}
	copied(t, source)
	if after, err := os.Stat(folder); err != nil || !os.SameFile(before, after) {
		t.Errorf("it was copied again (%v)", err)
	}
	for name, change := range map[string]func() error{
		"a file is gone":     func() error { return os.Remove(filepath.Join(folder, "main.go")) },
		"a file was changed": func() error { return os.WriteFile(filepath.Join(folder, "main.go"), []byte("package other\n"), 0o600) },
		"a file was added":   func() error { return os.WriteFile(filepath.Join(folder, "more.go"), []byte("package main\n"), 0o600) },
		"a mode was changed": func() error { return os.Chmod(filepath.Join(folder, "main.go"), 0o664) },
		"nothing is left":    func() error { return removeAll(folder, "*") },
	} {
		if err := change(); err != nil {
			t.Fatal(err)
		}
		if _, got := copied(t, source); cmp.Diff(want, got) != "" {
			t.Errorf("%s: %s", name, cmp.Diff(want, got))
		}
	}
}

func removeAll(folder string, patterns ...string) error {
	for _, pattern := range patterns {
		names, err := filepath.Glob(filepath.Join(folder, pattern))
		if err != nil {
			return err
		}
		for _, name := range names {
			if err := os.RemoveAll(name); err != nil {
				return err
			}
		}
	}
	return nil
}

// If the folder is visible, it is complete. Calls of WriteContext share nothing but the file system, so goroutines can
// stand in for processes.
func TestManyCopyTheSameAtOnce(t *testing.T) {
	source := ImageSource{Project: module(t), Context: "src", Dockerfile: "src/Dockerfile", Program: "intake/bootstrap"}
	for range 20 {
		build, err := source.Build()
		if err != nil {
			t.Fatal(err)
		}
		if err := os.RemoveAll(filepath.Join(source.Project, "dist")); err != nil {
			t.Fatal(err)
		}
		var all sync.WaitGroup
		for range 8 {
			all.Go(func() {
				if err := build.WriteContext(); err != nil {
					t.Error(err)
				}
				if !build.isIn(filepath.Join(source.Project, build.Context)) {
					t.Error("it is not all there")
				}
			})
		}
		all.Wait()
		entries, err := os.ReadDir(filepath.Join(source.Project, contextsFolder))
		if err != nil || len(entries) != 2 { // the folder and .gitignore
			t.Fatalf("left are %v (%v)", entries, err)
		}
	}
}

func TestWhatNobodyBuildsFromAnymoreIsRemoved(t *testing.T) {
	source := ImageSource{Project: sources(t), Context: "src", Dockerfile: "src/Dockerfile"}
	root := filepath.Join(source.Project, contextsFolder)
	age := func(name string) {
		t.Helper()
		write(t, filepath.Join(root, name, "file"), "")
		old := time.Now().Add(-keptUnused - time.Hour)
		if err := os.Chtimes(filepath.Join(root, name), old, old); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"src-0123456789abcdef", "0123456789abcdef", ".writing-123", "somebody's"} {
		age(name)
	}
	write(t, filepath.Join(root, "other-0123456789abcdef", "file"), "")
	build, _ := copied(t, source)
	names := func() []string {
		t.Helper()
		var names []string
		entries, err := os.ReadDir(root)
		if err != nil {
			t.Fatal(err)
		}
		for _, entry := range entries {
			names = append(names, entry.Name())
		}
		return names
	}
	now := filepath.Base(build.Context)
	if diff := cmp.Diff([]string{".gitignore", "other-0123456789abcdef", "somebody's", now}, names()); diff != "" {
		t.Error(diff)
	}
	// A reused copy counts as new.
	old := time.Now().Add(-keptUnused - time.Hour)
	if err := os.Chtimes(filepath.Join(root, now), old, old); err != nil {
		t.Fatal(err)
	}
	copied(t, source)
	source.Args = map[string]string{"MORE": "1"}
	copied(t, source)
	if !slices.Contains(names(), now) {
		t.Error("what another update builds from was removed")
	}
}

func TestAProjectThatCannotBeWrittenToSaysWhatToDo(t *testing.T) {
	source := ImageSource{Project: sources(t), Context: "src", Dockerfile: "src/Dockerfile"}
	write(t, filepath.Join(source.Project, "dist"), "a file, which stops root too")
	build, err := source.Build()
	if err != nil {
		t.Fatal(err)
	}
	err = build.WriteContext()
	want := "writing the build context of an image to " + filepath.Join(source.Project, contextsFolder) + ", which the deploying user must be able to write to: "
	if err == nil || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("got %v", err)
	}
}

func TestASourceThatChangesMeanwhileIsNotCopied(t *testing.T) {
	source := ImageSource{Project: sources(t), Context: "src", Dockerfile: "src/Dockerfile"}
	build, err := source.Build()
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(source.Project, "src", "main.go"), "package main // changed\n")
	if err := build.WriteContext(); err == nil || !strings.Contains(err.Error(), "main.go changed while it was being copied") {
		t.Errorf("got %v", err)
	}
	if _, err := os.Stat(filepath.Join(source.Project, build.Context)); err == nil {
		t.Error("it is there")
	}
}

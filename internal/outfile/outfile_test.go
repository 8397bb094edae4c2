package outfile_test

import (
	"compress/gzip"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"trade-processing/internal/outfile"
)

func write(t *testing.T, path, content string) *outfile.File {
	t.Helper()
	f, err := outfile.Create(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(f, content); err != nil {
		t.Fatal(err)
	}
	return f
}

// holds compares a file's content, and checks that nothing else is in its directory.
func holds(t *testing.T, path, want string, others ...string) {
	t.Helper()
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Errorf("%s holds %q, want %q", path, got, want)
	}
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		t.Fatal(err)
	}
	if len(entries) != 1+len(others) {
		t.Errorf("the directory has %v", entries)
	}
}

func TestTheFileAppearsWhenItIsWhole(t *testing.T) {
	path := filepath.Join(t.TempDir(), "out.json")
	f := write(t, path, "new")
	if _, err := os.Stat(path); err == nil {
		t.Error("the file is there before it is committed")
	}
	if err := f.Commit(); err != nil {
		t.Fatal(err)
	}
	f.Discard()
	holds(t, path, "new")
}

func TestAReplacedFileKeepsItsMode(t *testing.T) {
	path := filepath.Join(t.TempDir(), "out.json")
	if err := os.WriteFile(path, []byte("old"), 0o640); err != nil {
		t.Fatal(err)
	}
	if err := write(t, path, "new").Commit(); err != nil {
		t.Fatal(err)
	}
	holds(t, path, "new")
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o640 {
		t.Errorf("mode %v (%v), want 0640", info.Mode(), err)
	}
}

func TestADiscardedFileLeavesTheOldOne(t *testing.T) {
	path := filepath.Join(t.TempDir(), "out.json")
	if err := os.WriteFile(path, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	f := write(t, path, "new")
	f.Discard()
	if err := f.Commit(); err != nil {
		t.Errorf("committing what was discarded: %v", err)
	}
	holds(t, path, "old")
}

func TestASymbolicLinkStaysOne(t *testing.T) {
	directory := t.TempDir()
	target, link := filepath.Join(directory, "target"), filepath.Join(directory, "link")
	if err := os.WriteFile(target, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(target, link); err != nil {
		t.Fatal(err)
	}
	if err := write(t, link, "new").Commit(); err != nil {
		t.Fatal(err)
	}
	holds(t, target, "new", link)
	if info, err := os.Lstat(link); err != nil || info.Mode()&os.ModeSymlink == 0 {
		t.Errorf("the link is now %v (%v)", info.Mode(), err)
	}
}

func TestADeviceIsWrittenAndNotReplaced(t *testing.T) {
	f := write(t, os.DevNull, "gone")
	if err := f.Commit(); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(os.DevNull); err != nil || info.Mode()&os.ModeDevice == 0 {
		t.Fatalf("%s is now %v (%v)", os.DevNull, info.Mode(), err)
	}
}

func TestANameThatEndsInGzIsCompressed(t *testing.T) {
	path := filepath.Join(t.TempDir(), "out.json.gz")
	if err := write(t, path, "text").Commit(); err != nil {
		t.Fatal(err)
	}
	stored, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer stored.Close() //nolint:errcheck // only read
	text, err := gzip.NewReader(stored)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(text); err != nil || string(got) != "text" {
		t.Errorf("got %q (%v)", got, err)
	}
}

func TestWhatCannotBeWrittenIsSaidAtOnce(t *testing.T) {
	directory := t.TempDir()
	for path, want := range map[string]string{
		directory:                               "it is a directory; name a file in it",
		filepath.Join(directory, "no", "where"): "no such file or directory",
	} {
		if _, err := outfile.Create(t.Context(), path); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", path, err, want)
		}
	}
}

package outfile_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"trade-processing/internal/outfile"
)

func TestOutputsThatWouldDestroyDataAreRefused(t *testing.T) {
	folder := t.TempDir()
	t.Chdir(folder)
	for name, text := range map[string]string{"in": "input", "old": "old", "protected": "protected"} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for link, to := range map[string]string{"link": "in", "dangling": "new", "here": "."} {
		if err := os.Symlink(to, link); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Link("in", "hard"); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		out, logs string
		want      string // empty: they are taken
	}{
		"an input":                        {"in", "", "--out in: this is the input in, which would be lost; name another file"},
		"an input, spelled otherwise":     {"./here/in", "", "this is the input in"},
		"an input through a link":         {"link", "", "this is the input in"},
		"another name of an input":        {"hard", "", "this is the input in"},
		"a file twice":                    {"old", "./old", "--logs ./old: this is --out old"},
		"a new file twice":                {"new", filepath.Join(folder, "new"), "this is --out new"},
		"a new file and a link to it":     {"new", "dangling", "this is --out new"},
		"a new file in a linked folder":   {"here/new", "new", "this is --out here/new"},
		"standard output's name":          {"-", "", "--out -: name a file"},
		"a folder":                        {"here", "", "--out: writing here: it is a directory; name a file in it"},
		"what would be a folder":          {"nowhere/", "", "it is a directory"},
		"a file in no folder":             {"nowhere/new", "", "--out: writing nowhere/new: no such file or directory"},
		"another file":                    {"old", "", ""},
		"a device twice":                  {os.DevNull, os.DevNull, ""},
		"no file":                         {"", "", ""},
		"a link to a file that isn't yet": {"dangling", "old", ""},
	} {
		t.Run(name, func(t *testing.T) {
			files, err := outfile.Open(t.Context(), []outfile.Output{{Flag: "--out", Path: test.out}, {Flag: "--logs", Path: test.logs}}, "in", "not-there")
			if test.want == "" {
				if err != nil || (files[0] == nil) != (test.out == "") || (files[1] == nil) != (test.logs == "") {
					t.Errorf("%v, %v", files, err)
				}
				outfile.Discard(files...)
			} else if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %s", err, test.want)
			}
			if left, _ := filepath.Glob(".*.tmp"); len(left) > 0 {
				t.Errorf("left behind: %v", left)
			}
		})
	}
}

func TestALinkToAFileThatIsNotYetStaysOne(t *testing.T) {
	directory := t.TempDir()
	target, link := filepath.Join(directory, "target"), filepath.Join(directory, "link")
	if err := os.Symlink("target", link); err != nil {
		t.Fatal(err)
	}
	if err := write(t, link, "new").Commit(); err != nil {
		t.Fatal(err)
	}
	holds(t, target, "new", link)
}

// A folder that may be written to would let its protected files be replaced.
func TestAFileThatIsProtectedStays(t *testing.T) {
	if os.Getuid() == 0 {
		t.Skip("root may write to every file")
	}
	path := filepath.Join(t.TempDir(), "protected")
	if err := os.WriteFile(path, []byte("old"), 0o400); err != nil {
		t.Fatal(err)
	}
	if _, err := outfile.Create(t.Context(), path); err == nil || !strings.Contains(err.Error(), "permission denied") {
		t.Errorf("got %v", err)
	}
	holds(t, path, "old")
}

func TestAPipeThatNobodyReadsCanBeInterrupted(t *testing.T) {
	pipe := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Skip(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := outfile.Create(ctx, pipe); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}

	reader, err := os.OpenFile(pipe, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close() //nolint:errcheck // it reads nothing
	ctx, cancel = context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	file, err := outfile.Create(ctx, pipe)
	if err != nil {
		t.Fatal(err)
	}
	for range 10 {
		if _, err = file.Write(make([]byte, 256<<10)); err != nil {
			break
		}
	}
	if err == nil {
		t.Error("a pipe that nobody reads takes everything")
	}
	file.Discard()
}

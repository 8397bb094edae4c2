// Package outfile writes a file that is either complete or absent: it writes a temporary file next to it, and renames
// that at the end. An interrupt leaves the old file unchanged.
package outfile

import (
	"bufio"
	"cmp"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"

	"trade-processing/internal/files"
)

// File is a file being written. End it with Commit or Discard; Discard after Commit does nothing, so it can be
// deferred.
type File struct {
	path   string // where it goes; with symbolic links resolved
	file   *os.File
	mode   fs.FileMode // of the replaced file; 0 if there is none
	direct bool        // a device or pipe, which can't be replaced and is written directly
	buffer *bufio.Writer
	zip    *gzip.Writer // nil unless the name ends in .gz
	done   bool
}

// Create starts writing the file at path. If the name ends in .gz, it is compressed. A pipe may have no reader yet: it
// is waited for until ctx ends, and writes to a pipe or device end then too.
func Create(ctx context.Context, path string) (*File, error) {
	f, err := create(ctx, path)
	if ctx.Err() != nil && err != nil {
		return nil, ctx.Err()
	}
	if err != nil {
		return nil, fmt.Errorf("writing %s: %w", path, files.Reason(err))
	}
	f.buffer = bufio.NewWriterSize(f.file, 256<<10)
	if strings.HasSuffix(path, ".gz") {
		f.zip = gzip.NewWriter(f.buffer)
	}
	return f, nil
}

func create(ctx context.Context, path string) (*File, error) {
	f := &File{path: path}
	info, err := os.Stat(path)
	switch {
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return nil, err
	case err == nil && info.IsDir(), strings.HasSuffix(path, string(filepath.Separator)):
		return nil, errors.New("it is a directory; name a file in it")
	case err == nil && !info.Mode().IsRegular():
		f.direct = true
		if f.file, err = files.OpenPipe(ctx, path, os.O_WRONLY); err == nil {
			context.AfterFunc(ctx, func() { f.file.Close() }) //nolint:errcheck // it ends a write that waits
		}
		return f, err
	case err == nil:
		f.mode = info.Mode().Perm()
		// Whoever may write to the folder could replace a file that is protected against writing.
		old, err := os.OpenFile(path, os.O_WRONLY, 0)
		if err != nil {
			return nil, err
		}
		if err := old.Close(); err != nil {
			return nil, err
		}
	}
	// Replacing a symbolic link with a file would surprise the person who made it.
	if f.path, err = resolve(path); err != nil {
		return nil, err
	}
	// Not os.CreateTemp: it makes files private to their owner, whatever the umask.
	temporary := fmt.Sprintf(".%s.%08x.tmp", filepath.Base(f.path), rand.Uint32())
	f.file, err = os.OpenFile(filepath.Join(filepath.Dir(f.path), temporary), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	return f, err
}

// resolve returns the file that a path leads to, which needn't be there yet.
func resolve(path string) (string, error) {
	if target, err := filepath.EvalSymlinks(path); err == nil {
		return target, nil
	}
	for range 40 { // as many as Linux follows
		to, err := os.Readlink(path)
		if err != nil {
			break // not a link
		}
		if !filepath.IsAbs(to) {
			folder, _ := filepath.Split(path) // not Join and Dir: they take .. for the folder that a link is in
			to = folder + to
		}
		path = to
	}
	folder, name := filepath.Split(path)
	folder, err := filepath.EvalSymlinks(cmp.Or(folder, "."))
	if err != nil {
		return "", err
	}
	return filepath.Join(folder, name), nil
}

// Write buffers p. It is not safe for concurrent use.
func (f *File) Write(p []byte) (int, error) {
	if f.zip != nil {
		return f.zip.Write(p)
	}
	return f.buffer.Write(p)
}

var _ io.Writer = (*File)(nil)

// Commit writes the content to disk and puts the file in place. On an error the old file, if any, is still there.
func (f *File) Commit() error {
	if f.done {
		return nil
	}
	if err := f.flush(); err != nil {
		f.Discard()
		return fmt.Errorf("writing %s: %w", f.path, err)
	}
	f.done = true
	if f.direct {
		return f.file.Close()
	}
	if err := errors.Join(f.file.Close(), os.Rename(f.file.Name(), f.path)); err != nil {
		os.Remove(f.file.Name()) //nolint:errcheck // the first error is the one to tell
		return fmt.Errorf("writing %s: %w", f.path, err)
	}
	return nil
}

// flush empties the buffers and makes sure the file survives a power cut before it is renamed.
func (f *File) flush() error {
	if f.zip != nil {
		if err := f.zip.Close(); err != nil {
			return err
		}
	}
	if err := f.buffer.Flush(); err != nil {
		return err
	}
	if f.direct {
		return nil
	}
	if f.mode != 0 {
		if err := f.file.Chmod(f.mode); err != nil {
			return err
		}
	}
	return f.file.Sync()
}

// Discard abandons the file and leaves no trace of it.
func (f *File) Discard() {
	if f.done {
		return
	}
	f.done = true
	f.file.Close() //nolint:errcheck // its content isn't wanted
	if !f.direct {
		os.Remove(f.file.Name()) //nolint:errcheck // nothing more can be done about it
	}
}

package components

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"time"
)

// contextsFolder is where build contexts are copied to, below the project. Git ignores it, whatever the project's
// settings.
const contextsFolder = "dist/image-contexts"

// keptUnused is how long a copy stays if nobody builds from it.
const keptUnused = 24 * time.Hour

// WriteContext copies the build context to its folder, unless it is already there. Other processes may do the same at
// the same time: the folder is written next to its place and moved there, so it is complete once it is there.
func (b ImageBuild) WriteContext() error {
	folder := filepath.Join(b.project, filepath.FromSlash(b.Context))
	if b.isIn(folder) {
		now := time.Now()
		_ = os.Chtimes(folder, now, now) // for removeOld; a user who may not do this may not remove the folder either
		return nil
	}
	root := filepath.Dir(folder)
	if err := b.writeFolder(root, folder); err != nil {
		return fmt.Errorf("writing the build context of an image to %s, which the deploying user must be able to write to: %w", root, err)
	}
	removeOld(root)
	return nil
}

func (b ImageBuild) writeFolder(root, folder string) error {
	if err := os.MkdirAll(root, 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(root, ".gitignore"), []byte("*\n"), 0o644); err != nil {
		return err
	}
	temporary, err := os.MkdirTemp(root, temporaryPrefix)
	if err != nil {
		return err
	}
	defer os.RemoveAll(temporary) //nolint:errcheck // removeOld has another try
	written := filepath.Join(temporary, "new")
	if err := b.writeFiles(written); err != nil {
		return err
	}
	if os.Rename(written, folder) == nil || b.isIn(folder) {
		return nil
	}
	// Somebody has changed the copy. It doesn't matter which process moves it away.
	_ = os.Rename(folder, filepath.Join(temporary, "old"))
	if err := os.Rename(written, folder); err != nil && !b.isIn(folder) {
		return err
	}
	return nil
}

// writeFiles writes the files with their modes, whatever the umask.
func (b ImageBuild) writeFiles(folder string) error {
	for name, file := range b.files {
		target := filepath.Join(folder, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
			return err
		}
		if err := file.copy(target); err != nil {
			return err
		}
	}
	return filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.IsDir() {
			return err
		}
		return os.Chmod(path, 0o755)
	})
}

func (f contextFile) copy(target string) error {
	to, err := os.OpenFile(target, os.O_WRONLY|os.O_CREATE|os.O_EXCL, f.mode)
	if err != nil {
		return err
	}
	sum, err := sumOf(f.source, to)
	if err == nil && sum != f.sum {
		err = fmt.Errorf("%s changed while it was being copied: start again", f.source)
	}
	return errors.Join(err, to.Close(), os.Chmod(target, f.mode))
}

var errDiffers = errors.New("this differs from what was copied")

// isIn reports whether a folder holds the files of the build context, and no others.
func (b ImageBuild) isIn(folder string) bool {
	count := 0
	err := fs.WalkDir(os.DirFS(folder), ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		file, known := b.files[name]
		if !known || info.Mode() != file.mode {
			return errDiffers
		}
		if sum, err := sumOf(filepath.Join(folder, filepath.FromSlash(name)), io.Discard); err != nil || sum != file.sum {
			return errDiffers
		}
		count++
		return nil
	})
	return err == nil && count == len(b.files)
}

const temporaryPrefix = ".writing-"

// removable matches the names of what WriteContext created: a build context, or the remains of a killed process.
var removable = regexp.MustCompile(fmt.Sprintf(`^%s|(^|-)[0-9a-f]{%d}$`, regexp.QuoteMeta(temporaryPrefix), tagLength))

// removeOld removes copies that nobody has used for a long time. What can't be removed is left for the next time.
func removeOld(root string) {
	entries, _ := os.ReadDir(root)
	for _, entry := range entries {
		if info, err := entry.Info(); err == nil && entry.IsDir() && removable.MatchString(entry.Name()) && time.Since(info.ModTime()) > keptUnused {
			_ = os.RemoveAll(filepath.Join(root, entry.Name()))
		}
	}
}

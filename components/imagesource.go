package components

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/moby/patternmatcher"
	"github.com/moby/patternmatcher/ignorefile"
)

// ImageSource is what a container image is built from. Paths are relative to the project's folder, so that the state
// that one machine writes holds for all others.
type ImageSource struct {
	// Project is the folder that Context and Dockerfile are read from here, to find out what changed. The Docker provider
	// reads them from where the engine runs. Default: the Pulumi project's folder.
	Project string

	// Context is the folder that is sent to the builder.
	Context string

	// Dockerfile is the build's Dockerfile. Docker and the Docker provider look for "<its base name>.dockerignore" in
	// Context (".dockerignore" when the base name is just "Dockerfile"). What that file lets in decides when the image is
	// built again, so give each image of a shared context a Dockerfile name and an ignore file of its own.
	Dockerfile string

	// Args are the build's arguments.
	Args map[string]string
}

// ImagePlatform is what images are built for. It is said, as the builder's own architecture is the default.
const ImagePlatform = "linux/arm64"

// ImageBuild is an image's name and what it is built with.
type ImageBuild struct {
	// Tag is a name for the image that changes with every file, build argument and platform that it is made of, and with
	// nothing else. Tags are immutable in the repository: a tag that exists is refused.
	Tag string

	// Args are the source's, and what the image says of itself: VERSION is the tag, REVISION the whole digest that the tag is
	// the beginning of. A commit would be another one after every change of a page, and the image with it. SOURCE_DATE_EPOCH
	// is the time that builders since Docker Engine 23 give to the image: always the same, so that the image's digest is too.
	Args map[string]string
}

// tagLength is how many hexadecimal digits of the digest a tag has.
const tagLength = 16

// Build tells how the image is called and built.
func (s ImageSource) Build() (ImageBuild, error) {
	digest, err := s.digest(ImagePlatform)
	if err != nil {
		return ImageBuild{}, err
	}
	build := ImageBuild{Tag: digest[:tagLength], Args: map[string]string{
		"VERSION": digest[:tagLength], "REVISION": digest, "SOURCE_DATE_EPOCH": "0",
	}}
	maps.Copy(build.Args, s.Args)
	return build, nil
}

// digest is a digest, in hexadecimal digits, of every file, build argument and platform that the image is made of.
func (s ImageSource) digest(platform string) (string, error) {
	folder := filepath.Join(s.Project, s.Context)
	ignored, err := s.ignored(folder)
	if err != nil {
		return "", err
	}
	digest := sha256.New()
	fmt.Fprintf(digest, "platform %q\n", platform)
	for _, name := range slices.Sorted(maps.Keys(s.Args)) {
		fmt.Fprintf(digest, "argument %q=%q\n", name, s.Args[name])
	}
	if err := addFile(digest, "Dockerfile", filepath.Join(s.Project, s.Dockerfile)); err != nil {
		return "", err
	}
	err = filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || path == folder {
			return err
		}
		relative, err := filepath.Rel(folder, path)
		if err != nil {
			return err
		}
		out, err := ignored.MatchesOrParentMatches(filepath.ToSlash(relative))
		switch {
		case err != nil:
			return fmt.Errorf("matching %s: %w", relative, err)
		case entry.IsDir() && out && !ignored.Exclusions():
			return fs.SkipDir
		case entry.IsDir() || out:
			return nil
		}
		return addFile(digest, filepath.ToSlash(relative), path)
	})
	if err != nil {
		return "", fmt.Errorf("reading the build context %s: %w", s.Context, err)
	}
	return hex.EncodeToString(digest.Sum(nil)), nil
}

// ignored reads the ignore file of the image, as the Docker provider does.
func (s ImageSource) ignored(folder string) (*patternmatcher.PatternMatcher, error) {
	name := ".dockerignore"
	if base := filepath.Base(s.Dockerfile); base != "Dockerfile" {
		name = base + name
	}
	var patterns []string
	file, err := os.Open(filepath.Join(folder, name))
	switch {
	case err == nil:
		defer file.Close() //nolint:errcheck // only read
		if patterns, err = ignorefile.ReadAll(file); err != nil {
			return nil, fmt.Errorf("reading %s: %w", name, err)
		}
	case !errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("opening the ignore file: %w", err)
	}
	matcher, err := patternmatcher.New(patterns)
	if err != nil {
		return nil, fmt.Errorf("reading the patterns of %s: %w", name, err)
	}
	return matcher, nil
}

// addFile adds a file's name, whether it may be executed, and its content.
func addFile(digest io.Writer, name, path string) error {
	content, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	fmt.Fprintf(digest, "file %q %t %x\n", name, info.Mode()&0o111 != 0, sha256.Sum256(content))
	return nil
}

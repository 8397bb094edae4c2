package components

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"go/build"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/moby/patternmatcher"
	"github.com/moby/patternmatcher/ignorefile"
	"golang.org/x/mod/modfile"
)

// contextFiles are the files of a build context, by their names in it, with slashes.
type contextFiles map[string]contextFile

type contextFile struct {
	source string      // where it is read from
	mode   fs.FileMode // of the copy, whatever it is at the source
	sum    [sha256.Size]byte
}

// add adds a file that is read from source.
func (f contextFiles) add(name, source string, mode fs.FileMode) error {
	sum, err := sumOf(source, io.Discard)
	if err != nil {
		return err
	}
	f[name] = contextFile{source, mode, sum}
	return nil
}

// sumOf returns the checksum of a file, copying it along the way.
func sumOf(name string, to io.Writer) (sum [sha256.Size]byte, err error) {
	file, err := os.Open(name)
	if err != nil {
		return sum, err
	}
	defer file.Close() //nolint:errcheck // only read
	hash := sha256.New()
	if _, err := io.Copy(io.MultiWriter(hash, to), file); err != nil {
		return sum, err
	}
	return [sha256.Size]byte(hash.Sum(nil)), nil
}

// The modes of copies. Git keeps no others.
const (
	plain      fs.FileMode = 0o644
	executable fs.FileMode = 0o755
)

// files returns the files of the build context, and the name of the Dockerfile among them.
func (s ImageSource) files(project string) (files contextFiles, dockerfile string, err error) {
	folder, source := filepath.Join(project, s.Context), filepath.Join(project, s.Dockerfile)
	if s.Program != "" {
		files, err = programFiles(folder, path.Clean(filepath.ToSlash(s.Program)))
	} else {
		files, err = s.filesLetIn(project, folder)
	}
	if err != nil {
		return nil, "", err
	}
	relative, err := filepath.Rel(folder, source)
	if err != nil || !filepath.IsLocal(relative) {
		relative = filepath.Base(source)
	}
	dockerfile = filepath.ToSlash(relative)
	if other, taken := files[dockerfile]; taken && other.source != source {
		return nil, "", fmt.Errorf("it has its own %s as well as %s: rename the one outside", dockerfile, s.Dockerfile)
	}
	return files, dockerfile, files.add(dockerfile, source, plain)
}

// filesLetIn returns the files of a folder except those that Docker's ignore file excludes, and the ignore files
// themselves: a copy would apply them again.
func (s ImageSource) filesLetIn(project, folder string) (contextFiles, error) {
	ignoreFiles := []string{filepath.Join(project, s.Dockerfile) + ".dockerignore", filepath.Join(folder, ".dockerignore")}
	ignored, err := readIgnoreFile(ignoreFiles)
	if err != nil {
		return nil, err
	}
	files := contextFiles{}
	return files, fs.WalkDir(os.DirFS(folder), ".", func(name string, entry fs.DirEntry, err error) error {
		source := filepath.Join(folder, filepath.FromSlash(name))
		if err != nil || name == "." || slices.Contains(ignoreFiles, source) {
			return err
		}
		out, err := ignored.MatchesOrParentMatches(name)
		switch {
		case err != nil:
			return fmt.Errorf("matching %s: %w", name, err)
		case source == filepath.Join(project, contextsFolder), entry.IsDir() && out && !ignored.Exclusions():
			return fs.SkipDir
		case entry.IsDir() || out:
			return nil
		}
		info, err := os.Stat(source)
		if err != nil {
			return err
		}
		mode := plain
		switch {
		case !info.Mode().IsRegular():
			return fmt.Errorf("%s is neither a file nor a link to one: exclude it in the ignore file", name)
		case info.Mode()&0o100 != 0:
			mode = executable
		}
		return files.add(name, source, mode)
	})
}

// readIgnoreFile reads the first ignore file that exists.
func readIgnoreFile(names []string) (*patternmatcher.PatternMatcher, error) {
	var patterns []string
	for _, name := range names {
		file, err := os.Open(name)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("opening the ignore file: %w", err)
		}
		defer file.Close() //nolint:errcheck // only read
		if patterns, err = ignorefile.ReadAll(file); err != nil {
			return nil, fmt.Errorf("reading %s: %w", name, err)
		}
		break
	}
	matcher, err := patternmatcher.New(patterns)
	if err != nil {
		return nil, fmt.Errorf("reading the patterns of the ignore file: %w", err)
	}
	return matcher, nil
}

// goFiles finds what `go build` reads of a package, for every platform and tag, because the Dockerfile decides which
// ones it builds with.
var goFiles = build.Context{Compiler: "gc", GOOS: "linux", GOARCH: "arm64", CgoEnabled: true, UseAllFiles: true}

// programFiles returns the files that a Go program in a folder's module is built from.
func programFiles(folder, program string) (contextFiles, error) {
	files := contextFiles{}
	for _, name := range []string{"go.mod", "go.sum"} {
		err := files.add(name, filepath.Join(folder, name), plain)
		if err != nil && (name == "go.mod" || !errors.Is(err, fs.ErrNotExist)) { // without dependencies, there is no go.sum
			return nil, err
		}
	}
	text, err := os.ReadFile(filepath.Join(folder, "go.mod"))
	if err != nil {
		return nil, err
	}
	module := modfile.ModulePath(text)
	if module == "" {
		return nil, fmt.Errorf("%s names no module", filepath.Join(folder, "go.mod"))
	}
	packages := []string{program} // by folder; each adds those it imports
	for i := 0; i < len(packages); i++ {
		imports, err := files.addPackage(folder, packages[i])
		if err != nil {
			return nil, err
		}
		for _, imported := range imports {
			inner, own := strings.CutPrefix(imported+"/", module+"/")
			if inner = path.Clean(inner); own && !slices.Contains(packages, inner) {
				packages = append(packages, inner)
			}
		}
	}
	return files, nil
}

// addPackage adds the files of a package without its tests, and returns what they import.
func (f contextFiles) addPackage(module, folder string) ([]string, error) {
	source := filepath.Join(module, filepath.FromSlash(folder))
	found, err := goFiles.ImportDir(source, 0)
	var generator *build.MultiplePackageError // a program next to the package, which no build uses
	if err != nil && !errors.As(err, &generator) {
		return nil, fmt.Errorf("reading the package %s: %w", folder, err)
	}
	if len(found.GoFiles)+len(found.CgoFiles) == 0 {
		return nil, fmt.Errorf("reading the package %s: %s has only tests", folder, source)
	}
	for _, name := range slices.Concat(
		found.GoFiles, found.CgoFiles, found.CFiles, found.CXXFiles, found.MFiles, found.HFiles, found.FFiles, found.SFiles,
		found.SwigFiles, found.SwigCXXFiles, found.SysoFiles,
	) {
		if err := f.add(path.Join(folder, name), filepath.Join(source, name), plain); err != nil {
			return nil, err
		}
	}
	for _, pattern := range found.EmbedPatterns {
		if err := f.addEmbedded(folder, source, pattern); err != nil {
			return nil, fmt.Errorf("reading what the package %s embeds as %s: %w", folder, pattern, err)
		}
	}
	return found.Imports, nil
}

// addEmbedded adds the files that a go:embed pattern matches, by package embed's rules.
func (f contextFiles) addEmbedded(folder, source, pattern string) error {
	pattern, hidden := strings.CutPrefix(pattern, "all:")
	within := os.DirFS(source)
	matches, err := fs.Glob(within, pattern)
	if err != nil {
		return err
	}
	for _, match := range matches {
		err := fs.WalkDir(within, match, func(name string, entry fs.DirEntry, err error) error {
			switch {
			case err != nil:
				return err
			case name != match && !hidden && strings.ContainsAny(entry.Name()[:1], "._"):
				if entry.IsDir() {
					return fs.SkipDir
				}
				return nil
			case entry.IsDir():
				return nil
			}
			return f.add(path.Join(folder, name), filepath.Join(source, filepath.FromSlash(name)), plain)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

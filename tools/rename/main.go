// Rename gives the project's Go modules another path, for publishing a fork: a module is fetched from the location in
// its path. It changes imports and everything else that names a package, but no resource names.
//
//	go run ./tools/rename [-C folder] github.com/acme/trade-processing
package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

func main() {
	folder := flag.String("C", ".", "the project's folder")
	flag.Parse()
	if flag.NArg() != 1 {
		fmt.Fprintln(os.Stderr, "usage: rename [-C folder] <module path>, such as github.com/acme/trade-processing")
		os.Exit(2)
	}
	if err := rename(*folder, flag.Arg(0)); err != nil {
		fmt.Fprintln(os.Stderr, "Error:", err)
		os.Exit(1)
	}
}

// allowed are the paths that Go fetches modules from: the first element is a host.
var allowed = regexp.MustCompile(`^[a-z0-9-]+(\.[a-z0-9-]+)+(/[A-Za-z0-9._~-]+)*$`)

func rename(folder, path string) error {
	if !allowed.MatchString(path) {
		return fmt.Errorf("%q is not a path that Go can fetch a module from, such as github.com/acme/trade-processing", path)
	}
	file, err := os.ReadFile(filepath.Join(folder, "go.mod"))
	if err != nil {
		return fmt.Errorf("finding the module: %w", err)
	}
	before := regexp.MustCompile(`(?m)^module (\S+)$`).FindSubmatch(file)
	if before == nil {
		return errors.New("go.mod names no module")
	}
	packages, err := packagesIn(folder)
	if err != nil {
		return err
	}
	old := regexp.QuoteMeta(string(before[1]))
	var (
		named = regexp.MustCompile(`(^|[^\w./-])` + old + `/([\w/-]+)`)
		root  = regexp.MustCompile(`(?m)^(module |.*local-prefixes: \[)` + old + `\b`) // of go.mod and the linter's config
	)
	return eachFile(folder, func(name string) error {
		text, err := os.ReadFile(name)
		if err != nil || bytes.IndexByte(text, 0) >= 0 {
			return err
		}
		renamed := named.ReplaceAllFunc(text, func(found []byte) []byte {
			parts := named.FindSubmatch(found)
			if !packages.holds(string(parts[2])) {
				return found
			}
			return fmt.Appendf(nil, "%s%s/%s", parts[1], path, parts[2])
		})
		renamed = root.ReplaceAll(renamed, []byte("${1}"+path))
		if bytes.Equal(text, renamed) {
			return nil
		}
		return os.WriteFile(name, renamed, 0o644)
	})
}

// packages returns the folders with Go files or a go.mod, below the project's.
type packages []string

func packagesIn(folder string) (packages, error) {
	var found packages
	err := eachFile(folder, func(name string) error {
		if filepath.Ext(name) == ".go" || filepath.Base(name) == "go.mod" {
			within, err := filepath.Rel(folder, filepath.Dir(name))
			found = append(found, filepath.ToSlash(within))
			return err
		}
		return nil
	})
	return slices.Compact(slices.Sorted(slices.Values(found))), err
}

// holds reports whether a path is that of a package, or below one, as a new one would be: "lambdas/scorer" does, and
// "dev/validator", a repository's name, doesn't.
func (p packages) holds(path string) bool {
	for elements := strings.Split(strings.TrimSuffix(path, "/"), "/"); len(elements) > 0; elements = elements[:len(elements)-1] {
		if _, found := slices.BinarySearch(p, strings.Join(elements, "/")); found {
			return true
		}
	}
	return false
}

// eachFile visits the project's files, except generated ones.
func eachFile(folder string, visit func(name string) error) error {
	return filepath.WalkDir(folder, func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && slices.Contains([]string{".git", "bin", "dist"}, entry.Name()):
			return fs.SkipDir
		case !entry.Type().IsRegular():
			return nil
		}
		return visit(name)
	})
}

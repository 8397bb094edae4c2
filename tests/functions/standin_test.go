package functions_test

import (
	"archive/tar"
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
)

// archive is a tar archive being written. It keeps the first error.
type archive struct {
	text bytes.Buffer
	tar  *tar.Writer
	err  error
}

func newArchive() *archive {
	a := &archive{}
	a.tar = tar.NewWriter(&a.text)
	return a
}

func (a *archive) file(name string, mode int64, content []byte) {
	a.write(&tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: mode, Size: int64(len(content))}, content)
}

func (a *archive) folder(name string, mode int64) {
	a.write(&tar.Header{Typeflag: tar.TypeDir, Name: name + "/", Mode: mode}, nil)
}

func (a *archive) link(name, target string) {
	a.write(&tar.Header{Typeflag: tar.TypeSymlink, Name: name, Linkname: target, Mode: 0o777}, nil)
}

func (a *archive) write(header *tar.Header, content []byte) {
	if a.err == nil {
		a.err = a.tar.WriteHeader(header)
	}
	if a.err == nil {
		_, a.err = a.tar.Write(content)
	}
}

// tree adds the files in a folder that keep selects, with their modes.
func (a *archive) tree(from, to string, keep func(path string) bool) {
	err := filepath.WalkDir(from, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		relative, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		if entry.IsDir() || !entry.Type().IsRegular() || !keep(relative) {
			return nil
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		a.file(to+"/"+filepath.ToSlash(relative), int64(info.Mode().Perm()), content)
		return a.err
	})
	if a.err == nil {
		a.err = err
	}
}

func (a *archive) bytes() ([]byte, error) {
	if a.err == nil {
		a.err = a.tar.Close()
	}
	return a.text.Bytes(), a.err
}

// shell adds busybox, and links for the names that the recipe calls.
func (a *archive) shell() {
	path, err := exec.LookPath("busybox")
	if err != nil {
		a.err = err
		return
	}
	content, err := os.ReadFile(path)
	if err != nil {
		a.err = err
		return
	}
	a.file("bin/busybox", 0o755, content)
	for _, name := range []string{"chmod", "cp", "echo", "find", "mkdir", "mv", "sh", "sha256sum", "tar", "test", "touch"} {
		a.link("bin/"+name, "busybox")
	}
}

// unpack stands in for bsdtar: the stand-in for Lambda Insights is a tar archive.
const unpack = `#!/bin/sh
[ "$1" = -xf ] && [ "$3" = -C ] && exec tar -xf "$2" -C "$4"
echo "bsdtar is called otherwise: $*" >&2
exit 1
`

// goImage stands in for golang:1.26-bookworm: this machine's Go, a shell, certificates, and the functions' modules in
// place of the module proxy.
func goImage(project string) (image, error) {
	a := newArchive()
	a.folder("tmp", 0o1777)
	a.shell()
	a.file("bin/bsdtar", 0o755, []byte(unpack))
	a.tree(runtime.GOROOT(), "usr/local/go", func(path string) bool { //nolint:staticcheck // the toolchain that runs this
		top, rest, _ := strings.Cut(path, "/")
		switch top {
		case "bin", "go.env", "VERSION":
			return true
		case "lib":
			return strings.HasPrefix(rest, "time/")
		case "pkg":
			return strings.HasPrefix(rest, "include/") || strings.HasPrefix(rest, "tool/")
		case "src":
			return !strings.Contains(path, "/testdata/") && !strings.HasSuffix(path, "_test.go")
		}
		return false
	})
	certificates, err := os.ReadFile("/etc/ssl/certs/ca-certificates.crt")
	if err != nil {
		return image{}, err
	}
	a.file("etc/ssl/certs/ca-certificates.crt", 0o644, certificates)
	// A fresh module cache holds only what this machine has built so far.
	if said, err := exec.Command("go", "-C", filepath.Join(project, "lambdas"), "mod", "download").CombinedOutput(); err != nil {
		return image{}, fmt.Errorf("downloading the functions' modules: %w\n%s", err, said)
	}
	downloads, err := exec.Command("go", "env", "GOMODCACHE").Output()
	if err != nil {
		return image{}, err
	}
	needed, err := moduleFiles(project)
	if err != nil {
		return image{}, err
	}
	a.tree(filepath.Join(strings.TrimSpace(string(downloads)), "cache", "download"), "proxy", func(path string) bool {
		module, version, found := strings.Cut(path, "/@v/")
		return found && needed[module][strings.TrimSuffix(version, filepath.Ext(version))]
	})
	layer, err := a.bytes()
	return image{architecture: runtime.GOARCH, layer: layer, environment: []string{
		"PATH=/usr/local/go/bin:/bin", "GOTOOLCHAIN=local", "GOPROXY=file:///proxy", "GOSUMDB=off", "GOFLAGS=", "HOME=/root",
	}}, err
}

// moduleFiles returns the versions in the go.sum of the functions' module, by module as escaped in the module cache.
func moduleFiles(project string) (map[string]map[string]bool, error) {
	text, err := os.ReadFile(filepath.Join(project, "lambdas", "go.sum"))
	if err != nil {
		return nil, err
	}
	needed := map[string]map[string]bool{}
	for line := range strings.Lines(string(text)) {
		fields := strings.Fields(line)
		if len(fields) != 3 {
			return nil, fmt.Errorf("go.sum: %q has not three parts", line)
		}
		module := escaped(fields[0])
		if needed[module] == nil {
			needed[module] = map[string]bool{}
		}
		needed[module][strings.TrimSuffix(fields[1], "/go.mod")] = true
	}
	return needed, nil
}

// escaped returns a module's path as the module cache escapes it: ! and a lower-case letter for an upper-case one.
func escaped(module string) string {
	var b strings.Builder
	for _, r := range module {
		if 'A' <= r && r <= 'Z' {
			b.WriteByte('!')
			r += 'a' - 'A'
		}
		b.WriteRune(r)
	}
	return b.String()
}

// baseFiles are the files of the stand-in for Lambda's base image, some of them where the recipe also writes.
var baseFiles = map[string]string{
	"etc/os-release": "NAME=stand-in\n",
	"var/task/.keep": "",
}

// baseImage stands in for public.ecr.aws/lambda/provided:al2023.
func baseImage() (image, error) {
	a := newArchive()
	a.folder("var", 0o755)
	a.folder("var/runtime", 0o755)
	a.folder("opt", 0o755)
	a.folder("tmp", 0o1777)
	for name, content := range baseFiles {
		a.file(name, 0o644, []byte(content))
	}
	layer, err := a.bytes()
	return image{architecture: "arm64", layer: layer, environment: []string{"PATH=/bin", "LD_LIBRARY_PATH=/opt/lib"}}, err
}

// insightsPackage stands in for the Lambda Insights package.
func insightsPackage() ([]byte, error) {
	a := newArchive()
	a.file("opt/extensions/cloudwatch_lambda_agent", 0o755, []byte("agent"))
	a.file("opt/cloudwatch/cloudwatch_lambda_agent.toml", 0o644, []byte("config"))
	return a.bytes()
}

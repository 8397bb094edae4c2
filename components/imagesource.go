package components

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// ImageSource is what a container image is built from. Paths are relative to the project's folder, so the state written
// by one machine is valid on all others.
//
// The Docker provider hashes the modes of all files and the targets of links, which differ between checkouts of the
// same commit. So the build context is copied into a folder below the project, with the same modes everywhere. Line
// endings are up to Git: a project that may be cloned with autocrlf needs "* text=auto eol=lf" in its .gitattributes.
type ImageSource struct {
	// Project is the folder that Context and Dockerfile are read from, and that the build context is copied to. The Docker
	// provider reads it from where the engine runs. Default: the Pulumi project's folder.
	Project string `pulumi:"project,optional"`

	// Context is the folder that the build context is taken from.
	Context string `pulumi:"context"`

	// Dockerfile is the build's Dockerfile.
	Dockerfile string `pulumi:"dockerfile"`

	// Program is the folder of a Go program, relative to Context, which is its module's folder. The build context is then
	// what this program is made of: go.mod, go.sum, the Dockerfile, and what `go build` reads of the module's packages
	// that it imports, including embedded files. Don't use it for a program with a vendor folder, or whose build needs
	// more.
	//
	// Default: none. The build context is then all of Context except what Docker's ignore file excludes: the file
	// "<Dockerfile>.dockerignore", or ".dockerignore" in Context. A symbolic link in Context counts as the file it points
	// to.
	Program string `pulumi:"program,optional"`

	// Args are the build's arguments.
	Args map[string]string `pulumi:"args,optional"`
}

// ImagePlatform is what images are built for. It is explicit, because the default is the builder's own architecture.
const ImagePlatform = "linux/arm64"

// ImageBuild is an image's name and what it is built with.
type ImageBuild struct {
	// Tag is a name for the image that changes with every file, build argument and platform it is made of, and with
	// nothing else. Tags are immutable in the repository: an existing tag is refused.
	Tag string

	// Args are the source's, plus what the image says about itself: VERSION is the tag, and REVISION the whole digest of
	// which the tag is the start. A commit would change with every page, and the image with it. SOURCE_DATE_EPOCH is the
	// time that builders since Docker Engine 23 give to the image: always the same, so the image's digest is too.
	Args map[string]string

	// Context and Dockerfile are where WriteContext puts them, relative to the project.
	Context, Dockerfile string

	project string
	files   contextFiles
}

// tagLength is how many hexadecimal digits of the digest a tag has.
const tagLength = 16

// Build returns the image's name and how to build it. It writes nothing: WriteContext does.
func (s ImageSource) Build() (ImageBuild, error) { return s.build(ImagePlatform) }

func (s ImageSource) build(platform string) (ImageBuild, error) {
	project, err := filepath.Abs(s.Project)
	if err != nil {
		return ImageBuild{}, fmt.Errorf("finding the project: %w", err)
	}
	files, dockerfile, err := s.files(project)
	if err != nil {
		return ImageBuild{}, fmt.Errorf("reading the build context %s: %w", s.Context, err)
	}
	digest := s.digest(platform, dockerfile, files)
	tag := digest[:tagLength]
	build := ImageBuild{
		Tag:     tag,
		Args:    map[string]string{"VERSION": tag, "REVISION": digest, "SOURCE_DATE_EPOCH": "0"},
		Context: path.Join(contextsFolder, strings.TrimLeft(s.name()+"-"+tag, "-")),
		project: project,
		files:   files,
	}
	build.Dockerfile = path.Join(build.Context, dockerfile)
	maps.Copy(build.Args, s.Args)
	return build, nil
}

var notInNames = regexp.MustCompile(`[^A-Za-z0-9]+`)

// name tells people whose build context a folder is.
func (s ImageSource) name() string {
	return strings.Trim(notInNames.ReplaceAllString(cmp.Or(s.Program, s.Context), "-"), "-")
}

// digest returns a digest, in hexadecimal digits, of every file, build argument and platform that the image is made of.
func (s ImageSource) digest(platform, dockerfile string, files contextFiles) string {
	digest := sha256.New()
	fmt.Fprintf(digest, "platform %q\ndockerfile %q\n", platform, dockerfile)
	for _, name := range slices.Sorted(maps.Keys(s.Args)) {
		fmt.Fprintf(digest, "argument %q=%q\n", name, s.Args[name])
	}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		fmt.Fprintf(digest, "file %q %v %x\n", name, files[name].mode, files[name].sum)
	}
	return hex.EncodeToString(digest.Sum(nil))
}

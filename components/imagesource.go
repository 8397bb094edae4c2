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

// ImageSource is what a container image is built from. Paths are relative to the project's folder, so that the state
// that one machine writes holds for all others.
//
// The Docker provider hashes the modes of all files and the places that links lead to, which are different in each
// checkout of the same commit. So the build context is copied into a folder below the project, with the same modes
// everywhere. Line endings are Git's business: a project that is cloned with autocrlf needs "* text=auto eol=lf" in its
// .gitattributes.
type ImageSource struct {
	// Project is the folder that Context and Dockerfile are read from here, and that the build context is copied to. The
	// Docker provider reads it from where the engine runs. Default: the Pulumi project's folder.
	Project string `pulumi:"project,optional"`

	// Context is the folder that the build context is taken from.
	Context string `pulumi:"context"`

	// Dockerfile is the build's Dockerfile.
	Dockerfile string `pulumi:"dockerfile"`

	// Program is the folder of a Go program, relative to Context, which is the folder of its module. The build context is
	// then what this program is made of: go.mod, go.sum, the Dockerfile, and what `go build` reads of the packages of that
	// module which it imports, embedded files included. A program with a vendor folder, or whose build needs more, does
	// without this.
	//
	// Default: none. The build context is then all of Context but for what Docker's ignore file leaves out: the file
	// "<Dockerfile>.dockerignore", or ".dockerignore" in Context. A symbolic link in Context counts as the file that it
	// leads to.
	Program string `pulumi:"program,optional"`

	// Args are the build's arguments.
	Args map[string]string `pulumi:"args,optional"`
}

// ImagePlatform is what images are built for. It is said, as the builder's own architecture is the default.
const ImagePlatform = "linux/arm64"

// ImageBuild is an image's name and what it is built with.
type ImageBuild struct {
	// Tag is a name for the image that changes with every file, build argument and platform that it is made of, and with
	// nothing else. Tags are immutable in the repository: a tag that exists is refused.
	Tag string

	// Args are the source's, and what the image says of itself: VERSION is the tag, REVISION the whole digest that the tag
	// is the beginning of. A commit would be another one after every change of a page, and the image with it.
	// SOURCE_DATE_EPOCH is the time that builders since Docker Engine 23 give to the image: always the same, so that the
	// image's digest is too.
	Args map[string]string

	// Context and Dockerfile are where WriteContext puts them, relative to the project.
	Context, Dockerfile string

	project string
	files   contextFiles
}

// tagLength is how many hexadecimal digits of the digest a tag has.
const tagLength = 16

// Build tells how the image is called and built. It writes nothing: WriteContext does.
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

// digest is a digest, in hexadecimal digits, of every file, build argument and platform that the image is made of.
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

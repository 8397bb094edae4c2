package images

import (
	"context"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"slices"

	"trade-processing/components"
)

// Builder builds the functions' container images with Docker, as the Pulumi program does and without it.
type Builder struct {
	// Docker is the client. Default: docker, from the PATH.
	Docker string

	// Project is the project's folder.
	Project string

	// Arguments are some of components.ImageArguments.
	Arguments map[string]string

	// Network is the network of what runs during the build, as docker build takes it. Default: the engine's own.
	Network string

	// Fresh builds every step again, whatever the engine has kept.
	Fresh bool

	// Progress takes what the builder says. Nil: it is shown when a build fails, as part of the error.
	Progress io.Writer
}

// Image is an image that the engine holds.
type Image struct {
	Function string
	Name     string // with the tag
}

// Build builds the image of a function.
func (b Builder) Build(ctx context.Context, function string) (Image, error) {
	source := components.TradeImage(b.Project, Sources, function, b.Arguments)
	build, err := source.Build()
	if err != nil {
		return Image{}, fmt.Errorf("building the image of the %s: %w", function, err)
	}
	if err := build.Stage(); err != nil {
		return Image{}, fmt.Errorf("building the image of the %s: %w", function, err)
	}
	image := Image{Function: function, Name: "trade-processing/" + function + ":" + build.Tag}
	arguments := []string{"build", "--platform", components.ImagePlatform, "--file", build.Dockerfile, "--tag", image.Name}
	for _, name := range slices.Sorted(maps.Keys(build.Args)) {
		arguments = append(arguments, "--build-arg", name+"="+build.Args[name])
	}
	if b.Network != "" {
		arguments = append(arguments, "--network", b.Network)
	}
	if b.Fresh {
		arguments = append(arguments, "--no-cache")
	}
	command := exec.CommandContext(ctx, b.client(), append(arguments, build.Context)...)
	command.Dir = b.Project
	// BuildKit is the builder of the recipe. Attestations would make an index of the image, which Lambda refuses.
	command.Env = append(os.Environ(), "DOCKER_BUILDKIT=1", "BUILDX_NO_DEFAULT_ATTESTATIONS=1")
	if b.Progress != nil {
		command.Stdout, command.Stderr = b.Progress, b.Progress
		if err := command.Run(); err != nil {
			return Image{}, fmt.Errorf("building the image of the %s: %w", function, err)
		}
		return image, nil
	}
	if text, err := command.CombinedOutput(); err != nil {
		return Image{}, fmt.Errorf("building the image of the %s: %w\n%s", function, err, text)
	}
	return image, nil
}

func (b Builder) client() string {
	if b.Docker == "" {
		return "docker"
	}
	return b.Docker
}

package images

import (
	"context"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"

	"trade-processing/components"
	"trade-processing/internal/child"
)

// Builder builds the functions' container images with Docker, as the Pulumi program does, but without Pulumi.
type Builder struct {
	Docker    string            // the client
	Project   string            // the project's folder
	Arguments map[string]string // some of stack.ImageArguments
	Options   []string          // of docker build, such as --no-cache
	Progress  io.Writer         // receives the builder's output
}

// Build builds the image of a function and returns its name, with the tag.
func (b Builder) Build(ctx context.Context, function string) (string, error) {
	build, err := components.StageImage(b.Project, Sources, function, b.Arguments).Build()
	if err != nil {
		return "", fmt.Errorf("building the image of the %s: %w", function, err)
	}
	if err := build.WriteContext(); err != nil {
		return "", fmt.Errorf("building the image of the %s: %w", function, err)
	}
	image := "trade-processing/" + function + ":" + build.Tag
	options := append([]string{"build", "--platform", components.ImagePlatform, "--file", build.Dockerfile, "--tag", image}, b.Options...)
	for _, name := range slices.Sorted(maps.Keys(build.Args)) {
		options = append(options, "--build-arg", name+"="+build.Args[name])
	}
	command := child.Command(ctx, b.Docker, append(options, build.Context)...)
	command.Dir, command.Stdout, command.Stderr = b.Project, b.Progress, b.Progress
	// The recipe needs BuildKit. Attestations would turn the image into an index, which Lambda refuses.
	command.Env = append(os.Environ(), "DOCKER_BUILDKIT=1", "BUILDX_NO_DEFAULT_ATTESTATIONS=1")
	if err := command.Run(); err != nil {
		return "", fmt.Errorf("building the image of the %s: %w", function, err)
	}
	return image, nil
}

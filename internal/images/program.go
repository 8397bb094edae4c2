// Package images builds the functions' programs and container images according to their recipe, lambdas/Dockerfile.
package images

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"trade-processing/internal/child"
)

// Sources is the folder of the functions' module, relative to the project.
const Sources = "lambdas"

// flags are the recipe's flags for go build.
var flags = []string{"-mod=readonly", "-trimpath", "-buildvcs=false", "-tags=lambda.norpc", "-ldflags=-s -w -buildid="}

// BuildProgram builds a function's program as the recipe does, for a Go architecture such as arm64, and writes it to
// out. It is the same file as in the image.
func BuildProgram(ctx context.Context, project, function, arch, out string) error {
	out, err := filepath.Abs(out)
	if err != nil {
		return fmt.Errorf("building %s: %w", function, err)
	}
	build := child.Command(ctx, "go", append([]string{"build", "-o", out}, append(flags, "./"+function+"/bootstrap")...)...)
	build.Dir = filepath.Join(project, Sources)
	build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH="+arch, "GOWORK=off")
	if text, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("building %s: %w\n%s", function, err, text)
	}
	return nil
}

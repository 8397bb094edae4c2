// Package images builds the functions' programs and container images as their recipe, lambdas/Dockerfile, says.
package images

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Sources is the folder of the functions' module, relative to the project.
const Sources = "lambdas"

// What stands in the recipe's own command, and is replaced where a program is built outside of an image.
const (
	firstWords   = "CGO_ENABLED=0 GOOS=linux GOARCH=arm64"
	architecture = "GOARCH=arm64"
	output       = "/out/var/runtime/bootstrap"
)

// BuildProgram builds a function's program with the command of the recipe in a project's folder, for an architecture of
// Go's such as arm64, and writes it to out. It is the same file as in the image.
func BuildProgram(ctx context.Context, project, function, arch, out string) error {
	command, err := programCommand(project)
	if err != nil {
		return err
	}
	out, err = filepath.Abs(out)
	if err != nil {
		return fmt.Errorf("building %s: %w", function, err)
	}
	command = strings.Replace(command, architecture, "GOARCH="+arch, 1)
	command = strings.Replace(command, output, `"$OUT"`, 1)
	build := exec.CommandContext(ctx, "sh", "-c", command)
	build.Dir = filepath.Join(project, Sources)
	build.Env = append(os.Environ(), "FUNCTION="+function, "OUT="+out)
	if text, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("building %s: %w\n%s", function, err, text)
	}
	return nil
}

// programCommand finds the command in the recipe that builds the program.
func programCommand(project string) (string, error) {
	path := filepath.Join(project, Sources, "Dockerfile")
	text, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("reading the recipe: %w", err)
	}
	joined := strings.ReplaceAll(string(text), "\\\n", " ")
	_, command, found := strings.Cut(joined, firstWords)
	command, _, _ = strings.Cut(firstWords+command, "\n")
	if !found || strings.Count(command, output) != 1 || strings.Count(joined, firstWords) != 1 {
		return "", fmt.Errorf("%s: there is not one command that begins with %q and writes %s", path, firstWords, output)
	}
	return command, nil
}

package stackconfig

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/adrg/xdg"
)

// ProjectFlag describes the flag with which commands name the project.
const ProjectFlag = "the project's `FOLDER`, or one inside it (default: this one)"

// FindProject returns the absolute path of the nearest folder with a Pulumi.yaml: the named one, or this one if it is
// empty, or one above.
func FindProject(named string) (string, error) {
	start, err := filepath.Abs(named)
	if err != nil {
		return "", fmt.Errorf("finding the project: %w", err)
	}
	for folder := start; ; {
		if isProject(folder) {
			return folder, nil
		}
		parent := filepath.Dir(folder)
		if parent == folder {
			break
		}
		folder = parent
	}
	if named != "" {
		return "", fmt.Errorf("%s has no Pulumi.yaml, nor has any folder above; use --project to name the folder that does", named)
	}
	return "", errors.New("there is no Pulumi.yaml here or in any folder above; run this inside the project, or name its folder with --project")
}

func isProject(folder string) bool {
	info, err := os.Stat(filepath.Join(folder, ProjectFile))
	return err == nil && info.Mode().IsRegular()
}

// KeptAt returns where commands keep something for the next ones in this project, out of its folder: the path of a file or
// folder in the user's own state.
func KeptAt(root, name string) string {
	return filepath.Join(xdg.StateHome, "trade-processing", fmt.Sprintf("%s-%.6x", name, sha256.Sum256([]byte(root))))
}

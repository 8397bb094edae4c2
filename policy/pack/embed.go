package pack

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

const (
	// programPrefix is how the engine names the program that serves packs of a runtime for which there is no language
	// host.
	programPrefix = "pulumi-analyzer-policy-"
	// ownRuntime is a runtime that no language host serves, so that the engine runs our program, and never builds one.
	ownRuntime = "embedded"
)

// Called tells whether the engine runs this program as a policy pack, by the name that it was started with.
func Called(arguments []string) bool {
	return len(arguments) > 0 && strings.HasPrefix(filepath.Base(arguments[0]), programPrefix)
}

// Embedded is a pack that is part of the program that runs.
type Embedded struct {
	Folder string // for the engine's option --policy-pack
}

// Path is the PATH on which the engine finds the pack's program.
func (e Embedded) Path(path string) string {
	return e.Folder + string(os.PathListSeparator) + path
}

// Embed makes a folder into a pack that this very program serves: its main has to call Main where Called says so. The
// folder is made where it is missing.
func Embed(folder string) (Embedded, error) {
	program, err := os.Executable()
	if err != nil {
		return Embedded{}, fmt.Errorf("finding the program that serves policy pack %s: %w", Name, err)
	}
	folder, err = filepath.Abs(folder)
	if err != nil {
		return Embedded{}, fmt.Errorf("finding the folder of policy pack %s: %w", Name, err)
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return Embedded{}, fmt.Errorf("making the folder of policy pack %s: %w", Name, err)
	}
	project := fmt.Sprintf("runtime: %s\nversion: %s\n", ownRuntime, Version)
	if err := os.WriteFile(filepath.Join(folder, "PulumiPolicy.yaml"), []byte(project), 0o600); err != nil {
		return Embedded{}, fmt.Errorf("describing policy pack %s: %w", Name, err)
	}
	link := filepath.Join(folder, programPrefix+ownRuntime)
	if err := os.Remove(link); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return Embedded{}, fmt.Errorf("replacing the program of policy pack %s: %w", Name, err)
	}
	if err := os.Symlink(program, link); err != nil {
		return Embedded{}, fmt.Errorf("naming the program of policy pack %s: %w", Name, err)
	}
	return Embedded{Folder: folder}, nil
}

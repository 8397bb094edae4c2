// Package functions_test checks the functions' promises to their callers, as one table of cases, wherever they run:
// their handlers in the local cloud, their real programs behind a server of the Lambda Runtime API, and their container
// images. All must answer the same.
//
// The images are built on a real Docker Engine, inspected, run through qemu-user-static unless this machine is arm64,
// and pushed. Nothing is pulled from outside: the base images are stand-ins, made here and passed to the recipe as
// arguments, as a company's mirror would be. `make test-contract` runs the programs, and `make test-images` starts an
// engine for the images.
package functions_test

import (
	"fmt"
	"os"
	"testing"
)

// root is the project's folder.
const root = "../.."

// folder has the files that the tests share, and atEnd cleans up what they share.
var (
	folder string
	atEnd  []func()
)

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	var err error
	if folder, err = os.MkdirTemp("", "functions"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(folder) //nolint:errcheck // a folder of temporary files
	defer func() {
		for _, end := range atEnd {
			end()
		}
	}()
	return m.Run()
}

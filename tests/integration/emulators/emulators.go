// Package emulators installs and starts what the integration tests run against: moto, which emulates the AWS services in
// Python, DynamoDB Local, which is AWS's own emulation of DynamoDB in Java, and the AWS CLI, which the runbook's commands
// call.
//
// Everything is pinned to the byte: the lock files in this folder name each file's digest, and an installation lives in a
// folder of the user's cache that is named after them.
package emulators

import (
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"os"
	"path/filepath"
	"runtime"

	"github.com/adrg/xdg"
)

var (
	//go:embed requirements.txt
	pythonLock []byte

	//go:embed pom.xml
	javaProject []byte

	//go:embed dynamodb-local.sha256
	javaLock []byte
)

// complete is the file that says that an installation was carried to its end.
const complete = "complete"

// Installation is a folder that holds the emulators.
type Installation struct{ folder string }

// Wanted is the installation that the lock files ask for, whether or not it is there.
func Wanted() Installation {
	locks := sha256.New()
	for _, lock := range [][]byte{pythonLock, javaProject, javaLock} {
		locks.Write(lock)
	}
	name := "emulators-" + hex.EncodeToString(locks.Sum(nil))[:12]
	return Installation{filepath.Join(xdg.CacheHome, "trade-processing", name)}
}

// Complete tells whether it is there as a whole.
func (i Installation) Complete() bool {
	_, err := os.Stat(filepath.Join(i.folder, complete))
	return err == nil
}

// Folder is where it is, or would be.
func (i Installation) Folder() string { return i.folder }

func (i Installation) java() string { return filepath.Join(i.folder, "dynamodb-local") }

// Tool is a command of the Python environment, such as aws.
func (i Installation) Tool(name string) string {
	if runtime.GOOS == "windows" {
		return filepath.Join(i.folder, "python", "Scripts", name+".exe")
	}
	return filepath.Join(i.folder, "python", "bin", name)
}

// Package publication publishes the components as a fork of the project would, and uses them from outside.
package publication

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"golang.org/x/mod/module"
	"golang.org/x/mod/sumdb/dirhash"
	"golang.org/x/mod/zip"
)

const (
	project = "../.."
	path    = "example.com/acme/trade-processing"
)

// run runs a program in a folder and returns its output.
func run(t *testing.T, folder string, variables []string, words ...string) string {
	t.Helper()
	command := exec.CommandContext(t.Context(), words[0], words[1:]...)
	command.Dir, command.Env, command.Stderr = folder, append(os.Environ(), append(variables, "GOWORK=off")...), t.Output()
	output, err := command.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s", strings.Join(words, " "), err, output)
	}
	return string(output)
}

// renamed copies some files and folders of the project, with its modules under another path.
func renamed(t *testing.T, names ...string) string {
	t.Helper()
	copied := t.TempDir()
	for _, name := range names {
		err := filepath.WalkDir(filepath.Join(project, name), func(from string, entry os.DirEntry, err error) error {
			if err != nil || entry.IsDir() && slices.Contains([]string{".git", "bin", "dist"}, entry.Name()) {
				return cmp.Or(err, filepath.SkipDir)
			}
			within, err := filepath.Rel(project, from)
			if err != nil || !entry.Type().IsRegular() {
				return err
			}
			to := filepath.Join(copied, within)
			return errors.Join(os.MkdirAll(filepath.Dir(to), 0o755), os.WriteFile(to, []byte(read(t, from)), 0o644))
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	run(t, project, nil, "go", "run", "./tools/rename", "-C", copied, path)
	return copied
}

// publish puts a folder's module into a file-system module proxy (https://go.dev/ref/mod#module-proxy). The version is
// derived from the content, because Go caches what it has fetched of a version.
func publish(t *testing.T, folder, path string) (proxy string) {
	t.Helper()
	digest, err := dirhash.HashDir(folder, path, dirhash.Hash1)
	if err != nil {
		t.Fatal(err)
	}
	version := fmt.Sprintf("v0.1.0-h%x", digest)
	proxy = t.TempDir()
	at := filepath.Join(proxy, filepath.FromSlash(path), "@v")
	if err := os.MkdirAll(at, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"list": version + "\n", version + ".info": fmt.Sprintf(`{"Version": %q}`, version), version + ".mod": read(t, filepath.Join(folder, "go.mod")),
	} {
		if err := os.WriteFile(filepath.Join(at, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	archive, err := os.Create(filepath.Join(at, version+".zip"))
	if err != nil {
		t.Fatal(err)
	}
	if err := zip.CreateFromDir(archive, module.Version{Path: path, Version: version}, folder); err != nil {
		t.Fatal(err)
	}
	if err := archive.Close(); err != nil {
		t.Fatal(err)
	}
	return proxy
}

func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// outside is a program that imports the components from the path they were published under.
const outside = `package main

import (
	"encoding/json"
	"os"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"example.com/acme/trade-processing/components"
	"example.com/acme/trade-processing/components/declared"
)

func main() {
	stack, err := declared.Declare(declared.Program{Run: func(ctx *pulumi.Context) error {
		key, err := components.NewEncryptionKey(ctx, "key", &components.EncryptionKeyArgs{Alias: "orders"})
		if err != nil {
			return err
		}
		_, err = components.NewMonitoredQueue(ctx, "orders", &components.MonitoredQueueArgs{
			QueueName: "orders", Holds: "orders", KeyARN: key.ARN, AlarmTopicARN: pulumi.String("arn:aws:sns:us-east-1:111122223333:alarms"),
		})
		return err
	}})
	if err != nil {
		panic(err)
	}
	declares := map[string]string{}
	for _, made := range stack.Resources {
		declares[made.Type] = made.Text("name")
	}
	if err := json.NewEncoder(os.Stdout).Encode(declares); err != nil {
		panic(err)
	}
}
`

func TestTheComponentsAreUsedFromOutside(t *testing.T) {
	proxy := publish(t, filepath.Join(renamed(t, "go.mod", "components"), "components"), path+"/components")
	user := t.TempDir()
	if err := os.WriteFile(filepath.Join(user, "main.go"), []byte(outside), 0o644); err != nil {
		t.Fatal(err)
	}
	settings := run(t, user, nil, "go", "env", "GOMODCACHE", "GOPROXY")
	cache, others, _ := strings.Cut(strings.TrimSpace(settings), "\n")
	variables := []string{
		"GOPROXY=file://" + proxy + ",file://" + cache + "/cache/download," + others, "GONOSUMDB=" + path, "GOFLAGS=-mod=mod -modcacherw", "GOTOOLCHAIN=local",
	}
	t.Cleanup(func() {
		for _, fetched := range []string{cache, filepath.Join(cache, "cache", "download")} {
			if err := os.RemoveAll(filepath.Join(fetched, "example.com", "acme")); err != nil {
				t.Error(err)
			}
		}
	})
	run(t, user, variables, "go", "mod", "init", "example.com/outside")
	run(t, user, variables, "go", "get", path+"/components")
	var got map[string]string
	if err := json.Unmarshal([]byte(run(t, user, variables, "go", "run", ".")), &got); err != nil {
		t.Fatal(err)
	}
	want := map[string]string{
		"aws:cloudwatch/metricAlarm:MetricAlarm":        "orders-depth",
		"aws:kms/alias:Alias":                           "alias/orders",
		"aws:kms/key:Key":                               "",
		"aws:sqs/queue:Queue":                           "orders",
		"aws:sqs/queuePolicy:QueuePolicy":               "",
		"aws:sqs/redriveAllowPolicy:RedriveAllowPolicy": "",
		"trade-processing:components:EncryptionKey":     "",
		"trade-processing:components:MonitoredQueue":    "",
	}
	if diff := gocmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

var imported = regexp.MustCompile(`(?m)^(?:import )?\s*\w*\s*"trade-processing/`)

func TestAForkIsTheSameButForItsPath(t *testing.T) {
	fork := renamed(t, ".")
	err := filepath.WalkDir(fork, func(name string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		within, err := filepath.Rel(fork, name)
		if err != nil {
			return err
		}
		text := read(t, name)
		switch filepath.Ext(name) {
		case ".go":
			if imported.MatchString(text) {
				t.Errorf("%s imports the old path", within)
			}
		case ".mod":
			if !strings.HasPrefix(within, "internal") && !strings.HasPrefix(text, "module "+path) {
				t.Errorf("%s: %s", within, strings.SplitN(text, "\n", 2)[0])
			}
			run(t, filepath.Dir(name), []string{"GOFLAGS=-mod=mod", "GOPROXY=off"}, "go", "list", "./...")
		case ".yml", ".md":
		default:
			if text != read(t, filepath.Join(project, within)) {
				t.Errorf("%s names no package, and isn't what it was", within)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

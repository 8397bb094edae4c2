package functions_test

import (
	"bytes"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"trade-processing/internal/images"
)

// world is what all tests share.
type world struct {
	docker   string // the client
	project  string // the project's folder, absolute
	registry *registry
	standins map[string]string // GO_IMAGE and BASE_IMAGE
	packages string            // URL of the stand-in for Lambda Insights
	insights []byte            // its content
}

// here is the one world, created by the first test that needs it.
var here = sync.OnceValues(newWorld)

func newWorld() (*world, error) {
	project, err := filepath.Abs(root)
	if err != nil {
		return nil, err
	}
	w := &world{docker: os.Getenv("DOCKER"), project: project, standins: map[string]string{}}
	if w.registry, err = startRegistry(folder); err != nil {
		return nil, fmt.Errorf("starting a registry: %w", err)
	}
	atEnd = append(atEnd, w.registry.stop)
	goStandin, err := goImage(project)
	if err != nil {
		return nil, fmt.Errorf("creating a stand-in for GO_IMAGE: %w", err)
	}
	if w.standins["GO_IMAGE"], err = w.registry.push("mirror/golang", goStandin); err != nil {
		return nil, fmt.Errorf("pushing the stand-in for GO_IMAGE: %w", err)
	}
	base, err := baseImage()
	if err != nil {
		return nil, fmt.Errorf("creating a stand-in for BASE_IMAGE: %w", err)
	}
	if w.standins["BASE_IMAGE"], err = w.registry.push("mirror/provided", base); err != nil {
		return nil, fmt.Errorf("pushing the stand-in for BASE_IMAGE: %w", err)
	}
	if w.insights, err = insightsPackage(); err != nil {
		return nil, fmt.Errorf("creating a stand-in for Lambda Insights: %w", err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	w.packages = "http://" + listener.Addr().String() + "/insights.rpm"
	go func() { // it ends with the tests
		_ = http.Serve(listener, http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) { _, _ = rw.Write(w.insights) }))
	}()
	return w, nil
}

// need skips a test if no engine was started for it.
func need(t *testing.T) *world {
	t.Helper()
	if os.Getenv("IMAGES") == "" {
		t.Skip("IMAGES is not set: `make test-images` starts a Docker Engine and runs these tests")
	}
	w, err := here()
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// build builds a function's image with the stand-ins and these arguments, and returns its name. The error contains the
// builder's output.
func (w *world) build(t *testing.T, project, function string, arguments map[string]string, options ...string) (string, error) {
	t.Helper()
	all := map[string]string{}
	for _, some := range []map[string]string{w.standins, arguments} {
		for name, value := range some {
			all[name] = value
		}
	}
	// The engine has no bridge network, and the build makes no calls.
	var said bytes.Buffer
	builder := images.Builder{Docker: w.docker, Project: project, Arguments: all, Options: append(options, "--network", "none"), Progress: &said}
	image, err := builder.Build(t.Context(), function)
	if err != nil {
		err = fmt.Errorf("%w\n%s", err, &said)
	}
	return image, err
}

// run runs the client and returns its standard output.
func (w *world) run(t *testing.T, arguments ...string) []byte {
	t.Helper()
	command := exec.Command(w.docker, arguments...)
	command.Stderr = os.Stderr
	out, err := command.Output()
	if err != nil {
		t.Fatalf("docker %v: %v", arguments, err)
	}
	return out
}

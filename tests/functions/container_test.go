package functions_test

import (
	"maps"
	"os"
	"os/exec"
	"slices"
	"testing"
	"time"

	"trade-processing/components"
	"trade-processing/lambdas/function/functiontest"
)

// containerGrace is grace plus what emulation and the engine take.
const containerGrace = 10 * time.Second

// container is a function's running container.
type container struct{ *functiontest.Process }

func (c container) Invoke(t *testing.T, invocation functiontest.Invocation) (functiontest.Answer, error) {
	return c.Process.Invoke(t.Context(), invocation)
}

func TestAsContainers(t *testing.T) {
	w := need(t)
	names := map[string]string{}
	for _, function := range Functions() {
		names[function] = w.mustBuild(t, function, without)
	}
	check(t, func(t *testing.T, account *Account, function string) Instance {
		return container{w.start(t, names[function], account.ProcessVariables(function))}
	})
}

// start starts a container on the host's network with the variables of a function.
func (w *world) start(t *testing.T, image string, variables map[string]string) *functiontest.Process {
	t.Helper()
	id := "test-" + digestOf([]byte(t.Name()))[7:19]
	arguments := []string{"run", "--rm", "--init", "--name", id, "--network", "host", "--platform", components.ImagePlatform, "--env", "AWS_LAMBDA_RUNTIME_API"}
	for _, name := range slices.Sorted(maps.Keys(variables)) {
		arguments = append(arguments, "--env", name+"="+variables[name])
	}
	if program := emulator(); program != "" {
		path, err := exec.LookPath(program)
		if err != nil {
			t.Fatal(err)
		}
		// Named rather than registered with the kernel, which would change the machine.
		arguments = append(arguments, "--volume", path+":/emulator:ro", "--entrypoint", "/emulator", image, "/var/runtime/bootstrap")
	} else {
		arguments = append(arguments, image)
	}
	command := exec.Command(w.docker, arguments...)
	command.Env = os.Environ()
	process, err := functiontest.Start(command)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := process.Stop(containerGrace); err != nil {
			t.Error(err)
			_ = exec.Command(w.docker, "rm", "--force", id).Run()
		}
		if broken := process.Violations(); len(broken) > 0 {
			t.Errorf("it broke the protocol: %q", broken)
		}
		if t.Failed() {
			t.Logf("the container wrote:\n%s", process.Output())
		}
	})
	return process
}

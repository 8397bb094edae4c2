package main

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// localRun returns `tradectl local run` as somebody runs it whose own Pulumi is set up for quite another thing. It
// returns the folders in which nothing may be left.
func localRun(t *testing.T, args ...string) (run *exec.Cmd, folders []string) {
	t.Helper()
	run = exec.Command("tradectl", append([]string{"local", "run", "--project", "../.."}, args...)...)
	run.Env = append(os.Environ(), "PULUMI_BACKEND_URL=s3://not-for-us", "PULUMI_CONFIG_PASSPHRASE_FILE=/nowhere", "PULUMI_STACK=prod",
		"PULUMI_DEBUG_PROVIDERS=aws:1,docker:1", "PULUMI_DEBUG_LANGUAGES=go:1", "PULUMI_DISABLE_PROVIDER_PREVIEW=true", "PULUMI_ACCESS_TOKEN=none",
		"PULUMI_DEBUG_GRPC=/nowhere/grpc.json", "PULUMI_PARALLEL=1", "PULUMI_DRY_RUN=true", "PULUMI_CONFIG={")
	for _, variable := range []string{"TMPDIR", "XDG_STATE_HOME", "XDG_CACHE_HOME", "PULUMI_HOME"} {
		folder := t.TempDir()
		run.Env, folders = append(run.Env, variable+"="+folder), append(folders, folder)
	}
	return run, folders
}

func leftIn(t *testing.T, folders []string) (left []string) {
	t.Helper()
	for _, folder := range folders {
		entries, err := os.ReadDir(folder)
		if err != nil {
			t.Fatal(err)
		}
		for _, entry := range entries {
			left = append(left, entry.Name())
		}
	}
	return left
}

func TestARunHeedsNoVariableOfPulumis(t *testing.T) {
	run, folders := localRun(t, "--sample", "200")
	output, err := run.CombinedOutput()
	if err != nil || !strings.Contains(string(output), "✓ 200 received = ") {
		t.Errorf("%v\n%s", err, output)
	}
	if left := leftIn(t, folders); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestAnInterruptedRunEndsAtOnceAndLeavesNothing(t *testing.T) {
	for moment, sample := range map[string]int{"deploying stack local": 1, "processing trades": 1_000_000, "destroying stack local": 1} {
		t.Run(moment, func(t *testing.T) {
			run, folders := localRun(t, "--sample", fmt.Sprint(sample))
			said, err := run.StderrPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := run.Start(); err != nil {
				t.Fatal(err)
			}
			var begun time.Time
			for lines := bufio.NewScanner(said); lines.Scan(); {
				if begun.IsZero() && strings.HasPrefix(lines.Text(), moment) {
					begun = time.Now()
					if err := run.Process.Signal(os.Interrupt); err != nil {
						t.Fatal(err)
					}
				}
			}
			err = run.Wait()
			if took := time.Since(begun); took > 2*time.Second || run.ProcessState.ExitCode() != 130 {
				t.Errorf("after %s it ended with %v", took, err)
			}
			if left := leftIn(t, folders); len(left) > 0 {
				t.Errorf("left behind: %v", left)
			}
		})
	}
}

package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"

	"trade-processing/internal/report"
)

// keeping returns a run with --keep whose stack is kept in the same place as another's.
func keeping(t *testing.T, with *exec.Cmd, args ...string) *exec.Cmd {
	t.Helper()
	run, _ := localRun(t, append([]string{"--keep", "--json"}, args...)...)
	if with != nil {
		run.Env = slices.Clone(with.Env)
	}
	return run
}

func reportOf(t *testing.T, run *exec.Cmd) (r report.Report) {
	t.Helper()
	var out, said bytes.Buffer
	run.Stdout, run.Stderr = &out, &said
	if err := run.Run(); err != nil {
		t.Errorf("%v: %s", err, said.String())
	} else if err := json.Unmarshal(out.Bytes(), &r); err != nil {
		t.Error(err)
	}
	return r
}

// Each of two runs at once builds on what the other kept, and a run that was killed stands in nobody's way.
func TestRunsThatKeepTheSameStackFollowEachOther(t *testing.T) {
	first := keeping(t, nil, "--sample", "200", "--seed", "1")
	var both sync.WaitGroup
	for _, run := range []*exec.Cmd{first, keeping(t, first, "--sample", "200", "--seed", "2")} {
		both.Go(func() { reportOf(t, run) })
	}
	both.Wait()

	killed := keeping(t, first, "--sample", "1000000", "--seed", "3")
	said, err := killed.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := killed.Start(); err != nil {
		t.Fatal(err)
	}
	for lines := bufio.NewScanner(said); lines.Scan(); {
		if strings.HasPrefix(lines.Text(), "processing trades") {
			if err := killed.Process.Kill(); err != nil {
				t.Fatal(err)
			}
		}
	}
	_ = killed.Wait() // killed

	for _, seed := range []string{"1", "2"} {
		if r := reportOf(t, keeping(t, first, "--sample", "200", "--seed", seed)); r.Received == 0 || r.Recorded+r.Rejected > 0 || r.Duplicates == 0 {
			t.Errorf("of seed %s, kept before, %d were recorded and %d rejected, and %d were duplicates", seed, r.Recorded, r.Rejected, r.Duplicates)
		}
	}
}

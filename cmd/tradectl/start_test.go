package main

import (
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"testing"
)

// A command waits for nothing that only others need. Nearly all of the time until main goes to what packages prepare,
// so the test counts their allocations, which are the same on every machine (https://pkg.go.dev/runtime, inittrace).
func TestHelpPreparesNothingThatOthersNeed(t *testing.T) {
	const most = 200_000
	command := exec.Command("tradectl", "--help")
	command.Env = append(os.Environ(), "GODEBUG=inittrace=1")
	output, err := command.CombinedOutput()
	if err != nil {
		t.Fatal(err)
	}
	sum, packages := 0, 0
	for _, line := range regexp.MustCompile(`(?m)^init .*, (\d+) allocs$`).FindAllSubmatch(output, -1) {
		allocations, err := strconv.Atoi(string(line[1]))
		if err != nil {
			t.Fatal(err)
		}
		sum += allocations
		packages++
	}
	if packages == 0 || sum > most {
		t.Errorf("%d packages allocate %d times before main, want at most %d: GODEBUG=inittrace=1 lists them", packages, sum, most)
	}
}

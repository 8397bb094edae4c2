package main

import (
	"os/exec"
	"testing"
	"time"
)

// A command waits for nothing that only others need. Most of the time goes to what packages prepare before main:
// GODEBUG=inittrace=1 lists them.
func TestHelpIsThereAtOnce(t *testing.T) {
	const most = 60 * time.Millisecond
	fastest := time.Hour
	for range 20 { // other programs run here too
		command := exec.Command("tradectl", "--help")
		if err := command.Run(); err != nil {
			t.Fatal(err)
		}
		if fastest = min(fastest, command.ProcessState.UserTime()+command.ProcessState.SystemTime()); fastest <= most {
			return
		}
	}
	t.Errorf("it takes %s of a processor", fastest)
}

package main

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// A dependency of Pulumi's SDK asks the terminal for its background before main, and waits five seconds for an answer.
func TestATerminalThatAnswersNothingCostsNoTime(t *testing.T) {
	screen, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Skip(err)
	}
	defer screen.Close() //nolint:errcheck // nothing is written to it
	number, err := unix.IoctlGetInt(int(screen.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.IoctlSetPointerInt(int(screen.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	terminal, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Skip(err)
	}
	command := exec.Command("tradectl", "version")
	command.Stdin, command.Stdout, command.Stderr = terminal, terminal, terminal
	command.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	command.Env = []string{"TERM=xterm-256color"}
	begun := time.Now()
	if err := command.Run(); err != nil {
		t.Fatal(err)
	}
	took := time.Since(begun)
	if err := terminal.Close(); err != nil {
		t.Fatal(err)
	}
	shown, _ := io.ReadAll(screen) // it ends with an error, as nobody has the terminal open any more
	if took > 4*time.Second || !strings.HasPrefix(string(shown), "tradectl ") {
		t.Errorf("after %s the terminal shows %q", took, shown)
	}
}

package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Sending is killed twice in the middle, and the local cloud once under its load: all trades are there in the end, and none is
// there twice, although they have no time of their own. SEND is how many, such as 100000.
func TestSendingAndTheLocalCloudAreKilled(t *testing.T) {
	trades := 1200
	if n, err := strconv.Atoi(os.Getenv("SEND")); err == nil {
		trades = n
	}
	state, journal := t.TempDir(), filepath.Join(t.TempDir(), "journal")
	command := func(typed string) *exec.Cmd {
		words := append(strings.Fields(typed), "--project", project(t))
		command := exec.CommandContext(t.Context(), "tradectl", words...)
		command.Env, command.Stderr = append(os.Environ(), "XDG_STATE_HOME="+state), t.Output()
		return command
	}
	run := func(typed string) []byte {
		t.Helper()
		out, err := command(typed).Output()
		if err != nil {
			t.Fatalf("tradectl %s: %v", typed, err)
		}
		return out
	}
	var cloud struct {
		Endpoint string
		PID      int
	}
	up := func(port string) {
		run("local up --detach --port " + port)
		if err := json.Unmarshal(run("local status --json"), &cloud); err != nil {
			t.Fatal(err)
		}
	}
	up("0")
	t.Cleanup(func() { _ = exec.Command("kill", "-9", strconv.Itoa(cloud.PID)).Run() })

	lines := func(from, to int) string {
		var b strings.Builder
		for i := from; i < to; i++ {
			fmt.Fprintf(&b, `{"Source":"trading.system1","DetailType":"Trade Event","Detail":{"tradeId":"t%d","amount":"1.50","currency":"USD","sourceSystem":"system1"}}`+"\n", i)
		}
		return b.String()
	}
	// It can't end before it is killed: its input doesn't.
	send := func() (*exec.Cmd, io.WriteCloser) {
		t.Helper()
		sending := command("send --local --journal " + journal)
		in, err := sending.StdinPipe()
		if err == nil {
			err = sending.Start()
		}
		if err != nil {
			t.Fatal(err)
		}
		return sending, in
	}
	feed := func(in io.Writer, from, to int) { _, _ = io.WriteString(in, lines(from, to)) } // until the kill
	noted := func(batches int) {
		t.Helper()
		for begun := time.Now(); time.Since(begun) < 5*time.Minute; time.Sleep(time.Millisecond) {
			if text, _ := os.ReadFile(journal); bytes.Count(text, []byte(`"batch"`)) >= batches {
				return
			}
		}
		t.Fatalf("the journal doesn't get to %d batches", batches)
	}
	kill := func(sending *exec.Cmd) {
		t.Helper()
		if err := sending.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = sending.Wait()
	}

	sending, in := send()
	go feed(in, 0, trades/3)
	noted(trades / 60)
	kill(sending)

	sending, in = send()
	go feed(in, 0, trades)
	noted(trades / 20)
	if err := syscall.Kill(cloud.PID, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	at, err := url.Parse(cloud.Endpoint)
	if err != nil {
		t.Fatal(err)
	}
	// Its port is free once it is gone. It stays for a while where nobody cares for orphans.
	for begun := time.Now(); time.Since(begun) < 10*time.Second && syscall.Kill(cloud.PID, 0) == nil; {
		time.Sleep(time.Millisecond)
	}
	up(at.Port())
	noted(trades / 15) // it goes on by itself
	kill(sending)

	sending, in = send()
	feed(in, 0, trades)
	if err := errors.Join(in.Close(), sending.Wait()); err != nil {
		t.Fatal(err)
	}
	ids := map[string]int{}
	for begun := time.Now(); len(ids) < trades; time.Sleep(10 * time.Millisecond) {
		var listed []struct{ TradeID string }
		if err := json.Unmarshal(run("list --local --limit 0 --since 1d --output json"), &listed); err != nil {
			t.Fatal(err)
		}
		clear(ids)
		for _, one := range listed {
			ids[one.TradeID]++
		}
		if len(listed) > len(ids) {
			t.Fatalf("%d versions of %d trades", len(listed), len(ids))
		}
		if time.Since(begun) > 5*time.Minute {
			t.Fatalf("%d of %d trades are there", len(ids), trades)
		}
	}
	if len(ids) != trades {
		t.Errorf("%d trades were sent, and %d are there", trades, len(ids))
	}
	run("local down --wipe")
}

package cloud_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tidwall/gjson"

	"trade-processing/local/cloud"
	"trade-processing/local/disk"
	"trade-processing/local/queue"
)

// livingIn opens the cloud in a folder, on the real clock.
func livingIn(t *testing.T, folder string) *world {
	t.Helper()
	c, err := cloud.Open(folder, cloud.Options{Images: map[string]cloud.Image{"keeper": newKeeper}, Executions: 1000})
	if err != nil {
		t.Fatal(err)
	}
	return &world{Cloud: c, t: t, made: map[string]*cloud.Resource{}}
}

// folderVariable names the folder to a child process.
const folderVariable = "TEST_CLOUD_FOLDER"

// Killed in the middle of thousands of calls, again and again, a cloud has whatever it acknowledged.
func TestWhatWasAcknowledgedSurvivesAKill(t *testing.T) {
	if folder := os.Getenv(folderVariable); folder != "" {
		load(t, folder)
		return
	}
	folder := t.TempDir()
	acknowledged := map[string]bool{} // a line of load
	for round := range 4 {
		child := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$")
		child.Env, child.Stderr = append(os.Environ(), folderVariable+"="+folder), os.Stderr
		said, err := child.StdoutPipe()
		if err == nil {
			err = child.Start()
		}
		if err != nil {
			t.Fatal(err)
		}
		lines, histories, killed := bufio.NewReader(said), false, false
		for n := 0; ; n++ {
			line, err := lines.ReadString('\n')
			if err != nil {
				break // what was cut off wasn't acknowledged
			}
			acknowledged[strings.TrimSpace(line)] = true
			histories = histories || strings.HasPrefix(line, "histories")
			if n >= 500*(1+round) && !killed && (round < 3 || histories) {
				killed = true
				if err := child.Process.Kill(); err != nil {
					t.Fatal(err)
				}
			}
		}
		if err := child.Wait(); child.ProcessState.ExitCode() != -1 {
			t.Fatalf("the child wasn't killed: %v, %v", err, slices.Collect(maps.Keys(acknowledged)))
		}
	}

	w := livingIn(t, folder)
	defer w.Close() //nolint:errcheck // the test is over
	left := w.Unfinished()
	for _, a := range left {
		if _, err := w.Deliver(t.Context(), a); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Drain(t.Context()); err != nil {
		t.Fatal(err)
	}
	home, err := w.Table(here, "orders")
	if err != nil {
		t.Fatal(err)
	}
	away, err := w.Table(there, "orders")
	if err != nil {
		t.Fatal(err)
	}
	if home.Digest() != away.Digest() || home.Count() != away.Count() {
		t.Errorf("the table has %d items, its replica %d", home.Count(), away.Count())
	}
	kept, failed, messages, counts := map[string]bool{}, map[string]bool{}, map[string]bool{}, map[string]int{}
	for item := range home.Entries() {
		kept[item.Texts("id")[0]] = true
	}
	for message := range w.queue("failures").Messages() {
		failed[gjson.Get(message.Body, "event.detail.id").String()] = true
	}
	for message := range w.queue("undelivered").Messages() {
		if messages[message.Body] {
			t.Errorf("message %s is there twice", message.Body)
		}
		messages[message.Body] = true
	}
	archived := map[string]int{}
	r := cloud.Replay{
		Region: here, Name: "all", Archive: "arn:aws:events:us-east-1:000000000000:archive/all", Bus: "arn:aws:events:us-east-1:000000000000:event-bus/orders",
		From: noon.AddDate(-1, 0, 0), To: time.Now().Add(time.Hour),
	}
	if _, err := w.StartReplay(r, func(_ context.Context, a *cloud.Accepted) error {
		archived[a.ID]++
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	w.endOf("all")
	for line := range acknowledged {
		what, id, _ := strings.Cut(line, " ")
		counts[what]++
		if there := map[string]bool{"put": kept[id] || failed[id], // if the machine is so busy that it timed out
			"event": archived[id] == 1, "fails": failed[id], "sent": messages[id] || acknowledged["deleting "+id], "deleting": true, "deleted": !messages[id], "histories": len(w.Executions(orders)) >= manyHistories}[what]; !there {
			t.Errorf("%s: it isn't so any more", line)
		}
	}
	if len(left) == 0 || counts["put"] < 1000 || counts["fails"] < 100 || counts["sent"] < 100 || counts["deleted"] < 50 {
		t.Errorf("%d events were left; acknowledged were %v", len(left), counts)
	}
	if all := w.Executions(orders); len(all[len(all)-1].History()) < 4 {
		t.Errorf("the first execution has the history %v", all[len(all)-1].History())
	}
}

const (
	orders        = "arn:aws:states:us-east-1:000000000000:stateMachine:orders"
	manyHistories = 100
)

// load uses the cloud in a folder until it is killed, and says a line for all that it acknowledges.
func load(t *testing.T, folder string) {
	w := livingIn(t, folder)
	if len(w.Resources()) == 0 {
		w.furnish()
		w.create(cloud.ArchiveType, "all", cloud.Properties{"name": "all", "eventSourceArn": w.arn(cloud.BusType, "orders")})
	}
	for _, a := range w.Unfinished() {
		w.Later(a, nil)
	}
	undelivered, err := w.Queue(here, "undelivered")
	if err != nil {
		t.Fatal(err)
	}
	say := func(format string, args ...any) { fmt.Printf(format+"\n", args...) }
	prefix := fmt.Sprint(time.Now().UnixNano())
	go func() {
		for w.KeptExecutions() < manyHistories {
			time.Sleep(10 * time.Millisecond)
		}
		w.Sync()
		say("histories are kept")
	}()
	var working sync.WaitGroup
	for worker := range 32 {
		working.Go(func() {
			for n := 0; ; n++ {
				id := fmt.Sprintf("%s-%d-%d", prefix, worker, n)
				said, detail := "put", fmt.Sprintf(`{"id": %q}`, id)
				if n%10 == 9 {
					said, detail = "fails", fmt.Sprintf(`{"id": %q, "fail": "Broken"}`, id)
				}
				a, err := w.Accept(here, "orders", cloud.Entry{Source: "shop", DetailType: "Order", Detail: json.RawMessage(detail)})
				if err != nil {
					panic(err)
				}
				w.Keep(a)
				w.Sync()
				say("%s %s", said, id)
				say("event %s", a.ID)
				w.Later(a, nil)
				if n%5 > 0 {
					continue
				}
				if _, err := undelivered.Send(t.Context(), queue.Draft{Body: id}); err != nil {
					panic(err)
				}
				w.Sync()
				say("sent %s", id)
				if n%10 > 0 {
					continue
				}
				got, err := undelivered.Receive(t.Context(), 1, nil)
				if err != nil || len(got) == 0 {
					continue
				}
				say("deleting %s", got[0].Body)
				if err := undelivered.Acknowledge(t.Context(), got[0].Receipt); err != nil {
					panic(err)
				}
				w.Sync()
				say("deleted %s", got[0].Body)
			}
		})
	}
	working.Wait()
}

// A deployment in a folder is found again, and goes on.
func TestACloudInAFolderGoesOn(t *testing.T) {
	folder := t.TempDir()
	w := livingIn(t, folder)
	w.furnish()
	w.SetState([]byte("the engine's"), true)
	w.put(`{"id": "1"}`)
	region, name := here, "/app/limit"
	w.create(cloud.ParameterType, "limit", cloud.Properties{"name": name, "type": "String", "value": "5"})
	changed := w.Parameters(region).Versions(name)[0]
	changed.Value, changed.Version = "6", 2
	if err := w.Parameters(region).Put(changed); err != nil {
		t.Fatal(err)
	}
	w.SetNote("key", []int{1})
	w.SetNote("key", []int{1, 2})
	before := w.Resources()
	if _, err := cloud.Open(folder, cloud.Options{}); err == nil || !strings.Contains(err.Error(), "in use") {
		t.Errorf("a second one opens it: %v", err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}

	w = livingIn(t, folder)
	defer w.Close() //nolint:errcheck // the test is over
	if state, there := w.State(); !there || string(state) != "the engine's" {
		t.Errorf("the state is %q", state)
	}
	var note []int
	if !w.Note("key", &note) || len(note) != 2 || w.Note("another", &note) {
		t.Errorf("the note is %v", note)
	}
	after := w.Resources()
	for i, r := range before {
		if len(after) != len(before) || after[i].ID != r.ID || after[i].Type != r.Type {
			t.Fatalf("%d resources became %d, or have another order", len(before), len(after))
		}
	}
	if versions := w.Parameters(region).Versions(name); len(versions) != 2 || versions[1].Value != "6" {
		t.Errorf("the parameter's versions are %+v", versions)
	}
	if got := w.put(`{"id": "1"}`); got != "hello duplicate" {
		t.Errorf("the trade was forgotten: %s", got)
	}
	if left := w.Unfinished(); len(left) != 0 {
		t.Errorf("%d delivered events are delivered again", len(left))
	}
	for _, r := range slices.Backward(w.Resources()) {
		if err := w.Delete(r.Type, r.Region, r.ID); err != nil {
			t.Fatal(err)
		}
	}
	w.furnish()
	if got := w.put(`{"id": "1"}`); got != "hello kept" {
		t.Errorf("a new table has the old one's items: %s", got)
	}
}

// A store with a file that is damaged or gone says so, and what mends it.
func TestADamagedFolderIsToldByName(t *testing.T) {
	if folder := os.Getenv(folderVariable); folder != "" {
		livingIn(t, folder)
		return
	}
	for name, damage := range map[string]func(file string) error{
		"cut": func(file string) error { return os.Truncate(file, 10) },
		"overwritten": func(file string) error {
			text, err := os.ReadFile(file)
			for i := range text {
				text[i] ^= 0x55
			}
			return errors.Join(err, os.WriteFile(file, text, 0o600))
		},
		"gone": os.Remove,
	} {
		t.Run(name, func(t *testing.T) {
			folder := t.TempDir()
			for range 2 { // the second one makes a table of the first one's log
				w := livingIn(t, folder)
				if len(w.Resources()) == 0 {
					w.furnish()
				}
				if err := w.Close(); err != nil {
					t.Fatal(err)
				}
			}
			files, err := filepath.Glob(filepath.Join(folder, "*.sst"))
			if err != nil || len(files) == 0 {
				t.Fatalf("no table: %v", err)
			}
			if err := damage(files[0]); err != nil {
				t.Fatal(err)
			}
			child := exec.Command(os.Args[0], "-test.run=^TestADamagedFolderIsToldByName$")
			child.Env = append(os.Environ(), folderVariable+"="+folder)
			told, err := child.CombinedOutput()
			if says := string(told); err == nil || !strings.Contains(says, folder) || !strings.Contains(says, "start over") || strings.Contains(says, "goroutine") {
				t.Errorf("%v: %s", err, told)
			}
		})
	}
}

// A folder that another version wrote differently is refused, and stays as it is.
func TestAFolderOfAnotherFormatIsRefused(t *testing.T) {
	for name, change := range map[string]disk.Change{"of an earlier one": {Key: "state", Value: "{}"}, "of a later one": {Key: "format", Value: "1000"}} {
		t.Run(name, func(t *testing.T) {
			folder := t.TempDir()
			on, err := disk.Open(folder, nil)
			if err != nil {
				t.Fatal(err)
			}
			on.Write(change)
			if err := on.Close(); err != nil {
				t.Fatal(err)
			}
			for range 2 {
				if _, err := cloud.Open(folder, cloud.Options{}); err == nil || !strings.Contains(err.Error(), "tradectl local down --wipe") {
					t.Errorf("it is opened: %v", err)
				}
			}
		})
	}
}

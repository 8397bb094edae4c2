package cloud_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/aws/smithy-go"
	"github.com/tidwall/gjson"

	"trade-processing/local/cloud"
)

// archived furnishes a world with an archive of its bus, which has an event a second: a to c are the shop's, d and e
// somebody else's, and at the end an event that an archive for the shop doesn't take.
func (w *world) archived() {
	w.t.Helper()
	w.furnish()
	w.create(cloud.ArchiveType, "all", cloud.Properties{"name": "all", "eventSourceArn": w.arn(cloud.BusType, "orders"), "retentionDays": 90.0})
	w.create(cloud.ArchiveType, "shop", cloud.Properties{
		"name": "shop", "eventSourceArn": w.arn(cloud.BusType, "orders"), "eventPattern": `{"source": ["shop"], "detail": {"id": ["a", "b", "c"]}}`,
	})
	w.create(cloud.RuleType, "others", cloud.Properties{"name": "others", "eventBusName": "orders", "eventPattern": `{"source": ["others"]}`})
	for i, id := range []string{"a", "b", "c", "d", "e"} {
		source := "shop"
		if i > 2 {
			source = "others"
		}
		w.putEntry(cloud.Entry{
			Source: source, DetailType: "Order", Detail: json.RawMessage(fmt.Sprintf(`{"id": %q, "spelled":  1.50}`, id)),
			Time: noon.Add(time.Duration(i) * time.Second), Resources: []string{`a "resource"`},
		})
	}
}

// replay starts a replay of an archive, and returns it at its end with the events that it sent.
func (w *world) replay(r cloud.Replay) (ended cloud.Replay, sent []string) {
	w.t.Helper()
	r.Region = here
	if _, err := w.StartReplay(r, func(ctx context.Context, a *cloud.Accepted) error {
		receipt, err := w.Deliver(ctx, a)
		for _, d := range receipt.Deliveries {
			sent = append(sent, a.ID+" "+d.Rule)
		}
		return err
	}); err != nil {
		w.t.Fatal(err)
	}
	return w.endOf(r.Name), sent
}

// endOf waits for a replay's end.
func (w *world) endOf(name string) cloud.Replay {
	w.t.Helper()
	for begun := time.Now(); time.Since(begun) < time.Minute; time.Sleep(time.Millisecond) {
		for _, r := range w.Replays(here) {
			if r.Name == name && !r.Ended.IsZero() {
				return r
			}
		}
	}
	w.t.Fatalf("replay %s doesn't end: %+v", name, w.Replays(here))
	return cloud.Replay{}
}

func TestAReplaySendsTheArchivedEventsOfAWindowAgain(t *testing.T) {
	for name, w := range map[string]*world{
		"in memory": emptyWorld(t, cloud.Options{Archive: true, Executions: 100}), "in a folder": livingIn(t, t.TempDir()),
	} {
		t.Run(name, func(t *testing.T) {
			w.t = t
			defer w.Close() //nolint:errcheck // the test is over
			w.archived()
			all, shop := w.arn(cloud.ArchiveType, "all"), w.arn(cloud.ArchiveType, "shop")
			if events, size := w.Archived(all); events != 5 || size < 5*200 {
				t.Errorf("all events are %d, with %d bytes", events, size)
			}
			if events, _ := w.Archived(shop); events != 3 {
				t.Errorf("the shop's events are %d", events)
			}
			before := len(w.Executions(w.arn(cloud.MachineType, "orders")))
			ended, sent := w.replay(cloud.Replay{Name: "again", Archive: all, Bus: w.arn(cloud.BusType, "orders"), From: noon.Add(time.Second), To: noon.Add(4 * time.Second)})
			if ended.State != cloud.ReplayCompleted || !ended.Last.Equal(noon.Add(3*time.Second)) || len(sent) != 2 {
				t.Errorf("it ends as %+v, and sent %v", ended, sent)
			}
			executions := w.Executions(w.arn(cloud.MachineType, "orders"))
			if len(executions) != before+2 {
				t.Fatalf("%d executions became %d", before, len(executions))
			}
			again, first := string(executions[0].Input()), string(executions[2].Input()) // both are c's
			if got := gjson.Get(again, "replay-name").String(); got != "again" || gjson.Get(first, "replay-name").Exists() {
				t.Errorf("its name is in neither %s\nnor is it missing in %s", again, first)
			}
			for _, same := range []string{"id", "time", "source", "resources", "detail"} {
				if was, is := gjson.Get(first, same).Raw, gjson.Get(again, same).Raw; was != is {
					t.Errorf("%s was %s and is %s", same, was, is)
				}
			}
			if events, _ := w.Archived(all); events != 5 {
				t.Errorf("what was replayed was archived again: %d", events)
			}
			if _, sent = w.replay(cloud.Replay{
				Name: "others", Archive: all, Bus: w.arn(cloud.BusType, "orders"), From: noon, To: noon.Add(time.Hour), Rules: []string{w.arn(cloud.RuleType, "others")},
			}); len(sent) != 0 { // its rule has no target
				t.Errorf("the shop's rule got %v", sent)
			}
			if _, sent = w.replay(cloud.Replay{
				Name: "shop", Archive: all, Bus: w.arn(cloud.BusType, "orders"), From: noon, To: noon.Add(time.Hour), Rules: []string{w.arn(cloud.RuleType, "orders")},
			}); len(sent) != 3 {
				t.Errorf("the shop's rule got %v", sent)
			}
			if got := w.Replays(here); len(got) != 3 || got[0].Name != "again" {
				t.Errorf("the replays are %+v", got)
			}
			w.delete(cloud.ArchiveType, "all")
			if events, _ := w.Archived(all); events != 0 {
				t.Errorf("a deleted archive has %d events", events)
			}
			if events, _ := w.Archived(shop); events != 3 {
				t.Errorf("the other one has %d", events)
			}
		})
	}
}

func TestReplaysThatAreRefused(t *testing.T) {
	w := emptyWorld(t, cloud.Options{Archive: true})
	defer w.Close() //nolint:errcheck // the test is over
	w.archived()
	w.create(cloud.BusType, "other", cloud.Properties{"name": "other"})
	good := cloud.Replay{Region: here, Name: "good", Archive: w.arn(cloud.ArchiveType, "all"), Bus: w.arn(cloud.BusType, "orders"), From: noon, To: noon.Add(time.Hour)}
	w.replay(good)
	for name, tc := range map[string]struct {
		change  func(*cloud.Replay)
		refused string
	}{
		"a window that ends before it begins": {func(r *cloud.Replay) { r.To = r.From }, "ValidationException: Parameter EventEndTime is not valid. Reason: EventStartTime must be before EventEndTime."},
		"no such bus":                         {func(r *cloud.Replay) { r.Bus += "x" }, "ResourceNotFoundException: Event bus ordersx does not exist."},
		"no such archive":                     {func(r *cloud.Replay) { r.Archive += "x" }, "ValidationException: Parameter EventSourceArn is not valid. Reason: Archive allx does not exist."},
		"another bus":                         {func(r *cloud.Replay) { r.Bus = w.arn(cloud.BusType, "other") }, "ValidationException: Parameter Destination.Arn is not valid. Reason: Cross event bus replay is not permitted."},
		"a name that is taken":                {func(r *cloud.Replay) { r.Name = "good" }, "ResourceAlreadyExistsException: Replay good already exists."},
	} {
		asked := good
		asked.Name = "another"
		tc.change(&asked)
		if _, err := w.StartReplay(asked, nil); told(err) != tc.refused {
			t.Errorf("%s: %v", name, err)
		}
	}

	// Ten are under way, each held up at its first event.
	held := make(chan struct{})
	hold := func(ctx context.Context, _ *cloud.Accepted) error {
		select {
		case <-held:
		case <-ctx.Done():
		}
		return context.Cause(ctx)
	}
	for i := range 10 {
		good.Name = fmt.Sprint(i)
		if _, err := w.StartReplay(good, hold); err != nil {
			t.Fatal(err)
		}
	}
	good.Name = "eleventh"
	if _, err := w.StartReplay(good, hold); told(err) != "LimitExceededException: The requested resource exceeds the maximum number allowed." {
		t.Errorf("an eleventh replay: %v", err)
	}
	if r, err := w.CancelReplay(here, "3"); err != nil || r.State != cloud.ReplayCancelling {
		t.Errorf("%+v, %v", r, err)
	}
	if r := w.endOf("3"); r.State != cloud.ReplayCancelled || !r.Last.IsZero() {
		t.Errorf("a cancelled replay is %+v", r)
	}
	close(held)
	if r := w.endOf("4"); r.State != cloud.ReplayCompleted {
		t.Errorf("another replay is %+v", r)
	}
	if _, err := w.CancelReplay(here, "4"); told(err) != "IllegalStatusException: Replay 4 is not in a valid state for this operation." {
		t.Errorf("an ended replay is cancelled: %v", err)
	}
	if _, err := w.CancelReplay(here, "none"); told(err) != "ResourceNotFoundException: Replay none does not exist." {
		t.Errorf("none is cancelled: %v", err)
	}
}

func told(err error) string {
	if refusal, ok := errors.AsType[smithy.APIError](err); ok {
		return refusal.ErrorCode() + ": " + refusal.ErrorMessage()
	}
	return fmt.Sprint(err)
}

// A replay that the end of the process interrupts goes on in the next one, from the second that it had come to.
func TestAReplayGoesOnInTheNextProcess(t *testing.T) {
	folder := t.TempDir()
	w := livingIn(t, folder)
	w.archived()
	calls, at := 0, make(chan struct{})
	r := cloud.Replay{Region: here, Name: "again", Archive: w.arn(cloud.ArchiveType, "all"), Bus: w.arn(cloud.BusType, "orders"), From: noon, To: noon.Add(time.Hour)}
	if _, err := w.StartReplay(r, func(ctx context.Context, a *cloud.Accepted) error {
		if calls++; calls == 1 {
			_, err := w.Deliver(ctx, a)
			return err
		}
		close(at)
		<-ctx.Done()
		return context.Cause(ctx)
	}); err != nil {
		t.Fatal(err)
	}
	<-at
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}

	w = livingIn(t, folder)
	defer w.Close() //nolint:errcheck // the test is over
	if left := w.Replays(here); len(left) != 1 || left[0].State != cloud.ReplayRunning || !left[0].Last.Equal(noon) {
		t.Fatalf("the replays are %+v", left)
	}
	var sent []string
	w.ResumeReplays(func(ctx context.Context, a *cloud.Accepted) error {
		receipt, err := w.Deliver(ctx, a)
		for _, d := range receipt.Deliveries {
			sent = append(sent, string(d.Output))
		}
		return err
	})
	if r := w.endOf("again"); r.State != cloud.ReplayCompleted || !r.Last.Equal(noon.Add(4*time.Second)) || !slices.Equal(sent, []string{`"hello duplicate"`, `"hello duplicate"`, `"hello duplicate"`}) {
		t.Errorf("it ends as %+v, and sent %q", r, sent)
	}
}

// The first event after a restart may have the time and the number of the first one before it.
func TestAnArchiveKeepsWhatAnEarlierProcessArchived(t *testing.T) {
	folder := t.TempDir()
	w := livingIn(t, folder)
	w.archived()
	for _, id := range []string{"f", "g"} {
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		w = livingIn(t, folder)
		w.putEntry(cloud.Entry{Source: "others", DetailType: "Order", Detail: json.RawMessage(fmt.Sprintf(`{"id": %q}`, id)), Time: noon})
	}
	defer w.Close() //nolint:errcheck // the test is over
	all := "arn:aws:events:" + here + ":" + cloud.Account + ":archive/all"
	if events, _ := w.Archived(all); events != 7 {
		t.Errorf("of 7 events, %d are archived", events)
	}
}

// One that is cancelled before it goes on doesn't.
func TestAReplayIsCancelledBeforeItGoesOn(t *testing.T) {
	folder := t.TempDir()
	w := livingIn(t, folder)
	w.archived()
	r := cloud.Replay{Region: here, Name: "again", Archive: w.arn(cloud.ArchiveType, "all"), Bus: w.arn(cloud.BusType, "orders"), From: noon, To: noon.Add(time.Hour)}
	if _, err := w.StartReplay(r, func(ctx context.Context, _ *cloud.Accepted) error {
		<-ctx.Done()
		return context.Cause(ctx)
	}); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	w = livingIn(t, folder)
	defer w.Close() //nolint:errcheck // the test is over
	if r, err := w.CancelReplay(here, "again"); err != nil || r.State != cloud.ReplayCancelling {
		t.Errorf("%+v, %v", r, err)
	}
	w.ResumeReplays(func(ctx context.Context, _ *cloud.Accepted) error { return context.Cause(ctx) })
	if r := w.endOf("again"); r.State != cloud.ReplayCancelled {
		t.Errorf("it is %+v", r)
	}
}

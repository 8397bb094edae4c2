package operate_test

import (
	"strings"
	"testing"
	"time"

	"trade-processing/internal/exitcode"
)

// A replay goes to the rules of its sources alone, is told before, and waited for. What it sends again is a duplicate.
func TestAReplayIsPlannedStartedAndAwaited(t *testing.T) {
	w := newWorld(t, "local", nil)
	w.clock.by.Store(-int64(time.Minute)) // so that the window ends after them
	if _, said, code, err := w.tradectl(strings.Join(timeless(7), "\n"), "send"); code != exitcode.OK {
		t.Fatalf("exit code %d, %v: %s", code, err, said)
	}
	before, items := len(w.Cloud.Executions(w.Stack.Outputs.StateMachineARN)), len(w.items())
	args := []string{"replay", "--since", "1h", "--source", "system1"}
	out, said := w.must(exitcode.OK, args...)
	if !strings.Contains(said, "nothing was replayed; --yes sends about 7 events") || !strings.Contains(out, "planned") || len(w.Cloud.Replays(w.Stack.Outputs.Region)) != 0 {
		t.Errorf("without --yes it says\n%s%s", out, said)
	}
	out, said = w.must(exitcode.OK, append(args, "--yes", "--output", "json")...)
	if !strings.Contains(said, "replayed up to 20") || !strings.Contains(out, "COMPLETED") {
		t.Errorf("it says %s%s", said, out)
	}
	if again := len(w.Cloud.Executions(w.Stack.Outputs.StateMachineARN)) - before; again != 7 || len(w.items()) != items {
		t.Errorf("%d executions were started, and %d items became %d", again, items, len(w.items()))
	}
	replays := w.Cloud.Replays(w.Stack.Outputs.Region)
	rule := "arn:aws:events:us-east-1:000000000000:rule/trade-processing-local/trade-processing-local-from-system1"
	if len(replays) != 1 || len(replays[0].Rules) != 1 || replays[0].Rules[0] != rule || replays[0].Bus != w.Stack.BusARN() {
		t.Errorf("the replays are %+v", replays)
	}
	if _, _, code, err := w.tradectl("", "replay", "--since", "1h", "--source", "none"); code != exitcode.NotFound {
		t.Errorf("a source that isn't there: exit code %d, %v", code, err)
	}
	for _, ever := range []string{"9999999d", "0001-01-02"} {
		w.must(exitcode.OK, "replay", "--since", ever)
	}
	w.must(exitcode.Usage, "replay")
	w.must(exitcode.Usage, "replay", "--since", "1h", "--until", "2h")
}

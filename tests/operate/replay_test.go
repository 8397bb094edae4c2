package operate_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"trade-processing/internal/exitcode"
	"trade-processing/local/endpoint"
)

// A replay goes to the rules of its sources alone, is told before, and waited for. There is no archive to replay here, so the
// test answers for EventBridge.
func TestAReplayIsPlannedStartedAndAwaited(t *testing.T) {
	w := newWorld(t, "local", nil)
	if _, said, code, err := w.tradectl(strings.Join(timeless(7), "\n"), "send"); code != exitcode.OK {
		t.Fatalf("exit code %d, %v: %s", code, err, said)
	}
	var started struct {
		ReplayName, EventSourceArn   string
		EventStartTime, EventEndTime float64
		Destination                  struct {
			Arn        string
			FilterArns []string
		}
	}
	var looks atomic.Int64
	w.tamper = func(response http.ResponseWriter, _ *http.Request, call endpoint.Call, body []byte) bool {
		switch call.Operation {
		case "StartReplay":
			if err := json.Unmarshal(body, &started); err != nil {
				t.Error(err)
			}
			fmt.Fprint(response, `{"State":"STARTING"}`)
		case "DescribeReplay":
			fmt.Fprint(response, []string{
				`{"State":"RUNNING","EventLastReplayedTime":1793000000}`, `{"State":"COMPLETED","EventLastReplayedTime":1793000060}`,
			}[min(looks.Add(1)-1, 1)])
		default:
			return false
		}
		return true
	}
	args := []string{"replay", "--since", "1h", "--source", "system1"}
	if out, said := w.must(exitcode.OK, args...); started.ReplayName != "" || !strings.Contains(said, "nothing was replayed; --yes sends about 7 events") || !strings.Contains(out, "planned") {
		t.Errorf("without --yes it starts %+v, and says\n%s%s", started, out, said)
	}
	if _, said := w.must(exitcode.OK, append(args, "--yes", "--output", "json")...); !strings.Contains(said, "replayed up to 2026-") {
		t.Errorf("it says %s", said)
	}
	if !strings.HasSuffix(started.EventSourceArn, "/trade-processing-local-events") || started.Destination.Arn != w.stack.BusARN() ||
		!slices.Equal(started.Destination.FilterArns, []string{"arn:aws:events:us-east-1:000000000000:rule/trade-processing-local/trade-processing-local-from-system1"}) ||
		started.EventEndTime-started.EventStartTime < 3590 {
		t.Errorf("started %+v", started)
	}
	if _, _, code, err := w.tradectl("", "replay", "--since", "1h", "--source", "none"); code != exitcode.NotFound {
		t.Errorf("a source that isn't there: exit code %d, %v", code, err)
	}
	w.must(exitcode.Usage, "replay")
	w.must(exitcode.Usage, "replay", "--since", "1h", "--until", "2h")
}

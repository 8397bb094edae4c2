package report_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	width "github.com/jedib0t/go-pretty/v6/text"

	"trade-processing/internal/exitcode"
	"trade-processing/internal/feed"
	"trade-processing/internal/report"
	"trade-processing/internal/terminal"
)

var update = flag.Bool("update", false, "write what is printed to the golden files")

// golden compares text with a file in testdata.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s (run with -update if this is meant):\n%s", path, diff)
	}
}

func text(t *testing.T, r *report.Report, env map[string]string) []byte {
	t.Helper()
	var out bytes.Buffer
	term := &terminal.Terminal{Out: &out, Err: &out, Columns: 80, Getenv: func(name string) string { return env[name] }}
	if err := r.WriteText(term); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// states are the states of these tests' workflow.
var states = []string{"ValidateTrade", "EnrichTrade", "RecordTrade"}

// busyRun returns a run with some of everything.
func busyRun(t *testing.T) *report.Report {
	t.Helper()
	c := report.NewCollector(states...)
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for i := range 5_000 {
				c.Received()
				for stage, took := range []time.Duration{20 * time.Microsecond, 1500 * time.Microsecond, 45 * time.Microsecond, 2 * time.Millisecond} {
					c.Stage(append(states, report.EndToEnd)[stage], took+time.Duration(i)*time.Microsecond)
				}
				switch {
				case i%1000 == 1:
					c.DeadLettered("recorder-dlq", "TradeConflict")
				case i%1000 == 2:
					c.DeadLettered("validator-dlq", "MalformedTrade")
				case i%500 == 3:
					c.Rejected([]string{"QUANTITY_NOT_POSITIVE", "CURRENCY_UNKNOWN", "CURRENCY_UNKNOWN"})
				case i%100 == 4:
					c.Rejected([]string{"QUANTITY_NOT_POSITIVE"})
				case i%50 == 5:
					c.Duplicate()
				case i%1000 == 8:
					c.Correction()
				case i%1000 == 9:
					c.Cancel()
				case i%1000 == 7:
					c.DuplicateRejection()
				case i%200 == 6:
					c.NotMatched()
				default:
					c.Recorded()
				}
			}
		})
	}
	all.Wait()
	c.Problem(&feed.Problem{Kind: feed.Refused, File: "a.ndjson", Line: 17, Reason: "not JSON at byte 1: invalid character 'h'", Excerpt: "hello"})
	c.Problem(&feed.Problem{Kind: feed.Unreadable, File: "b.gz", Line: 3, Reason: "the gzip data breaks off"})
	c.Problem(&feed.Problem{Kind: feed.Empty, File: "c.ndjson", Reason: "empty: it has no entries"})
	at := time.Date(2026, 3, 9, 14, 30, 0, 123_000_000, time.UTC)
	c.Alarm("validator-dlq-depth", at.Add(time.Second), "1 message, threshold 1")
	c.Alarm("recorder-dlq-depth", at, "1 message, threshold 1")
	return c.Report(report.Run{
		Names: []string{"a.ndjson", "b.gz", "c.ndjson"}, Lines: 20_001, Elapsed: 1960 * time.Millisecond, PeakMemory: 141 << 20,
		Checks: []report.Check{{Claim: "table trades holds every trade that was recorded or rejected", Want: 19_440, Got: 19_440}},
		Replicas: []report.Replica{
			{Region: "eu-west-1", Items: 19_440},
			{Region: "us-east-1", Items: 19_439, Behind: 1},
		},
		Example: json.RawMessage(`{"tradeId":"t-1","timestamp":1773066600000,"trade":"{\"amount\":1.10}"}`),
	})
}

func TestTextInAPipe(t *testing.T) { golden(t, "busy.txt", text(t, busyRun(t), nil)) }

func TestTextInColour(t *testing.T) {
	coloured := text(t, busyRun(t), map[string]string{"CLICOLOR_FORCE": "1"})
	golden(t, "busy-colour.txt", coloured)
	var plain bytes.Buffer
	for rest := coloured; len(rest) > 0; {
		before, after, found := bytes.Cut(rest, []byte("\x1b["))
		plain.Write(before)
		if found {
			_, after, _ = bytes.Cut(after, []byte("m"))
		}
		rest = after
	}
	if diff := cmp.Diff(string(text(t, busyRun(t), nil)), plain.String()); diff != "" {
		t.Errorf("colour moves the columns:\n%s", diff)
	}
}

func TestJSON(t *testing.T) {
	r := busyRun(t)
	got, err := r.JSON()
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "busy.json", got)
	var back report.Report
	if err := json.Unmarshal(got, &back); err != nil {
		t.Fatal(err)
	}
	again, err := back.JSON()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(got), string(again)); diff != "" {
		t.Errorf("reading the JSON and writing it again changes it:\n%s", diff)
	}
}

func TestAnEmptyRun(t *testing.T) {
	r := report.NewCollector().Report(report.Run{})
	golden(t, "empty.txt", text(t, r, nil))
	got, err := r.JSON()
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(got, []byte("null")) {
		t.Errorf("null in:\n%s", got)
	}
}

func TestTheVerdictAndTheExitCode(t *testing.T) {
	for name, test := range map[string]struct {
		count   func(*report.Collector)
		run     report.Run
		verdict string
		code    exitcode.Code
	}{
		"all is accounted for": {
			func(c *report.Collector) { c.Received(); c.Recorded() }, report.Run{},
			"✓ 1 received = 1 recorded + 0 rejected + 0 duplicates + 0 dead-lettered\n             + 0 not matched", exitcode.OK},
		"a trade is lost": {
			func(c *report.Collector) { c.Received(); c.Received(); c.Duplicate() }, report.Run{},
			"✗ 2 received ≠ 0 recorded + 0 rejected + 1 duplicates + 0 dead-lettered\n             + 0 not matched, 1 trade lost", exitcode.Unreconciled},
		"trades are counted twice": {
			func(c *report.Collector) { c.Received(); c.Recorded(); c.NotMatched(); c.Rejected(nil) }, report.Run{},
			"✗ 1 received ≠ 1 recorded + 1 rejected + 0 duplicates + 0 dead-lettered\n             + 1 not matched, 2 trades counted twice", exitcode.Unreconciled},
		"a table holds something else": {
			func(c *report.Collector) { c.Received(); c.Recorded() },
			report.Run{Checks: []report.Check{{Claim: "the table holds it", Want: 1, Got: 0}}},
			"✗ 1 received = 1 recorded + 0 rejected + 0 duplicates + 0 dead-lettered\n             + 0 not matched, but the contents differ:\n✗ the table holds it: want 1, got 0", exitcode.Unreconciled},
		"a call was denied": {
			func(c *report.Collector) { c.Received(); c.DeadLettered("q", "e") },
			report.Run{Denied: []report.Denial{{Says: "a role may not", Times: 1}, {Says: "nor another", Times: 2}}},
			"✗ 1 received = 0 recorded + 0 rejected + 0 duplicates + 1 dead-lettered\n             + 0 not matched, but calls were denied:\n" +
				"✗ denied 2 times: nor another\n✗ denied 1 time: a role may not", exitcode.Unreconciled},
		"a line was refused": {
			func(c *report.Collector) {
				c.Received()
				c.DeadLettered("q", "e")
				c.Problem(&feed.Problem{Kind: feed.Refused})
			}, report.Run{},
			"! 1 received = 0 recorded + 0 rejected + 0 duplicates + 1 dead-lettered\n             + 0 not matched, but input was refused, see below", exitcode.RefusedInput},
		"a file was unreadable": {
			func(c *report.Collector) { c.Problem(&feed.Problem{Kind: feed.Unreadable}) }, report.Run{},
			"! 0 received = 0 recorded + 0 rejected + 0 duplicates + 0 dead-lettered\n             + 0 not matched, but input was refused, see below", exitcode.RefusedInput},
		"a file was empty": {
			func(c *report.Collector) { c.Problem(&feed.Problem{Kind: feed.Empty}) }, report.Run{},
			"✓ 0 received = 0 recorded + 0 rejected + 0 duplicates + 0 dead-lettered\n             + 0 not matched", exitcode.OK},
		"the run was interrupted": {
			func(c *report.Collector) { c.Received(); c.Received(); c.Received(); c.Recorded() }, report.Run{Interrupted: true},
			"! 3 received = 1 recorded + 0 rejected + 0 duplicates + 0 dead-lettered\n             + 0 not matched + 2 unfinished, interrupted", exitcode.Interrupted},
	} {
		t.Run(name, func(t *testing.T) {
			c := report.NewCollector()
			test.count(c)
			r := c.Report(test.run)
			if got := r.ExitCode(); got != test.code {
				t.Errorf("exit code %d, want %d", got, test.code)
			}
			if got := string(text(t, r, nil)); !strings.HasPrefix(got, test.verdict+"\n\n") {
				t.Errorf("it doesn't begin with %q:\n%s", test.verdict, got)
			}
		})
	}
}

func TestNoLineIsWiderThanTheScreen(t *testing.T) {
	long := strings.Repeat("a-long-name-", 20)
	c := report.NewCollector(states...)
	c.Received()
	c.DeadLettered("trade-processing-local-validator-dead-letters", "MalformedTrade")
	c.Problem(&feed.Problem{Kind: feed.Refused, File: long, Line: 7, Reason: "one word and another " + long, Excerpt: long})
	c.Alarm(long, time.Now(), "Threshold Crossed: "+long)
	r := c.Report(report.Run{
		Checks:   []report.Check{{Claim: "items in " + long, Want: 1, Got: 2}},
		Denied:   []report.Denial{{Says: "a role may not " + long, Times: 1}},
		Replicas: []report.Replica{{Region: "eu-west-1"}},
		Example:  json.RawMessage(`{"trade":"` + long + `"}`),
	})
	for _, env := range []map[string]string{nil, {"CLICOLOR_FORCE": "1"}} {
		for line := range strings.Lines(string(text(t, r, env))) {
			if wide := width.StringWidthWithoutEscSequences(strings.TrimSuffix(line, "\n")); wide > 80 {
				t.Errorf("%d columns: %q", wide, line)
			}
		}
	}
}

func TestOnlyTheFirstProblemsAreListedAndAllAreCounted(t *testing.T) {
	c := report.NewCollector()
	for line := range 1_020 {
		c.Problem(&feed.Problem{Kind: feed.Refused, File: "a", Line: line + 1, Reason: "r"})
	}
	r := c.Report(report.Run{})
	if len(r.Input.Problems) != 20 || r.Input.Refused != 1_020 {
		t.Errorf("%d listed of %d", len(r.Input.Problems), r.Input.Refused)
	}
	if got := string(text(t, r, nil)); !strings.Contains(got, "  a:20: r\n  … and 1,000 more\n") {
		t.Errorf("got:\n%s", got)
	}
}

func TestAReportCanBeMadeTwice(t *testing.T) {
	c := report.NewCollector()
	c.Received()
	c.Rejected([]string{"A"})
	c.Stage(report.EndToEnd, -time.Second) // a clock that was set back
	c.Stage(report.EndToEnd, 48*time.Hour)
	c.Stage("KeepRecordTradeFailure", time.Second) // which nobody times
	first, second := c.Report(report.Run{}), c.Report(report.Run{})
	if diff := cmp.Diff(first, second); diff != "" {
		t.Error(diff)
	}
	if got := first.Stages[0]; got.Calls != 2 || time.Duration(got.Max).Round(time.Minute) != time.Hour || time.Duration(got.P50) > time.Microsecond {
		t.Errorf("stage: %+v", got)
	}
	if c.Finished() != 1 {
		t.Errorf("%d finished, want 1", c.Finished())
	}
}

func TestAWriterThatFailsIsReported(t *testing.T) {
	term := &terminal.Terminal{Out: full{}, Getenv: func(string) string { return "" }}
	if err := report.NewCollector().Report(report.Run{}).WriteText(term); !errors.Is(err, errFull) {
		t.Errorf("got %v", err)
	}
}

var errFull = fmt.Errorf("no space left on device")

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errFull }

func TestPeakMemoryIsPlausible(t *testing.T) {
	if got := report.PeakMemory(); got < 1<<20 || got > 1<<40 {
		t.Errorf("%d bytes", got)
	}
}

// BenchmarkCollector measures the cost of one trade: four stages and an outcome. Of the 200 µs that two cores have per
// trade at 10,000 a second, it must be next to nothing.
func BenchmarkCollector(b *testing.B) {
	c := report.NewCollector(states...)
	timed := append(states, report.EndToEnd)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			c.Received()
			for _, stage := range timed {
				c.Stage(stage, 50*time.Microsecond)
			}
			c.Recorded()
		}
	})
}

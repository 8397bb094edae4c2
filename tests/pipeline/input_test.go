package pipeline_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"

	"trade-processing/internal/exitcode"
	"trade-processing/internal/feed"
	"trade-processing/internal/localrun"
	"trade-processing/local/cloud"
	"trade-processing/local/fault"
)

// good returns a valid trade, and bad the same with something extra in its detail.
func good(id string) string { return bad(id, "") }

func bad(id, more string) string {
	return aTrade(`{"tradeId": "` + id + `", "amount": "10", "currency": "USD", "sourceSystem": "system1"` + more + `}`)
}

// Whatever a line contains, it is reported with its position or kept in a queue, and the lines around it are recorded.
func TestBadLinesAreToldOrKeptAndTheOthersGoOn(t *testing.T) {
	for _, tc := range []struct {
		name string
		line string
		told string // the reason; empty: it is kept as MalformedTrade
	}{
		{"no JSON", "trades", "not JSON"},
		{"JSON that is cut off", `{"Source": "trading.system1", "Detail`, "ends inside a JSON value"},
		{"an array in an array", "[[" + good("x") + "]]", "array"},
		{"a number", "42", "not a JSON object"},
		{"an entry and a half", good("x") + good("y")[:20], "unexpected text after the JSON value"},
		{"no source", `{"DetailType": "Trade Event", "Detail": {}}`, "Source"},
		{"no detail", `{"Source": "trading.system1", "DetailType": "Trade Event"}`, "Detail"},
		{"a detail that is a list", aTrade("[]"), "Detail"},
		{"a detail that is text and no JSON", aTrade(`"half a {"`), "Detail"},
		{"a line of 2 MB", bad("x", `, "x": "`+strings.Repeat("x", 2<<20)+`"`), "bytes long; PutEvents takes entries of at most"},
		{"an event that the workflow can't take", bad("x", `, "x": "`+strings.Repeat("x", 256<<10)+`"`), "an execution takes 262144"},
		{"invalid UTF-8", bad("x", ", \"x\": \"\xff\xfe\""), "UTF-8"},
		{"nested 10,000 deep", bad("x", `, "x": `+strings.Repeat("[", 10_000)+strings.Repeat("]", 10_000)), "nested"},
		{"nested 10,000 objects deep", bad("x", `, "x": `+strings.Repeat(`{"a":`, 10_000)+"1"+strings.Repeat("}", 10_000)), "nested"},

		{"a detail over 64 KiB", bad("x", `, "x": "`+strings.Repeat("x", 70<<10)+`"`), ""},
		{"as much as an event can hold", bad("x", `, "x": "`+strings.Repeat("x", 261_000)+`"`), ""},
		{"nested deeper than a trade may be", bad("x", `, "x": `+strings.Repeat("[", 40)+strings.Repeat("]", 40)), ""},
		{"no id", aTrade(`{"amount": "10"}`), ""},
		{"an id that is a number", aTrade(`{"tradeId": 7}`), ""},
		{"an id with a space", aTrade(`{"tradeId": "a b"}`), ""},
		{"a name that is listed twice", bad("x", `, "amount": "11"`), ""},
		{"an empty detail", aTrade("{}"), ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := deploy(t, cloud.Options{})
			r := s.run(good("before"), tc.line, "", good("after"))
			if r.Recorded != 2 {
				t.Errorf("the trades around it: %s", summary(r))
			}
			letters := s.letters(validatorQueue)
			if tc.told == "" {
				if r.DeadLettered != 1 || len(letters) != 1 || r.DeadLetters[0].Error != "MalformedTrade" || r.ExitCode() != exitcode.OK {
					t.Fatalf("exit code %d, %s", r.ExitCode(), summary(r))
				}
				var entry struct{ Detail json.RawMessage }
				if err := json.Unmarshal([]byte(tc.line), &entry); err != nil || !strings.Contains(letters[0], `"detail":`+string(entry.Detail)) {
					t.Errorf("it is not kept as it came: %.300s", letters[0])
				}
				return
			}
			if r.ExitCode() != exitcode.RefusedInput || r.Input.Refused != 1 || len(r.Input.Problems) != 1 || len(letters) > 0 {
				t.Fatalf("exit code %d, %s", r.ExitCode(), summary(r))
			}
			problem := r.Input.Problems[0]
			if problem.File != "lines" || problem.Line != 2 || !strings.Contains(problem.Reason, tc.told) || len(problem.Excerpt) > 500 {
				t.Errorf("told as %s:%d: %s; want %q", problem.File, problem.Line, problem.Reason, tc.told)
			}
		})
	}
}

func TestFilesThatAreOddAndThoseBesideThem(t *testing.T) {
	packed := func(text string) string {
		var b bytes.Buffer
		z := gzip.NewWriter(&b)
		if _, err := z.Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
		if err := z.Close(); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	many := strings.Repeat(good("x")+"\n", 2_000) // so that cutting the file off cuts data off
	for _, tc := range []struct {
		name    string
		content string
		code    exitcode.Code
		problem string // empty: none
	}{
		{"an empty file", "", exitcode.OK, "empty: it has no entries"},
		{"blank lines", "\n \n\t\n", exitcode.OK, "empty: it has no entries"},
		{"a compressed file", packed(good("x")), exitcode.OK, ""},
		{"a compressed file that is cut off", packed(many)[:len(packed(many))/2], exitcode.RefusedInput, "the gzip data ends early"},
		{"a file that only looks compressed", "\x1f\x8bnonsense", exitcode.RefusedInput, "gzip"},
		{"UTF-16", "\xff\xfe{\x00}\x00", exitcode.RefusedInput, "UTF-16"},
		{"a mark at the beginning, as Windows writes it", "\ufeff" + good("x"), exitcode.OK, ""},
		{"Windows line ends and no last one", good("x") + "\r\n" + good("y"), exitcode.OK, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			folder := t.TempDir()
			names := []string{filepath.Join(folder, "before.ndjson"), filepath.Join(folder, "odd.ndjson"), filepath.Join(folder, "after.ndjson")}
			for i, content := range []string{good("before"), tc.content, good("after")} {
				if err := os.WriteFile(names[i], []byte(content), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			f, err := feed.Open(names, nil)
			if err != nil {
				t.Fatal(err)
			}
			s := deploy(t, cloud.Options{})
			r := s.reconciled(f)
			if r.ExitCode() != tc.code || r.Recorded < 2 {
				t.Errorf("exit code %d, %s", r.ExitCode(), summary(r))
			}
			if tc.problem == "" {
				if len(r.Input.Problems) > 0 || r.Recorded+r.Duplicates < 3 {
					t.Errorf("%v, %s", r.Input.Problems, summary(r))
				}
				return
			}
			if len(r.Input.Problems) != 1 || r.Input.Problems[0].File != names[1] || !strings.Contains(r.Input.Problems[0].Reason, tc.problem) {
				t.Errorf("told as %+v, want %q", r.Input.Problems, tc.problem)
			}
		})
	}
	t.Run("a missing file stops everything before it begins", func(t *testing.T) {
		missing := filepath.Join(t.TempDir(), "missing.ndjson")
		if _, err := feed.Open([]string{missing}, nil); err == nil || err.Error() != missing+": no such file" {
			t.Errorf("got %v", err)
		}
	})
}

// Whatever producers send is accounted for.
func TestHostileDetailsAreAccountedFor(t *testing.T) {
	s := deploy(t, cloud.Options{})
	name := rapid.SampledFrom([]string{"tradeId", "amount", "currency", "sourceSystem", "executedAt", "price", "quantity", "symbol", "venue", "isin", "side", "extra", ""})
	text := rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{
		"USD", "system1", "2026-01-05T15:00:00Z", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999999-23:59", "1e400", "-0", "XNYS", "\u0000", "BUY",
	}))
	literal := rapid.SampledFrom([]string{"1e999999999", "-0.0", "1E+2", "0.1", "123456789012345678901234567890123456789", "null", "true", "[]", "{}", `{"a": [1]}`})
	rapid.Check(t, func(rt *rapid.T) {
		var lines []string
		for range rapid.IntRange(1, 8).Draw(rt, "lines") {
			fields := map[string]json.RawMessage{}
			for range rapid.IntRange(0, 6).Draw(rt, "fields") {
				value := json.RawMessage(literal.Draw(rt, "literal"))
				if rapid.Bool().Draw(rt, "as text") {
					value, _ = json.Marshal(text.Draw(rt, "text"))
				}
				fields[name.Draw(rt, "name")] = value
			}
			detail, err := json.Marshal(fields)
			if err != nil {
				rt.Fatal(err)
			}
			lines = append(lines, aTrade(string(detail)))
		}
		r := s.run(lines...)
		if r.Received != int64(len(lines)) || r.NotMatched > 0 {
			rt.Errorf("%s\n%s", summary(r), strings.Join(lines, "\n"))
		}
		for _, letters := range r.DeadLetters {
			if letters.Error != "MalformedTrade" && letters.Error != "TradeConflict" {
				rt.Errorf("%s fails as %s", strings.Join(lines, "\n"), letters.Error)
			}
		}
	})
}

// An interrupted run ends soon, counts what was in flight, and can be run again.
func TestAnInterruptedRunAccountsForWhatWasSent(t *testing.T) {
	lines, expected := linesOf(t, 31, 2_000)
	for name, stuck := range map[string]bool{
		"trades that come to their end":      false,
		"trades that are stuck on their way": true,
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancelCause(t.Context())
			why := errors.New("somebody pressed Ctrl-C")
			var writes atomic.Int64
			var interrupted atomic.Pointer[time.Time]
			s := deploy(t, cloud.Options{Faults: func(call fault.Call) (f fault.Fault) {
				if call.Operation != "PutItem" {
					return f
				}
				n := writes.Add(1)
				if n == 203 {
					now := time.Now()
					interrupted.Store(&now)
					cancel(why)
				}
				if stuck && n >= 200 && interrupted.Load() == nil || n == 203 {
					f.Delay = time.Hour
				}
				return f
			}})
			s.pipeline.Concurrency = 4
			r, err := s.process(ctx, feedOf(lines...))
			if took := time.Since(*interrupted.Load()); took > localrun.Grace+time.Second {
				t.Errorf("it took %s", took)
			}
			if !errors.Is(err, why) || r.ExitCode() != exitcode.Interrupted || !r.Interrupted {
				t.Errorf("got %v, exit code %d", err, r.ExitCode())
			}
			if !r.Reconciles || r.Received < 200 || r.Received > 400 {
				t.Errorf("got %d unfinished, %s", r.Unfinished, summary(r))
			}
			if want := map[bool]int64{false: 1, true: 4}[stuck]; r.Unfinished != want {
				t.Errorf("%d are unfinished, want %d", r.Unfinished, want)
			}
			again := s.run(lines...)
			if again.Recorded+r.Recorded != expected.Recorded || again.Rejected+r.Rejected != expected.Rejected {
				t.Errorf("before %s, after %s", summary(r), summary(again))
			}
		})
	}
}

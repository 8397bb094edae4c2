package operate_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"trade-processing/internal/exitcode"
	"trade-processing/internal/operate"
	"trade-processing/local/endpoint"
	"trade-processing/local/table"
)

// timeless returns entries of trades that have no time but their event's.
func timeless(n int) []string {
	lines := make([]string, n)
	for i := range lines {
		lines[i] = fmt.Sprintf(`{"Source":"trading.system1","DetailType":"Trade Event","Detail":{"tradeId":"t%d","amount":"1.50","currency":"USD","sourceSystem":"system1"}}`, i)
	}
	return lines
}

// ids returns the ids of the table's items, in order.
func (w *world) ids() []string {
	var ids []string
	for _, item := range w.items() {
		ids = append(ids, table.Text(item, "tradeId"))
	}
	slices.Sort(ids)
	return ids
}

func sorted(lines []string) []string {
	ids := make([]string, len(lines))
	for i := range lines {
		ids[i] = "t" + strconv.Itoa(i)
	}
	slices.Sort(ids)
	return ids
}

// Killed in the middle, twice, it goes on where it ended: nothing is left out, and nothing is recorded twice, although
// these trades have no time of their own.
func TestSendingSurvivesAKill(t *testing.T) {
	trades := 3000
	if n, err := strconv.Atoi(os.Getenv("SEND")); err == nil {
		trades = n
	}
	w := newWorld(t, "local", nil)
	lines := timeless(trades)
	file := write(t, "trades.ndjson", lines...)

	var requests atomic.Int64
	for _, after := range []int{trades / 30, trades / 15} {
		kill := make(chan struct{})
		w.Tamper = func(http.ResponseWriter, *http.Request, endpoint.Call, []byte, http.Handler) bool {
			if requests.Add(1) == int64(after) {
				close(kill)
			}
			return false
		}
		sending := w.process("send", file)
		if err := sending.Start(); err != nil {
			t.Fatal(err)
		}
		<-kill
		_ = sending.Process.Kill()
		_ = sending.Wait()
		if n := len(w.items()); n == 0 || n >= trades {
			t.Fatalf("killed in the middle, and %d trades are recorded", n)
		}
		time.Sleep(1100 * time.Millisecond) // a new time would be another one
	}
	w.Tamper = nil
	begun, before := time.Now(), len(w.items())
	text, err := w.process("send", "--output", "json", file).Output()
	took := time.Since(begun)
	var report []struct {
		Sent, SentBefore int
		Whole            bool
	}
	if err != nil || json.Unmarshal(text, &report) != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	t.Logf("the last run sent %d in %v, %.0f a second", report[0].Sent, took, float64(len(w.items())-before)/took.Seconds())
	if !slices.Equal(w.ids(), sorted(lines)) {
		t.Errorf("%d items of %d trades", len(w.items()), trades)
	}
	if again := report[0]; !again.Whole || again.Sent+again.SentBefore != trades || again.SentBefore == 0 {
		t.Errorf("it says %s", text)
	}
	if _, said, code, err := w.tradectl("", "send", file); code != exitcode.OK || !strings.Contains(said, "was sent before") {
		t.Errorf("sent again, exit code %d, %v: %s", code, err, said)
	}
	if n := len(w.items()); n != trades {
		t.Errorf("sent again, there are %d items of %d trades", n, trades)
	}
}

// entriesOf returns the trade ids of a PutEvents request.
func entriesOf(t *testing.T, body []byte) []string {
	var in struct{ Entries []struct{ Detail string } }
	if err := json.Unmarshal(body, &in); err != nil {
		t.Fatal(err)
	}
	ids := make([]string, len(in.Entries))
	for i, entry := range in.Entries {
		var detail struct{ TradeID string }
		if err := json.Unmarshal([]byte(entry.Detail), &detail); err != nil {
			t.Fatal(err)
		}
		ids[i] = detail.TradeID
	}
	return ids
}

// Of a batch, only what the bus didn't take is sent again; what it never takes is told with its line.
func TestWhatTheBusDoesNotTakeIsSentAgainOrTold(t *testing.T) {
	w := newWorld(t, "local", nil)
	lines := timeless(25)
	lines = slices.Insert(lines, 3, "no entry")
	file := write(t, "trades.ndjson", lines...)
	var mu sync.Mutex
	tries := map[string]int{}
	w.Tamper = func(response http.ResponseWriter, r *http.Request, call endpoint.Call, body []byte, _ http.Handler) bool {
		mu.Lock()
		defer mu.Unlock()
		ids := entriesOf(t, body)
		var failed []string
		for _, id := range ids {
			tries[id]++
			if id == "t7" || id == "t12" && tries[id] < 4 {
				failed = append(failed, id)
			}
		}
		if len(failed) == 0 {
			return false
		}
		// Here all of the batch fails if one does: the endpoint has no such failures.
		results := make([]string, len(ids))
		for i, id := range ids {
			results[i] = `{"ErrorCode":"ThrottlingException","ErrorMessage":"slow down"}`
			if id == "t7" {
				results[i] = `{"ErrorCode":"NotAuthorizedForSourceException","ErrorMessage":"not yours"}`
			}
		}
		fmt.Fprintf(response, `{"FailedEntryCount":%d,"Entries":[%s]}`, len(ids), strings.Join(results, ","))
		return true
	}
	out, said, code, err := w.tradectl("", "send", "--output", "json", file)
	if code != exitcode.RefusedInput {
		t.Fatalf("exit code %d, %v: %s", code, err, said)
	}
	for _, want := range []string{file + ":4: not JSON", file + ":9: NotAuthorizedForSourceException: not yours"} {
		if !strings.Contains(said, want) {
			t.Errorf("it doesn't say %q: %s", want, said)
		}
	}
	var report []struct {
		Sent, SentBefore, Refused int
		Problems                  []operate.Refused
	}
	if err := json.Unmarshal([]byte(out), &report); err != nil || report[0].Sent != 24 || report[0].Refused != 2 || len(report[0].Problems) != 2 {
		t.Errorf("%v: %s", err, out)
	}
	want := slices.DeleteFunc(sorted(lines[:25]), func(id string) bool { return id == "t7" })
	if !slices.Equal(w.ids(), want) {
		t.Errorf("recorded are %v", w.ids())
	}
	if tries["t7"] != 1 || tries["t12"] != 4 || tries["t20"] != 1 {
		t.Errorf("tried %v", tries)
	}
	// It is told again, without being sent again.
	out, said, code, _ = w.tradectl("", "send", "--output", "json", file)
	if code != exitcode.RefusedInput || !strings.Contains(said, "not yours") || tries["t7"] != 1 {
		t.Errorf("again: exit code %d: %s", code, said)
	}
	if err := json.Unmarshal([]byte(out), &report); err != nil || report[0].Sent != 0 || report[0].SentBefore != 24 || report[0].Refused != 2 {
		t.Errorf("again: %v: %s", err, out)
	}
}

// One entry of a request that the bus refuses as a whole doesn't keep the others from it.
func TestARequestThatIsRefusedIsSentEntryByEntry(t *testing.T) {
	w := newWorld(t, "local", nil)
	w.Tamper = func(response http.ResponseWriter, _ *http.Request, _ endpoint.Call, body []byte, _ http.Handler) bool {
		if !strings.Contains(string(body), `t4\"`) {
			return false
		}
		response.WriteHeader(http.StatusBadRequest)
		fmt.Fprint(response, `{"__type":"ValidationException","message":"t4 is not valid"}`)
		return true
	}
	_, said, code, err := w.tradectl(strings.Join(timeless(10), "\n"), "send")
	if code != exitcode.RefusedInput || !strings.Contains(said, "standard input:5: ValidationException: t4 is not valid") {
		t.Errorf("exit code %d, %v: %s", code, err, said)
	}
	if n := len(w.items()); n != 9 {
		t.Errorf("%d are recorded", n)
	}
}

// What no further try can help ends the sending, and the next run goes on.
func TestSendingEndsWhereNothingHelps(t *testing.T) {
	w := newWorld(t, "local", nil)
	file := write(t, "trades.ndjson", timeless(200)...)
	var requests atomic.Int64
	w.Tamper = func(response http.ResponseWriter, _ *http.Request, _ endpoint.Call, _ []byte, _ http.Handler) bool {
		if requests.Add(1) < 10 {
			return false
		}
		response.WriteHeader(http.StatusBadRequest)
		fmt.Fprint(response, `{"__type":"ExpiredTokenException","message":"The security token included in the request is expired"}`)
		return true
	}
	_, said, code, err := w.tradectl("", "send", "--concurrency", "1", file)
	if code != exitcode.Failure || !strings.Contains(fmt.Sprint(err), "The credentials have expired") || !strings.Contains(said, "run the same command again") {
		t.Errorf("exit code %d, %v: %s", code, err, said)
	}
	w.Tamper = nil
	if _, said, code, err := w.tradectl("", "send", file); code != exitcode.OK || len(w.items()) != 200 {
		t.Errorf("exit code %d, %v, %d items: %s", code, err, len(w.items()), said)
	}
}

// A bus that is gone is told while it is tried on. Here it comes back once that was told.
func TestABusThatIsGoneIsTold(t *testing.T) {
	w := newWorld(t, "local", nil)
	file := write(t, "trades.ndjson", timeless(200)...)
	var requests atomic.Int64
	var back atomic.Bool
	w.Tamper = func(response http.ResponseWriter, _ *http.Request, _ endpoint.Call, _ []byte, _ http.Handler) bool {
		if requests.Add(1) < 5 || back.Load() {
			return false
		}
		connection, _, err := http.NewResponseController(response).Hijack()
		if err != nil {
			t.Error(err)
			return false
		}
		_ = connection.Close()
		return true
	}
	sending := w.process("send", file)
	sending.Stderr = nil
	said, err := sending.StderrPipe()
	if err == nil {
		err = sending.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	var told []string
	for lines := bufio.NewScanner(said); lines.Scan(); {
		told = append(told, lines.Text())
		if strings.Contains(lines.Text(), "the bus has taken nothing for 3s (the connection was closed); trying for up to 5m0s") {
			back.Store(true)
		}
	}
	if err := sending.Wait(); err != nil || !back.Load() || len(w.items()) != 200 {
		t.Errorf("%v, %d items: %q", err, len(w.items()), told)
	}
}

// A journal belongs to one input, by its contents, and to one bus.
func TestAJournalIsOfOneInput(t *testing.T) {
	w := newWorld(t, "local", nil)
	lines := timeless(30)
	file := write(t, "trades.ndjson", lines...)
	journal := filepath.Join(filepath.Dir(file), ".trades.ndjson.sent-to-local")
	if _, said, code, err := w.tradectl("", "send", file); code != exitcode.OK {
		t.Fatalf("exit code %d, %v: %s", code, err, said)
	}
	refuse := func(what, want string, args ...string) {
		t.Helper()
		_, said, code, err := w.tradectl(strings.Join(lines[:10], "\n"), append([]string{"send"}, args...)...)
		if code != exitcode.Usage || !strings.Contains(fmt.Sprint(err), want) || strings.Contains(said, "run the same command again") {
			t.Errorf("%s: exit code %d, %v: %s", what, code, err, said)
		}
		if n := len(w.items()); n != 30 {
			t.Errorf("%s: %d items", what, n)
		}
	}
	refuse("less of the input", "had other contents", "--journal", journal)
	if err := os.WriteFile(file, []byte(strings.Join(slices.Replace(slices.Clone(lines), 15, 16, strings.Replace(lines[15], "1.50", "2.50", 1)), "\n")), 0o600); err != nil {
		t.Fatal(err)
	}
	refuse("a changed line", file+":11: this is not the input that the journal is of", file)
	refuse("the input itself", "not a journal's", "--journal", write(t, "other", lines...))
	refuse("a device, which has no end", "not a regular file", "--journal", "/dev/zero")
	refuse("one for two", "is for one input", "--journal", journal, file, "-")
	text, err := os.ReadFile(journal)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(journal, []byte(strings.Replace(string(text), "event-bus/", "event-bus/other-", 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	refuse("another bus", "it is of what was sent to arn:aws:events:us-east-1:000000000000:event-bus/other-", "--journal", journal)
	if err := os.WriteFile(journal, []byte(regexp.MustCompile(` of 20[^"]*`).ReplaceAllString(string(text), " of 2020-01-01T00:00:00Z")), 0o600); err != nil {
		t.Fatal(err)
	}
	refuse("a bus made anew", "-local of 2020-01-01T00:00:00Z, and this would go to arn:aws:events:us-east-1:000000000000:event-bus/trade-processing-local of 20", "--journal", journal)
	bus, err := w.Stack.Bus(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	// A kill may cut the last line anywhere.
	for cut := range len(text) {
		if err := os.WriteFile(journal, text[:cut], 0o600); err != nil {
			t.Fatal(err)
		}
		opened, err := operate.OpenJournal(journal, bus)
		if err != nil {
			t.Fatalf("cut behind %q: %v", text[:cut], err)
		}
		if err := opened.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// Sending keeps to a rate.
func TestSendingKeepsToARate(t *testing.T) {
	w := newWorld(t, "local", nil)
	begun := time.Now()
	if _, said, code, err := w.tradectl(strings.Join(timeless(60), "\n"), "send", "--rate", "50"); code != exitcode.OK {
		t.Fatalf("exit code %d, %v: %s", code, err, said)
	}
	if took := time.Since(begun); took < 950*time.Millisecond { // the first ten at once
		t.Errorf("60 entries at 50 a second took %v", took)
	}
}

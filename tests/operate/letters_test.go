package operate_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
	"unicode"

	"trade-processing/internal/exitcode"
	"trade-processing/internal/operate"
	"trade-processing/internal/terminal"
	"trade-processing/lambdas/function/functiontest"
	"trade-processing/local/endpoint"
	"trade-processing/local/queue"
	"trade-processing/local/table"
)

// exact is the detail of a trade whose digits a JSON parser would change, and which has only its event's time.
const exact = `{"tradeId":"exact","amount":1313.80,"currency":"USD","sourceSystem":"system2","fee":1E-2,"big":123456789012345678901234567890.10,"text":"\u00e9\/é"}`

// undelivered returns an event as EventBridge delivers it, and keeps it if it can't.
func undelivered(id, detail string) string {
	return fmt.Sprintf(`{"version":"0","id":%q,"detail-type":"Trade Event","source":"trading.system2","account":"000000000000","time":"2026-03-02T14:00:07Z","region":"us-east-1","resources":["r"],"detail":%s}`, id, detail)
}

// letter returns a dead letter of a function's queue, as the state machine writes it.
func letter(event, failed string) string {
	return fmt.Sprintf(`{"event":%s,"error":{"Error":%q,"Cause":"{\"errorMessage\":\"why\"}"},"executionArn":"arn:aws:states:us-east-1:000000000000:execution:w:1"}`, event, failed)
}

// tradeOf returns the detail of another trade.
func tradeOf(id string) string {
	return fmt.Sprintf(`{"tradeId":%q,"amount":"1.50","currency":"USD","sourceSystem":"system2"}`, id)
}

// put puts a message into a queue.
func (w *world) put(url, body string) {
	w.t.Helper()
	if _, err := w.Queue(url).Send(w.t.Context(), queue.Draft{Body: body}); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) recorder() string { return w.Stack.Outputs.DeadLetters["recorder"] }

// holds checks how many letters a queue holds, all of which can be received at once.
func (w *world) holds(url string, want int) {
	w.t.Helper()
	if state := w.Queue(url).State(); state.Visible != want || state.InFlight != 0 {
		w.t.Errorf("the queue holds %d letters and %d hidden ones, want %d", state.Visible, state.InFlight, want)
	}
}

// watch records what reaches the bus.
func (w *world) watch() func() []string {
	var mu sync.Mutex
	var bodies []string
	before := w.Tamper
	w.Tamper = func(response http.ResponseWriter, r *http.Request, call endpoint.Call, body []byte, serve http.Handler) bool {
		if call.Operation == "PutEvents" {
			mu.Lock()
			bodies = append(bodies, string(body))
			mu.Unlock()
		}
		return before != nil && before(response, r, call, body, serve)
	}
	return func() []string {
		mu.Lock()
		defer mu.Unlock()
		return slices.Clone(bodies)
	}
}

func (w *world) must(code exitcode.Code, args ...string) (out, said string) {
	w.t.Helper()
	out, said, got, err := w.tradectl("", args...)
	if got != code {
		w.t.Fatalf("%v: exit code %d, want %d: %v\n%s%s", args, got, code, err, out, said)
	}
	return out, said
}

// A redrive sends what was kept, with its time and its text, so that it has the key and the digest that it had.
func TestARedriveSendsWhatWasKept(t *testing.T) {
	w := newWorld(t, "local", nil)
	w.put(w.recorder(), letter(undelivered("1", exact), "ProvisionedThroughputExceededException"))
	w.put(w.recorder(), letter(undelivered("2", tradeOf("other")), "TradeConflict"))
	w.put(w.Stack.Outputs.Delivery["system2"], undelivered("3", tradeOf("undelivered")))
	sent := w.watch()

	out, said := w.must(exitcode.OK, "dlq", "redrive")
	if len(sent()) > 0 || !strings.Contains(said, "nothing was sent; --yes sends 2 and leaves 1") || !strings.Contains(out, "TradeConflict") {
		t.Errorf("without --yes it sends %v, and says\n%s%s", sent(), out, said)
	}
	w.holds(w.recorder(), 2)

	w.must(exitcode.RefusedInput, "dlq", "redrive", "--yes") // the conflict stays
	w.holds(w.recorder(), 1)
	w.holds(w.Stack.Outputs.Delivery["system2"], 0)
	var request struct {
		Entries []struct {
			Source, DetailType, Detail, EventBusName string
			Resources                                []string
			Time                                     float64
		}
	}
	all := strings.Join(sent(), "\n")
	for _, body := range sent() {
		if !strings.Contains(body, "exact") {
			continue
		}
		if err := json.Unmarshal([]byte(body), &request); err != nil {
			t.Fatal(err)
		}
		got := request.Entries[0]
		if got.Detail != exact || int64(got.Time) != time.Date(2026, 3, 2, 14, 0, 7, 0, time.UTC).Unix() || got.Source != "trading.system2" ||
			got.DetailType != "Trade Event" || !slices.Equal(got.Resources, []string{"r"}) || got.EventBusName != w.Stack.Outputs.EventBusName {
			t.Errorf("sent %+v", got)
		}
	}
	if request.Entries == nil || strings.Contains(all, "other") {
		t.Errorf("sent %s", all)
	}
	if got := w.ids(); !slices.Equal(got, []string{"exact", "undelivered"}) {
		t.Errorf("recorded are %v", got)
	}
	for _, item := range w.items() {
		if table.Text(item, "version") != "system2#2026-03-02T14:00:07.000Z" {
			t.Errorf("recorded is %v", item["version"])
		}
	}
	// By name, also what a redrive can't help.
	w.must(exitcode.OK, "dlq", "redrive", "recorder", "--yes", "--error", "TradeConflict")
	w.holds(w.recorder(), 0)
}

// One event can be in two queues, because two functions failed on it: it is sent once.
func TestAnEventInTwoQueuesIsSentOnce(t *testing.T) {
	w := newWorld(t, "local", nil)
	for _, function := range []string{"validator", "enricher"} {
		w.put(w.Stack.Outputs.DeadLetters[function], letter(undelivered("1", exact), "Lambda.ServiceException"))
	}
	w.put(w.Stack.Outputs.DeadLetters["enricher"], letter(undelivered("1", exact), "Lambda.ServiceException"))
	sent := w.watch()
	w.must(exitcode.OK, "dlq", "redrive", "--yes")
	if len(sent()) != 1 || strings.Count(sent()[0], "exact") != 1 {
		t.Errorf("sent %v", sent())
	}
	for _, url := range w.Stack.Outputs.Queues() {
		w.holds(url, 0)
	}
}

// A letter that only names its event has the event in the execution's history. An EXPRESS execution has no history, so
// the letter stays until the archive was replayed.
func TestARedriveReadsAnEventThatNoMessageHolds(t *testing.T) {
	w := newWorld(t, "local", nil)
	odd := strings.Replace(exact, `"text":"`, `"text":"`+"\uffff", 1)
	named := `{"event":{"id":"%s","time":"2026-03-02T14:00:07Z"},"error":{"Error":"Lambda.ServiceException"},"executionArn":"arn:aws:states:us-east-1:000000000000:%s:w:%[1]s","refused":"SQS.AmazonSQSException"}`
	w.Tamper = func(response http.ResponseWriter, _ *http.Request, call endpoint.Call, body []byte, _ http.Handler) bool {
		if call.Operation != "DescribeExecution" {
			return false
		}
		if strings.Contains(string(body), ":gone") {
			response.WriteHeader(http.StatusBadRequest)
			fmt.Fprint(response, `{"__type":"ExecutionDoesNotExist","message":"Execution Does Not Exist"}`)
			return true
		}
		if err := json.NewEncoder(response).Encode(map[string]string{"status": "FAILED", "input": undelivered("1", odd)}); err != nil {
			t.Error(err)
		}
		return true
	}
	sent := w.watch()
	w.put(w.recorder(), fmt.Sprintf(named, "1", "execution"))
	w.must(exitcode.OK, "dlq", "redrive", "--yes")
	w.holds(w.recorder(), 0)
	if len(sent()) != 1 || !strings.Contains(sent()[0], "\uffff") {
		t.Errorf("sent %v", sent())
	}
	w.put(w.recorder(), fmt.Sprintf(named, "2", "express"))
	w.put(w.recorder(), fmt.Sprintf(named, "gone", "execution"))
	out, _ := w.must(exitcode.RefusedInput, "dlq", "redrive", "--yes")
	if !strings.Contains(out, "replay the minute of 2026-03-02T14:00:07Z") || !strings.Contains(out, "its execution is gone") {
		t.Errorf("it says %s", out)
	}
	w.holds(w.recorder(), 2)
	if len(sent()) != 1 {
		t.Errorf("sent %v", sent()[1:])
	}
}

// Whatever fails, the event is still somewhere; what is sent twice is recorded once.
func TestARedriveThatFailsLosesNothingAndDoublesNothing(t *testing.T) {
	w := newWorld(t, "local", nil)
	for i := range 20 { // two whole batches: letters of one millisecond come in any order
		w.put(w.recorder(), letter(undelivered(fmt.Sprint(i), tradeOf(fmt.Sprintf("t%d", i))), "InternalServerError"))
	}
	var refuse atomic.Value
	w.Tamper = func(response http.ResponseWriter, _ *http.Request, call endpoint.Call, body []byte, _ http.Handler) bool {
		if call.Operation != refuse.Load() {
			return false
		}
		if call.Operation == "PutEvents" && strings.Contains(string(body), `t3\"`) {
			fmt.Fprintf(response, `{"FailedEntryCount":10,"Entries":[%s]}`, strings.TrimSuffix(strings.Repeat(`{"ErrorCode":"NotAuthorizedForSourceException","ErrorMessage":"not yours"},`, 10), ","))
			return true
		}
		if call.Operation == "DeleteMessageBatch" {
			response.WriteHeader(http.StatusBadRequest)
			fmt.Fprint(response, `{"__type":"com.amazonaws.sqs#RequestThrottled","message":"later"}`)
			return true
		}
		return false
	}
	refuse.Store("DeleteMessageBatch")
	if _, said := w.must(exitcode.Failure, "dlq", "redrive", "--yes", "--rate", "1000"); !strings.Contains(said, "10 sent again") {
		t.Errorf("it says %s", said)
	}
	w.holds(w.recorder(), 20)
	refuse.Store("PutEvents")
	if out, _ := w.must(exitcode.RefusedInput, "dlq", "redrive", "--yes", "--rate", "1000"); strings.Count(out, "NotAuthorizedForSourceException: not yours") != 10 {
		t.Errorf("it says %s", out)
	}
	w.holds(w.recorder(), 10)
	refuse.Store("")
	w.must(exitcode.OK, "dlq", "redrive", "--yes", "--rate", "1000")
	w.holds(w.recorder(), 0)
	if n := len(w.items()); n != 20 {
		t.Errorf("%d items of 20 trades", n)
	}
}

// Killed in the middle, the next redrive goes on once the letters aren't hidden any more. Each run sends in the order in
// which the letters came.
func TestARedriveSurvivesAKill(t *testing.T) {
	w := newWorld(t, "local", nil)
	const letters = 200
	for i := range letters {
		w.put(w.recorder(), letter(undelivered(fmt.Sprint(i), tradeOf(fmt.Sprintf("t%03d", i))), "States.Timeout"))
		if i%20 == 0 {
			time.Sleep(2 * time.Millisecond) // SQS has milliseconds
		}
	}
	kill := make(chan struct{})
	var requests atomic.Int64
	w.Tamper = func(_ http.ResponseWriter, _ *http.Request, call endpoint.Call, _ []byte, _ http.Handler) bool {
		if call.Operation == "PutEvents" && requests.Add(1) == 7 {
			close(kill)
		}
		return false
	}
	sent := w.watch()
	redriving := w.process("dlq", "redrive", "--yes", "--rate", "2000")
	if err := redriving.Start(); err != nil {
		t.Fatal(err)
	}
	<-kill
	_ = redriving.Process.Kill()
	_ = redriving.Wait()
	if n := len(w.items()); n == 0 || n == letters {
		t.Fatalf("killed in the middle, and %d trades are recorded", n)
	}
	if _, said := w.must(exitcode.RefusedInput, "dlq", "redrive", "--yes"); !strings.Contains(said, "the queues hold about") {
		t.Errorf("with letters still hidden, it says %s", said)
	}
	w.clock.by.Store(int64(6 * time.Minute))
	w.must(exitcode.OK, "dlq", "redrive", "--yes", "--rate", "2000")
	w.holds(w.recorder(), 0)
	if n := len(w.items()); n != letters {
		t.Errorf("%d items of %d trades", n, letters)
	}
	last := map[string]int{}
	for at, body := range sent() {
		ids := entriesOf(t, []byte(body))
		if at > 0 && at < 7 && ids[0] < sent0(t, sent()[at-1]) {
			t.Errorf("%v is sent after %v", ids, entriesOf(t, []byte(sent()[at-1])))
		}
		for _, id := range ids {
			last[id]++
		}
	}
	if len(last) != letters {
		t.Errorf("%d trades were sent of %d", len(last), letters)
	}
}

// sent0 returns the id of a request's first trade, without its last digit: messages of one millisecond have no order.
func sent0(t *testing.T, body string) string { return entriesOf(t, []byte(body))[0][:2] }

// On a shared bus, the workflow can be started with the event itself, which keeps its id.
func TestARedriveCanStartTheWorkflow(t *testing.T) {
	w := newWorld(t, "local", nil)
	w.put(w.recorder(), letter(undelivered("its-own-id", exact), "States.Timeout"))
	sent := w.watch()
	w.must(exitcode.OK, "dlq", "redrive", "--yes", "--directly")
	w.holds(w.recorder(), 0)
	deadline := time.Now().Add(10 * time.Second)
	for len(w.items()) == 0 && time.Now().Before(deadline) {
		time.Sleep(10 * time.Millisecond)
	}
	if items := w.items(); len(sent()) > 0 || len(items) != 1 || table.Text(items[0], "eventId") != "its-own-id" {
		t.Errorf("sent %v, recorded %v", sent(), items)
	}
}

// What a function really leaves is explained, and stays where it is.
func TestLettersAreExplained(t *testing.T) {
	w := newWorld(t, "local", nil)
	if _, _, _, err := w.tradectl(`{"Source":"trading.system1","DetailType":"Trade Event","Detail":{"amount":"1"}}`, "send"); err != nil {
		t.Fatal(err)
	}
	w.put(w.recorder(), letter(undelivered("1", exact), "States.Timeout"))
	w.put(w.Stack.Outputs.Delivery["system2"], undelivered("3", tradeOf("undelivered")))
	w.put(w.Stack.Outputs.BusDeadLettersURL, "nobody's")

	out, _ := w.must(exitcode.OK, "dlq", "list", "--output", "json")
	var states []operate.QueueState
	if err := json.Unmarshal([]byte(out), &states); err != nil {
		t.Fatal(err)
	}
	held := map[string]int64{}
	for _, state := range states {
		held[state.Name] = state.Waiting
	}
	if len(states) != len(w.Stack.Outputs.Queues()) || held["validator"] != 1 || held["recorder"] != 1 || held["delivery-system2"] != 1 || held["bus"] != 1 || held["enricher"] != 0 {
		t.Errorf("the queues are %v", held)
	}

	out, _ = w.must(exitcode.OK, "dlq", "peek")
	for _, want := range []string{
		"  error      MalformedTrade\n", "not a trade: no JSON object", "trade exact  trading.system2 in recorder", "an outage that outlasted the retries",
		"redrive when it is over", "EventBridge couldn't deliver it", "no dead letter: somebody else's message",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
	for _, filter := range [][]string{{"recorder"}, {"--error", "States.*"}, {"--trade", "exact"}} {
		out, _ = w.must(exitcode.OK, append([]string{"dlq", "peek", "--output", "csv"}, filter...)...)
		if lines := strings.Split(strings.TrimSpace(out), "\r\n"); len(lines) != 2 || !strings.Contains(lines[1], "exact") {
			t.Errorf("%v: %s", filter, out)
		}
	}
	for _, filter := range [][]string{{"--source", "system1"}, {"--older", "1h"}, {"--message", "none"}} {
		if out, _ = w.must(exitcode.OK, append([]string{"dlq", "peek", "recorder", "--output", "json"}, filter...)...); out != "[]\n" {
			t.Errorf("%v: %s", filter, out)
		}
	}
	for _, url := range w.Stack.Outputs.Queues() {
		w.holds(url, map[bool]int{true: 0, false: 1}[w.Queue(url).State().Depth() == 0])
	}
	if _, _, code, err := w.tradectl("", "dlq", "peek", "none"); code != exitcode.NotFound || !strings.Contains(err.Error(), `there is no queue "none"; the stack has bus, delivery-system1`) {
		t.Errorf("a queue that isn't there: exit code %d, %v", code, err)
	}
}

// Letters are deleted once a new file has them.
func TestPurgedLettersAreKept(t *testing.T) {
	w := newWorld(t, "local", nil)
	w.put(w.recorder(), letter(undelivered("1", exact), "TradeConflict"))
	w.put(w.recorder(), letter(undelivered("2", tradeOf("other")), "States.Timeout"))
	if _, said := w.must(exitcode.OK, "dlq", "purge", "recorder", "--error", "TradeConflict"); !strings.Contains(said, "nothing was deleted; --yes deletes 1") {
		t.Errorf("it says %s", said)
	}
	w.must(exitcode.Usage, "dlq", "purge", "recorder", "--yes")
	w.must(exitcode.Usage, "dlq", "purge", "recorder", "--yes", "--keep", w.Outputs)
	w.must(exitcode.Usage, "dlq", "purge", "recorder", "--yes", "--keep", filepath.Join(t.TempDir(), "no", "folder"))
	w.holds(w.recorder(), 2)
	file := filepath.Join(t.TempDir(), "kept.ndjson")
	w.must(exitcode.OK, "dlq", "purge", "recorder", "--error", "TradeConflict", "--yes", "--keep", file)
	w.holds(w.recorder(), 1)
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var kept operate.Letter
	if err := json.Unmarshal(text, &kept); err != nil || kept.Body != letter(undelivered("1", exact), "TradeConflict") || kept.MessageID == "" || kept.Sent.IsZero() {
		t.Errorf("%v: %s", err, text)
	}
	if _, said := w.must(exitcode.OK, "dlq", "purge", "recorder", "--error", "TradeConflict", "--yes", "--keep", file+"2"); !strings.Contains(said, "no dead letter matches") {
		t.Errorf("it says %s", said)
	}
	if _, err := os.Stat(file + "2"); err == nil {
		t.Error("a file without letters is there")
	}
}

// Everything in a letter comes from outside.
// A service that takes a connection and never answers doesn't hold a command that was interrupted.
func TestAnInterruptIsNotKeptWaitingForAnAnswer(t *testing.T) {
	for _, silent := range []string{"ReceiveMessage", "PutEvents", "DeleteMessageBatch", "ChangeMessageVisibilityBatch"} {
		t.Run(silent, func(t *testing.T) {
			w := newWorld(t, "local", nil)
			w.put(w.recorder(), letter(undelivered("1", exact), "States.Timeout"))
			ctx, interrupt := context.WithCancel(t.Context())
			asked := false
			w.Tamper = func(_ http.ResponseWriter, r *http.Request, call endpoint.Call, _ []byte, _ http.Handler) bool {
				if call.Operation == silent {
					asked = true
					interrupt()
					<-r.Context().Done()
					return true
				}
				return false
			}
			args := []string{"dlq", "redrive", "--yes"}
			if silent == "ChangeMessageVisibilityBatch" {
				args = []string{"dlq", "peek"}
			}
			ended := make(chan error, 1)
			go func() {
				term := &terminal.Terminal{Out: t.Output(), Err: t.Output(), Getenv: func(string) string { return "" }}
				ended <- newCommand(term, append(args, "--outputs", w.Outputs)).ExecuteContext(ctx)
			}()
			select {
			case err := <-ended:
				if code, _ := exitcode.Of(err); code != exitcode.Interrupted || !asked {
					t.Errorf("asked: %v; exit code %d: %v", asked, code, err)
				}
			case <-time.After(15 * time.Second):
				t.Error("it still waits")
				w.Server.CloseClientConnections()
			}
			w.Tamper = nil
			if state := w.Queue(w.recorder()).State(); state.Visible+state.InFlight != 1 {
				t.Errorf("the letter isn't there: %+v", state)
			}
		})
	}
}

// A letter doesn't look like another.
func TestALetterKeepsToItsLines(t *testing.T) {
	w := newWorld(t, "local", nil)
	const fake = "x\ntrade fake"
	quoted, err := json.Marshal(fake)
	if err != nil {
		t.Fatal(err)
	}
	event := strings.ReplaceAll(undelivered("1", `{"tradeId":`+string(quoted)+`}`), `"trading.system2"`, string(quoted))
	w.put(w.recorder(), fmt.Sprintf(`{"event":%s,"error":{"Error":%s,"Cause":%[2]s},"executionArn":%[2]s}`, event, quoted))
	for _, command := range [][]string{{"peek"}, {"redrive"}, {"purge", "recorder"}} {
		if out, said, _, _ := w.tradectl("", append([]string{"dlq"}, command...)...); strings.Contains("\n"+out+said, "\ntrade fake") {
			t.Errorf("%v prints\n%s%s", command, out, said)
		}
	}
}

func TestALetterDoesNothingToATerminal(t *testing.T) {
	w := newWorld(t, "local", nil)
	for _, text := range functiontest.Hostile() {
		quoted, err := json.Marshal(text)
		if err != nil || strings.ContainsFunc(string(quoted), func(r rune) bool { return r == 0xFFFE || r == 0xFFFF }) {
			continue
		}
		w.put(w.recorder(), fmt.Sprintf(`{"event":%s,"error":{"Error":%s,"Cause":%[2]s},"executionArn":%[2]s}`, strings.ReplaceAll(undelivered("1", `{"tradeId":`+string(quoted)+`}`), "trading.system2", "trading"), quoted))
	}
	for _, form := range []string{"table", "csv", "json"} {
		for _, command := range [][]string{{"peek", "--limit", "1000"}, {"redrive"}, {"purge", "recorder"}} {
			out, said, _, err := w.tradectl("", append([]string{"dlq", "--output", form}, command...)...)
			if strings.ContainsFunc(out+said+fmt.Sprint(err), func(r rune) bool { return r != '\n' && r != '\r' && r != '\t' && !unicode.IsPrint(r) }) {
				t.Errorf("%v as %s prints %q", command, form, out+said)
			}
		}
	}
}

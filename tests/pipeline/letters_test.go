package pipeline_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"trade-processing/internal/exitcode"
	"trade-processing/local/cloud"
	"trade-processing/local/fault"
)

// put sends one event of system1 to the bus, past everything that looks at input beforehand.
func (s *system) put(detail string) cloud.Receipt {
	s.t.Helper()
	receipt, err := s.cloud.PutEvent(s.t.Context(), region, busName, cloud.Entry{Source: "trading.system1", DetailType: "Trade Event", Detail: json.RawMessage(detail)})
	if err != nil {
		s.t.Fatal(err)
	}
	return receipt
}

// kept is a dead letter as the runbook's readers see it.
type kept struct {
	Event struct {
		ID, Time string
		Detail   json.RawMessage
	}
	Error        struct{ Error, Cause string }
	ExecutionARN string
	Refused      string
}

// letterOf returns the letter about an event in a function's queue, if there is one.
func (s *system) letterOf(event string) (kept, bool) {
	s.t.Helper()
	for _, queue := range []string{validatorQueue, enricherQueue, recorderQueue} {
		for _, body := range s.letters(queue) {
			var letter kept
			if err := json.Unmarshal([]byte(body), &letter); err != nil {
				s.t.Fatalf("%.200s: %v", body, err)
			}
			if letter.Event.ID == event {
				return letter, true
			}
		}
	}
	return kept{}, false
}

// wentOff returns the alarms that went off since it was last called, without the stack's name.
func (s *system) wentOff() (alarms []string) {
	for _, change := range s.cloud.EvaluateAlarms() {
		alarms = append(alarms, strings.TrimPrefix(change.Alarm, "trade-processing-local-"))
	}
	return alarms
}

// of returns a detail that is no trade, and makes its event so many bytes large.
func (s *system) of(size int) string {
	const detail = `{"x": "%s"}`
	empty := len(`{"version":"0","id":"f3955a9f-3b1e-4c38-a9a4-7ad1d1b1c3a7","detail-type":"Trade Event","source":"trading.system1",` +
		`"account":"` + cloud.Account + `","time":"2026-01-02T09:30:00Z","region":"` + region + `","resources":[],"detail":}`)
	return fmt.Sprintf(detail, strings.Repeat("x", size-empty-len(fmt.Sprintf(detail, ""))))
}

// No event that the bus takes ends nowhere, whatever its size. A letter is larger than its event, and larger than a
// queue takes from some size on: then it names the event, which is in the execution's history and in the archive.
func TestAnEventOfAnySizeIsKept(t *testing.T) {
	s := deploy(t, cloud.Options{})
	const most = 256 << 10 // of an execution's input, and of a message
	sizes := []int{240, 1 << 10, 10_000, 64 << 10, 240 << 10, 261_000, most - 1000, most - 1, most}
	for size := 261_200; size < 261_800; size += 25 { // around the largest whose letter fits
		sizes = append(sizes, size)
	}
	for _, size := range sizes {
		detail := s.of(size)
		receipt := s.put(detail)
		letter, found := s.letterOf(receipt.EventID)
		switch {
		case !found || letter.Error.Error == "" || letter.ExecutionARN != receipt.Deliveries[0].Execution:
			t.Errorf("%d bytes: its letter is %.300v", size, letter)
		case letter.Refused == "" && string(letter.Event.Detail) != detail:
			t.Errorf("%d bytes: it isn't kept as it came", size)
		case letter.Refused != "" && (size < 261_000 || letter.Event.Time == "" || letter.Event.Detail != nil):
			t.Errorf("%d bytes: its letter is %+v", size, letter)
		case letter.Refused == "" && size > most-100:
			t.Errorf("%d bytes: the letter is larger than a queue takes", size)
		}
	}
	if alarms := s.wentOff(); slices.Contains(alarms, "workflow-unkept") {
		t.Errorf("%v went off", alarms)
	}
	// What is larger starts no execution and fits into no queue: only the archive has it, and an alarm pages.
	for _, size := range []int{most + 1, 500_000, cloud.MaxEntries} {
		receipt := s.put(s.of(size))
		if letter, found := s.letterOf(receipt.EventID); found || receipt.Deliveries[0].DeadLetters != nil {
			t.Errorf("%d bytes: its letter is %.300v", size, letter)
		}
	}
	if alarms := s.wentOff(); !slices.Contains(alarms, "from-system1-lost") {
		t.Errorf("only %v went off", alarms)
	}
}

// SQS takes no U+FFFE and no U+FFFF. All else is kept whole, wherever it is.
func TestAnEventOfAnyCharactersIsKept(t *testing.T) {
	s := deploy(t, cloud.Options{})
	for _, character := range []string{
		"\ufffe", "\uffff", `\ufffe`, `\uffff`, "\ufffd", "\ufdd0", "\U0001fffe", "\x7f", "\u0085", "\u2028", "\u202e", `\u0000`, `\u001b`, `\ud800`, `\ud83d\ude00`, `\"`, "é",
	} {
		for where, detail := range map[string]string{
			"in the id":    `{"tradeId": "a` + character + `"}`,
			"in a value":   `{"comment": "a` + character + `"}`,
			"in a name":    `{"a` + character + `": 1}`,
			"in two names": `{"a` + character + `": 1, "a` + character + `": 2}`, // which the error quotes
			"much of it":   `{"comment": "` + strings.Repeat(character, 20_000) + `"}`,
		} {
			receipt := s.put(detail)
			letter, found := s.letterOf(receipt.EventID)
			if !found || letter.Error.Error != "MalformedTrade" || letter.ExecutionARN != receipt.Deliveries[0].Execution {
				t.Errorf("%q %s: its letter is %.300v", character, where, letter)
			}
			whole := string(letter.Event.Detail) == detail
			if named := letter.Event.Time != "" && letter.Refused == "SQS.AmazonSQSException" && letter.Event.Detail == nil; whole == named {
				t.Errorf("%q %s: it is kept as %.300v", character, where, letter)
			}
			if refused := character == "\ufffe" || character == "\uffff"; refused == whole {
				t.Errorf("%q %s: kept whole: %v", character, where, whole)
			}
		}
	}
	if alarms := s.wentOff(); slices.Contains(alarms, "workflow-unkept") {
		t.Errorf("%v went off", alarms)
	}
}

// While SQS is away nothing can be kept, and that has an alarm of its own. When it is back before the last try, only a
// letter that names the event is kept.
func TestAnEventThatCannotBeKeptPages(t *testing.T) {
	away := always("sqs", "SendMessage", "", fault.Fault{Err: errLostMessage})
	for name, tc := range map[string]struct {
		hook   fault.Hook
		kept   int64
		unkept bool
	}{
		"SQS stays away": {away, 0, true},
		"SQS is back for the letter that names it":   {failing(5), 1, false},
		"the whole letter arrives at its last try":   {failing(4), 1, false},
		"SQS is back for the last try":               {failing(7), 1, true},
		"SQS is back just too late for the last try": {failing(8), 0, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := deploy(t, cloud.Options{Faults: tc.hook})
			r, err := s.process(t.Context(), feedOf(aTrade(`{"tradeId": "a b"}`)))
			if err != nil || r.DeadLettered != tc.kept || r.Reconciles != (tc.kept == 1) || (r.ExitCode() == exitcode.OK) != (tc.kept == 1) {
				t.Errorf("got %v, exit code %d, %s", err, r.ExitCode(), summary(r))
			}
			var alarms []string
			for _, alarm := range r.Alarms {
				alarms = append(alarms, strings.TrimPrefix(alarm.Name, "trade-processing-local-"))
			}
			if slices.Contains(alarms, "workflow-unkept") != tc.unkept || !slices.Contains(alarms, "workflow-failed") || !slices.Contains(alarms, "page") {
				t.Errorf("%v went off", alarms)
			}
		})
	}
}

// failing fails the first n messages of all.
func failing(n int) fault.Hook {
	hook := first(n, "sqs", "SendMessage", fault.Fault{Err: errLostMessage})
	return func(call fault.Call) fault.Fault {
		call.Key = ""
		return hook(call)
	}
}

package pipeline_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"trade-processing/internal/feed"
	"trade-processing/lambdas/function/functiontest"
	"trade-processing/local/cloud"
	"trade-processing/local/fault"
)

// flood skips a test that takes minutes, unless `make flood` runs it.
func flood(t *testing.T) {
	t.Helper()
	if os.Getenv("FLOOD") == "" {
		t.Skip("make flood runs this")
	}
}

// Whatever texts a trade holds, it is recorded with them or kept with them, and no other trade notices.
func TestHostileTextsAreRecordedOrKept(t *testing.T) {
	s := deploy(t, cloud.Options{})
	var lines []string
	for i, text := range functiontest.Hostile() {
		for _, detail := range []map[string]any{
			{"tradeId": fmt.Sprint("hostile-", i), "amount": "1.50", "currency": "USD", "sourceSystem": "system1", "note": text, text: "name"},
			{"tradeId": text, "amount": text, "currency": text, "sourceSystem": text, "symbol": text, "account": text, "executedAt": text},
		} {
			line, err := json.Marshal(detail)
			if err != nil {
				t.Fatal(err)
			}
			lines = append(lines, aTrade(string(line)))
		}
	}
	r := s.run(lines...)
	if r.Received != int64(len(lines)) || r.NotMatched != 0 {
		t.Fatal(summary(r))
	}
	trades := s.trades()
	for i, text := range functiontest.Hostile() {
		found := 0
		for key, canonical := range trades {
			var read map[string]string
			if err := json.Unmarshal([]byte(canonical), &read); err != nil {
				t.Fatal(err)
			}
			if id := fmt.Sprint("hostile-", i); strings.HasPrefix(key, id+" ") && read["note"] == text && read[text] == "name" {
				found++
			}
		}
		if found != 1 {
			t.Errorf("the trade with the note %q is recorded %d times", text, found)
		}
	}
}

// valid is a feed of valid trades, made one by one; line is another entry in the middle.
func valid(count int, line string) *feed.Feed {
	reader, writer := io.Pipe()
	go func() {
		out := bufio.NewWriter(writer)
		for i := range count {
			if i == count/2 && line != "" {
				_, _ = fmt.Fprintln(out, line) // Flush tells
			}
			_, _ = fmt.Fprintln(out, aTrade(fmt.Sprintf(`{"tradeId": "flood-%d", "amount": "1.50", "currency": "USD", "sourceSystem": "system1", "executedAt": "2025-11-24T14:30:00Z"}`, i)))
		}
		writer.CloseWithError(out.Flush())
	}()
	return feed.FromReader("flood", reader)
}

// Of ten times as many calls as the recorder may run at once, most are throttled. What the retries don't get through is
// kept, and recorded when it is sent again.
func TestFloodOverTheReservedConcurrency(t *testing.T) {
	flood(t)
	const reserved, count = 4, 5_000
	slow := always("dynamodb", "PutItem", "", fault.Fault{Delay: time.Second}) // so that a call keeps its place
	s := deployWith(t, cloud.Options{Faults: slow}, map[string]string{"recorderReservedConcurrency": fmt.Sprint(reserved)})
	s.pipeline.Concurrency = 10 * reserved
	burst := s.reconciled(valid(count, ""))
	if burst.Received != count || burst.DeadLettered == 0 || len(burst.DeadLetters) != 1 || burst.DeadLetters[0].Error != "Lambda.TooManyRequestsException" {
		t.Fatal(summary(burst))
	}
	s.pipeline.Concurrency = reserved
	again := s.reconciled(valid(count, ""))
	if again.Recorded != burst.DeadLettered || again.Duplicates != burst.Recorded || len(s.trades()) != count {
		t.Errorf("at first %s; then %s", summary(burst), summary(again))
	}
}

// One trade in a million that no function can read is one dead letter, and the others are recorded.
func TestFloodWithOnePoisonTrade(t *testing.T) {
	flood(t)
	const count = 1_000_000
	s := deploy(t, cloud.Options{})
	r := s.reconciled(valid(count, aTrade(`{"tradeId": 5, "poison": true}`)))
	if r.Recorded != count || r.DeadLettered != 1 || r.Received != count+1 {
		t.Error(summary(r))
	}
	if letters := s.letters(validatorQueue); len(letters) != 1 || !strings.Contains(letters[0], `{"tradeId": 5, "poison": true}`) {
		t.Errorf("the letters are %q", letters)
	}
}

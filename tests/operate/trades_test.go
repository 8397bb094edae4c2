package operate_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"trade-processing/internal/exitcode"
	"trade-processing/internal/operate"
	"trade-processing/local/endpoint"
	"trade-processing/local/table"
)

// send sends entries that must all be taken.
func (w *world) send(entries ...string) {
	w.t.Helper()
	if _, said, code, err := w.tradectl(strings.Join(entries, "\n"), "send"); code != exitcode.OK {
		w.t.Fatalf("exit code %d: %v\n%s", code, err, said)
	}
}

func event(source, id, executed, more string) string {
	return fmt.Sprintf(`{"Source":"trading.%s","DetailType":"Trade Event","Detail":{"tradeId":%q,"sourceSystem":%q,"amount":"25.00","currency":"USD","symbol":"AAPL","executedAt":%q%s}}`,
		source, id, source, executed, more)
}

func (w *world) getJSON(args ...string) operate.Trade {
	w.t.Helper()
	out, _, code, err := w.tradectl("", append([]string{"get", "--output", "json"}, args...)...)
	var trade operate.Trade
	if decoding := json.Unmarshal([]byte(out), &trade); code != exitcode.OK || decoding != nil {
		w.t.Fatalf("exit code %d: %v, %v\n%s", code, err, decoding, out)
	}
	return trade
}

func TestATradeIsShownWithItsVersions(t *testing.T) {
	w := newWorld(t, "dev", nil)
	w.send(event("system1", "x", "2024-05-28T13:30:00.000Z", ""), event("system2", "x", "2024-05-28T13:30:00.000Z", ""))
	first := w.getJSON("x").Versions[0].RecordedAt
	time.Sleep(5 * time.Millisecond)
	w.send(event("system1", "x", "2024-05-28T13:30:00.000Z", `,"action":"CORRECT","actionTime":"2024-05-28T14:00:00.000Z","note":"\u001b[31m"`),
		event("system1", "x", "2024-05-28T13:30:00.000Z", `,"action":"CANCEL","actionTime":"2024-05-28T15:00:00.000Z","replacesTime":"2024-05-28T14:00:00.000Z"`),
		strings.Replace(event("system1", "x", "2024-05-28T16:00:00.000Z", ""), "25.00", "-1.00", 1),
		strings.Replace(event("system3", "x", "2024-05-28T16:00:00.000Z", ""), "25.00", "-1.00", 1))

	trade := w.getJSON("x")
	want := []operate.State{
		{Source: "system1", State: operate.Cancelled, Version: "system1#2024-05-28T15:00:00.000Z"},
		{Source: "system2", State: operate.Stands, Version: "system2#2024-05-28T13:30:00.000Z"},
	}
	if len(trade.States) != 3 || !slices.Equal(trade.States[:2], want) || trade.States[2].State != operate.Rejected {
		t.Errorf("the states are %v, want %v and one rejected", trade.States, want)
	}
	if len(trade.Versions) != 6 {
		t.Fatalf("%d versions, want 6", len(trade.Versions))
	}
	rejected, cancel, correction := trade.Versions[0], trade.Versions[1], trade.Versions[2]
	if rejected.Status != operate.Rejected || len(rejected.Violations) == 0 || cancel.Action != "CANCEL" || cancel.Replaces != correction.Version {
		t.Errorf("system1's newest versions are %+v\n%+v", rejected, cancel)
	}
	for _, version := range trade.Versions {
		if !version.DigestIsRight || !json.Valid([]byte(version.Trade)) || version.Market == nil ||
			!strings.HasPrefix(version.ExecutionARN, strings.Replace(w.Stack.Outputs.StateMachineARN, ":stateMachine:", ":execution:", 1)+":") {
			t.Errorf("a version is %+v", version)
		}
	}
	if before := w.getJSON("x", "--as-of", first); len(before.Versions) > 2 || before.States[0].State != operate.Stands {
		t.Errorf("as of %s, there are %v", first, before.Versions)
	}
	for tries := 0; tries < 100; tries++ { // the replica is a moment behind
		if _, _, code, _ := w.tradectl("", "get", "x", "--replica", "eu-west-1"); code == exitcode.OK {
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	if there := w.getJSON("x", "--replica", "eu-west-1"); there.Region != "eu-west-1" || len(there.Versions) == 0 {
		t.Errorf("the replica has %+v", there)
	}

	out, _, _, _ := w.tradectl("", "get", "x")
	for _, want := range []string{"Trade x  in us-east-1\n● system1 no longer stands: cancelled by version system1#2024-05-28T15:00:00.000Z\n",
		"\nsystem1#2024-05-28T14:00:00.000Z\n  status     RECORDED, CORRECT\n  replaces   system1#2024-05-28T13:30:00.000Z\n", "  violation  AMOUNT_NEGATIVE, amount: ", "✓ the digest is the SHA-256 of the trade"} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
	if strings.ContainsFunc(out, func(r rune) bool { return r != '\n' && !unicode.IsPrint(r) }) {
		t.Errorf("it acts on a terminal: %q", out)
	}
	out, _, _, _ = w.tradectl("", "get", "x", "--output", "csv")
	if records, err := csv.NewReader(strings.NewReader(out)).ReadAll(); err != nil || len(records) != 7 {
		t.Errorf("CSV has %d records: %v", len(records), err)
	}

	for _, test := range []struct {
		args []string
		code exitcode.Code
		says string
	}{
		{[]string{"get", "y"}, exitcode.NotFound, "trade y is not in table " + w.Stack.Outputs.TradeTableName + " in us-east-1"},
		{[]string{"get", "x", "--as-of", "2020-01-01"}, exitcode.NotFound, ", as of 2020-01-01T00:00:00Z"},
		{[]string{"get", "x", "--replica", "ap-south-1"}, exitcode.Usage, "the table has no replica in ap-south-1; it is in us-east-1, eu-west-1"},
		{[]string{"get", "x", "--as-of", "yesterday"}, exitcode.Failure, "it is a time such as"}, // cobra's, to which the program gives code 2
		{[]string{"list", "--status", "LOST"}, exitcode.Usage, `--status is RECORDED or REJECTED, not "LOST"`},
		{[]string{"list", "--since", "1h", "--until", "2h"}, exitcode.Usage, "after --until"},
		{[]string{"list", "--limit", "-1"}, exitcode.Usage, "--limit can't be negative"},
	} {
		if _, _, code, err := w.tradectl("", test.args...); code != test.code || err == nil || !strings.Contains(err.Error(), test.says) {
			t.Errorf("%v: exit code %d: %v", test.args, code, err)
		}
	}
}

// Whoever changes a record is found out.
func TestAChangedRecordIsToldAndFails(t *testing.T) {
	w := newWorld(t, "dev", nil)
	w.send(event("system1", "x", "2024-05-28T13:30:00.000Z", ""))
	trades, err := w.Cloud.Table("us-east-1", w.Stack.Outputs.TradeTableName)
	if err != nil {
		t.Fatal(err)
	}
	item := w.items()[0]
	item["trade"] = &types.AttributeValueMemberS{Value: strings.Replace(table.Text(item, "trade"), "25.00", "26.00", 1)}
	if _, err := trades.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: aws.String(w.Stack.Outputs.TradeTableName), Item: item}); err != nil {
		t.Fatal(err)
	}
	for _, form := range []string{"table", "json", "csv"} {
		out, _, code, err := w.tradectl("", "get", "x", "--output", form)
		if code != exitcode.Failure || err == nil || !strings.Contains(err.Error(), "system1#2024-05-28T13:30:00.000Z: the digest isn't that of the text") {
			t.Errorf("%s: exit code %d: %v\n%s", form, code, err, out)
		}
	}
}

func TestTradesAreListedByTime(t *testing.T) {
	w := newWorld(t, "dev", nil)
	start := time.Date(2024, 5, 28, 13, 0, 0, 0, time.UTC)
	const trades = 900
	var entries []string
	for i := range trades {
		entry := event(fmt.Sprintf("system%d", i%3+1), fmt.Sprintf("t%d", i), start.Add(time.Duration(i)*time.Second).Format(time.RFC3339), "")
		if i%10 == 0 {
			entry = strings.Replace(entry, "25.00", "-1.00", 1)
		}
		entries = append(entries, entry)
	}
	w.send(entries...)
	at := func(i int) string { return start.Add(time.Duration(i) * time.Second).Format(time.RFC3339) }
	for name, test := range map[string]struct {
		args  []string
		match func(i int) bool
	}{
		"everything":           {nil, func(int) bool { return true }},
		"a source":             {[]string{"--source", "system2"}, func(i int) bool { return i%3 == 1 }},
		"a status":             {[]string{"--status", "rejected"}, func(i int) bool { return i%10 == 0 }},
		"what is valid":        {[]string{"--status", "RECORDED"}, func(i int) bool { return i%10 != 0 }},
		"a source and status":  {[]string{"--source", "system1", "--status", "REJECTED"}, func(i int) bool { return i%30 == 0 }},
		"a window":             {[]string{"--since", at(100), "--until", at(200)}, func(i int) bool { return i >= 100 && i <= 200 }},
		"a window of a source": {[]string{"--source", "system3", "--since", at(500)}, func(i int) bool { return i >= 500 && i%3 == 2 }},
		"nothing":              {[]string{"--source", "system9"}, func(int) bool { return false }},
	} {
		t.Run(name, func(t *testing.T) {
			var want []string
			for i := trades - 1; i >= 0; i-- {
				if test.match(i) {
					want = append(want, fmt.Sprintf("t%d", i))
				}
			}
			for _, limit := range []int{0, 7} {
				out, said, code, err := w.tradectl("", append([]string{"list", "--output", "json", "--limit", fmt.Sprint(limit)}, test.args...)...)
				var listed []operate.Listed
				if decoding := json.Unmarshal([]byte(out), &listed); code != exitcode.OK || decoding != nil {
					t.Fatalf("exit code %d: %v, %v", code, err, decoding)
				}
				var got []string
				for _, one := range listed {
					got = append(got, one.TradeID)
				}
				expected := want
				if limit > 0 && len(want) > limit {
					expected = want[:limit]
					if !strings.Contains(said, "there are more than 7: --limit 0 lists all") {
						t.Errorf("it says %q", said)
					}
				}
				if !slices.Equal(got, expected) {
					t.Errorf("limit %d: %d trades, want %d: %v", limit, len(got), len(expected), got)
				}
			}
		})
	}

	// A shard that can't be read makes the list fail, however many others can.
	w.Tamper = func(response http.ResponseWriter, _ *http.Request, call endpoint.Call, body []byte, _ http.Handler) bool {
		if call.Operation != "Query" || !bytes.Contains(body, []byte(`"system1#33"`)) {
			return false
		}
		response.Header().Set("X-Amzn-ErrorType", "AccessDeniedException")
		response.WriteHeader(http.StatusBadRequest)
		fmt.Fprint(response, `{"__type":"AccessDeniedException","message":"not that one"}`)
		return true
	}
	out, _, code, err := w.tradectl("", "list", "--source", "system1", "--output", "json", "--limit", "0")
	if code != exitcode.Failure || err == nil || !strings.Contains(err.Error(), "The caller's role lacks this permission: docs/tradectl.md") || json.Valid([]byte(out)) {
		t.Errorf("exit code %d: %v\n%.200s", code, err, out)
	}
}

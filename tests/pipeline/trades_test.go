package pipeline_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	gocmp "github.com/google/go-cmp/cmp"

	"trade-processing/internal/feed"
	"trade-processing/internal/sample"
	"trade-processing/local/cloud"
)

// Strings come out exactly as they went in, numbers by their value, whether or not the state machine makes them doubles.
// Trades that differ only in their id are all kept.
func TestAmountsComeOutAsTheyWentIn(t *testing.T) {
	amounts := []struct{ literal, currency, kept string }{
		{`"35158.2"`, "USD", ""}, {`1313.80`, "USD", `1313.8`}, {`1313.8`, "USD", ""}, {`"100.00"`, "GBP", ""}, {`5E+2`, "KRW", `500`},
		{`"5e2"`, "KRW", ""}, {`1E-2`, "EUR", `0.01`}, {`"0.0000586105"`, "EUR", ""}, {`"1234567890.123456"`, "JPY", ""},
		{`1234567890.123456`, "JPY", ""}, {`9007199254740993`, "USD", `9007199254740992`}, {`"` + strings.Repeat("9", 38) + `"`, "USD", ""},
		{`"0.` + strings.Repeat("0", 20) + `1"`, "USD", ""}, {`"1250.750000000000"`, "USDC", ""},
	}
	want := map[string]string{}
	var lines []string
	for i, amount := range amounts {
		for _, copied := range []string{"a", "b"} {
			id := fmt.Sprintf("t%d-%s", i, copied)
			want[id] = cmp.Or(amount.kept, amount.literal)
			lines = append(lines, fmt.Sprintf(`{"Source": "trading.system2", "DetailType": "Trade Event", "Detail": {"amount": %s, "tradeId": "%s", `+
				`"currency": "%s", "sourceSystem": "system2", "executedAt": "2026-01-05T15:00:00.123456Z"}}`, amount.literal, id, amount.currency))
		}
	}
	for _, doubles := range []bool{false, true} {
		s := deploy(t, cloud.Options{Doubles: doubles})
		// Numbers with more digits than a binary double keeps are refused as such, but are still in the table.
		if r := s.run(lines...); r.Recorded != int64(len(lines))-4 || r.RejectedByCode["AMOUNT_INEXACT"] != 4 {
			t.Fatalf("got %s", summary(r))
		}
		got := map[string]string{}
		for item := range s.table().Items() {
			id := item["tradeId"].(*types.AttributeValueMemberS).Value
			var trade struct{ Amount json.RawMessage }
			text := item["trade"].(*types.AttributeValueMemberS).Value
			if err := json.Unmarshal([]byte(text), &trade); err != nil {
				t.Fatal(err)
			}
			got[id] = string(trade.Amount)
			if promoted := item["amount"].(*types.AttributeValueMemberS).Value; promoted != strings.Trim(want[id], `"`) {
				t.Errorf("%s: the attribute amount is %s, want %s", id, promoted, want[id])
			}
		}
		if diff := gocmp.Diff(want, got); diff != "" {
			t.Errorf("doubles %t: %s", doubles, diff)
		}
	}
}

// Step Functions may write a number in another way each time: that must make it neither another trade nor a conflict.
func TestANumberInAnotherSpellingIsTheSameTrade(t *testing.T) {
	for _, doubles := range []bool{false, true} {
		s := deploy(t, cloud.Options{Doubles: doubles})
		spellings := []string{`1250.10`, `1250.1`, `1.2501e3`, `12501E-1`}
		var lines []string
		for _, amount := range spellings {
			lines = append(lines, aTrade(`{"tradeId":"t1","currency":"USD","amount":`+amount+`,"sourceSystem":"system1","executedAt":"2026-01-05T15:00:00Z"}`))
		}
		if r := s.run(lines...); r.Recorded != 1 || r.Duplicates != 3 {
			t.Errorf("doubles %t: got %s", doubles, summary(r))
		}
	}
}

// Everything in a trade is kept, known or not: strings exactly, numbers by their value.
func TestNothingInATradeIsLost(t *testing.T) {
	s := deploy(t, cloud.Options{})
	s.run(aTrade(`{ "tradeId" : "t1", "b": [1.0, 1.00, 1e0], "currency": "USD", "amount": 1.10, "sourceSystem": "system1",
		"unknown": {"z": null, "a": "\u00e9\/é<>&", "emoji": "\ud83d\ude00"}, "big": 123456789012345678901234567890.10 }`[:]))
	const want = `{"amount":1.1,"b":[1,1,1],"big":1.2345678901234568e+29,"currency":"USD","sourceSystem":"system1","tradeId":"t1",`
	for _, trade := range s.trades() {
		if !strings.HasPrefix(trade, want) {
			t.Errorf("got %s\nwant %s…", trade, want)
		}
	}
}

// TRADE_DATA names a folder with trades-*.ndjson: 21,844 executions from real venues, which can't be shipped. All are
// recorded except those with zero quantity.
func TestRealTrades(t *testing.T) {
	folder := os.Getenv("TRADE_DATA")
	if folder == "" {
		t.Skip("TRADE_DATA names no folder with trades-*.ndjson")
	}
	names, err := filepath.Glob(filepath.Join(folder, "trades-*.ndjson"))
	if err != nil || len(names) == 0 {
		t.Fatalf("there is no trades-*.ndjson in %s (%v)", folder, err)
	}
	open := func() *feed.Feed {
		f, err := feed.Open(names, nil)
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	s := deploy(t, cloud.Options{})
	expected := sample.Expectation{
		Received: 21_844, Recorded: 21_385, Rejected: 459,
		RejectedByCode: map[string]int64{"AMOUNT_ZERO": 459, "QUANTITY_ZERO": 459},
	}
	wants(t, expected, s.reconciled(open()))
	s.amountsOf(open())
	before := s.digest()
	wants(t, expected.Again(), s.reconciled(open()))
	if s.digest() != before {
		t.Error("the second run changed the table")
	}
}

// amountsOf expects every number of a feed's trades in the table as written in the feed.
func (s *system) amountsOf(f *feed.Feed) {
	s.t.Helper()
	type numbers struct{ TradeID, Amount, Price, Quantity json.RawMessage }
	held := map[string]numbers{}
	for key, trade := range s.trades() {
		var n numbers
		if err := json.Unmarshal([]byte(trade), &n); err != nil {
			s.t.Fatal(err)
		}
		id, _, _ := strings.Cut(key, " ")
		held[id] = n
	}
	for entry := range f.Entries(s.t.Context()) {
		var n numbers
		if err := json.Unmarshal(entry.Detail, &n); err != nil {
			s.t.Fatal(err)
		}
		if diff := gocmp.Diff(n, held[strings.Trim(string(n.TradeID), `"`)]); diff != "" {
			s.t.Fatalf("%s:%d: %s", entry.File, entry.Line, diff)
		}
	}
}

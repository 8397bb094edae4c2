package pipeline_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	dynamodb "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	ssm "github.com/aws/aws-sdk-go-v2/service/ssm/types"
	"github.com/google/go-cmp/cmp"

	"trade-processing/internal/feed"
	"trade-processing/internal/report"
	"trade-processing/local/cloud"
	"trade-processing/local/fault"
	"trade-processing/local/function"
)

// whenAndBy are the attributes that tell when and by what an item was written,
// and differ from run to run.
var whenAndBy = []string{"eventId", "executionArn", "recordedAt", "traceId"}

func TestASampleIsReportedAsItWasGenerated(t *testing.T) {
	for _, seed := range []uint64{1, 7, 20260102} {
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			b := deploy(t, cloud.Options{})
			generator, lines := generate(t, seed, 5_000)
			for _, difference := range generator.Expect().Compare(b.run(t, feedOf(lines), 0)) {
				t.Error(difference)
			}
		})
	}
}

func TestTheSameInputTwiceIsAllDuplicatesTheSecondTime(t *testing.T) {
	b := deploy(t, cloud.Options{})
	generator, lines := generate(t, 3, 3_000)
	b.run(t, feedOf(lines), 0)
	once := digest(t, b)
	for _, difference := range generator.Expect().Again().Compare(b.run(t, feedOf(lines), 0)) {
		t.Error(difference)
	}
	if twice := digest(t, b); twice != once {
		t.Errorf("the table changed: digest %s, then %s", once, twice)
	}
}

// Of two trades under one key the first is recorded and the other is a
// conflict, so that order decides; everything else must not depend on it. The
// sample's conflicts are left out here.
func TestAnyOrderAndAnyConcurrencyMakeTheSameTable(t *testing.T) {
	_, lines := generate(t, 5, 3_000)
	lines = withoutConflicts(t, lines)
	var want string
	for _, concurrency := range []int{1, 2, 64} {
		for _, shuffle := range []bool{false, true} {
			b := deploy(t, cloud.Options{})
			order := slices.Clone(lines)
			if shuffle {
				random := rand.New(rand.NewPCG(uint64(concurrency), 1))
				random.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
			}
			b.run(t, feedOf(order), concurrency)
			got := digest(t, b)
			if want == "" {
				want = got
			}
			if got != want {
				t.Errorf("concurrency %d, shuffled %v: another table", concurrency, shuffle)
			}
		}
	}
}

// withoutConflicts keeps of the trades under one id those that say the same as
// the first.
func withoutConflicts(t *testing.T, lines [][]byte) [][]byte {
	t.Helper()
	first := map[string]string{}
	return slices.DeleteFunc(lines, func(line []byte) bool {
		var entry struct{ Detail json.RawMessage }
		if err := json.Unmarshal(line, &entry); err != nil {
			t.Fatal(err)
		}
		detail := entry.Detail
		var text string
		if json.Unmarshal(detail, &text) == nil {
			detail = json.RawMessage(text)
		}
		var trade struct {
			TradeID any `json:"tradeId"`
		}
		if json.Unmarshal(detail, &trade) != nil {
			return false
		}
		var said any
		if err := json.Unmarshal(detail, &said); err != nil {
			return false
		}
		canonical, err := json.Marshal(said)
		if err != nil {
			t.Fatal(err)
		}
		id := fmt.Sprint(trade.TradeID)
		before, seen := first[id]
		if !seen {
			first[id] = string(canonical)
		}
		return seen && before != string(canonical)
	})
}

func digest(t *testing.T, b *bench) string {
	t.Helper()
	table, err := b.Cloud.Table(b.Region, b.Table)
	if err != nil {
		t.Fatal(err)
	}
	return table.Digest(whenAndBy...)
}

// What can pass is retried, and what can't is kept: nothing is lost under any
// of these, and the report still adds up.
func TestFaultsLoseNothing(t *testing.T) {
	throttled := &dynamodb.ProvisionedThroughputExceededException{Message: aws.String("slow down")}
	for name, hook := range map[string]fault.Hook{
		"every tenth write is throttled": every(10, "dynamodb", "PutItem", fault.Fault{Err: throttled}),
		"the answer of every tenth write is lost": every(10, "dynamodb", "PutItem",
			fault.Fault{Err: &dynamodb.InternalServerError{Message: aws.String("lost")}, Applied: true}),
		"every seventh call of a function is throttled": every(7, "lambda", "Invoke",
			fault.Fault{Err: &function.Error{Type: "Lambda.TooManyRequestsException", Message: "Rate Exceeded."}}),
		"parameters can't be read at first": first(3, "ssm", "GetParametersByPath",
			fault.Fault{Err: &ssm.InternalServerError{Message: aws.String("down")}}),
		"every second message to a queue is refused": every(2, "sqs", "SendMessage",
			fault.Fault{Err: &dynamodb.InternalServerError{Message: aws.String("down")}}),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := deploy(t, cloud.Options{Faults: hook, Random: quick()})
			_, lines := generate(t, 11, 500)
			told := b.run(t, feedOf(lines), 64)
			if told.Recorded == 0 {
				t.Error("nothing was recorded")
			}
		})
	}
}

// every fails each nth call of an operation.
func every(n int64, service, operation string, with fault.Fault) fault.Hook {
	var calls atomic.Int64
	return func(call fault.Call) fault.Fault {
		if call.Service == service && call.Operation == operation && calls.Add(1)%n == 0 {
			return with
		}
		return fault.Fault{}
	}
}

// first fails the first n calls of an operation.
func first(n int64, service, operation string, with fault.Fault) fault.Hook {
	var calls atomic.Int64
	return func(call fault.Call) fault.Fault {
		if call.Service == service && call.Operation == operation && calls.Add(1) <= n {
			return with
		}
		return fault.Fault{}
	}
}

// quick makes small random numbers, which shorten the pauses between retries:
// their jitter takes a share of the pause.
func quick() func() uint64 {
	return func() uint64 { return rand.Uint64() >> 6 }
}

func TestBadInputIsToldOrKeptAndTheRestGoesOn(t *testing.T) {
	good := func(id string) string {
		return `{"Source":"trading.system1","DetailType":"Trade Event","Time":"2026-01-05T15:00:00Z","Detail":{"tradeId":"` + id +
			`","amount":"10","currency":"USD","sourceSystem":"system1","executedAt":"2026-01-05T15:00:00Z"}}`
	}
	with := func(extra string) string {
		return strings.Replace(good("bad"), `"currency"`, extra+`,"currency"`, 1)
	}
	for name, test := range map[string]struct {
		line         string
		refused      int64
		deadLettered int64
	}{
		"not JSON":                       {"trades", 1, 0},
		"a JSON array":                   {"[" + good("bad") + "]", 1, 0},
		"a line of 2 MB":                 {with(`"x":"` + strings.Repeat("x", 2<<20) + `"`), 1, 0},
		"invalid UTF-8":                  {with("\"x\":\"\xff\""), 1, 0},
		"nested 10,000 deep":             {with(`"x":` + strings.Repeat("[", 10_000) + strings.Repeat("]", 10_000)), 1, 0},
		"larger than the workflow takes": {with(`"x":"` + strings.Repeat("x", 300<<10) + `"`), 1, 0},
		"a detail that is no object":     {`{"Source":"trading.system1","DetailType":"Trade Event","Detail":"[]"}`, 1, 0},
		"a detail over 64 KiB":           {with(`"x":"` + strings.Repeat("x", 70<<10) + `"`), 0, 1},
		"nested deeper than a trade may": {with(`"x":` + strings.Repeat("[", 100) + strings.Repeat("]", 100)), 0, 1},
		"a trade without an id":          {strings.Replace(good("bad"), `"tradeId":"bad",`, "", 1), 0, 1},
		"a name that stands twice":       {with(`"amount":"11"`), 0, 1},
	} {
		t.Run(name, func(t *testing.T) {
			b := deploy(t, cloud.Options{})
			told := b.run(t, feedOf([][]byte{[]byte(good("before")), []byte(test.line), []byte(good("after"))}), 1)
			if told.Recorded != 2 {
				t.Errorf("%d trades recorded, want the two around it", told.Recorded)
			}
			if told.Input.Refused != test.refused || told.DeadLettered != test.deadLettered {
				t.Errorf("%d refused and %d dead-lettered, want %d and %d", told.Input.Refused, told.DeadLettered, test.refused, test.deadLettered)
			}
			if test.refused == 1 && (len(told.Input.Problems) != 1 || told.Input.Problems[0].Line != 2 || told.Input.Problems[0].File != "lines") {
				t.Errorf("told as %+v, want file and line 2", told.Input.Problems)
			}
		})
	}
}

func TestAmountsComeOutAsTheyWentIn(t *testing.T) {
	b := deploy(t, cloud.Options{})
	amounts := []struct{ literal, currency string }{
		{`"0.0000586105"`, "EUR"}, {`"1234567890.123456"`, "JPY"}, {`1313.80`, "USD"}, {`"100.00"`, "GBP"}, {`5E+2`, "KRW"},
		{`"` + strings.Repeat("9", 38) + `"`, "USD"},
	}
	var lines [][]byte
	for i, amount := range amounts {
		for copied := range 2 { // two trades that differ in nothing but their id
			lines = append(lines, fmt.Appendf(nil, `{"Source":"trading.system2","DetailType":"Trade Event","Detail":{"tradeId":"t%d-%d","amount":%s,`+
				`"currency":"%s","sourceSystem":"system2","executedAt":"2026-01-05T15:00:00.123456Z"}}`, i, copied, amount.literal, amount.currency))
		}
	}
	if told := b.run(t, feedOf(lines), 0); told.Recorded != int64(len(lines)) {
		t.Fatalf("%d recorded, want all %d: %+v", told.Recorded, len(lines), told.RejectedByCode)
	}
	table, err := b.Cloud.Table(b.Region, b.Table)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for item := range table.Items() {
		var trade struct{ Amount json.RawMessage }
		text := item["trade"].(*dynamodb.AttributeValueMemberS).Value
		if err := json.Unmarshal([]byte(text), &trade); err != nil {
			t.Fatal(err)
		}
		got[item["tradeId"].(*dynamodb.AttributeValueMemberS).Value] = string(trade.Amount)
	}
	want := map[string]string{}
	for i, amount := range amounts {
		for copied := range 2 {
			want[fmt.Sprintf("t%d-%d", i, copied)] = amount.literal
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// TRADE_DATA names a folder of trades-*.ndjson, such as market data that can't
// be shipped, and TRADE_EXPECT what is to become of them: recorded/rejected.
func TestTradesOfOnesOwn(t *testing.T) {
	folder, expect := os.Getenv("TRADE_DATA"), os.Getenv("TRADE_EXPECT")
	if folder == "" {
		t.Skip("TRADE_DATA names no folder of trades")
	}
	names, err := filepath.Glob(filepath.Join(folder, "trades-*.ndjson"))
	if err != nil {
		t.Fatal(err)
	}
	f, err := feed.Open(names, nil)
	if err != nil {
		t.Fatal(err)
	}
	b := deploy(t, cloud.Options{})
	told := b.run(t, f, 0)
	if got := outcome(told); expect != "" && got != expect {
		t.Errorf("%s recorded/rejected, want %s", got, expect)
	}
}

func outcome(told *report.Report) string { return fmt.Sprintf("%d/%d", told.Recorded, told.Rejected) }

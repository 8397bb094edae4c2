package recorder_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/rand"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambda/messages"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"trade-processing/lambdas/function"
	"trade-processing/lambdas/recorder"
	"trade-processing/lambdas/trade"
)

var recordedAt = time.Date(2024, 5, 28, 13, 30, 2, 250_000_000, time.UTC)

const executionARN = "arn:aws:states:us-east-1:123456789012:execution:trade-processing-dev:0f7a1d5e"

func newHandler(table recorder.API, output *bytes.Buffer, changed map[string]string) (lambda.Handler, error) {
	set := map[string]string{"ENVIRONMENT": "dev", "TABLE_NAME": "trades"}
	maps.Copy(set, changed)
	return recorder.New(function.Environment{
		Getenv: func(name string) string { return set[name] },
		Output: output,
		Now:    func() time.Time { return recordedAt },
	}, table)
}

func mustHandler(t tester, table recorder.API) lambda.Handler {
	t.Helper()
	h, err := newHandler(table, new(bytes.Buffer), nil)
	if err != nil {
		t.Fatalf("%v", err)
	}
	return h
}

// tester is the common part of testing.T and rapid.T.
type tester interface {
	Helper()
	Fatalf(string, ...any)
}

func event(t testing.TB, name string) []byte {
	t.Helper()
	payload, err := os.ReadFile(filepath.Join("testdata", name+".json"))
	if err != nil {
		t.Fatal(err)
	}
	return payload
}

// fromExecution returns the payload as another execution of the state machine would send it.
func fromExecution(payload []byte, name string) []byte {
	return bytes.ReplaceAll(payload, []byte(executionARN), []byte(executionARN+name))
}

const approved = `{"valid":true,"violations":[],"rulesVersion":"1.0.0","reviewRequired":false}`

// payload returns a payload with these three parts.
func payload(detail, validation, market string) []byte {
	return fmt.Appendf(nil, `{"event":{"id":"e-1","source":"trading.system1","time":"2024-05-28T13:30:01Z","detail":%s},"validation":%s,"market":%s,"executionArn":%q}`,
		detail, validation, market, executionARN)
}

func canonical(t tester, detail string) string {
	t.Helper()
	parsed, err := trade.Parse([]byte(detail))
	if err != nil {
		t.Fatalf("%v", err)
	}
	return string(parsed.Canonical())
}

func invoke(t tester, h lambda.Handler, payload []byte) recorder.Response {
	t.Helper()
	answer, err := h.Invoke(context.WithValue(context.Background(), "x-amzn-trace-id", "Root=1-2-3"), payload) //nolint:staticcheck // aws-lambda-go's own key is a string
	if err != nil {
		t.Fatalf("%v", err)
	}
	var response recorder.Response
	if err := json.Unmarshal(answer, &response); err != nil {
		t.Fatalf("%v", err)
	}
	return response
}

// only returns the one item of a table, in Go's own types; numbers as text.
func only(t *testing.T, table *fakeTable) map[string]any {
	t.Helper()
	if len(table.items) != 1 {
		t.Fatalf("%d items, want 1", len(table.items))
	}
	for _, attributes := range table.items {
		return plain(&types.AttributeValueMemberM{Value: attributes}).(map[string]any)
	}
	return nil
}

type number string

func plain(v types.AttributeValue) any {
	switch v := v.(type) {
	case *types.AttributeValueMemberS:
		return v.Value
	case *types.AttributeValueMemberN:
		return number(v.Value)
	case *types.AttributeValueMemberBOOL:
		return v.Value
	case *types.AttributeValueMemberL:
		list := []any{}
		for _, e := range v.Value {
			list = append(list, plain(e))
		}
		return list
	case *types.AttributeValueMemberM:
		object := map[string]any{}
		for name, e := range v.Value {
			object[name] = plain(e)
		}
		return object
	}
	return nil
}

func TestAValidTradeIsRecorded(t *testing.T) {
	table := &fakeTable{}
	response := invoke(t, mustHandler(t, table), event(t, "valid"))

	const canonical = `{"amount":"35158.2","currency":"USD","executedAt":"2013-10-08T04:00:17.034-04:00","price":"167.42","quantity":"210","saleConditions":"2000","side":"BUY","sourceSystem":"system1","symbol":"SPY","tradeId":"lean-spy-20131008-000001","venue":"XNAS"}`
	digest := trade.DigestOf([]byte(canonical))
	if diff := cmp.Diff(recorder.Response{
		Outcome: "RECORDED", Status: "RECORDED", TradeID: "lean-spy-20131008-000001",
		Version: "system1#2013-10-08T08:00:17.034Z", Timestamp: 1381219217034, Action: "NEW",
		Digest: digest, RecordedAt: "2024-05-28T13:30:02.250Z",
	}, response); diff != "" {
		t.Errorf("answer: want -, got +\n%s", diff)
	}
	want := map[string]any{
		"tradeId": "lean-spy-20131008-000001", "version": "system1#2013-10-08T08:00:17.034Z", "timestamp": number("1381219217034"), "action": "NEW", "status": "RECORDED", "sourceSystem": "system1",
		"sourceShard": "system1#16",
		"trade":       canonical, "digest": digest,
		"amount": "35158.2", "currency": "USD", "symbol": "SPY", "venue": "XNAS",
		"reviewRequired": true, "rulesVersion": "1.0.0",
		"market": map[string]any{
			"status": "COMPLETE", "session": "PRE", "tradingDay": "2013-10-08", "settlementDate": "2013-10-11", "settlementCycle": "T+3",
			"venue":     map[string]any{"name": "NASDAQ", "country": "US", "timeZone": "America/New_York"},
			"minorUnit": number("2"),
		},
		"eventId": "0f7a1d5e-6c3b-4f0e-9d2a-7b1c5e8f9a01", "eventTime": "2024-05-28T13:30:01Z", "eventAccount": "123456789012",
		"execution": "0f7a1d5e", "traceId": "1-2-3", "recordedAt": "2024-05-28T13:30:02.250Z",
	}
	if diff := cmp.Diff(want, only(t, table)); diff != "" {
		t.Errorf("item: want -, got +\n%s", diff)
	}
}

// What X-Ray and EventBridge say elsewhere isn't stored again, nor the id of a trace that X-Ray doesn't have.
func TestWhereATradeCameFromIsStoredOnce(t *testing.T) {
	const id, other = "0f7a1d5e-6c3b-4f0e-9d2a-7b1c5e8f9a01", "5c1d2e3f-0a1b-4c2d-8e3f-4a5b6c7d8e9f"
	for name, test := range map[string]struct{ execution, header, eventID, traceID string }{
		"started by its event":               {id + "_" + other, "Root=1-2-3;Parent=4;Sampled=1", "", "1-2-3"},
		"EXPRESS, started by its event":      {id + "_" + other + ":" + other, "Root=1-2-3;Sampled=1", "", "1-2-3"},
		"started by another event":           {other + "_" + id, "Root=1-2-3", id, "1-2-3"},
		"started by hand":                    {"again_" + id, "Root=1-2-3;Sampled=0;Lineage=5", id, ""},
		"named by its event, as others do":   {id, "", id, ""},
		"named by somebody who left no name": {"", "Root=1-2-3;Sampled=0", id, ""},
	} {
		t.Run(name, func(t *testing.T) {
			table := &fakeTable{}
			payload := bytes.ReplaceAll(event(t, "valid"), []byte(executionARN), []byte(strings.TrimSuffix(executionARN, "0f7a1d5e")+test.execution))
			ctx := context.WithValue(t.Context(), "x-amzn-trace-id", test.header) //nolint:staticcheck // aws-lambda-go's own key is a string
			if _, err := mustHandler(t, table).Invoke(ctx, payload); err != nil {
				t.Fatal(err)
			}
			item := only(t, table)
			text := func(attribute string) string { s, _ := item[attribute].(string); return s }
			if text("eventId") != test.eventID || text("traceId") != test.traceID || text("execution") != test.execution {
				t.Errorf("%v", item)
			}
			if got := recorder.EventID(text("eventId"), test.execution); got != id {
				t.Errorf("the item's event is %q", got)
			}
		})
	}
}

func TestARejectedTradeIsRecordedWithItsViolations(t *testing.T) {
	table := &fakeTable{}
	response := invoke(t, mustHandler(t, table), event(t, "rejected"))
	if response.Outcome != "RECORDED" || response.Status != "REJECTED" {
		t.Errorf("%+v", response)
	}
	item := only(t, table)
	want := []any{
		map[string]any{"code": "AMOUNT_ZERO", "field": "amount", "message": "amount is zero, but must be above zero"},
		map[string]any{"code": "QUANTITY_ZERO", "field": "quantity", "message": "quantity is zero, but must be above zero"},
	}
	if diff := cmp.Diff(want, item["violations"]); diff != "" {
		t.Errorf("violations: want -, got +\n%s", diff)
	}
	// It has no executedAt, so the event's time is its version's.
	digest := trade.DigestOf([]byte(item["trade"].(string)))
	if want := "system3#2024-05-28T13:30:01.000Z#REJECTED#" + digest[:16]; item["version"] != want || response.Version != want {
		t.Errorf("version %v, want %s; answer %+v", item["version"], want, response)
	}
	if item["amountChecked"] != false || item["amountUncheckedReason"] != "MULTIPLIER_UNKNOWN" {
		t.Errorf("the amount was checked: %v, %v", item["amountChecked"], item["amountUncheckedReason"])
	}
	if item["status"] != "REJECTED" || item["timestamp"] != number("1716903001000") || item["amount"] != "0" || item["reviewRequired"] != nil {
		t.Errorf("%v", item)
	}
	if shard, _ := item["sourceShard"].(string); item["statusShard"] != strings.Replace(shard, "system3", "REJECTED", 1) {
		t.Errorf("it is in %v of byStatus and %v of bySource", item["statusShard"], shard)
	}
}

func TestStringsComeOutExactlyAndNumbersByTheirValue(t *testing.T) {
	table := &fakeTable{}
	invoke(t, mustHandler(t, table), event(t, "exact-digits"))
	item := only(t, table)
	const want = `{"amount":0.0000586105,"currency":"USD","nested":{"a":1.2345678901234568e+47,"b":1e400},` +
		`"price":1.5,"quantity":"12345678901234567890.123456789012345678","sourceSystem":"system1","text":"é/😀","tradeId":"t-1"}`
	if item["trade"] != want {
		t.Errorf("trade\n%s, want\n%s", item["trade"], want)
	}
	if item["amount"] != "0.0000586105" {
		t.Errorf("amount %v", item["amount"])
	}
}

func TestTheSameTradeTwiceIsADuplicate(t *testing.T) {
	table := &fakeTable{}
	h := mustHandler(t, table)
	first := invoke(t, h, event(t, "valid"))
	before := only(t, table)

	// The second copy comes from another execution, with different white space, judged by newer rules.
	again := bytes.Replace(event(t, "valid"), []byte(`"reviewRequired": true`), []byte(`"reviewRequired":false`), 1)
	second := invoke(t, h, fromExecution(again, "-again"))
	first.Outcome = "DUPLICATE"
	if diff := cmp.Diff(first, second); diff != "" {
		t.Errorf("want -, got +\n%s", diff)
	}
	if diff := cmp.Diff(before, only(t, table)); diff != "" || table.writes != 1 {
		t.Errorf("%d writes; before -, after +\n%s", table.writes, diff)
	}
}

func TestAnotherTradeUnderTheSameKeyIsAConflict(t *testing.T) {
	table := &fakeTable{}
	h := mustHandler(t, table)
	first := invoke(t, h, event(t, "valid"))
	before := only(t, table)

	other := fromExecution(bytes.Replace(event(t, "valid"), []byte(`"35158.2"`), []byte(`"35158.20"`), 1), "-other")
	_, err := h.Invoke(t.Context(), other)
	response, ok := errors.AsType[messages.InvokeResponse_Error](err)
	if !ok || response.Type != "TradeConflict" {
		t.Fatalf("error %v, want TradeConflict", err)
	}
	refused := trade.DigestOf([]byte(strings.Replace(before["trade"].(string), "35158.2", "35158.20", 1)))
	for _, part := range []string{"lean-spy-20131008-000001", "system1#2013-10-08T08:00:17.034Z", first.Digest, refused} {
		if !strings.Contains(response.Message, part) {
			t.Errorf("%q doesn't name %s", response.Message, part)
		}
	}
	if diff := cmp.Diff(before, only(t, table)); diff != "" || table.writes != 1 {
		t.Errorf("%d writes; before -, after +\n%s", table.writes, diff)
	}
}

const refused = `{"valid":false,"violations":[{"code":"SOURCE_SYSTEM_MISMATCH","field":"sourceSystem","message":"m"}],"rulesVersion":"1.0.0","reviewRequired":false}`

// from returns a payload of an event from a source, in an execution of its own.
func from(source, detail, validation, execution string) []byte {
	changed := bytes.Replace(payload(detail, validation, `{}`), []byte("trading.system1"), []byte("trading."+source), 1)
	return fromExecution(changed, execution)
}

// system2 sends system1's trade by mistake, before or after system1 sends it itself.
func TestOneSourceNeverStandsInTheWayOfAnother(t *testing.T) {
	const detail = `{"tradeId":"t-1","amount":"1.50","executedAt":"2024-05-28T13:30:00.123Z","sourceSystem":"system1"}`
	mistaken, own := from("system2", detail, refused, "-mistaken"), from("system1", detail, approved, "-own")
	for name, payloads := range map[string][][]byte{"before": {mistaken, own}, "after": {own, mistaken}} {
		t.Run(name, func(t *testing.T) {
			table := &fakeTable{}
			h := mustHandler(t, table)
			for _, payload := range payloads {
				if response := invoke(t, h, payload); response.Outcome != "RECORDED" {
					t.Errorf("%+v", response)
				}
			}
			want := map[string]string{
				"t-1 system1#2024-05-28T13:30:00.123Z": "RECORDED",
				"t-1 system2#2024-05-28T13:30:00.123Z#REJECTED#" + trade.DigestOf([]byte(canonical(t, detail)))[:16]: "REJECTED",
			}
			if diff := cmp.Diff(want, statuses(table)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestTwoSourcesMayUseTheSameIdInTheSameMillisecond(t *testing.T) {
	table := &fakeTable{}
	h := mustHandler(t, table)
	for _, source := range []string{"system1", "system2"} {
		detail := `{"tradeId":"t-1","executedAt":"2024-05-28T13:30:00.123Z","sourceSystem":"` + source + `"}`
		if response := invoke(t, h, from(source, detail, approved, source)); response.Outcome != "RECORDED" {
			t.Errorf("%s: %+v", source, response)
		}
	}
	if len(table.items) != 2 || table.reads != 0 {
		t.Errorf("%v after %d reads", statuses(table), table.reads)
	}
}

// A clock that was wrong and is corrected, or rules that were: the verdict on the very same trade changes.
func TestAVerdictThatChanges(t *testing.T) {
	const detail = `{"tradeId":"t-1","executedAt":"2024-05-28T13:30:00.123Z","sourceSystem":"system1"}`
	valid := func(execution string) []byte { return from("system1", detail, approved, execution) }
	rejected := func(execution string) []byte { return from("system1", detail, refused, execution) }
	for name, test := range map[string]struct {
		payloads [][]byte
		want     string
		items    int
	}{
		"a rejected trade that has become valid is recorded":               {[][]byte{rejected("-1"), valid("-2")}, "RECORDED RECORDED", 2},
		"a copy of a rejection is a duplicate of its own":                  {[][]byte{rejected("-1"), rejected("-2")}, "RECORDED DUPLICATE_REJECTED", 1},
		"a copy of a valid trade is a duplicate, whatever is now said":     {[][]byte{valid("-1"), rejected("-2")}, "RECORDED DUPLICATE", 1},
		"and so it is where a rejection came first":                        {[][]byte{rejected("-1"), valid("-2"), rejected("-3")}, "RECORDED RECORDED DUPLICATE", 2},
		"an execution's own second attempt is no duplicate of a rejection": {[][]byte{rejected("-1"), rejected("-1")}, "RECORDED RECORDED", 1},
	} {
		t.Run(name, func(t *testing.T) {
			table := &fakeTable{}
			h := mustHandler(t, table)
			var outcomes []string
			for _, payload := range test.payloads {
				outcomes = append(outcomes, invoke(t, h, payload).Outcome)
			}
			if got := strings.Join(outcomes, " "); got != test.want || len(table.items) != test.items {
				t.Errorf("%s with %d items, want %s with %d", got, len(table.items), test.want, test.items)
			}
		})
	}
}

// Another trade under the key of a valid one is a conflict only if it is valid too.
func TestARejectedTradeIsNoConflict(t *testing.T) {
	table := &fakeTable{}
	h := mustHandler(t, table)
	invoke(t, h, event(t, "valid"))
	for i, amount := range []string{"-1", "-2"} {
		other := bytes.Replace(event(t, "valid"), []byte("35158.2"), []byte(amount), 1)
		other = bytes.Replace(other, []byte(`"valid": true`), []byte(`"valid":false`), 1)
		if response := invoke(t, h, fromExecution(other, amount)); response.Outcome != "RECORDED" || response.Status != "REJECTED" {
			t.Errorf("%d: %+v", i, response)
		}
	}
	if len(table.items) != 3 {
		t.Errorf("%v", statuses(table))
	}
}

// statuses returns a table's statuses by key.
func statuses(table *fakeTable) map[string]string {
	found := map[string]string{}
	for key, item := range table.items {
		found[key] = item["status"].(*types.AttributeValueMemberS).Value
	}
	return found
}

// The write succeeds but its answer is lost: the state machine retries, and the trade must not count as a duplicate of
// itself.
func TestARepeatedAttemptOfOneExecutionIsNoDuplicate(t *testing.T) {
	table := &fakeTable{after: func(context.Context) error {
		return &smithy.OperationError{Err: &smithyhttp.RequestSendError{Err: errors.New("connection reset by peer")}}
	}}
	h := mustHandler(t, table)
	_, err := h.Invoke(t.Context(), event(t, "valid"))
	if response, ok := errors.AsType[messages.InvokeResponse_Error](err); !ok || response.Type != function.ServiceUnreachable {
		t.Fatalf("error %v, want ServiceUnreachable", err)
	}
	if response := invoke(t, h, event(t, "valid")); response.Outcome != "RECORDED" || table.writes != 1 {
		t.Errorf("%+v after %d writes", response, table.writes)
	}
}

func TestErrorsOfDynamoDBKeepTheirNames(t *testing.T) {
	for name, test := range map[string]struct {
		err  error
		want string
	}{
		"throughput exceeded": {&types.ProvisionedThroughputExceededException{}, "ProvisionedThroughputExceededException"},
		"throttled":           {&smithy.GenericAPIError{Code: "ThrottlingException"}, "ThrottlingException"},
		"request limit":       {&types.RequestLimitExceeded{}, "RequestLimitExceeded"},
		"server error":        {&types.InternalServerError{}, "InternalServerError"},
		"no such table":       {&types.ResourceNotFoundException{Message: aws.String("x")}, "ResourceNotFoundException"},
		"out of time":         {context.DeadlineExceeded, "ServiceUnreachable"},
		"a condition that failed without the item": {&types.ConditionalCheckFailedException{}, "InternalError"},
	} {
		t.Run(name, func(t *testing.T) {
			table := &fakeTable{before: func(context.Context) error {
				return &smithy.OperationError{ServiceID: "DynamoDB", OperationName: "PutItem", Err: test.err}
			}}
			// A rejected trade begins with a read.
			for file, id := range map[string]string{"valid": "lean-spy-20131008-000001", "rejected": "lean-gc201402-20131007-000001"} {
				if file == "rejected" && test.want == "InternalError" {
					continue // a read has no condition
				}
				_, err := mustHandler(t, table).Invoke(t.Context(), event(t, file))
				response, ok := errors.AsType[messages.InvokeResponse_Error](err)
				if !ok || response.Type != test.want {
					t.Errorf("error %v, want %s", err, test.want)
				}
				if !strings.Contains(response.Message, id) {
					t.Errorf("%q doesn't name the trade", response.Message)
				}
			}
		})
	}
}

func TestTheWriteEndsBeforeTheDeadline(t *testing.T) {
	table := &fakeTable{before: func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }}
	ctx, cancel := context.WithTimeout(t.Context(), 250*time.Millisecond)
	defer cancel()
	_, err := mustHandler(t, table).Invoke(ctx, event(t, "valid"))
	if response, ok := errors.AsType[messages.InvokeResponse_Error](err); !ok || response.Type != "ServiceUnreachable" {
		t.Errorf("error %v", err)
	}
	if ctx.Err() != nil {
		t.Error("the handler came back after Lambda's deadline")
	}
}

func TestWhatCannotBeRecorded(t *testing.T) {
	for file, want := range map[string]string{"no-trade-id": "MalformedTrade", "no-validation": "InternalError"} {
		table := &fakeTable{}
		_, err := mustHandler(t, table).Invoke(t.Context(), event(t, file))
		if response, ok := errors.AsType[messages.InvokeResponse_Error](err); !ok || response.Type != want || table.writes != 0 {
			t.Errorf("%s: error %v after %d writes, want %s", file, err, table.writes, want)
		}
	}
}

func TestTheSourceIsAlwaysAKeyOfTheIndex(t *testing.T) {
	for name, test := range map[string]struct{ sourceSystem, want string }{
		"the trade's own":                        {`"system1"`, "system1"},
		"the trade's own, though it is unknown":  {`"system9"`, "system9"},
		"the event's where the trade has none":   {`null`, "system1"},
		"the event's where it is empty":          {`""`, "system1"},
		"the event's where it is of wrong type":  {`5`, "system1"},
		"the event's where it is endlessly long": {`"` + strings.Repeat("x", 5000) + `"`, "system1"},
	} {
		t.Run(name, func(t *testing.T) {
			table := &fakeTable{}
			invoke(t, mustHandler(t, table), bytes.Replace(event(t, "valid"), []byte(`"sourceSystem": "system1"`), []byte(`"sourceSystem": `+test.sourceSystem), 1))
			item := only(t, table)
			shard, _ := item["sourceShard"].(string)
			if item["sourceSystem"] != test.want || !strings.HasPrefix(shard, test.want+"#") {
				t.Errorf("sourceSystem %.80v, sourceShard %.80s, want %s", item["sourceSystem"], shard, test.want)
			}
		})
	}
}

// A partition of an index takes 1,000 writes a second, and the table 40,000 by default: no partition may get more than
// 1/40 of one source's trades, nor of the rejected ones, should a source's be all wrong.
func TestTradesAreSpreadOverTheShards(t *testing.T) {
	const trades, most = 6400, 6400 / 40
	table := &fakeTable{}
	h := mustHandler(t, table)
	shards := map[string]map[string]int{"sourceShard": {}, "statusShard": {}}
	for i := range trades {
		invoke(t, h, payload(fmt.Sprintf(`{"tradeId":"t-%d","sourceSystem":"system1"}`, i), refused, `{}`))
	}
	for _, item := range table.items {
		for name, count := range shards {
			count[item[name].(*types.AttributeValueMemberS).Value]++
		}
	}
	for name, group := range map[string]string{"sourceShard": "system1", "statusShard": "REJECTED"} {
		if len(shards[name]) != recorder.Shards {
			t.Errorf("%s has %d values", name, len(shards[name]))
		}
		for n := range recorder.Shards {
			key := fmt.Sprintf("%s#%d", group, n)
			if count := shards[name][key]; count == 0 || count > most {
				t.Errorf("%s %s has %d of %d trades", name, key, count, trades)
			}
		}
	}
}

func TestCopiesAreLeftOutWhereTheyAreOfNoUse(t *testing.T) {
	table := &fakeTable{}
	detail := `{"tradeId":"t-1","amount":"lots","currency":null,"symbol":"","venue":5,"side":["BUY"],"executedAt":"yesterday","sourceSystem":"` + strings.Repeat("x", 300) + `"}`
	invoke(t, mustHandler(t, table), payload(detail, approved, `{}`))
	item := only(t, table)
	for _, name := range []string{"amount", "currency", "symbol", "venue"} {
		if v, present := item[name]; present {
			t.Errorf("%s is %v", name, v)
		}
	}
	if item["trade"] != canonical(t, detail) {
		t.Errorf("the trade itself isn't whole: %v", item["trade"])
	}
}

func TestMarketContext(t *testing.T) {
	table := &fakeTable{}
	invoke(t, mustHandler(t, table), event(t, "external-context"))
	market := only(t, table)["market"].(map[string]any)
	want := `{"a":[123456789012345678901234567890123456789012345678],"b":1.10,"deep":` + strings.Repeat("[", 40) + strings.Repeat("]", 40) + `}`
	if market["external"] != want {
		t.Errorf("external context\n%v, want the text\n%s", market["external"], want)
	}

	for name, test := range map[string]struct{ market, want string }{
		"none":          {`null`, `map[]`},
		"far too large": {`{"status":"COMPLETE","external":"` + strings.Repeat("x", 70_000) + `"}`, `map[reasons:[the market context of 70035 bytes is larger than 65536 and was left out] status:PARTIAL]`},
	} {
		t.Run(name, func(t *testing.T) {
			table := &fakeTable{}
			invoke(t, mustHandler(t, table), payload(`{"tradeId":"t-1"}`, approved, test.market))
			market, _ := only(t, table)["market"].(map[string]any)
			if got := fmt.Sprint(market); got != test.want {
				t.Errorf("%s, want %s", got, test.want)
			}
		})
	}
}

// A new stage's answer is recorded without a change here.
func TestAnswersOfOtherStagesAreRecorded(t *testing.T) {
	table := &fakeTable{}
	detail := `{"tradeId":"t-1"}`
	withAnswers := func(members string) []byte {
		return bytes.Replace(payload(detail, approved, `{}`), []byte(`{`), []byte(`{`+members+`,`), 1)
	}
	invoke(t, mustHandler(t, table), withAnswers(`"score":{"risk": 0.10},"note":"`+strings.Repeat("x", 70_000)+`"`))
	item := only(t, table)
	if item["score"] != `{"risk": 0.10}` || item["note"] != "the answer of 70002 bytes is larger than 65536 and was left out" {
		t.Errorf("recorded %v and %v", item["score"], item["note"])
	}
	if _, err := mustHandler(t, &fakeTable{}).Invoke(t.Context(), withAnswers(`"digest":"x"`)); err == nil || !strings.Contains(err.Error(), `\"digest\"`) && !strings.Contains(err.Error(), `"digest"`) {
		t.Errorf("an answer in place of the digest: %v", err)
	}
}

// An item may have 400 KB; the largest the limits allow is far below that.
func TestTheLargestItemFits(t *testing.T) {
	table := &fakeTable{}
	fields := []string{`"tradeId":"t-1"`}
	for _, name := range []string{"amount", "price", "quantity", "currency", "executedAt", "symbol", "venue", "isin", "side", "counterpartyLei", "account"} {
		fields = append(fields, `"`+name+`":"`+strings.Repeat("x", 5_000)+`"`)
	}
	detail := "{" + strings.Join(fields, ",") + "}"
	parsed, err := trade.Parse([]byte(detail))
	if err != nil {
		t.Fatal(err)
	}
	verdict, err := json.Marshal((&trade.Rules{}).Check(parsed, trade.Arrival{}))
	if err != nil {
		t.Fatal(err)
	}
	invoke(t, mustHandler(t, table), payload(detail, string(verdict), `{"status":"COMPLETE","reasons":[`+strings.Repeat(`"",`, 20_000)+`""]}`))
	for _, item := range table.items {
		if size, err := sizeOf(&types.AttributeValueMemberM{Value: item}, 0); err != nil || size > 300<<10 {
			t.Errorf("%d bytes, %v", size, err)
		}
	}
}

func TestRetention(t *testing.T) {
	table := &fakeTable{}
	h, err := newHandler(table, new(bytes.Buffer), map[string]string{"RETENTION_YEARS": "7"})
	if err != nil {
		t.Fatal(err)
	}
	invoke(t, h, event(t, "valid"))
	want := number(fmt.Sprint(time.Date(2031, 5, 28, 13, 30, 2, 0, time.UTC).Unix()))
	if got := only(t, table)["expiresAt"]; got != want {
		t.Errorf("expiresAt %v, want %v", got, want)
	}
}

func TestOfManyAtATimeOneIsRecorded(t *testing.T) {
	table := &fakeTable{}
	h := mustHandler(t, table)
	const calls = 100
	outcomes := make([]string, calls)
	var group sync.WaitGroup
	for i := range calls {
		group.Go(func() {
			payload := event(t, "valid")
			if i%2 == 1 {
				payload = bytes.Replace(payload, []byte(`"35158.2"`), []byte(`"35158.20"`), 1)
			}
			answer, err := h.Invoke(context.Background(), fromExecution(payload, fmt.Sprint("-", i)))
			var response recorder.Response
			if failure, ok := errors.AsType[messages.InvokeResponse_Error](err); ok {
				outcomes[i] = failure.Type
			} else if err := json.Unmarshal(answer, &response); err == nil {
				outcomes[i] = response.Outcome
			}
		})
	}
	group.Wait()
	count := map[string]int{}
	for _, outcome := range outcomes {
		count[outcome]++
	}
	if diff := cmp.Diff(map[string]int{"RECORDED": 1, "DUPLICATE": calls/2 - 1, "TradeConflict": calls / 2}, count); diff != "" || table.writes != 1 {
		t.Errorf("%d writes; want -, got +\n%s", table.writes, diff)
	}
}

// Whatever the order, and however often each trade arrives, the table is the same.
func TestTheTableDoesNotDependOnTheOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var payloads [][]byte
		trades := rapid.IntRange(1, 8).Draw(t, "trades")
		for i := range trades {
			detail := fmt.Sprintf(`{"tradeId":"t-%d","amount":"%d.50"}`, i, i)
			for range rapid.IntRange(1, 3).Draw(t, "copies") {
				payloads = append(payloads, fromExecution(payload(detail, approved, `{}`), fmt.Sprint("-", len(payloads))))
			}
		}
		one, another := &fakeTable{}, &fakeTable{}
		recordAll := func(table *fakeTable) (duplicates int) {
			h := mustHandler(t, table)
			for _, payload := range payloads {
				if invoke(t, h, payload).Outcome == recorder.OutcomeDuplicate {
					duplicates++
				}
			}
			return duplicates
		}
		recordAll(one)
		r := rand.New(rand.NewSource(rapid.Int64().Draw(t, "order")))
		r.Shuffle(len(payloads), func(i, j int) { payloads[i], payloads[j] = payloads[j], payloads[i] })
		if duplicates := recordAll(another); duplicates != len(payloads)-trades || another.writes != trades {
			t.Fatalf("%d duplicates and %d writes of %d trades in %d payloads", duplicates, another.writes, trades, len(payloads))
		}
		if diff := cmp.Diff(digests(t, one), digests(t, another)); diff != "" {
			t.Fatalf("one order -, another +\n%s", diff)
		}
	})
}

// The versions of a trade, in any order, doubled, and replayed: one table, whose newest version is the state of the
// trade.
func TestVersionsInAnyOrderGiveOneTable(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		began := time.Date(2024, 5, 28, 9, 30, 0, 0, time.UTC)
		at := func(millisecond int) string {
			return began.Add(time.Duration(millisecond) * time.Millisecond).Format("2006-01-02T15:04:05.000Z")
		}
		want := map[string][3]string{} // status, digest and what is replaced, by key
		var payloads [][]byte
		for n := range rapid.IntRange(1, 4).Draw(t, "trades") {
			times := []int{0}
			for i := range rapid.IntRange(0, 4).Draw(t, "actions") {
				times = append(times, times[i]+rapid.IntRange(1, 100_000).Draw(t, "later"))
			}
			for i, millisecond := range times {
				replaces := ""
				detail := fmt.Sprintf(`{"tradeId":"t-%d","sourceSystem":"system1","executedAt":%q,"amount":"%d"`, n, at(0), i+1)
				if i > 0 {
					action := rapid.SampledFrom([]string{"CORRECT", "CANCEL"}).Draw(t, "action")
					replaced := rapid.IntRange(0, i-1).Draw(t, "replaced")
					replaces = "system1#" + at(times[replaced])
					detail += fmt.Sprintf(`,"action":%q,"actionTime":%q`, action, at(millisecond))
					if replaced > 0 {
						detail += fmt.Sprintf(`,"replacesTime":%q`, at(times[replaced]))
					}
				}
				detail += "}"
				key, status, verdict := fmt.Sprintf("t-%d system1#%s", n, at(millisecond)), "RECORDED", approved
				digest := trade.DigestOf([]byte(canonical(t, detail)))
				if rapid.IntRange(0, 9).Draw(t, "rejected") == 0 {
					key, status, verdict, replaces = key+"#REJECTED#"+digest[:16], "REJECTED", refused, ""
				}
				want[key] = [3]string{status, digest, replaces}
				for range rapid.IntRange(1, 3).Draw(t, "copies") {
					payloads = append(payloads, fromExecution(payload(detail, verdict, `{}`), fmt.Sprint("-", len(payloads))))
				}
			}
		}
		r := rand.New(rand.NewSource(rapid.Int64().Draw(t, "order")))
		r.Shuffle(len(payloads), func(i, j int) { payloads[i], payloads[j] = payloads[j], payloads[i] })
		table := &fakeTable{}
		h := mustHandler(t, table)
		for pass := range 2 {
			written := 0
			for _, payload := range payloads {
				if invoke(t, h, fromExecution(payload, fmt.Sprint("-pass-", pass))).Outcome == recorder.OutcomeRecorded {
					written++
				}
			}
			got := map[string][3]string{}
			for key, attributes := range table.items {
				var item recorder.Item
				if err := attributevalue.UnmarshalMap(attributes, &item); err != nil {
					t.Fatal(err)
				}
				got[key] = [3]string{item.Status, item.Digest, item.Replaces}
			}
			if diff := cmp.Diff(want, got); diff != "" || written != []int{len(want), 0}[pass] {
				t.Fatalf("pass %d: %d written; want -, got +\n%s", pass, written, diff)
			}
		}
	})
}

func TestACorrectionNamesWhatItReplaces(t *testing.T) {
	const original, first = "system1#2024-05-28T13:30:00.000Z", "system1#2024-05-28T14:00:00.000Z"
	version := func(fields, execution string) []byte {
		return from("system1", `{"tradeId":"t-1","executedAt":"2024-05-28T13:30:00Z"`+fields+`}`, approved, execution)
	}
	table := &fakeTable{}
	h := mustHandler(t, table)
	for _, step := range []struct {
		name             string
		payload          []byte
		version, replace string
		missing          bool
	}{
		{"a correction before the trade", version(`,"action":"CORRECT","actionTime":"2024-05-28T14:00:00Z"`, "-1"), first, original, true},
		{"the trade", version("", "-2"), original, "", false},
		{"a cancel of the correction", version(`,"action":"CANCEL","actionTime":"2024-05-28T15:00:00Z","replacesTime":"2024-05-28T14:00:00Z"`, "-3"),
			"system1#2024-05-28T15:00:00.000Z", first, false},
		{"a correction of the trade", version(`,"action":"CORRECT","actionTime":"2024-05-28T16:00:00Z"`, "-4"), "system1#2024-05-28T16:00:00.000Z", original, false},
	} {
		response := invoke(t, h, step.payload)
		if response.Outcome != "RECORDED" || response.Version != step.version || response.ReplacedMissing != step.missing {
			t.Errorf("%s: %+v", step.name, response)
		}
		item := plain(&types.AttributeValueMemberM{Value: table.items["t-1 "+step.version]}).(map[string]any)
		if replaces, _ := item["replaces"].(string); replaces != step.replace || (item["replacedMissing"] == true) != step.missing {
			t.Errorf("%s: %v", step.name, item)
		}
	}
}

// digests returns a table's digests by key.
func digests(t tester, table *fakeTable) map[string]string {
	t.Helper()
	found := map[string]string{}
	for key, attributes := range table.items {
		var item recorder.Item
		if err := attributevalue.UnmarshalMap(attributes, &item); err != nil {
			t.Fatalf("%v", err)
		}
		found[key] = item.Digest
	}
	return found
}

func TestMetrics(t *testing.T) {
	table := &fakeTable{}
	conflicting := bytes.Replace(event(t, "valid"), []byte(`"35158.2"`), []byte(`"35158.20"`), 1)
	for _, step := range []struct {
		name    string
		payload []byte
		want    map[string]any
	}{
		{"recorded", event(t, "valid"), map[string]any{"TradesRejected": 0.0, "ReviewRequired": 1.0, "EndToEndLatency": 1250.0}},
		{"duplicate", fromExecution(event(t, "valid"), "-2"), map[string]any{"TradesRejected": 0.0, "ReviewRequired": 1.0, "DuplicateTrades": 1.0}},
		{"rejected", event(t, "rejected"), map[string]any{"TradesRejected": 1.0, "EndToEndLatency": 1250.0, "violations": "AMOUNT_ZERO,QUANTITY_ZERO"}},
		{"duplicate of a rejection", fromExecution(event(t, "rejected"), "-2"), map[string]any{"TradesRejected": 1.0, "DuplicateRejections": 1.0, "violations": "AMOUNT_ZERO,QUANTITY_ZERO"}},
		{"conflict", fromExecution(conflicting, "-3"), map[string]any{"TradesRejected": 0.0, "ReviewRequired": 1.0, "TradeConflicts": 1.0, "errorType": "TradeConflict"}},
	} {
		t.Run(step.name, func(t *testing.T) {
			var output bytes.Buffer
			h, err := newHandler(table, &output, nil)
			if err != nil {
				t.Fatal(err)
			}
			_, _ = h.Invoke(t.Context(), step.payload)
			var line map[string]any
			if err := json.Unmarshal(output.Bytes(), &line); err != nil {
				t.Fatalf("%v: %s", err, &output)
			}
			for _, name := range []string{"timestamp", "level", "msg", "_aws", "Environment", "Function", "tradeId", "eventId", "executionArn", "traceId", "error"} {
				delete(line, name)
			}
			if diff := cmp.Diff(step.want, line); diff != "" {
				t.Errorf("want -, got +\n%s", diff)
			}
		})
	}
}

func TestAllProblemsOfTheEnvironmentAreNamed(t *testing.T) {
	for _, years := range []string{"0", "-1", "101", "seven", "1.5"} {
		_, err := newHandler(&fakeTable{}, new(bytes.Buffer), map[string]string{"ENVIRONMENT": "", "TABLE_NAME": "", "RETENTION_YEARS": years})
		problems, ok := errors.AsType[*function.SettingsError](err)
		if !ok || len(problems.Problems) != 3 {
			t.Fatalf("error %v, want a SettingsError with three problems", err)
		}
		for _, want := range []string{"ENVIRONMENT: is not set", "TABLE_NAME: is not set", `RETENTION_YEARS: "` + years + `" is not a whole number from 1 to 100`} {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%v lacks %q", err, want)
			}
		}
	}
}

// unwritten is a table that accepts everything at once, so a benchmark measures only the recorder.
type unwritten struct{}

func (unwritten) GetItem(context.Context, *dynamodb.GetItemInput, ...func(*dynamodb.Options)) (*dynamodb.GetItemOutput, error) {
	return nil, errors.New("a valid trade takes one call")
}

func (unwritten) PutItem(context.Context, *dynamodb.PutItemInput, ...func(*dynamodb.Options)) (*dynamodb.PutItemOutput, error) {
	return &dynamodb.PutItemOutput{}, nil
}

func BenchmarkInvoke(b *testing.B) {
	var output, compact bytes.Buffer
	h, err := newHandler(unwritten{}, &output, nil)
	if err != nil {
		b.Fatal(err)
	}
	if err := json.Compact(&compact, event(b, "valid")); err != nil {
		b.Fatal(err)
	}
	ctx := context.Background()
	b.ReportAllocs()
	for b.Loop() {
		output.Reset()
		if _, err := h.Invoke(ctx, compact.Bytes()); err != nil {
			b.Fatal(err)
		}
	}
}

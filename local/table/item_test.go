package table_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"

	"trade-processing/local/awsapi"
	"trade-processing/local/clock"
	"trade-processing/local/table"
)

// Short forms of the SDK's values.
type (
	item = map[string]types.AttributeValue
	s    = types.AttributeValueMemberS
	n    = types.AttributeValueMemberN
)

func str(v string) types.AttributeValue { return &s{Value: v} }
func num(v any) types.AttributeValue    { return &n{Value: fmt.Sprint(v)} }

var epoch = time.Date(2026, 1, 2, 9, 30, 0, 0, time.UTC)

// trades returns the table that the pipeline deploys.
func trades() table.Definition {
	return table.Definition{
		Name: "trades", Region: "us-east-1", HashKey: "tradeId", RangeKey: "timestamp",
		Attributes: map[string]types.ScalarAttributeType{
			"tradeId": types.ScalarAttributeTypeS, "timestamp": types.ScalarAttributeTypeN,
			"sourceSystem": types.ScalarAttributeTypeS, "status": types.ScalarAttributeTypeS,
		},
		Indexes: []table.Index{
			{Name: "bySource", HashKey: "sourceSystem", RangeKey: "timestamp", Projection: types.ProjectionTypeAll},
			{Name: "byStatus", HashKey: "status", RangeKey: "timestamp", Projection: types.ProjectionTypeInclude, NonKeyAttributes: []string{"digest"}},
		},
		Stream: true,
	}
}

func newTable(t testing.TB, def table.Definition, c clock.Clock) *table.Table {
	t.Helper()
	made, err := table.New(def, table.Options{Clock: c})
	if err != nil {
		t.Fatal(err)
	}
	return made
}

func put(tb *table.Table, it item) error {
	_, err := tb.PutItem(context.Background(), &dynamodb.PutItemInput{TableName: aws.String("trades"), Item: it})
	return err
}

func get(t testing.TB, tb *table.Table, id string, at any) item {
	t.Helper()
	out, err := tb.GetItem(context.Background(), &dynamodb.GetItemInput{
		TableName: aws.String("trades"), Key: item{"tradeId": str(id), "timestamp": num(at)},
	})
	if err != nil {
		t.Fatal(err)
	}
	return out.Item
}

func trade(id string, at any, more ...string) item {
	it := item{"tradeId": str(id), "timestamp": num(at)}
	for i := 0; i < len(more); i += 2 {
		it[more[i]] = str(more[i+1])
	}
	return it
}

// wantCode expects an API error with this code and the beginning of its message, wrapped as by the SDK's client.
func wantCode(t testing.TB, err error, code, contains string) {
	t.Helper()
	var operation *smithy.OperationError
	if !errors.As(err, &operation) || operation.Service() != "DynamoDB" {
		t.Fatalf("got %v, want it wrapped as the SDK wraps it", err)
	}
	var api smithy.APIError
	if !errors.As(err, &api) || api.ErrorCode() != code {
		t.Fatalf("got %v, want a %s", err, code)
	}
	if !strings.Contains(api.ErrorMessage(), contains) {
		t.Fatalf("got %q, want it to contain %q", api.ErrorMessage(), contains)
	}
}

func nested(levels int) types.AttributeValue {
	v := str("leaf")
	for range levels {
		v = &types.AttributeValueMemberM{Value: item{"n": v}}
	}
	return v
}

func TestItemsThatDynamoDBRefuses(t *testing.T) {
	const invalid = "One or more parameter values were invalid: "
	with := func(name string, v types.AttributeValue) item {
		it := trade("T1", 1)
		it[name] = v
		return it
	}
	without := func(name string) item {
		it := trade("T1", 1)
		delete(it, name)
		return it
	}
	for _, tc := range []struct {
		name    string
		item    item
		problem string
	}{
		{"no hash key", without("tradeId"), invalid + "Missing the key tradeId in the item"},
		{"no range key", without("timestamp"), invalid + "Missing the key timestamp in the item"},
		{"a hash key of another type", with("tradeId", num(1)), invalid + "Type mismatch for key tradeId expected: S actual: N"},
		{"a range key of another type", with("timestamp", str("1")), invalid + "Type mismatch for key timestamp expected: N actual: S"},
		{"an empty hash key", with("tradeId", str("")), "cannot contain an empty string value. Key: tradeId"},
		{"a hash key of 2049 bytes", with("tradeId", str(strings.Repeat("x", 2049))), "Size of hashkey has exceeded"},
		{"an index key of another type", with("sourceSystem", num(1)), invalid + "Type mismatch for Index Key sourceSystem Expected: S Actual: N IndexName: bySource"},
		{"an empty index key", with("status", str("")), "IndexName: byStatus, IndexKey: status"},
		{"a number that is none", with("n", num("12,5")), "The parameter cannot be converted to a numeric value: 12,5"},
		{"a number of 39 digits", with("n", num("1"+strings.Repeat("2", 38))), "more than 38 significant digits"},
		{"a broken number deep inside", with("l", &types.AttributeValueMemberL{Value: []types.AttributeValue{&types.AttributeValueMemberM{Value: item{"n": num("x")}}}}), "numeric value: x"},
		{"a value that is nil", with("x", nil), "Supplied AttributeValue is empty"},
		{"a null that isn't", with("x", &types.AttributeValueMemberNULL{}), invalid + "Null attribute value types must have the value of true"},
		{"a name of more than 64 KB", with(strings.Repeat("x", 65536), str("x")), "Attribute name is too large, must be less than 65536 bytes"},
		{"a nameless attribute", with("", str("x")), "at least one character"},
		{"33 levels", with("m", nested(32)), "Nesting Levels have exceeded supported limits"},
		{"more than 400 KB", with("b", &types.AttributeValueMemberB{Value: make([]byte, 400<<10)}), "Item size has exceeded the maximum allowed size"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			tb := newTable(t, trades(), clock.NewVirtual(epoch))
			wantCode(t, put(tb, tc.item), "ValidationException", tc.problem)
			if n := tb.Count(); n != 0 {
				t.Errorf("%d items were written", n)
			}
		})
	}
}

func TestItemsAtTheLimitsAreKept(t *testing.T) {
	full := trade("T1", 1)
	// tradeId 7+2, timestamp 9+2, b 1: the rest is the binary's.
	full["b"] = &types.AttributeValueMemberB{Value: make([]byte, 400<<10-21)}
	for _, tc := range []struct {
		name string
		item item
	}{
		{"32 levels", item{"tradeId": str("T1"), "timestamp": num(1), "m": nested(31)}},
		{"400 KB to the byte", full},
		{"a hash key of 2048 bytes", trade(strings.Repeat("x", 2048), 1)},
		{"a 38-digit number", item{"tradeId": str("T1"), "timestamp": num("12345678901234567890123456789012345678")}},
		{"an empty string that is no key", trade("T1", 1, "note", "")},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if err := put(newTable(t, trades(), clock.NewVirtual(epoch)), tc.item); err != nil {
				t.Error(err)
			}
		})
	}
	full["b"] = &types.AttributeValueMemberB{Value: make([]byte, 400<<10-20)}
	wantCode(t, put(newTable(t, trades(), clock.NewVirtual(epoch)), full), "ValidationException", "Item size")
}

func TestAnItemReadsBackInDynamoDBsNormalForm(t *testing.T) {
	tb := newTable(t, trades(), clock.NewVirtual(epoch))
	it := trade("T1", "1.7e12")
	it["n"] = num("-00.1200")
	it["null"] = &types.AttributeValueMemberNULL{Value: true}
	it["broken"] = str("a\xffb\xff\xfe")
	it["l"] = &types.AttributeValueMemberL{Value: []types.AttributeValue{num("1.50"), &types.AttributeValueMemberBOOL{Value: true}, &types.AttributeValueMemberB{Value: []byte{1}}}}
	if err := put(tb, it); err != nil {
		t.Fatal(err)
	}
	want := trade("T1", "1700000000000")
	want["n"] = num("-0.12")
	want["null"] = &types.AttributeValueMemberNULL{Value: true}
	want["broken"] = str("a\ufffdb\ufffd\ufffd") // as the SDK's JSON encoder sends it
	want["l"] = &types.AttributeValueMemberL{Value: []types.AttributeValue{num("1.5"), &types.AttributeValueMemberBOOL{Value: true}, &types.AttributeValueMemberB{Value: []byte{1}}}}
	wantItem(t, get(t, tb, "T1", "17e11"), want)
}

func TestSetsAreRefusedByName(t *testing.T) {
	for _, set := range []types.AttributeValue{
		&types.AttributeValueMemberSS{Value: []string{"a"}}, &types.AttributeValueMemberNS{Value: []string{"1"}}, &types.AttributeValueMemberBS{Value: [][]byte{{1}}},
	} {
		it := trade("T1", 1)
		it["set"] = set
		if unsupported, ok := errors.AsType[*awsapi.Unsupported](put(newTable(t, trades(), clock.NewVirtual(epoch)), it)); !ok || unsupported.Feature != "sets" {
			t.Errorf("%T: got %v", set, unsupported)
		}
	}
}

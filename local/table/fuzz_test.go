package table

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"trade-processing/local/clock"
)

// fuzzed is a table with a hash key of strings and a range key of numbers.
var fuzzed = Definition{Name: "fuzzed", HashKey: "h", RangeKey: "r", Attributes: map[string]types.ScalarAttributeType{"h": "S", "r": "N"}}

// What is encoded is decoded: whole, attribute by attribute, and in a part; and what is read is written as the same
// bytes.
func FuzzItem(f *testing.F) {
	for _, item := range []string{
		`{"h":{"S":"a"},"r":{"N":"1.50"},"m":{"M":{"l":{"L":[{"NULL":true},{"BOOL":false},{"B":"AP8="}]},"":{"S":""}}}}`,
		`{"h":{"S":"\u0000\ud800"},"r":{"N":"-1e-130"},"e":{"M":{}},"f":{"L":[]}}`, `{"h":{"S":"x"},"r":{"N":"9.9e125"},"s":{"SS":["a"]}}`,
		`{"h":{"S":""}}`, `{"h":{"N":"1"},"r":{"S":"1"}}`, `{"h":null}`, `{"h":{}}`, `{}`, `null`, `[]`,
	} {
		f.Add([]byte(item))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		item, err := attributevalue.UnmarshalMapJSON(text)
		if err != nil {
			return
		}
		r, err := fuzzed.newRecord(item)
		if err != nil {
			return
		}
		read := r.item(nil)
		again, err := fuzzed.newRecord(read)
		if err != nil || !reflect.DeepEqual(again, r) {
			t.Fatalf("%s was read as %v, which is written as another: %v", text, read, err)
		}
		if len(read) != len(item) {
			t.Errorf("%d of %d attributes were read", len(read), len(item))
		}
		for name, value := range read {
			encoded := attribute(r.body, name)
			d := decoder{rest: string(encoded)}
			if alone := d.value(); !reflect.DeepEqual(alone, value) || d.rest != "" {
				t.Errorf("%s is %v, and alone %v with %q behind it", name, value, alone, d.rest)
			}
			if part := r.item(map[string]bool{name: true}); len(part) != 1 || !reflect.DeepEqual(part[name], value) {
				t.Errorf("%s is %v, and in a part %v", name, value, part)
			}
		}
	})
}

// A key condition finds those keys for which it holds as a filter.
func FuzzKeyCondition(f *testing.F) {
	for i, operator := range []string{"=", "<", "<=", ">", ">=", "BETWEEN"} {
		f.Add(operator, "a", "a", "1", "2", fmt.Sprint(i))
	}
	f.Add("=", "a\x00", "a", "1e-130", "-0", "10.0")
	f.Fuzz(func(t *testing.T, operator, wanted, hash, low, high, number string) {
		text := "h = :h AND r " + operator + " :low"
		values := map[string]types.AttributeValue{":h": &types.AttributeValueMemberS{Value: wanted}, ":low": &types.AttributeValueMemberN{Value: low}}
		if strings.EqualFold(operator, "BETWEEN") {
			text += " AND :high"
			values[":high"] = &types.AttributeValueMemberN{Value: high}
		}
		reader, err := readExpressions("Query", nil, nil, values, "KeyConditionExpression", &text)
		if err != nil {
			return
		}
		condition, err := reader.read("KeyConditionExpression", &text)
		if err != nil {
			return
		}
		bounds, err := condition.keyRange(&fuzzed, fuzzed.keys())
		if err != nil {
			return
		}
		r, err := fuzzed.newRecord(map[string]types.AttributeValue{"h": &types.AttributeValueMemberS{Value: hash}, "r": &types.AttributeValueMemberN{Value: number}})
		if err != nil {
			return
		}
		if got, want := bounds.contains(r.keys[0]), condition.holds(r); got != want {
			t.Errorf("%s, of %q and %s to %s, finds (%q, %s): %t; as a filter %t", text, wanted, low, high, hash, number, got, want)
		}
	})
}

// Whatever file is imported, what is exported afterwards imports as the same.
func FuzzImport(f *testing.F) {
	f.Add([]byte(`{"Nanos":1,"Region":"us-east-1","Item":{"h":{"S":"a"},"r":{"N":"1"}}}` + "\n" + `{"Nanos":2,"Region":"","Item":{"h":{"S":"a"},"r":{"N":"1.0"},"x":{"BOOL":true}}}`))
	f.Add([]byte(`{"Nanos":-9223372036854775808,"Item":null}`))
	f.Add([]byte(`{"Item":{"h":{"S":"a"}}}`))
	f.Fuzz(func(t *testing.T, file []byte) {
		imported := func(text string) (string, error) {
			made, err := New(fuzzed, Options{Clock: clock.Real()})
			if err != nil {
				t.Fatal(err)
			}
			failed := made.Import(strings.NewReader(text))
			var out strings.Builder
			if err := made.Export(&out); err != nil {
				t.Fatal(err)
			}
			return out.String(), failed
		}
		first, err := imported(string(file))
		if err != nil && !strings.Contains(err.Error(), "importing table fuzzed: item ") {
			t.Errorf("the error doesn't say where: %v", err)
		}
		if second, err := imported(first); err != nil || second != first {
			t.Errorf("%s was imported as %s, %v", first, second, err)
		}
	})
}

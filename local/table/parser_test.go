package table

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// Any expression is either parsed and evaluated, or refused.
func FuzzExpressionIsEvaluatedOrRefused(f *testing.F) {
	for _, seed := range []string{
		"attribute_not_exists(#a) AND (b <> :v) AND NOT b BETWEEN :v AND :w", "begins_with(a,:s)", "a.b[0] = :v", "(a=:v)and(b>:w)",
		"", "(", "NOT", ":v", "not not (a < :v)", "a = :v AND", "#", "a\x00", strings.Repeat("(", 300), "a IN (:v, :w)",
	} {
		f.Add(seed)
	}
	def := &Definition{HashKey: "a", Attributes: map[string]types.ScalarAttributeType{"a": "S"}}
	there, err := def.newRecord(map[string]types.AttributeValue{
		"a": &types.AttributeValueMemberS{Value: "x"}, "b": &types.AttributeValueMemberN{Value: "1"},
	})
	if err != nil {
		f.Fatal(err)
	}
	values := map[string]types.AttributeValue{
		":v": &types.AttributeValueMemberN{Value: "1"}, ":w": &types.AttributeValueMemberN{Value: "2"}, ":s": &types.AttributeValueMemberS{Value: "S"},
	}
	f.Fuzz(func(t *testing.T, text string) {
		reader, err := readExpressions("PutItem", nil, map[string]string{"#a": "a"}, values, "ConditionExpression", &text)
		if err != nil {
			t.Fatal(err)
		}
		read, err := reader.read("ConditionExpression", &text)
		if err != nil {
			return
		}
		negated := "NOT " + text
		opposite, err := reader.read("ConditionExpression", &negated)
		if err != nil && len(negated) <= maxExpression && !strings.Contains(err.Error(), "too many operators") {
			t.Fatalf("%q is taken, and its negation isn't: %v", text, err)
		}
		for _, r := range []*record{nil, there} {
			if len(read) == 1 && err == nil && read.holds(r) == opposite.holds(r) {
				t.Fatalf("%q and its negation are both %v", text, read.holds(r))
			}
		}
	})
}

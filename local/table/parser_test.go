package table

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// Whatever an expression is, it is parsed and evaluated or refused.
func FuzzExpressionIsEvaluatedOrRefused(f *testing.F) {
	for _, seed := range []string{
		"attribute_not_exists(#a) AND (b <> :v OR NOT size(c.d[3]) BETWEEN :v AND :w)",
		"a IN (:v, :w, b) and contains(a, :v)", "((a = :v))", "begins_with(a,:v)", "attribute_type(a,:t)", "a[99999999999999999999] = :v",
		"", "(", "NOT", ":v", "a.b.", "not not (a < :v)", "a = :v AND", "#", "a\x00", strings.Repeat("(", 300),
	} {
		f.Add(seed)
	}
	var e encoder
	if err := e.attributes(map[string]types.AttributeValue{
		"a": &types.AttributeValueMemberS{Value: "x"}, "b": &types.AttributeValueMemberNS{Value: []string{"1"}},
		"c": &types.AttributeValueMemberM{Value: map[string]types.AttributeValue{"d": &types.AttributeValueMemberL{Value: []types.AttributeValue{&types.AttributeValueMemberN{Value: "1"}}}}},
	}, 1); err != nil {
		f.Fatal(err)
	}
	body := string(e.buf)
	values := map[string]types.AttributeValue{
		":v": &types.AttributeValueMemberN{Value: "1"}, ":w": &types.AttributeValueMemberN{Value: "2"}, ":t": &types.AttributeValueMemberS{Value: "S"},
	}
	f.Fuzz(func(t *testing.T, text string) {
		root, err := parseCondition(text)
		if err != nil {
			return
		}
		p, err := newPlaceholders(map[string]string{"#a": "a"}, values)
		if err != nil {
			t.Fatal(err)
		}
		c, err := p.bind(root)
		if err != nil {
			return
		}
		negated, err := p.bind(&node{op: "NOT", args: []*node{root}})
		if err != nil {
			t.Fatal(err)
		}
		for _, it := range []string{"", body} {
			if c.holds(it) == negated.holds(it) {
				t.Fatalf("%q and its negation are both %v", text, c.holds(it))
			}
		}
	})
}

func FuzzProjectionIsParsedOrRefused(f *testing.F) {
	for _, seed := range []string{"a, #b.c[0]", ",", "a,,b", "a b", ""} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		paths, err := parseProjection(text)
		if err == nil && len(paths) == 0 {
			t.Fatalf("%q is a projection of nothing", text)
		}
	})
}

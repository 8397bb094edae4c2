package table_test

import (
	"fmt"
	"maps"
	"reflect"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"pgregory.net/rapid"

	"trade-processing/lambdas/function/functiontest"
	"trade-processing/local/clock"
	"trade-processing/local/table"
)

// plain is a table with a hash and a range key of strings.
func plain(t testing.TB) *table.Table {
	t.Helper()
	return newTable(t, table.Definition{
		Name: "trades", HashKey: "h", RangeKey: "r", Attributes: map[string]types.ScalarAttributeType{"h": "S", "r": "S"},
	}, clock.NewVirtual(epoch))
}

// drawAttribute draws a value, and returns the size that DynamoDB's documentation gives it.
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html
func drawAttribute(t *rapid.T, depth int) (types.AttributeValue, int) {
	kinds := 5
	if depth > 0 {
		kinds = 7
	}
	switch rapid.IntRange(0, kinds-1).Draw(t, "kind") {
	case 0:
		text := rapid.String().Draw(t, "text")
		return str(text), len(text)
	case 1: // one byte for two significant digits, and one more
		digits := rapid.StringMatching(`[1-9]([0-9]{0,36}[1-9])?`).Draw(t, "digits")
		return num(digits + strings.Repeat("0", rapid.IntRange(0, 80).Draw(t, "zeros"))), 1 + (len(digits)+1)/2
	case 2:
		binary := rapid.SliceOf(rapid.Byte()).Draw(t, "binary")
		return &types.AttributeValueMemberB{Value: binary}, len(binary)
	case 3:
		return &types.AttributeValueMemberBOOL{Value: rapid.Bool().Draw(t, "bool")}, 1
	case 4:
		return &types.AttributeValueMemberNULL{Value: true}, 1
	case 5: // three bytes, and one for each element
		list, size := []types.AttributeValue{}, 3
		for range rapid.IntRange(0, 4).Draw(t, "elements") {
			element, n := drawAttribute(t, depth-1)
			list, size = append(list, element), size+n+1
		}
		return &types.AttributeValueMemberL{Value: list}, size
	default:
		members, size := item{}, 3
		for i := range rapid.IntRange(0, 4).Draw(t, "members") {
			name := fmt.Sprint(i, rapid.String().Draw(t, "name"))
			member, n := drawAttribute(t, depth-1)
			members[name] = member
			size += len(name) + n + 1
		}
		return object(members), size
	}
}

// DynamoDB takes an item of 400 KB, names and values together, and none of a byte more.
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html
func TestAnItemMayHave400KB(t *testing.T) {
	tb := plain(t)
	rapid.Check(t, func(t *rapid.T) {
		it := item{"h": str("a"), "r": str("b")}
		size := len("ha") + len("rb")
		for i := range rapid.IntRange(0, 6).Draw(t, "attributes") {
			name := fmt.Sprint(i, rapid.String().Draw(t, "name"))
			value, n := drawAttribute(t, 3)
			it[name] = value
			size += len(name) + n
		}
		over := rapid.SampledFrom([]int{-1, 0, 1}).Draw(t, "over")
		it["x"] = str(strings.Repeat("x", 400<<10-size-len("x")+over))
		if err := put(tb, it); (err == nil) != (over <= 0) {
			t.Fatalf("%d bytes over the limit: %v", over, err)
		}
	})
}

// The limits of keys, names, nesting and numbers: what is at them is taken, and what is past them refused.
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html
func TestLimitsOfKeysNamesNestingAndNumbers(t *testing.T) {
	long := func(n int) types.AttributeValue { return str(strings.Repeat("x", n)) }
	for name, test := range map[string]struct{ most, more item }{
		"a hash key of 2,048 bytes":  {item{"h": long(2048)}, item{"h": long(2049)}},
		"a hash key of one byte":     {item{"h": long(1)}, item{"h": long(0)}},
		"a range key of 1,024 bytes": {item{"r": long(1024)}, item{"r": long(1025)}},
		"a range key of one byte":    {item{"r": long(1)}, item{"r": long(0)}},
		"a name of 65,535 bytes":     {item{strings.Repeat("n", 65535): str("")}, item{strings.Repeat("n", 65536): str("")}},
		"a name of one byte":         {item{"n": str("")}, item{"": str("")}},
		"32 levels":                  {item{"n": nested(31)}, item{"n": nested(32)}},
		"38 digits":                  {item{"n": num(strings.Repeat("9", 38))}, item{"n": num(strings.Repeat("9", 39))}},
		"9.9…E+125":                  {item{"n": num(strings.Repeat("9", 38) + strings.Repeat("0", 88))}, item{"n": num("1" + strings.Repeat("0", 126))}},
		"-9.9…E+125":                 {item{"n": num("-9.9e125")}, item{"n": num("-1e126")}},
		"1E-130":                     {item{"n": num("1e-130")}, item{"n": num("9.9e-131")}},
		"zeros around 38 digits":     {item{"n": num("000" + strings.Repeat("1", 38) + "000")}, item{"n": num("0.0" + strings.Repeat("1", 39))}},
	} {
		with := func(it item) error {
			whole := item{"h": str("h"), "r": str("r")}
			maps.Copy(whole, it)
			return put(plain(t), whole)
		}
		if err := with(test.most); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if with(test.more) == nil {
			t.Errorf("more than %s is taken", name)
		}
	}
}

// No text gets out of its place in an item, a condition or a filter, and none is an expression by itself.
func TestHostileTextsStayInTheirAttributes(t *testing.T) {
	tb := plain(t)
	if err := put(tb, item{"h": str("another"), "r": str("r"), "a": str("b")}); err != nil {
		t.Fatal(err)
	}
	for _, text := range functiontest.Hostile() {
		names, values := map[string]string{"#n": text}, item{":v": str(text)}
		it := item{"h": str(text), "r": str(text), text: str(text)}
		if err := conditional(tb, it, "attribute_not_exists(#n)", names, nil); err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		if err := conditional(tb, it, "attribute_not_exists(#n)", names, nil); err == nil {
			t.Errorf("%q was overwritten", text)
		}
		values[":id"] = str(text)
		found, err := tb.Query(t.Context(), &dynamodb.QueryInput{
			TableName: aws.String("trades"), KeyConditionExpression: aws.String("h = :id AND begins_with(r, :id)"), FilterExpression: aws.String("#n = :v"),
			ExpressionAttributeNames: names, ExpressionAttributeValues: values,
		})
		if err != nil || len(found.Items) != 1 || !reflect.DeepEqual(found.Items[0], map[string]types.AttributeValue(it)) {
			t.Errorf("%q was found as %v, %v", text, found, err)
		}
		if _, err := tb.Scan(t.Context(), &dynamodb.ScanInput{TableName: aws.String("trades"), FilterExpression: &text}); err == nil && text != "attribute_not_exists(tradeId)" {
			t.Errorf("%q is an expression", text)
		}
	}
}

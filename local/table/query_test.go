package table_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"trade-processing/local/clock"
	"trade-processing/local/table"
)

// filled has six trades of two sources, one trade in three versions.
func filled(t testing.TB) *table.Table {
	t.Helper()
	tb := newTable(t, trades(), clock.NewVirtual(epoch))
	for _, it := range []item{
		trade("A", -5, "sourceSystem", "one", "status", "RECORDED", "digest", "a0"),
		trade("A", 10, "sourceSystem", "one", "status", "REJECTED", "digest", "a1"),
		trade("A", 20, "sourceSystem", "two", "status", "RECORDED", "digest", "a2"),
		trade("AB", 15, "sourceSystem", "one", "status", "RECORDED", "digest", "ab"),
		trade("B", 20, "sourceSystem", "one", "status", "RECORDED", "digest", "b"),
		trade("C", 5, "digest", "none"),
	} {
		if err := put(tb, it); err != nil {
			t.Fatal(err)
		}
	}
	return tb
}

// digests joins the digests of items in their order.
func digests(items []item) string {
	texts := make([]string, len(items))
	for i, it := range items {
		texts[i] = it["digest"].(*s).Value
	}
	return strings.Join(texts, " ")
}

func query(index, condition string, values item) *dynamodb.QueryInput {
	in := &dynamodb.QueryInput{
		TableName: aws.String("trades"), KeyConditionExpression: &condition, ExpressionAttributeValues: values,
	}
	for placeholder, name := range map[string]string{"#t": "timestamp", "#s": "status"} {
		if strings.Contains(condition, placeholder) {
			if in.ExpressionAttributeNames == nil {
				in.ExpressionAttributeNames = map[string]string{}
			}
			in.ExpressionAttributeNames[placeholder] = name
		}
	}
	if index != "" {
		in.IndexName = &index
	}
	return in
}

func TestQueriesFindWhatTheyAskFor(t *testing.T) {
	for _, tc := range []struct {
		name, index, condition string
		values                 item
		want                   string
	}{
		{"all versions of a trade, by time", "", "tradeId = :id", item{":id": str("A")}, "a0 a1 a2"},
		{"a trade whose id begins like another's", "", "tradeId = :id", item{":id": str("AB")}, "ab"},
		{"a trade that isn't there", "", "tradeId = :id", item{":id": str("X")}, ""},
		{"one version", "", "tradeId = :id AND #t = :t", item{":id": str("A"), ":t": num("1e1")}, "a1"},
		{"the range key first", "", "#t > :t AND tradeId = :id", item{":id": str("A"), ":t": num(-5)}, "a1 a2"},
		{"from a time on", "", "tradeId = :id AND #t >= :t", item{":id": str("A"), ":t": num(10)}, "a1 a2"},
		{"before a time", "", "tradeId = :id AND #t < :t", item{":id": str("A"), ":t": num(10)}, "a0"},
		{"up to a time", "", "tradeId = :id AND #t <= :t", item{":id": str("A"), ":t": num(10)}, "a0 a1"},
		{"a window", "", "tradeId = :id AND #t BETWEEN :t AND :u", item{":id": str("A"), ":t": num(-5), ":u": num(10)}, "a0 a1"},
		{"a source and a window", "bySource", "sourceSystem = :s AND #t BETWEEN :t AND :u", item{":s": str("one"), ":t": num(0), ":u": num(15)}, "a1 ab"},
		{"a whole source", "bySource", "sourceSystem = :s", item{":s": str("one")}, "a0 a1 ab b"},
		{"a status", "byStatus", "#s = :s", item{":s": str("RECORDED")}, "a0 ab a2 b"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			tb := filled(t)
			in := query(tc.index, tc.condition, tc.values)
			out, err := tb.Query(t.Context(), in)
			if err != nil {
				t.Fatal(err)
			}
			if got := digests(out.Items); got != tc.want {
				t.Errorf("found %q, want %q", got, tc.want)
			}
			if out.LastEvaluatedKey != nil || int(out.Count) != len(out.Items) || out.ScannedCount != out.Count {
				t.Errorf("count %d, scanned %d, last key %v", out.Count, out.ScannedCount, out.LastEvaluatedKey)
			}
			in.ScanIndexForward = aws.Bool(false)
			if out, err = tb.Query(t.Context(), in); err != nil {
				t.Fatal(err)
			}
			slices.Reverse(out.Items)
			if got := digests(out.Items); got != tc.want {
				t.Errorf("backwards found %q, want %q", got, tc.want)
			}
		})
	}
}

func TestAQueryGoesThroughPages(t *testing.T) {
	for _, forward := range []bool{true, false} {
		for _, limit := range []int32{1, 2, 3, 4, 5} {
			t.Run(fmt.Sprintf("%d a page, forward %v", limit, forward), func(t *testing.T) {
				tb := filled(t)
				in := query("bySource", "sourceSystem = :s", item{":s": str("one")})
				in.Limit, in.ScanIndexForward = aws.Int32(limit), aws.Bool(forward)
				var all []item
				for pages := dynamodb.NewQueryPaginator(tb, in); pages.HasMorePages(); {
					out, err := pages.NextPage(t.Context())
					if err != nil {
						t.Fatal(err)
					}
					if len(out.Items) > int(limit) {
						t.Fatalf("a page has %d items", len(out.Items))
					}
					all = append(all, out.Items...)
				}
				want := "a0 a1 ab b"
				if !forward {
					want = "b ab a1 a0"
				}
				if got := digests(all); got != want {
					t.Errorf("found %q, want %q", got, want)
				}
			})
		}
	}
}

func TestAPageEndsAtOneMegabyte(t *testing.T) {
	tb := newTable(t, trades(), clock.NewVirtual(epoch))
	for i := range 12 {
		it := trade("A", i, "digest", fmt.Sprint(i))
		it["b"] = &types.AttributeValueMemberB{Value: make([]byte, 200<<10)}
		if err := put(tb, it); err != nil {
			t.Fatal(err)
		}
	}
	var sizes []int
	for pages := dynamodb.NewQueryPaginator(tb, query("", "tradeId = :id", item{":id": str("A")})); pages.HasMorePages(); {
		out, err := pages.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		sizes = append(sizes, len(out.Items))
	}
	if !slices.Equal(sizes, []int{6, 6, 0}) {
		t.Errorf("the pages have %v items, want 6, 6 and an empty one", sizes)
	}
}

func TestFiltersAndCounts(t *testing.T) {
	base := func(change func(*dynamodb.QueryInput)) *dynamodb.QueryInput {
		in := query("", "tradeId = :id", item{":id": str("A")})
		change(in)
		return in
	}
	for _, tc := range []struct {
		name    string
		in      *dynamodb.QueryInput
		items   string // the names of the attributes of each item
		scanned int32
	}{
		{"everything", base(func(*dynamodb.QueryInput) {}), "digest,sourceSystem,status,timestamp,tradeId digest,sourceSystem,status,timestamp,tradeId digest,sourceSystem,status,timestamp,tradeId", 3},
		{"a filter leaves some out, after they were read", base(func(in *dynamodb.QueryInput) {
			in.FilterExpression = aws.String("NOT begins_with(sourceSystem, :s)")
			in.ExpressionAttributeValues[":s"] = str("on")
		}), "digest,sourceSystem,status,timestamp,tradeId", 3},
		{"only the count", base(func(in *dynamodb.QueryInput) { in.Select = types.SelectCount }), "", 3},
		{"an index has only what it projects", func() *dynamodb.QueryInput {
			in := query("byStatus", "#s = :s", item{":s": str("REJECTED")})
			return in
		}(), "digest,status,timestamp,tradeId", 1},
	} {
		t.Run(tc.name, func(t *testing.T) {
			out, err := filled(t).Query(t.Context(), tc.in)
			if err != nil {
				t.Fatal(err)
			}
			var shapes []string
			for _, it := range out.Items {
				shapes = append(shapes, strings.Join(slices.Sorted(maps.Keys(it)), ","))
			}
			if got := strings.Join(shapes, " "); got != tc.items || out.ScannedCount != tc.scanned {
				t.Errorf("got %q of %d, want %q of %d", got, out.ScannedCount, tc.items, tc.scanned)
			}
		})
	}
}

func TestQueriesThatDynamoDBRefuses(t *testing.T) {
	id := func() item { return item{":id": str("A")} }
	with := func(in *dynamodb.QueryInput, change func(*dynamodb.QueryInput)) *dynamodb.QueryInput {
		change(in)
		return in
	}
	for _, tc := range []struct {
		name    string
		in      *dynamodb.QueryInput
		problem string
	}{
		{"no key condition", &dynamodb.QueryInput{TableName: aws.String("trades")}, "must be specified in the request"},
		{"no condition on the hash key", query("", "#t = :id", item{":id": num(1)}), "Query condition missed key schema element: tradeId"},
		{"a condition on something else", query("", "digest = :id", id()), "Query condition missed key schema element: tradeId"},
		{"a third attribute", query("", "tradeId = :id AND digest = :id", id()), "Query key condition not supported"},
		{"a range of hash keys", query("", "tradeId > :id", id()), "Query key condition not supported"},
		{"two conditions on one key", query("", "tradeId = :id AND #t > :a AND #t < :b", item{":id": str("A"), ":a": num(1), ":b": num(2)}), "must only contain one condition per key"},
		{"a key of another type", query("", "tradeId = :id", item{":id": num(1)}), "Condition parameter type does not match schema type"},
		{"an empty key", query("", "tradeId = :id", item{":id": str("")}), "cannot contain an empty string value. Key: tradeId"},
		{"a negated condition", query("", "NOT tradeId = :id", id()), "Invalid operator used in KeyConditionExpression"},
		{"a condition that is a function of existence", query("", "attribute_exists(tradeId) AND #t = :id", item{":id": num(1)}), "Invalid operator used in KeyConditionExpression: attribute_exists"},
		{"an index that isn't there", query("byDigest", "digest = :id", id()), "The table does not have the specified index: byDigest"},
		{"a consistent read of an index", with(query("bySource", "sourceSystem = :id", id()), func(in *dynamodb.QueryInput) { in.ConsistentRead = aws.Bool(true) }), "Consistent reads are not supported on global secondary indexes"},
		{"a filter on a key", with(query("", "tradeId = :id", id()), func(in *dynamodb.QueryInput) { in.FilterExpression = aws.String("tradeId <> :id") }), "Primary key attribute: tradeId"},
		{"a limit of nothing", with(query("", "tradeId = :id", id()), func(in *dynamodb.QueryInput) { in.Limit = aws.Int32(0) }), "greater than or equal to 1"},
		{"a filter on what the index lacks", with(query("byStatus", "#s = :id", id()), func(in *dynamodb.QueryInput) { in.FilterExpression = aws.String("attribute_exists(sourceSystem)") }), "does not project the attribute sourceSystem"},
		{"a start with too few keys", with(query("", "tradeId = :id", id()), func(in *dynamodb.QueryInput) { in.ExclusiveStartKey = item{"tradeId": str("A")} }), "The provided starting key is invalid"},
		{"a start in another partition", with(query("", "tradeId = :id", id()), func(in *dynamodb.QueryInput) { in.ExclusiveStartKey = trade("B", 1) }), "outside query boundaries"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := filled(t).Query(t.Context(), tc.in)
			wantCode(t, err, "ValidationException", tc.problem)
		})
	}
}

func TestAScanReadsEverythingOnce(t *testing.T) {
	tb := filled(t)
	for _, limit := range []int32{1, 2, 5, 6, 7} {
		var all []item
		for pages := dynamodb.NewScanPaginator(tb, &dynamodb.ScanInput{TableName: aws.String("trades"), Limit: &limit}); pages.HasMorePages(); {
			out, err := pages.NextPage(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, out.Items...)
		}
		found := strings.Fields(digests(all))
		slices.Sort(found)
		if got := strings.Join(found, " "); got != "a0 a1 a2 ab b none" {
			t.Errorf("%d a page: found %q", limit, got)
		}
	}
	in := &dynamodb.ScanInput{
		TableName: aws.String("trades"), FilterExpression: aws.String("sourceSystem = :s"), ExpressionAttributeValues: item{":s": str("two")},
	}
	if out, err := tb.Scan(t.Context(), in); err != nil || digests(out.Items) != "a2" || out.ScannedCount != 6 {
		t.Errorf("filtered: %+v, %v", out, err)
	}
	var inOrder []item
	for it := range tb.Items() {
		inOrder = append(inOrder, it)
	}
	if got := digests(inOrder); got != "a0 a1 a2 ab b none" {
		t.Errorf("in the order of keys: %q", got)
	}
}

func TestAGetOfAKeyThatIsNone(t *testing.T) {
	tb := filled(t)
	for _, tc := range []struct {
		name string
		key  item
	}{
		{"no range key", item{"tradeId": str("A")}},
		{"another attribute", item{"tradeId": str("A"), "digest": str("a0")}},
		{"one too many", trade("A", 1, "digest", "a0")},
		{"another type", item{"tradeId": str("A"), "timestamp": str("1")}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := tb.GetItem(context.Background(), &dynamodb.GetItemInput{TableName: aws.String("trades"), Key: tc.key})
			wantCode(t, err, "ValidationException", "The provided key element does not match the schema")
		})
	}
	if got := get(t, tb, "A", 99); got != nil {
		t.Errorf("a key that isn't there has the item %v", got)
	}
}

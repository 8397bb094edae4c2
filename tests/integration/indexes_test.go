package integration_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"trade-processing/components"
	"trade-processing/lambdas/recorder"
	"trade-processing/local/cloud"
)

// querier is a table that answers queries: DynamoDB Local's or the local cloud's.
type querier interface {
	Query(context.Context, *dynamodb.QueryInput, ...func(*dynamodb.Options)) (*dynamodb.QueryOutput, error)
}

// pagesOf asks for all pages of a query.
func pagesOf(t *testing.T, table querier, in dynamodb.QueryInput) [][]map[string]types.AttributeValue {
	t.Helper()
	var pages [][]map[string]types.AttributeValue
	for {
		page, err := table.Query(t.Context(), &in)
		if err != nil {
			t.Fatal(err)
		}
		if int(page.Count) != len(page.Items) {
			t.Errorf("a page of %d items counts %d", len(page.Items), page.Count)
		}
		if len(page.Items) > 0 { // the last one may hold nothing
			pages = append(pages, page.Items)
		}
		if page.LastEvaluatedKey == nil {
			return pages
		}
		in.ExclusiveStartKey = page.LastEvaluatedKey
	}
}

// window queries an index for one source or status between two times, inclusive.
func window(table, index, attribute, value string, from, to time.Time) dynamodb.QueryInput {
	return dynamodb.QueryInput{
		TableName: aws.String(table), IndexName: aws.String(index),
		KeyConditionExpression:   aws.String("#p = :p AND #t BETWEEN :from AND :to"),
		ExpressionAttributeNames: map[string]string{"#p": attribute, "#t": components.TimestampAttribute},
		ExpressionAttributeValues: map[string]types.AttributeValue{
			":p":    &types.AttributeValueMemberS{Value: value},
			":from": &types.AttributeValueMemberN{Value: fmt.Sprint(from.UnixMilli())},
			":to":   &types.AttributeValueMemberN{Value: fmt.Sprint(to.UnixMilli())},
		},
	}
}

// What the recorder writes is found through the declared indexes, and the local cloud's table answers every query as
// DynamoDB does.
func TestTimeWindowsOfASourceAndOfAStatus(t *testing.T) {
	r := newRecording(t)
	here := deploy(t, cloud.Options{})
	same, err := here.Table(region, r.table)
	if err != nil {
		t.Fatal(err)
	}
	environment := environmentOf(t, here, "recorder-function")
	environment.Now = func() time.Time { return noon.Add(time.Hour) } // an item written twice must be the same
	const seed = 7
	chance := rand.New(rand.NewPCG(seed, seed))
	var trades []sent
	for i := range 3000 {
		trades = append(trades, sent{
			ID: fmt.Sprintf("t-%04d", i), Source: fmt.Sprintf("system%d", 1+chance.IntN(3)), Rejected: chance.IntN(10) == 0,
			At: noon.Add(time.Duration(i)*time.Second + time.Duration(chance.IntN(1000))*time.Millisecond), Execution: fmt.Sprintf("x-%d", i),
		})
	}
	for _, table := range []recorder.API{dynamodb.NewFromConfig(clients(t, r.front.Endpoint)), same} {
		if r.handler, err = recorder.New(environment, table); err != nil {
			t.Fatal(err)
		}
		for _, trade := range trades {
			if a := r.call(trade); a.Outcome != recorder.OutcomeRecorded {
				t.Fatalf("%s: %+v", trade.ID, a)
			}
		}
	}

	// First the promise, compared with what was sent: every trade in the window, in order, with the promised
	// attributes.
	promised := []string{"amount", "currency", "digest", "recordedAt", "sourceSystem", "status", "timestamp", "tradeId", "version"}
	from, to := trades[50].At, trades[199].At
	var want, got []string
	for _, trade := range trades[50:200] {
		if trade.Source == "system2" {
			want = append(want, trade.ID)
		}
	}
	for shard := range recorder.Shards {
		for _, page := range pagesOf(t, r.client, window(r.table, components.BySourceIndex, components.SourceShardAttribute, fmt.Sprintf("system2#%d", shard), from, to)) {
			for _, item := range page {
				got = append(got, item["tradeId"].(*types.AttributeValueMemberS).Value)
				for _, name := range promised {
					if item[name] == nil {
						t.Errorf("the index %s doesn't answer with %s", components.BySourceIndex, name)
					}
				}
				if item["trade"] != nil {
					t.Error("the index holds the whole trade, which is stored and paid for three times then")
				}
			}
		}
	}
	slices.Sort(got) // the ids are in the order of time
	if diff := cmp.Diff(want, got); diff != "" || len(want) < 20 {
		t.Errorf("of %d trades: %s", len(want), diff)
	}

	// Then both tables, compared with each other.
	var partitions [][3]string
	for shard := range recorder.Shards {
		for _, status := range []string{"RECORDED", "REJECTED", "recorded"} {
			partitions = append(partitions, [3]string{components.ByStatusIndex, components.StatusShardAttribute, fmt.Sprintf("%s#%d", status, shard)})
		}
		for _, source := range []string{"system1", "system3", "system"} {
			partitions = append(partitions, [3]string{components.BySourceIndex, components.SourceShardAttribute, fmt.Sprintf("%s#%d", source, shard)})
		}
	}
	answers, empty := 0, 0
	for range 1000 {
		p := partitions[chance.IntN(len(partitions))]
		begin := chance.IntN(len(trades))
		query := window(r.table, p[0], p[1], p[2], trades[begin].At, trades[begin+chance.IntN(len(trades)-begin)].At.Add(time.Millisecond))
		query.ScanIndexForward = aws.Bool(chance.IntN(2) == 0)
		if chance.IntN(2) == 0 {
			query.Limit = aws.Int32(1 + chance.Int32N(20))
		}
		theirs, ours := pagesOf(t, r.client, query), pagesOf(t, same, query)
		if diff := cmp.Diff(theirs, ours, cmpopts.IgnoreUnexported(types.AttributeValueMemberS{}, types.AttributeValueMemberN{})); diff != "" {
			t.Fatalf("DynamoDB Local (-) and the local cloud (+) answer %s differently: %s", strings.Join(p[:], " "), diff)
		}
		if items := slices.Concat(theirs...); len(items) > 0 {
			answers += len(items)
		} else {
			empty++
		}
	}
	if answers < 1000 || empty < 10 {
		t.Errorf("%d items were answered, and nothing %d times: the queries prove too little", answers, empty)
	}
}

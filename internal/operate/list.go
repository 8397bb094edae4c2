package operate

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// Listed is a version of a trade as the indexes have it. Trade finds the rest.
type Listed struct {
	TradeID      string `json:"tradeId" dynamodbav:"tradeId"`
	Version      string `json:"version" dynamodbav:"version"`
	Timestamp    int64  `json:"timestamp" dynamodbav:"timestamp"` // the version's time in milliseconds since 1970
	Action       string `json:"action" dynamodbav:"action"`
	Status       string `json:"status" dynamodbav:"status"`
	SourceSystem string `json:"sourceSystem,omitempty" dynamodbav:"sourceSystem"`
	Amount       string `json:"amount,omitempty" dynamodbav:"amount"`
	Currency     string `json:"currency,omitempty" dynamodbav:"currency"`
	Symbol       string `json:"symbol,omitempty" dynamodbav:"symbol"`
	Venue        string `json:"venue,omitempty" dynamodbav:"venue"`
	Digest       string `json:"digest" dynamodbav:"digest"`
	RecordedAt   string `json:"recordedAt" dynamodbav:"recordedAt"`
}

// Time returns the version's time: when the trade was executed, corrected or cancelled.
func (l Listed) Time() time.Time { return time.UnixMilli(l.Timestamp).UTC() }

// Filter selects versions. Zero fields match all.
type Filter struct {
	Source       string // source system
	Status       string // Recorded or Rejected
	Since, Until time.Time
	Replica      string // region of the replica to read; empty: the table's own
	Table        string // another table with the same keys and indexes, such as a restored one
	OldestFirst  bool   // else newest first
	Limit        int    // the most to return
}

func (s *Stack) table(f Filter) string { return cmp.Or(f.Table, s.Outputs.TradeTableName) }

const (
	// shards is how many partitions of an index share the trades of a source or of a status (lambdas/recorder: Shards).
	shards = 64

	// askedAtOnce is how many shards are asked at once: more would only wait for their connections.
	askedAtOnce = 16

	// firstPage is how many of a shard are asked for at first. Most who list want the newest, few of each shard.
	firstPage = 10

	// pageSize bounds what is held: two pages a shard. Pages grow to it.
	pageSize = 250
)

// List finds versions in order of time. It asks all shards of an index at once and merges what they answer, so it holds a few pages
// of each and no more, however many there are. After an error there is nothing more.
func (s *Stack) List(ctx context.Context, f Filter) iter.Seq2[Listed, error] {
	return func(yield func(Listed, error) bool) {
		client, region, err := s.replica(f.Replica)
		if err != nil {
			yield(Listed{}, err)
			return
		}
		turns := make(chan struct{}, askedAtOnce)
		var sources []source[Listed]
		for _, query := range s.queries(f) {
			sources = append(sources, func(ctx context.Context, add func([]Listed) bool) error {
				return readShard(ctx, client, query, turns, add)
			})
		}
		count := 0
		earlier := func(a, b Listed) bool {
			return (a.Timestamp < b.Timestamp) == f.OldestFirst && a.Timestamp != b.Timestamp
		}
		for row, err := range merged(ctx, sources, earlier) {
			if err != nil {
				err = fmt.Errorf("listing table %s in %s: %w", s.table(f), region, err)
			}
			if count++; !yield(row, err) || err != nil || count == f.Limit {
				return
			}
		}
	}
}

// readShard asks for one page after the other, each when it is its turn.
func readShard(ctx context.Context, client *dynamodb.Client, query *dynamodb.QueryInput, turns chan struct{}, add func([]Listed) bool) error {
	for size := int32(firstPage); ; size = min(size*5, pageSize) {
		select {
		case turns <- struct{}{}:
		case <-ctx.Done():
			return ctx.Err()
		}
		query.Limit = &size
		page, err := client.Query(ctx, query)
		<-turns
		if err != nil {
			return err
		}
		var rows []Listed
		if err := attributevalue.UnmarshalListOfMaps(page.Items, &rows); err != nil {
			return err
		}
		if !add(rows) {
			return ctx.Err()
		}
		if query.ExclusiveStartKey = page.LastEvaluatedKey; len(query.ExclusiveStartKey) == 0 {
			return nil
		}
	}
}

// queries returns the queries of all shards that hold what is wanted.
func (s *Stack) queries(f Filter) []*dynamodb.QueryInput {
	sources := s.Outputs.Sources()
	if f.Source != "" {
		sources = []string{f.Source}
	}
	var all []*dynamodb.QueryInput
	// Rejected trades may name any source, so only those of one source are found by that.
	if f.Source == "" && f.Status != Recorded {
		all = s.shardQueries(f, "byStatus", "statusShard", Rejected)
	}
	switch {
	case f.Source == "" && f.Status == Rejected:
		return all
	case f.Source == "":
		f.Status = Recorded
	}
	for _, source := range sources {
		all = append(all, s.shardQueries(f, "bySource", "sourceShard", source)...)
	}
	return all
}

// shardQueries returns the queries of an index's shards of a group. With a source, the status is a filter.
func (s *Stack) shardQueries(f Filter, index, attribute, group string) []*dynamodb.QueryInput {
	number := func(at time.Time, otherwise int64) types.AttributeValue {
		if !at.IsZero() {
			otherwise = at.UnixMilli()
		}
		return &types.AttributeValueMemberN{Value: strconv.FormatInt(otherwise, 10)}
	}
	// Years of four digits, which are all that a trade's time can have.
	since, until := number(f.Since, -62135596800000), number(f.Until, 253402300799999)
	table, size := s.table(f), int32(pageSize)
	if f.Limit > 0 { // at most that many of one shard; usually its share and a little more
		size = int32(min(f.Limit, f.Limit/shards*2+10, pageSize))
	}
	all := make([]*dynamodb.QueryInput, shards)
	for shard := range all {
		all[shard] = &dynamodb.QueryInput{
			TableName: &table, IndexName: &index, ScanIndexForward: &f.OldestFirst, Limit: &size,
			KeyConditionExpression:   aws.String("#k = :k AND #t BETWEEN :since AND :until"),
			ExpressionAttributeNames: map[string]string{"#k": attribute, "#t": "timestamp"},
			ExpressionAttributeValues: map[string]types.AttributeValue{
				":k": &types.AttributeValueMemberS{Value: group + "#" + strconv.Itoa(shard)}, ":since": since, ":until": until,
			},
		}
		if index == "bySource" && f.Status != "" {
			all[shard].FilterExpression = aws.String("#s = :s")
			all[shard].ExpressionAttributeNames["#s"] = "status"
			all[shard].ExpressionAttributeValues[":s"] = &types.AttributeValueMemberS{Value: f.Status}
		}
	}
	return all
}

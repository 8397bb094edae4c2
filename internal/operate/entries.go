package operate

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// Entry is a recorded version as an entry that can be sent again: it has the time and the text that it had, and so the same
// key and digest. The detail type isn't recorded, and no rule asks for one.
type Entry struct {
	Source     string
	DetailType string
	Time       string
	Detail     string

	// Rounded means that the record has another number than its source sent, for which it was rejected: sent again, it could
	// be recorded.
	Rounded bool `json:"-"`
}

// getAtOnce is the most items that DynamoDB gets in one request.
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html
const getAtOnce = 100

// Entries finds versions, oldest first, with the text that their source sent. After an error there is nothing more.
func (s *Stack) Entries(ctx context.Context, f Filter) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		client, region, err := s.replica(f.Replica)
		if err != nil {
			yield(Entry{}, err)
			return
		}
		var rows []Listed
		flush := func() bool {
			entries, err := s.entriesOf(ctx, client, s.table(f), rows)
			rows = rows[:0]
			if err != nil {
				yield(Entry{}, fmt.Errorf("reading table %s in %s: %w", s.table(f), region, err))
				return false
			}
			for _, entry := range entries {
				if !yield(entry, nil) {
					return false
				}
			}
			return true
		}
		f.OldestFirst = true
		for row, err := range s.List(ctx, f) {
			if err != nil {
				yield(Entry{}, err)
				return
			}
			if rows = append(rows, row); len(rows) == getAtOnce && !flush() {
				return
			}
		}
		if len(rows) > 0 {
			flush()
		}
	}
}

// entriesOf gets the items of some rows, in their order.
func (s *Stack) entriesOf(ctx context.Context, client *dynamodb.Client, table string, rows []Listed) ([]Entry, error) {
	type key struct{ trade, version string }
	asked := types.KeysAndAttributes{ConsistentRead: aws.Bool(true)}
	for _, row := range rows {
		asked.Keys = append(asked.Keys, map[string]types.AttributeValue{
			"tradeId": &types.AttributeValueMemberS{Value: row.TradeID}, "version": &types.AttributeValueMemberS{Value: row.Version},
		})
	}
	found := map[key]Version{}
	for wanted := map[string]types.KeysAndAttributes{table: asked}; len(wanted) > 0; {
		answer, err := client.BatchGetItem(ctx, &dynamodb.BatchGetItemInput{RequestItems: wanted})
		if err != nil {
			return nil, err
		}
		var items []Version
		if err := attributevalue.UnmarshalListOfMaps(answer.Responses[table], &items); err != nil {
			return nil, err
		}
		for _, item := range items {
			found[key{item.TradeID, item.Version}] = item
		}
		wanted = answer.UnprocessedKeys // what would have made the answer too large
	}
	entries := make([]Entry, len(rows))
	for i, row := range rows {
		item, is := found[key{row.TradeID, row.Version}]
		if !is {
			return nil, fmt.Errorf("version %s of trade %s is in the index, which is a moment behind, and no longer in the table: run this again", row.Version, row.TradeID)
		}
		entries[i] = Entry{
			Source: "trading." + item.Source(), DetailType: "Trade Event", Time: item.EventTime, Detail: item.Trade,
			Rounded: slices.ContainsFunc(item.Violations, func(v Violation) bool { return strings.HasSuffix(v.Code, "_INEXACT") }),
		}
	}
	return entries, nil
}

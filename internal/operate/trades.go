package operate

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"trade-processing/internal/exitcode"
	"trade-processing/lambdas/recorder"
)

// The statuses of a recorded version.
const (
	Recorded = "RECORDED"
	Rejected = "REJECTED"
)

// Trade is what the table has under a trade's id.
type Trade struct {
	TradeID string `json:"tradeId"`
	Region  string `json:"region"` // whose replica was read

	// States are the trade of each source that sent one under this id: sources may use the same id.
	States []State `json:"states"`

	// Versions are all that were recorded, by source and newest first.
	Versions []Version `json:"versions"`
}

// The states of a trade; Rejected is one too, if no version is valid.
const (
	Stands    = "STANDS"
	Cancelled = "CANCELLED"
)

// State is what became of the trade of a source: its newest version that isn't rejected says it (docs/trades.md).
type State struct {
	Source  string `json:"source"`
	State   string `json:"state"`
	Version string `json:"version"` // that says so: a key of Versions
}

// Version is a version of a trade, as the table has it.
type Version struct {
	TradeID         string `json:"tradeId" dynamodbav:"tradeId"`
	Version         string `json:"version" dynamodbav:"version"` // source, #, and its time; a rejected one's goes on
	Action          string `json:"action" dynamodbav:"action"`   // NEW, CORRECT or CANCEL
	Status          string `json:"status" dynamodbav:"status"`
	Replaces        string `json:"replaces,omitempty" dynamodbav:"replaces"`
	ReplacedMissing bool   `json:"replacedMissing,omitempty" dynamodbav:"replacedMissing"`

	// Trade is the evidence: the whole trade as it was sent, in canonical form, and the SHA-256 of that.
	Trade         string `json:"trade" dynamodbav:"trade"`
	Digest        string `json:"digest" dynamodbav:"digest"`
	DigestIsRight bool   `json:"digestIsRight" dynamodbav:"-"`

	// Copies from the trade, for queries.
	SourceSystem string `json:"sourceSystem,omitempty" dynamodbav:"sourceSystem"`
	Amount       string `json:"amount,omitempty" dynamodbav:"amount"`
	Currency     string `json:"currency,omitempty" dynamodbav:"currency"`
	Symbol       string `json:"symbol,omitempty" dynamodbav:"symbol"`
	Venue        string `json:"venue,omitempty" dynamodbav:"venue"`

	ReviewRequired        bool           `json:"reviewRequired" dynamodbav:"reviewRequired"`
	AmountUncheckedReason string         `json:"amountUncheckedReason,omitempty" dynamodbav:"amountUncheckedReason"`
	Violations            []Violation    `json:"violations,omitempty" dynamodbav:"violations"`
	RulesVersion          string         `json:"rulesVersion,omitempty" dynamodbav:"rulesVersion"`
	Market                map[string]any `json:"market,omitempty" dynamodbav:"market"`

	EventID      string `json:"eventId,omitempty" dynamodbav:"eventId"`
	EventTime    string `json:"eventTime,omitempty" dynamodbav:"eventTime"`
	EventAccount string `json:"eventAccount,omitempty" dynamodbav:"eventAccount"`
	Execution    string `json:"-" dynamodbav:"execution"` // the end of its ARN
	ExecutionARN string `json:"executionArn,omitempty" dynamodbav:"-"`
	TraceID      string `json:"traceId,omitempty" dynamodbav:"traceId"`
	RecordedAt   string `json:"recordedAt" dynamodbav:"recordedAt"`
	ExpiresAt    int64  `json:"expiresAt,omitempty" dynamodbav:"expiresAt"` // seconds since 1970
}

// Violation is a rule that a trade breaks.
type Violation struct {
	Code    string `json:"code" dynamodbav:"code"`
	Field   string `json:"field" dynamodbav:"field"`
	Message string `json:"message" dynamodbav:"message"`
}

// Source returns the source that sent the version.
func (v Version) Source() string {
	source, _, _ := strings.Cut(v.Version, "#")
	return source
}

// TradeQuery says which versions of a trade are wanted.
type TradeQuery struct {
	TradeID string
	AsOf    time.Time // only those recorded by then; zero: all
	Replica string    // region of the replica to read; empty: the table itself
	Table   string    // another table of the same keys, such as a restored one
}

// Trade finds all versions of a trade. The error is exitcode.NotFound if there are none.
func (s *Stack) Trade(ctx context.Context, q TradeQuery) (*Trade, error) {
	client, region, err := s.replica(q.Replica)
	if err != nil {
		return nil, err
	}
	table := cmp.Or(q.Table, s.Outputs.TradeTableName)
	pages := dynamodb.NewQueryPaginator(client, &dynamodb.QueryInput{
		TableName: &table, KeyConditionExpression: aws.String("tradeId = :id"),
		ConsistentRead:            aws.Bool(q.Replica == ""),
		ExpressionAttributeValues: map[string]types.AttributeValue{":id": &types.AttributeValueMemberS{Value: q.TradeID}},
	})
	found := &Trade{TradeID: q.TradeID, Region: region}
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("reading trade %s from table %s in %s: %w", q.TradeID, table, region, err)
		}
		for _, item := range page.Items {
			var version Version
			if err := attributevalue.UnmarshalMap(item, &version); err != nil {
				return nil, fmt.Errorf("reading a version of trade %s: %w", q.TradeID, err)
			}
			if recorded, err := time.Parse(time.RFC3339, version.RecordedAt); !q.AsOf.IsZero() && (err != nil || recorded.After(q.AsOf)) {
				continue
			}
			version.EventID, version.ExecutionARN = recorder.EventID(version.EventID, version.Execution), s.executionARN(version.Execution)
			sum := sha256.Sum256([]byte(version.Trade))
			version.DigestIsRight = hex.EncodeToString(sum[:]) == version.Digest
			found.Versions = append(found.Versions, version)
		}
	}
	if len(found.Versions) == 0 {
		return nil, exitcode.With(exitcode.NotFound,
			fmt.Errorf("trade %s is not in table %s in %s%s", q.TradeID, table, region, asOf(q.AsOf)))
	}
	slices.SortFunc(found.Versions, func(a, b Version) int {
		return cmp.Or(strings.Compare(a.Source(), b.Source()), strings.Compare(b.Version, a.Version))
	})
	found.judge()
	return found, nil
}

func asOf(at time.Time) string {
	if at.IsZero() {
		return ""
	}
	return ", as of " + at.UTC().Format(time.RFC3339)
}

// judge finds the state of each source's trade. The versions are sorted.
func (t *Trade) judge() {
	for _, version := range t.Versions {
		last := len(t.States) - 1
		switch {
		case last < 0 || t.States[last].Source != version.Source():
			t.States = append(t.States, State{Source: version.Source(), State: Rejected, Version: version.Version})
			last++
		case t.States[last].State != Rejected:
			continue // a newer version has said it
		}
		switch {
		case version.Status == Rejected:
		case version.Action == "CANCEL":
			t.States[last].State, t.States[last].Version = Cancelled, version.Version
		default:
			t.States[last].State, t.States[last].Version = Stands, version.Version
		}
	}
}

// replica returns the client of a region that has the table: its own, if none is named.
func (s *Stack) replica(named string) (client *dynamodb.Client, region string, err error) {
	region = cmp.Or(named, s.Outputs.Region)
	switch {
	case region == s.Outputs.Region:
		return s.DynamoDB(), region, nil
	case slices.Contains(s.Outputs.ReplicaRegions, region):
		return dynamodb.NewFromConfig(s.Config, func(o *dynamodb.Options) { o.Region = region }), region, nil
	}
	return nil, region, exitcode.Usagef("the table has no replica in %s; it is in %s", region, strings.Join(append([]string{s.Outputs.Region}, s.Outputs.ReplicaRegions...), ", "))
}

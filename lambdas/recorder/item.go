package recorder

import (
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"trade-processing/lambdas/trade"
)

// The statuses of a recorded trade.
const (
	Recorded = "RECORDED" // valid
	Rejected = "REJECTED" // has violations; kept because regulators ask for rejected trades too
)

// Item is a trade as stored in the table. Trade and Digest are the evidence; the copied fields are for queries of the
// indexes.
//
// DynamoDB bills a write by the KiB, names of attributes included, in the table and in each replica
// (https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html). So nothing is stored
// twice, false and empty values are left out, and of long names only what distinguishes them stays.
type Item struct {
	// TradeID and Version (see trade.VersionKey and trade.RejectedKey) are the table's key.
	TradeID string `dynamodbav:"tradeId"`
	Version string `dynamodbav:"version"`

	// Timestamp is the version's time in epoch milliseconds: the sort key of the indexes.
	Timestamp int64 `dynamodbav:"timestamp"`

	// Action is NEW, CORRECT or CANCEL. Replaces is the key of the version that the latter two take the place of, and
	// ReplacedMissing says that the table didn't have it when this one came: it may still arrive. A rejected trade has
	// neither, as it takes nothing's place.
	Action          string `dynamodbav:"action"`
	Replaces        string `dynamodbav:"replaces,omitempty"`
	ReplacedMissing bool   `dynamodbav:"replacedMissing,omitempty"`

	// Status is Recorded or Rejected.
	Status string `dynamodbav:"status"`

	// SourceSystem comes from the trade, or from the event's source if the trade has none that can be a key.
	SourceSystem string `dynamodbav:"sourceSystem,omitempty"`

	// SourceShard and StatusShard are the partition keys of the indexes bySource and byStatus: see Shards. Only rejected
	// trades are in byStatus. The others are nearly all, bySource has them, and an index is a second write for each.
	SourceShard string `dynamodbav:"sourceShard,omitempty"`
	StatusShard string `dynamodbav:"statusShard,omitempty"`

	// Trade is the canonical form of the event's detail, Digest its SHA-256 in hexadecimal.
	Trade  string `dynamodbav:"trade"`
	Digest string `dynamodbav:"digest"`

	// Copies of the trade's fields, as in Trade. A copy is left out if the field is missing, has another type, is too
	// long or (Amount) can't be read.
	Amount   string `dynamodbav:"amount,omitempty"`
	Currency string `dynamodbav:"currency,omitempty"`
	Symbol   string `dynamodbav:"symbol,omitempty"`
	Venue    string `dynamodbav:"venue,omitempty"`

	// The answers of the validator and the enricher. The context's external part is JSON text.
	ReviewRequired bool        `dynamodbav:"reviewRequired,omitempty"`
	AmountChecked  *bool       `dynamodbav:"amountChecked,omitempty"` // false, with the reason; none if it was checked
	AmountReason   string      `dynamodbav:"amountUncheckedReason,omitempty"`
	Violations     []violation `dynamodbav:"violations,omitempty"`
	RulesVersion   string      `dynamodbav:"rulesVersion"`
	Market         attributes  `dynamodbav:"-"` // in market; nothing that is read needs it

	// Where the trade came from. Its source begins Version.
	EventID      string `dynamodbav:"eventId,omitempty"`      // see EventID: nearly always, it begins Execution
	EventTime    string `dynamodbav:"eventTime"`              // RFC 3339
	EventAccount string `dynamodbav:"eventAccount,omitempty"` // the AWS account that sent it
	Execution    string `dynamodbav:"execution,omitempty"`    // see ExecutionName
	TraceID      string `dynamodbav:"traceId,omitempty"`      // X-Ray's, if it has the trace

	// RecordedAt is when the item was written: RFC 3339, milliseconds, UTC.
	RecordedAt string `dynamodbav:"recordedAt"`

	// ExpiresAt is the table's time to live in epoch seconds; 0, and left out, if items are kept forever.
	ExpiresAt int64 `dynamodbav:"expiresAt,omitempty"`
}

// Shards is how many partition keys of an index share the trades of one source or status. A partition takes 1,000 write
// units a second, and a throttled index throttles writes to the table, which has 40,000 by default
// (https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/gsi-throttling.html,
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ServiceQuotas.html): 40 would do if trades were
// spread perfectly evenly. To read a source's or a status's trades, query each of its shards.
const Shards = 64

// shard returns the partition key for an item of a group, such as a source: the group and a number below Shards. It
// follows from the digest, so the same item always has the same one.
func shard(group, digest string) string {
	first, _ := strconv.ParseUint(digest[:2], 16, 8)
	return group + "#" + strconv.FormatUint(first%Shards, 10)
}

// attributes returns the item as the table takes it. attributevalue.MarshalMap does the same, at ten times the cost.
func (i Item) attributes() attributes {
	a := make(attributes, 28)
	texts := [...]struct{ name, text string }{
		{"tradeId", i.TradeID},
		{"version", i.Version},
		{"action", i.Action},
		{"replaces", i.Replaces},
		{"status", i.Status},
		{"sourceSystem", i.SourceSystem},
		{"sourceShard", i.SourceShard},
		{"statusShard", i.StatusShard},
		{"trade", i.Trade},
		{"digest", i.Digest},
		{"amount", i.Amount},
		{"currency", i.Currency},
		{"symbol", i.Symbol},
		{"venue", i.Venue},
		{"amountUncheckedReason", i.AmountReason},
		{"rulesVersion", i.RulesVersion},
		{"eventId", i.EventID},
		{"eventTime", i.EventTime},
		{"eventAccount", i.EventAccount},
		{"execution", i.Execution},
		{"traceId", i.TraceID},
		{"recordedAt", i.RecordedAt},
	}
	values := make([]types.AttributeValueMemberS, len(texts)) // in one piece: each alone would be an allocation
	for at, t := range texts {
		if t.text != "" { // an empty one is left out
			values[at].Value = t.text
			a[t.name] = &values[at]
		}
	}
	a.number("timestamp", i.Timestamp)
	if i.ExpiresAt != 0 {
		a.number("expiresAt", i.ExpiresAt)
	}
	a.yes("replacedMissing", i.ReplacedMissing)
	a.yes("reviewRequired", i.ReviewRequired)
	if i.AmountChecked != nil {
		a["amountChecked"] = &types.AttributeValueMemberBOOL{Value: *i.AmountChecked}
	}
	if len(i.Violations) > 0 {
		list := make([]types.AttributeValue, len(i.Violations))
		for at, v := range i.Violations {
			list[at] = &types.AttributeValueMemberM{Value: v.attributes()}
		}
		a["violations"] = &types.AttributeValueMemberL{Value: list}
	}
	if len(i.Market) > 0 {
		a["market"] = &types.AttributeValueMemberM{Value: i.Market}
	}
	return a
}

func (v violation) attributes() attributes {
	return attributes{
		"code":    &types.AttributeValueMemberS{Value: v.Code},
		"field":   &types.AttributeValueMemberS{Value: v.Field},
		"message": &types.AttributeValueMemberS{Value: v.Message},
	}
}

// attributes are an item's, or a map's in it.
type attributes map[string]types.AttributeValue

func (a attributes) number(name string, n int64) {
	a[name] = &types.AttributeValueMemberN{Value: strconv.FormatInt(n, 10)}
}

// yes adds true; false is left out.
func (a attributes) yes(name string, holds bool) {
	if holds {
		a[name] = &types.AttributeValueMemberBOOL{Value: true}
	}
}

// violation is a trade.Violation with the table's names: the domain knows nothing of tables.
type violation struct {
	Code    string `dynamodbav:"code"`
	Field   string `dynamodbav:"field"`
	Message string `dynamodbav:"message"`
}

// timeFormat is RFC 3339 with milliseconds, for times in UTC.
const timeFormat = "2006-01-02T15:04:05.000Z"

// newItem returns the item of a trade recorded now.
func (r *recorder) newItem(t *trade.Trade, in Request, traceID string, now time.Time) (Item, error) {
	market, err := readMarket(in.Market)
	if err != nil {
		return Item{}, err
	}
	canonical := t.Canonical()
	at := t.VersionTime(in.Event.Time)
	item := Item{
		TradeID:        t.ID,
		Version:        trade.VersionKey(in.Event.Source, at),
		Timestamp:      at.UnixMilli(),
		Action:         string(t.Action()),
		Status:         Recorded,
		SourceSystem:   sourceSystem(t, in.Event.Source),
		Trade:          string(canonical),
		Digest:         trade.DigestOf(canonical),
		Currency:       copyOf(t, "currency"),
		Symbol:         copyOf(t, "symbol"),
		Venue:          copyOf(t, "venue"),
		ReviewRequired: in.Validation.ReviewRequired,
		AmountReason:   string(in.Validation.AmountUncheckedReason),
		RulesVersion:   in.Validation.RulesVersion,
		Market:         market,
		EventTime:      in.Event.Time.UTC().Format(time.RFC3339Nano),
		EventAccount:   in.Event.AccountID,
		Execution:      ExecutionName(in.ExecutionARN),
		TraceID:        traceID,
		RecordedAt:     now.UTC().Format(timeFormat),
	}
	if in.Event.ID != EventID("", item.Execution) {
		item.EventID = in.Event.ID
	}
	if replaced, any := t.Replaces(); any && in.Validation.Valid {
		item.Replaces = trade.VersionKey(in.Event.Source, replaced)
	}
	if !in.Validation.Valid {
		item.Status = Rejected
		item.StatusShard = shard(item.Status, item.Digest)
	}
	if item.SourceSystem != "" {
		item.SourceShard = shard(item.SourceSystem, item.Digest)
	}
	if item.AmountReason != "" {
		item.AmountChecked = new(false)
	}
	for _, v := range in.Validation.Violations {
		item.Violations = append(item.Violations, violation{string(v.Code), v.Field, v.Message})
	}
	if amount, _, readable := t.Amount("amount"); readable && len(amount) <= maxCopyBytes {
		item.Amount = amount
	}
	if r.retentionYears > 0 {
		item.ExpiresAt = now.AddDate(r.retentionYears, 0, 0).Unix()
	}
	return item, nil
}

// ExecutionName returns what follows the state machine in an execution's ARN: its name and, for EXPRESS, a further id.
// The machine's own ARN, an output of the stack, completes it.
// https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html
func ExecutionName(arn string) string {
	const parts = 8 // arn:aws:states:REGION:ACCOUNT:execution:MACHINE:NAME, or …:express:MACHINE:NAME:ID
	if split := strings.SplitN(arn, ":", parts); len(split) == parts {
		return split[parts-1]
	}
	return arn
}

// EventID returns the id of the event that an item was made from: its own eventId, or what begins its execution's name.
// EventBridge names an execution by the event's id, an underscore and another UUID
// (https://github.com/wellcomecollection/catalogue-pipeline/pull/3227), so the id is stored once. An execution that somebody
// else started has any name.
func EventID(own, execution string) string {
	const uuid = 36
	if own != "" || len(execution) <= uuid || execution[uuid] != '_' {
		return own
	}
	return execution[:uuid]
}

// maxCopyBytes bounds the copies: no valid field is longer, and an index key has a limited length.
const maxCopyBytes = 256

func copyOf(t *trade.Trade, field string) string {
	s, _ := t.Text(field)
	if len(s) > maxCopyBytes {
		return ""
	}
	return s
}

// sourceSystem is never empty for an event matched by one of the stack's rules: an index key must not be empty, and a
// rejected trade must be found under its source too.
func sourceSystem(t *trade.Trade, eventSource string) string {
	if s := copyOf(t, "sourceSystem"); s != "" {
		return s
	}
	return strings.TrimPrefix(eventSource, trade.SourcePrefix)
}

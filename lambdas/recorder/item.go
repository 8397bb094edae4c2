package recorder

import (
	"strings"
	"time"

	"trade-processing/lambdas/trade"
)

// The statuses of a recorded trade.
const (
	Recorded = "RECORDED" // valid
	Rejected = "REJECTED" // has violations, and is kept because a regulator asks for rejected trades too
)

// Item is a trade as the table holds it. Nothing in it depends on floating point: what was received is in Trade, text
// for text, and the copies beside it are there for queries.
type Item struct {
	// TradeID and Timestamp (epoch milliseconds, see trade.Timestamp) are the table's key: one item a trade version.
	TradeID   string `dynamodbav:"tradeId"`
	Timestamp int64  `dynamodbav:"timestamp"`

	// Status is Recorded or Rejected. With Timestamp it is the key of the index byStatus.
	Status string `dynamodbav:"status"`

	// SourceSystem is what the trade says, or what the event's source says where the trade has none that can be a key.
	// With Timestamp it is the key of the index bySource.
	SourceSystem string `dynamodbav:"sourceSystem,omitempty"`

	// Trade is the canonical form of the event's detail, Digest its SHA-256 in hexadecimal.
	Trade  string `dynamodbav:"trade"`
	Digest string `dynamodbav:"digest"`

	// Copies of the trade's fields, as received. They are left out where a field is missing, of another type, too long,
	// or (Amount, ExecutedAt) can't be read.
	Amount     string `dynamodbav:"amount,omitempty"`
	Currency   string `dynamodbav:"currency,omitempty"`
	Symbol     string `dynamodbav:"symbol,omitempty"`
	Venue      string `dynamodbav:"venue,omitempty"`
	Side       string `dynamodbav:"side,omitempty"`
	ExecutedAt string `dynamodbav:"executedAt,omitempty"`

	// What the validator and the enricher said. The context's external part is JSON text.
	ReviewRequired bool           `dynamodbav:"reviewRequired"`
	Violations     []violation    `dynamodbav:"violations,omitempty"`
	RulesVersion   string         `dynamodbav:"rulesVersion"`
	Market         map[string]any `dynamodbav:"market,omitempty"`

	// Where the trade came from.
	EventID      string `dynamodbav:"eventId,omitempty"`
	EventTime    string `dynamodbav:"eventTime"` // RFC 3339
	EventSource  string `dynamodbav:"eventSource,omitempty"`
	ExecutionARN string `dynamodbav:"executionArn,omitempty"`
	TraceID      string `dynamodbav:"traceId,omitempty"`

	// RecordedAt is when the item was written: RFC 3339, milliseconds, UTC.
	RecordedAt string `dynamodbav:"recordedAt"`

	// ExpiresAt is the table's time to live in epoch seconds; 0, and left out, where items are kept for good.
	ExpiresAt int64 `dynamodbav:"expiresAt,omitempty"`
}

// violation is a trade.Violation with the table's names: the domain knows nothing of tables.
type violation struct {
	Code    string `dynamodbav:"code"`
	Field   string `dynamodbav:"field"`
	Message string `dynamodbav:"message"`
}

// timeFormat is RFC 3339 with milliseconds, for times in UTC.
const timeFormat = "2006-01-02T15:04:05.000Z"

// newItem makes the item of a trade that is recorded now.
func (r *recorder) newItem(t *trade.Trade, in Request, traceID string, now time.Time) (Item, error) {
	market, err := readMarket(in.Market)
	if err != nil {
		return Item{}, err
	}
	canonical := t.Canonical()
	item := Item{
		TradeID:        t.ID,
		Timestamp:      t.Timestamp(in.Event.Time),
		Status:         Recorded,
		SourceSystem:   sourceSystem(t, in.Event.Source),
		Trade:          string(canonical),
		Digest:         trade.DigestOf(canonical),
		Currency:       copyOf(t, "currency"),
		Symbol:         copyOf(t, "symbol"),
		Venue:          copyOf(t, "venue"),
		Side:           copyOf(t, "side"),
		ReviewRequired: in.Validation.ReviewRequired,
		RulesVersion:   in.Validation.RulesVersion,
		Market:         market,
		EventID:        in.Event.ID,
		EventTime:      in.Event.Time.UTC().Format(time.RFC3339Nano),
		EventSource:    in.Event.Source,
		ExecutionARN:   in.ExecutionARN,
		TraceID:        traceID,
		RecordedAt:     now.UTC().Format(timeFormat),
	}
	if !in.Validation.Valid {
		item.Status = Rejected
	}
	for _, v := range in.Validation.Violations {
		item.Violations = append(item.Violations, violation{string(v.Code), v.Field, v.Message})
	}
	if literal, _, readable := t.Amount("amount"); readable && len(literal) <= maxCopyBytes {
		item.Amount = literal
	}
	if _, readable := t.ExecutedAt(); readable {
		item.ExecutedAt = copyOf(t, "executedAt")
	}
	if r.retentionYears > 0 {
		item.ExpiresAt = now.AddDate(r.retentionYears, 0, 0).Unix()
	}
	return item, nil
}

// maxCopyBytes bounds the copies: no field that is right is longer, and a key of an index may not be of any length.
const maxCopyBytes = 256

func copyOf(t *trade.Trade, field string) string {
	s, _ := t.Text(field)
	if len(s) > maxCopyBytes {
		return ""
	}
	return s
}

// sourceSystem is never empty for an event that a rule of the stack matched: the key of an index may not be empty, and
// a rejected trade must be found under its source too.
func sourceSystem(t *trade.Trade, eventSource string) string {
	if s := copyOf(t, "sourceSystem"); s != "" {
		return s
	}
	return strings.TrimPrefix(eventSource, trade.SourcePrefix)
}

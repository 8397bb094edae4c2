// Package recorder is the function that writes a trade to the table, exactly once.
package recorder

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"trade-processing/lambdas/function"
	"trade-processing/lambdas/trade"
)

// Name is the function's name in logs and metrics.
const Name = "recorder"

// The metrics. The recorder counts for the whole workflow: an ordinary trade is then one line in one log, which says
// all that became of it.
const (
	// TradesRejected is 0 or 1 per invocation: its average is the share of trades that break a rule.
	TradesRejected = "TradesRejected"
	ReviewRequired = "ReviewRequired"

	DuplicateTrades     = "DuplicateTrades"
	DuplicateRejections = "DuplicateRejections"
	TradeConflicts      = "TradeConflicts"

	// ReplacedMissing counts corrections and cancels that came before what they replace, or name nothing that was sent.
	ReplacedMissing = "ReplacedMissing"

	// EndToEndLatency is the time from the event's time, which EventBridge gives in whole seconds, to the write: of each trade
	// that is written, so that its sample count is how many are recorded.
	EndToEndLatency = "EndToEndLatency"
)

// The outcomes of a call.
const (
	OutcomeRecorded          = "RECORDED"
	OutcomeDuplicate         = "DUPLICATE"
	OutcomeDuplicateRejected = "DUPLICATE_REJECTED"
)

// API is what the recorder needs from DynamoDB.
type API interface {
	PutItem(context.Context, *dynamodb.PutItemInput, ...func(*dynamodb.Options)) (*dynamodb.PutItemOutput, error)
	GetItem(context.Context, *dynamodb.GetItemInput, ...func(*dynamodb.Options)) (*dynamodb.GetItemOutput, error)
}

// Request is the payload of the recorder.
type Request struct {
	function.Request

	// Validation is the validator's answer, Market the enricher's, a JSON object.
	Validation trade.Verdict
	Market     json.RawMessage

	// Answers are the other stages' answers, by the names they hand them on under. Each becomes an attribute of the
	// item, as JSON text.
	Answers map[string]json.RawMessage
}

// Member treats unknown members as stages' answers.
func (r *Request) Member(name string, value json.RawMessage) error {
	switch name {
	case "validation":
		return json.Unmarshal(value, &r.Validation)
	case "market":
		r.Market = value
	default:
		if r.Answers == nil {
			r.Answers = map[string]json.RawMessage{}
		}
		r.Answers[name] = value
	}
	return nil
}

// Response is the recorder's answer.
type Response struct {
	// Outcome is OutcomeRecorded, OutcomeDuplicate if the table already had the trade, or OutcomeDuplicateRejected if
	// it had its rejection.
	Outcome string `json:"outcome"`

	// The rest is what the table has: for a duplicate, what was recorded first.
	Status     string `json:"status"`
	TradeID    string `json:"tradeId"`
	Version    string `json:"version"`
	Timestamp  int64  `json:"timestamp"` // epoch milliseconds
	Action     string `json:"action"`
	Digest     string `json:"digest"`
	RecordedAt string `json:"recordedAt"`

	// ReplacedMissing says that a correction or cancel came before what it replaces.
	ReplacedMissing bool `json:"replacedMissing,omitempty"`

	// Violations are the codes of the rules the trade breaks, as the item lists them; absent if it breaks none.
	Violations []string `json:"violations,omitempty"`
}

// New returns the handler: it takes a Request and answers with a Response. Errors are MalformedTrade, TradeConflict,
// and DynamoDB's under their own code.
//
// Besides what function.ReadSettings reads, it reads TABLE_NAME and RETENTION_YEARS (by default, items are kept
// forever).
func New(environment function.Environment, table API) (lambda.Handler, error) {
	settings := function.ReadSettings(environment, Name)
	r := &recorder{
		table:          table,
		tableName:      settings.Required("TABLE_NAME", "the name of the trade table"),
		retentionYears: readRetention(settings),
	}
	if err := settings.Err(); err != nil {
		return nil, err
	}
	condition, err := expression.NewBuilder().WithCondition(expression.Name("tradeId").AttributeNotExists()).Build()
	if err != nil {
		return nil, fmt.Errorf("building the condition of the write: %w", err)
	}
	r.condition = condition
	return function.Handle(settings, r.record), nil
}

// maxRetentionYears keeps the time to live sensible.
const maxRetentionYears = 100

// readRetention reads RETENTION_YEARS; 0 if it isn't set.
func readRetention(settings *function.Settings) int {
	text := settings.Optional("RETENTION_YEARS", "")
	if text == "" {
		return 0
	}
	years, err := strconv.Atoi(text)
	if err != nil || years < 1 || years > maxRetentionYears {
		settings.Problem("RETENTION_YEARS", "%q is not a whole number from 1 to %d; leave it out to keep trades forever", text, maxRetentionYears)
		return 0
	}
	return years
}

type recorder struct {
	table          API
	tableName      string
	retentionYears int // 0: forever

	// condition requires the key to be free. It is the same for every trade, so it is built once.
	condition expression.Expression
}

func (r *recorder) record(ctx context.Context, call *function.Call, in Request) (Response, error) {
	t, err := call.Trade()
	if err != nil {
		return Response{}, err
	}
	if in.Validation.RulesVersion == "" {
		return Response{}, errors.New("the payload has no answer from the validator")
	}
	var traceID string
	if call.Sampled() {
		traceID = call.TraceID
	}
	item, err := r.newItem(t, in, traceID, call.Now())
	if err != nil {
		return Response{}, err
	}
	response, err := r.write(ctx, item, in.Answers)
	report(call, in, response, err)
	return response, err
}

// write writes a valid new trade in one call. For a correction or cancel, it first looks for what is replaced. A
// rejected trade has a key of its own, so it first looks for a copy that was recorded as valid, under other rules or by
// another clock.
func (r *recorder) write(ctx context.Context, item Item, answers map[string]json.RawMessage) (Response, error) {
	if item.Status == Rejected {
		valid, err := r.get(ctx, item.TradeID, item.Version)
		if err != nil {
			return Response{}, err
		}
		if valid.Digest == item.Digest {
			return meet(item, valid)
		}
		item.Version = trade.RejectedKey(item.Version, item.Digest)
	}
	if item.Replaces != "" {
		replaced, err := r.get(ctx, item.TradeID, item.Replaces)
		if err != nil {
			return Response{}, err
		}
		item.ReplacedMissing = replaced.Digest == ""
	}
	return r.put(ctx, item, answers)
}

// get reads a version of a trade; the zero Item if there is none.
func (r *recorder) get(ctx context.Context, tradeID, version string) (item Item, err error) {
	answer, err := r.table.GetItem(ctx, &dynamodb.GetItemInput{
		TableName:      aws.String(r.tableName),
		ConsistentRead: aws.Bool(true),
		Key: map[string]types.AttributeValue{
			"tradeId": &types.AttributeValueMemberS{Value: tradeID}, "version": &types.AttributeValueMemberS{Value: version},
		},
	})
	if err == nil {
		item, err = readItem(answer.Item)
	}
	if err != nil {
		return Item{}, fmt.Errorf("reading version %s of trade %s: %w", version, tradeID, err)
	}
	return item, nil
}

func readItem(attributes map[string]types.AttributeValue) (item Item, err error) {
	err = attributevalue.UnmarshalMap(attributes, &item)
	return item, err
}

// put writes the item if its key is free, and otherwise judges the item that has the key.
func (r *recorder) put(ctx context.Context, item Item, answers map[string]json.RawMessage) (Response, error) {
	attributes := item.attributes()
	err := addAnswers(attributes, answers)
	if err != nil {
		return Response{}, fmt.Errorf("writing trade %s as an item: %w", item.TradeID, err)
	}
	_, err = r.table.PutItem(ctx, &dynamodb.PutItemInput{
		TableName:                           aws.String(r.tableName),
		Item:                                attributes,
		ConditionExpression:                 r.condition.Condition(),
		ExpressionAttributeNames:            r.condition.Names(),
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	})
	if taken, ok := errors.AsType[*types.ConditionalCheckFailedException](err); ok {
		existing, err := readItem(taken.Item)
		if err != nil {
			return Response{}, fmt.Errorf("reading the item with the key of trade %s: %w", item.TradeID, err)
		}
		return meet(item, existing)
	}
	if err != nil {
		return Response{}, fmt.Errorf("writing version %s of trade %s: %w", item.Version, item.TradeID, err)
	}
	return answer(OutcomeRecorded, item), nil
}

// meet answers for an item that the table has already, or whose key is taken. The same trade is a duplicate; another
// one is a conflict. An item written by this very execution is neither: the write succeeded, but its answer was lost,
// and the SDK or the state machine retried.
func meet(item, existing Item) (Response, error) {
	switch {
	case existing.Digest == "":
		return Response{}, fmt.Errorf("the key of version %s of trade %s is taken by an item without a digest", item.Version, item.TradeID)
	case existing.Digest != item.Digest:
		return Response{}, &ConflictError{TradeID: item.TradeID, Version: item.Version, Recorded: existing.Digest, Refused: item.Digest}
	case existing.Execution != "" && existing.Execution == item.Execution:
		return answer(OutcomeRecorded, existing), nil
	case existing.Status == Rejected:
		return answer(OutcomeDuplicateRejected, existing), nil
	}
	return answer(OutcomeDuplicate, existing), nil
}

func answer(outcome string, item Item) Response {
	var codes []string
	for _, violation := range item.Violations {
		codes = append(codes, violation.Code)
	}
	return Response{
		Outcome:         outcome,
		Status:          item.Status,
		TradeID:         item.TradeID,
		Version:         item.Version,
		Timestamp:       item.Timestamp,
		Action:          item.Action,
		Digest:          item.Digest,
		RecordedAt:      item.RecordedAt,
		ReplacedMissing: item.ReplacedMissing,
		Violations:      codes,
	}
}

func report(call *function.Call, in Request, response Response, err error) {
	_, conflict := errors.AsType[*ConflictError](err)
	recorded := response.Outcome == OutcomeRecorded
	rejected := 0
	if !in.Validation.Valid {
		rejected = 1
		codes := make([]string, len(in.Validation.Violations))
		for i, violation := range in.Validation.Violations {
			codes[i] = string(violation.Code)
		}
		call.Property("violations", strings.Join(codes, ","))
	}
	call.Count(TradesRejected, rejected)
	call.CountIf(ReviewRequired, in.Validation.ReviewRequired)
	call.CountIf(DuplicateTrades, response.Outcome == OutcomeDuplicate)
	call.CountIf(DuplicateRejections, response.Outcome == OutcomeDuplicateRejected)
	call.CountIf(TradeConflicts, conflict)
	call.CountIf(ReplacedMissing, recorded && response.ReplacedMissing)
	if recorded {
		call.Milliseconds(EndToEndLatency, call.Now().Sub(in.Event.Time))
	}
}

// ConflictError means that the table has another trade with the same key. The recorded one stays.
type ConflictError struct {
	TradeID, Version string

	// Recorded is the digest of the trade in the table, Refused that of the one that arrived.
	Recorded, Refused string
}

func (e *ConflictError) Error() string {
	return fmt.Sprintf("version %s of trade %s is recorded with digest %s, and another one with digest %s arrived under the same key: the recorded one stays",
		e.Version, e.TradeID, e.Recorded, e.Refused)
}

// ErrorType returns the error's name as Step Functions sees it.
func (*ConflictError) ErrorType() string { return "TradeConflict" }

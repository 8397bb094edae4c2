package verify

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"trade-processing/internal/terminal"
)

// sendAgain sends the first trade a second time, with a number in another spelling. A duplicate leaves nothing in the
// table, so the recorder's own metrics line has to show that it came through; then the table must still have only the
// first record.
func (v *verification) sendAgain(ctx context.Context, result *Result) error {
	first := v.trades[0]
	v.again = first.repeat("duplicate", "15e-1")
	if err := v.put(ctx, result, v.again); err != nil || v.again.eventID == "" {
		return err
	}
	var told recorderLine
	err := v.await(ctx, v.Timeout, func(ctx context.Context) (_ bool, err error) {
		told, err = v.recorderSays(ctx, v.again)
		return told.spoke, err
	})
	switch {
	case errors.Is(err, errTimeout):
		result.problem("no line of %s showed within %v what became of the trade that was sent again (event %s)", v.recorderLog(), v.Timeout, v.again.eventID)
		return nil
	case err != nil:
		return err
	case told.DuplicateTrades != 1 || told.EndToEndLatency != nil:
		result.problem("the recorder took the trade that was sent again for a new one: see event %s in %s", v.again.eventID, v.recorderLog())
	default:
		result.found("the recorder recognised it")
	}
	v.again.settled = true
	return v.countRecords(ctx, result, first)
}

// recorderLine is what the recorder's metrics line says about an event.
type recorderLine struct {
	spoke           bool // there is a line
	DuplicateTrades int
	EndToEndLatency *float64 // only of what was written
}

// recorderLog returns the log group of the recorder.
func (v *verification) recorderLog() string {
	return "/aws/lambda/" + v.Outputs.FunctionNames["recorder"] // Lambda's own naming, which the stack follows
}

// recorderSays looks for what the recorder says about a trade.
func (v *verification) recorderSays(ctx context.Context, trade *sent) (recorderLine, error) {
	var line recorderLine
	lines, err := v.logLines(ctx, v.recorderLog(), fmt.Sprintf(`{ $.eventId = %q && $.TradesRejected = * }`, trade.eventID))
	if err != nil || len(lines) == 0 {
		return line, err
	}
	if err := json.Unmarshal([]byte(lines[0]), &line); err != nil {
		return line, fmt.Errorf("reading a line of %s: %w", v.recorderLog(), err)
	}
	line.spoke = true
	return line, nil
}

// countRecords checks that a trade has one record, unchanged.
func (v *verification) countRecords(ctx context.Context, result *Result, trade *sent) error {
	answer, err := v.clients.table.Query(ctx, &dynamodb.QueryInput{
		TableName: aws.String(v.Outputs.TradeTableName), KeyConditionExpression: aws.String("tradeId = :id"), ConsistentRead: aws.Bool(true),
		ExpressionAttributeValues: map[string]types.AttributeValue{":id": &types.AttributeValueMemberS{Value: trade.id()}},
	})
	if err != nil {
		return fmt.Errorf("counting the records of %s: %w", trade.id(), err)
	}
	switch {
	case len(answer.Items) != 1:
		result.problem("trade %s has %s", trade.id(), terminal.Plural(len(answer.Items), "record"))
	case !sameItem(answer.Items[0], trade.item):
		result.problem("the record of %s changed in %s", trade.id(), list(unlike(answer.Items[0], trade.item)))
	default:
		result.found("one record, unchanged")
	}
	return nil
}

// Package confirmer is the function that records that a trade has settled, once.
package confirmer

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// API is what the function needs from DynamoDB.
type API interface {
	PutItem(context.Context, *dynamodb.PutItemInput, ...func(*dynamodb.Options)) (*dynamodb.PutItemOutput, error)
}

// Confirmation is the detail of an event.
type Confirmation struct {
	TradeID   string    `json:"tradeId"`
	SettledAt time.Time `json:"settledAt"`
	Agent     string    `json:"agent"` // who says so
}

// Request is what the workflow hands over.
type Request struct {
	Event events.EventBridgeEvent `json:"event"`
}

// Answer says what became of a confirmation.
type Answer struct {
	Recorded bool `json:"recorded"` // false: the table already had it
}

// MalformedConfirmation means that an event isn't a confirmation. Its name is the error that the workflow sees.
type MalformedConfirmation struct{ Reason string }

func (e *MalformedConfirmation) Error() string { return "not a confirmation: " + e.Reason }

// New returns the handler for a table.
func New(api API, table string) (lambda.Handler, error) {
	if table == "" {
		return nil, errors.New("TABLE_NAME is not set; it should be the name of the table")
	}
	return lambda.NewHandler(func(ctx context.Context, request Request) (Answer, error) {
		var c Confirmation
		if err := json.Unmarshal(request.Event.Detail, &c); err != nil {
			return Answer{}, &MalformedConfirmation{err.Error()}
		}
		if c.TradeID == "" || c.Agent == "" || c.SettledAt.IsZero() {
			return Answer{}, &MalformedConfirmation{"tradeId, agent and settledAt are needed"}
		}
		_, err := api.PutItem(ctx, &dynamodb.PutItemInput{
			TableName: aws.String(table),
			Item: map[string]types.AttributeValue{
				"tradeId":      &types.AttributeValueMemberS{Value: c.TradeID},
				"timestamp":    &types.AttributeValueMemberN{Value: strconv.FormatInt(c.SettledAt.UnixMilli(), 10)},
				"sourceSystem": &types.AttributeValueMemberS{Value: c.Agent},
				"status":       &types.AttributeValueMemberS{Value: "SETTLED"},
			},
			ConditionExpression: aws.String("attribute_not_exists(tradeId)"),
		})
		if _, twice := errors.AsType[*types.ConditionalCheckFailedException](err); twice {
			return Answer{}, nil
		}
		if err != nil {
			return Answer{}, fmt.Errorf("recording the confirmation of trade %s: %w", c.TradeID, err)
		}
		return Answer{Recorded: true}, nil
	}), nil
}

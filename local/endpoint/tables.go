package endpoint

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"trade-processing/local/awsapi"
	"trade-processing/local/table"
)

// item is an item as the protocol writes it: {"tradeId": {"S": "…"}}.
type item map[string]types.AttributeValue

func (i item) MarshalJSON() ([]byte, error) { return attributevalue.MarshalMapJSON(i) }

func (i *item) UnmarshalJSON(text []byte) error {
	read, err := attributevalue.UnmarshalMapJSON(text)
	if err != nil {
		return fmt.Errorf("reading an item: %w", err)
	}
	*i = read
	return nil
}

var (
	_ json.Marshaler   = item(nil)
	_ json.Unmarshaler = (*item)(nil)
)

func (e *Endpoint) table(region string, name *string) (*table.Table, error) {
	found, err := e.cloud.Table(region, aws.ToString(name))
	if err != nil {
		return nil, awsapi.Error("ResourceNotFoundException", "Requested resource not found: Table: %s not found", aws.ToString(name))
	}
	return found, nil
}

func (e *Endpoint) describeTable(_ context.Context, region string, in dynamodb.DescribeTableInput) (any, error) {
	if _, err := e.table(region, in.TableName); err != nil {
		return nil, err
	}
	return map[string]any{"Table": map[string]*string{"TableName": in.TableName, "TableStatus": aws.String("ACTIVE")}}, nil
}

// The SDK's inputs, whose items JSON can't be read into.
type (
	getItemInput struct {
		dynamodb.GetItemInput
		Key item
	}
	putItemInput struct {
		dynamodb.PutItemInput
		Item, ExpressionAttributeValues item
	}
	queryInput struct {
		dynamodb.QueryInput
		ExpressionAttributeValues item
	}
)

func (e *Endpoint) getItem(ctx context.Context, region string, in getItemInput) (any, error) {
	from, err := e.table(region, in.TableName)
	if err != nil {
		return nil, err
	}
	in.GetItemInput.Key = in.Key
	got, err := from.GetItem(ctx, &in.GetItemInput)
	if err != nil {
		return nil, err
	}
	if got.Item == nil {
		return map[string]any{}, nil
	}
	return map[string]any{"Item": item(got.Item)}, nil
}

func (e *Endpoint) putItem(ctx context.Context, region string, in putItemInput) (any, error) {
	into, err := e.table(region, in.TableName)
	if err != nil {
		return nil, err
	}
	in.PutItemInput.Item, in.PutItemInput.ExpressionAttributeValues = in.Item, in.ExpressionAttributeValues
	_, err = into.PutItem(ctx, &in.PutItemInput)
	return map[string]any{}, err
}

func (e *Endpoint) query(ctx context.Context, region string, in queryInput) (any, error) {
	from, err := e.table(region, in.TableName)
	if err != nil {
		return nil, err
	}
	in.QueryInput.ExpressionAttributeValues = in.ExpressionAttributeValues
	got, err := from.Query(ctx, &in.QueryInput)
	if err != nil {
		return nil, err
	}
	items := make([]item, len(got.Items))
	for i, one := range got.Items {
		items[i] = one
	}
	answer := map[string]any{"Items": items, "Count": got.Count, "ScannedCount": got.ScannedCount}
	if got.LastEvaluatedKey != nil {
		answer["LastEvaluatedKey"] = item(got.LastEvaluatedKey)
	}
	return answer, nil
}

package endpoint

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"trade-processing/local/table"
)

// item is an item as the protocol spells it: {"tradeId": {"S": "…"}}.
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

func (e *Endpoint) table(region, name string) (*table.Table, error) {
	found, err := e.cloud.Table(region, name)
	if err != nil {
		return nil, refuse("ResourceNotFoundException", "Requested resource not found: Table: %s not found", name)
	}
	return found, nil
}

type describeTableInput struct{ TableName string }

func (e *Endpoint) describeTable(_ context.Context, region string, in describeTableInput) (any, error) {
	if _, err := e.table(region, in.TableName); err != nil {
		return nil, err
	}
	return map[string]any{"Table": map[string]string{"TableName": in.TableName, "TableStatus": "ACTIVE"}}, nil
}

type getItemInput struct {
	TableName      string
	Key            item
	ConsistentRead *bool
}

func (e *Endpoint) getItem(ctx context.Context, region string, in getItemInput) (any, error) {
	from, err := e.table(region, in.TableName)
	if err != nil {
		return nil, err
	}
	got, err := from.GetItem(ctx, &dynamodb.GetItemInput{TableName: aws.String(in.TableName), Key: in.Key, ConsistentRead: in.ConsistentRead})
	if err != nil {
		return nil, err
	}
	if got.Item == nil {
		return map[string]any{}, nil
	}
	return map[string]any{"Item": item(got.Item)}, nil
}

type putItemInput struct {
	TableName                           string
	Item                                item
	ConditionExpression                 *string
	ExpressionAttributeNames            map[string]string
	ExpressionAttributeValues           item
	ReturnValuesOnConditionCheckFailure types.ReturnValuesOnConditionCheckFailure
}

func (e *Endpoint) putItem(ctx context.Context, region string, in putItemInput) (any, error) {
	into, err := e.table(region, in.TableName)
	if err != nil {
		return nil, err
	}
	_, err = into.PutItem(ctx, &dynamodb.PutItemInput{
		TableName: aws.String(in.TableName), Item: in.Item, ConditionExpression: in.ConditionExpression,
		ExpressionAttributeNames: in.ExpressionAttributeNames, ExpressionAttributeValues: in.ExpressionAttributeValues,
		ReturnValuesOnConditionCheckFailure: in.ReturnValuesOnConditionCheckFailure,
	})
	return map[string]any{}, err
}

type queryInput struct {
	TableName                 string
	IndexName                 *string
	KeyConditionExpression    *string
	FilterExpression          *string
	ExpressionAttributeNames  map[string]string
	ExpressionAttributeValues item
	ConsistentRead            *bool
}

func (e *Endpoint) query(ctx context.Context, region string, in queryInput) (any, error) {
	from, err := e.table(region, in.TableName)
	if err != nil {
		return nil, err
	}
	got, err := from.Query(ctx, &dynamodb.QueryInput{
		TableName: aws.String(in.TableName), IndexName: in.IndexName, KeyConditionExpression: in.KeyConditionExpression,
		FilterExpression: in.FilterExpression, ExpressionAttributeNames: in.ExpressionAttributeNames,
		ExpressionAttributeValues: in.ExpressionAttributeValues, ConsistentRead: in.ConsistentRead,
	})
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

package endpoint

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"trade-processing/local/awsapi"
	"trade-processing/local/table"
)

var tableOperations = map[string]operation{
	"DescribeTable": serve((*Endpoint).describeTable), "GetItem": serve((*Endpoint).getItem), "Query": serve((*Endpoint).query),
	"PutItem": serve((*Endpoint).putItem),
}

// item is an item as the protocol writes it: {"tradeId": {"S": "…"}}.
type item map[string]types.AttributeValue

func (i item) MarshalJSON() ([]byte, error) { return attributevalue.MarshalMapJSON(i) }

func (i *item) UnmarshalJSON(text []byte) error {
	var values map[string]json.RawMessage
	if err := json.Unmarshal(text, &values); err != nil {
		return fmt.Errorf("reading an item: %w", err)
	}
	for _, value := range values {
		if err := checkTypes(value); err != nil {
			return err
		}
	}
	read, err := attributevalue.UnmarshalMapJSON(text)
	if err != nil {
		return fmt.Errorf("reading an item: %w", err)
	}
	*i = read
	return nil
}

// checkTypes refuses a value with more than one type, of which the SDK would take one. What isn't of a type's form is
// left to the SDK.
func checkTypes(text []byte) error {
	var value struct {
		S, N, B, BOOL, NULL, SS, NS, BS json.RawMessage
		L                               []json.RawMessage
		M                               map[string]json.RawMessage
	}
	if json.Unmarshal(text, &value) != nil {
		return nil //nolint:nilerr // the SDK says it
	}
	types := 0
	for _, given := range []bool{
		value.S != nil, value.N != nil, value.B != nil, value.BOOL != nil, value.NULL != nil, value.SS != nil, value.NS != nil,
		value.BS != nil, value.L != nil, value.M != nil,
	} {
		if given {
			types++
		}
	}
	switch types {
	case 0:
		return awsapi.Validation("Supplied AttributeValue is empty, must contain exactly one of the supported datatypes")
	case 1:
	default:
		return awsapi.Validation("Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported datatypes")
	}
	for _, element := range slices.AppendSeq(value.L, maps.Values(value.M)) {
		if err := checkTypes(element); err != nil {
			return err
		}
	}
	return nil
}

var (
	_ json.Marshaler   = item(nil)
	_ json.Unmarshaler = (*item)(nil)
)

// absent refuses a request without a member that it must have.
func absent(member string) error {
	return awsapi.Validation("1 validation error detected: Value null at '%s' failed to satisfy constraint: Member must not be null", member)
}

// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.NamingRulesDataTypes.html
var tableName = regexp.MustCompile(`^[a-zA-Z0-9_.-]{3,255}$`)

func (e *Endpoint) table(region string, name *string) (*table.Table, error) {
	switch {
	case name == nil:
		return nil, absent("tableName")
	case strings.HasPrefix(*name, "arn:"):
		return nil, &awsapi.Unsupported{Operation: "DynamoDB", Feature: "a table by its ARN"}
	case !tableName.MatchString(*name):
		return nil, awsapi.Validation("Invalid table/index name.  Table/index names must be between 3 and 255 characters long, " +
			"and may contain only the characters a-z, A-Z, 0-9, '_', '-', and '.'")
	}
	found, err := e.cloud.Table(region, *name)
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
		ExpressionAttributeValues, ExclusiveStartKey item
	}
)

func (e *Endpoint) getItem(ctx context.Context, region string, in getItemInput) (any, error) {
	from, err := e.table(region, in.TableName)
	if err != nil {
		return nil, err
	}
	if in.Key == nil {
		return nil, absent("key")
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
	if in.Item == nil {
		return nil, absent("item")
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
	in.QueryInput.ExpressionAttributeValues, in.QueryInput.ExclusiveStartKey = in.ExpressionAttributeValues, in.ExclusiveStartKey
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

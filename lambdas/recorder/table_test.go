package recorder_test

import (
	"context"
	"fmt"
	"maps"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"

	"trade-processing/lambdas/recorder"
	"trade-processing/lambdas/trade"
)

// fakeTable is a table with the trades' key schema that refuses what DynamoDB refuses.
type fakeTable struct {
	mu            sync.Mutex
	items         map[string]map[string]types.AttributeValue
	writes, reads int

	// before is called before a read or a write, after once a write is done; their errors are the call's.
	before, after func(context.Context) error
}

var _ recorder.API = (*fakeTable)(nil)

func (f *fakeTable) PutItem(ctx context.Context, in *dynamodb.PutItemInput, _ ...func(*dynamodb.Options)) (*dynamodb.PutItemOutput, error) {
	if f.before != nil {
		if err := f.before(ctx); err != nil {
			return nil, err
		}
	}
	if aws.ToString(in.TableName) != "trades" {
		return nil, &types.ResourceNotFoundException{Message: aws.String("Requested resource not found")}
	}
	key, err := keyOf(in.Item)
	if err != nil {
		return nil, err
	}
	if size, err := sizeOf(&types.AttributeValueMemberM{Value: in.Item}, 0); err != nil {
		return nil, err
	} else if size > 400<<10 {
		return nil, invalid("Item size has exceeded the maximum allowed size")
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if existing, taken := f.items[key]; taken && f.keyMustBeFree(in) {
		refused := &types.ConditionalCheckFailedException{Message: aws.String("The conditional request failed")}
		if in.ReturnValuesOnConditionCheckFailure == types.ReturnValuesOnConditionCheckFailureAllOld {
			refused.Item = maps.Clone(existing)
		}
		return nil, refused
	}
	if f.items == nil {
		f.items = map[string]map[string]types.AttributeValue{}
	}
	f.items[key] = maps.Clone(in.Item)
	f.writes++
	if f.after != nil {
		if err := f.after(ctx); err != nil {
			return nil, err
		}
	}
	return &dynamodb.PutItemOutput{}, nil
}

func (f *fakeTable) GetItem(ctx context.Context, in *dynamodb.GetItemInput, _ ...func(*dynamodb.Options)) (*dynamodb.GetItemOutput, error) {
	if f.before != nil {
		if err := f.before(ctx); err != nil {
			return nil, err
		}
	}
	key, err := keyOf(in.Key)
	if err != nil || len(in.Key) != 2 || !aws.ToBool(in.ConsistentRead) {
		return nil, invalid(fmt.Sprintf("The provided key element does not match the schema, or the read is not consistent: %v", err))
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.reads++
	return &dynamodb.GetItemOutput{Item: maps.Clone(f.items[key])}, nil
}

// keyMustBeFree reads the recorder's one condition, attribute_not_exists of a key attribute: without it a put would
// overwrite.
func (f *fakeTable) keyMustBeFree(in *dynamodb.PutItemInput) bool {
	for placeholder, name := range in.ExpressionAttributeNames {
		if name == "tradeId" && aws.ToString(in.ConditionExpression) == "attribute_not_exists ("+placeholder+")" {
			return true
		}
	}
	return false
}

func keyOf(item map[string]types.AttributeValue) (string, error) {
	id, ok := item["tradeId"].(*types.AttributeValueMemberS)
	if !ok || id.Value == "" {
		return "", invalid("The AttributeValue for the key attribute tradeId is missing, empty or no string")
	}
	version, ok := item["version"].(*types.AttributeValueMemberS)
	if !ok || version.Value == "" || len(version.Value) > 1024 {
		return "", invalid("The AttributeValue for the key attribute version is missing, empty, longer than 1024 bytes or no string")
	}
	for _, index := range []string{"status", "sourceSystem"} {
		if v, present := item[index]; present {
			if s, ok := v.(*types.AttributeValueMemberS); !ok || s.Value == "" || len(s.Value) > 2048 {
				return "", invalid("The AttributeValue for a key attribute of an index, " + index + ", may not be empty, longer than 2048 bytes or no string")
			}
		}
	}
	return id.Value + " " + version.Value, nil
}

func invalid(message string) error {
	return &smithy.GenericAPIError{Code: "ValidationException", Message: message}
}

// sizeOf returns an attribute's approximate size by DynamoDB's rules; the error is for a value it refuses.
func sizeOf(v types.AttributeValue, level int) (int, error) {
	if level > 32 {
		return 0, invalid("Nesting Levels have exceeded supported limits")
	}
	switch v := v.(type) {
	case *types.AttributeValueMemberS:
		return len(v.Value), nil
	case *types.AttributeValueMemberN:
		if _, err := trade.ParseDecimal(v.Value); err != nil { // an amount has DynamoDB's limits
			return 0, invalid("Attempting to store a number that is none, or out of range: " + err.Error())
		}
		return len(v.Value), nil
	case *types.AttributeValueMemberBOOL, *types.AttributeValueMemberNULL:
		return 1, nil
	case *types.AttributeValueMemberL:
		size := 3
		for _, e := range v.Value {
			n, err := sizeOf(e, level+1)
			if err != nil {
				return 0, err
			}
			size += n + 1
		}
		return size, nil
	case *types.AttributeValueMemberM:
		size := 3
		for name, e := range v.Value {
			n, err := sizeOf(e, level+1)
			if err != nil {
				return 0, err
			}
			size += len(name) + n + 1
		}
		return size, nil
	default:
		return 0, invalid(fmt.Sprintf("Supplied AttributeValue is empty or of no type that is used here: %T", v))
	}
}

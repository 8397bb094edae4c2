package table

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
)

// GetItem reads one item by its key; an item that isn't there is no error and has no attributes. Every read is
// consistent within the replica.
func (t *Table) GetItem(ctx context.Context, in *dynamodb.GetItemInput, options ...func(*dynamodb.Options)) (*dynamodb.GetItemOutput, error) {
	const operation = "GetItem"
	if in == nil {
		in = &dynamodb.GetItemInput{}
	}
	if in.TableName == nil || in.Key == nil {
		return nil, operationError(operation, missing("GetItemInput", absent("Key", in.Key == nil), absent("TableName", in.TableName == nil)))
	}
	key := func() string { return t.hashText(in.Key) }
	return serve(ctx, t, operation, in.TableName, options, key, func() (*dynamodb.GetItemOutput, error) {
		if err := unsupported(operation,
			feature{"AttributesToGet", in.AttributesToGet != nil},
			feature{"ReturnConsumedCapacity", capacityWanted(in.ReturnConsumedCapacity)},
		); err != nil {
			return nil, err
		}
		placeholders, err := newPlaceholders(in.ExpressionAttributeNames, nil)
		if err != nil {
			return nil, err
		}
		kept, err := placeholders.projection(operation, in.ProjectionExpression)
		if err != nil {
			return nil, err
		}
		if err := placeholders.unused(kept != nil); err != nil {
			return nil, err
		}
		wanted, err := t.keyRecord(in.Key)
		if err != nil {
			return nil, err
		}
		t.catchUp()
		found := t.store.get(wanted)
		if found == nil {
			return &dynamodb.GetItemOutput{}, nil
		}
		return &dynamodb.GetItemOutput{Item: decodeItem(found.body, kept)}, nil
	})
}

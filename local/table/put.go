package table

import (
	"context"
	"maps"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"trade-processing/local/awsapi"
)

// PutItem writes an item, if its condition holds for the existing one.
//
// Errors are as the SDK's client returns them: wrapped in an OperationError, with
// *types.ConditionalCheckFailedException, which carries the item on request, *types.ResourceNotFoundException for
// another table's name, and ValidationException as a smithy.APIError.
func (t *Table) PutItem(ctx context.Context, in *dynamodb.PutItemInput, options ...func(*dynamodb.Options)) (*dynamodb.PutItemOutput, error) {
	const operation = "PutItem"
	return serve(ctx, t, operation, in.TableName, options, in.Item, func() (*dynamodb.PutItemOutput, error) {
		if err := awsapi.Only(operation, in, "TableName", "Item", "ConditionExpression", "ExpressionAttributeNames",
			"ExpressionAttributeValues", "ReturnValuesOnConditionCheckFailure"); err != nil {
			return nil, err
		}
		r, err := t.definition().newRecord(in.Item)
		if err != nil {
			return nil, err
		}
		if wish := in.ReturnValuesOnConditionCheckFailure; wish != "" && !slices.Contains(wish.Values(), wish) {
			return nil, awsapi.Validation("1 validation error detected: Value '%s' at 'returnValuesOnConditionCheckFailure' failed to satisfy constraint: "+
				"Member must satisfy enum value set: %v", wish, wish.Values())
		}
		condition, err := t.readCondition(operation, in)
		if err != nil {
			return nil, err
		}
		t.catchUp()
		old, written := t.write(r, condition)
		t.forward()
		if written {
			return &dynamodb.PutItemOutput{}, nil
		}
		failed := &types.ConditionalCheckFailedException{Message: aws.String("The conditional request failed")}
		if old != nil && in.ReturnValuesOnConditionCheckFailure == types.ReturnValuesOnConditionCheckFailureAllOld {
			failed.Item = old.item(nil)
		}
		return nil, failed
	})
}

// A condition is one that was read.
type condition struct {
	text  string
	names map[string]string
	terms expression
}

// readCondition reads the condition of a write. The last one without values is kept: a function writes every item under
// the same.
func (t *Table) readCondition(operation string, in *dynamodb.PutItemInput) (expression, error) {
	text, names, values := in.ConditionExpression, in.ExpressionAttributeNames, in.ExpressionAttributeValues
	keepable := text != nil && values == nil && (names == nil || len(names) > 0)
	if last := t.condition.Load(); keepable && last != nil && last.text == *text && maps.Equal(last.names, names) {
		return last.terms, nil
	}
	reader, err := readExpressions(operation, t.definition().keys(), names, values, "ConditionExpression", text)
	if err != nil {
		return nil, err
	}
	terms, err := reader.read("ConditionExpression", text)
	if err != nil {
		return nil, err
	}
	if err := reader.unused(); err != nil {
		return nil, err
	}
	if keepable {
		t.condition.Store(&condition{*text, maps.Clone(names), terms})
	}
	return terms, nil
}

// write stores a record if the condition holds for the existing one, which it returns.
func (t *Table) write(r *record, condition expression) (old *record, written bool) {
	now := t.clock.Now().UnixNano()
	t.store.mu.Lock()
	defer t.store.mu.Unlock()
	old = t.store.get(r.keys[0])
	if !condition.holds(old) {
		return old, false
	}
	r.written = stamp{nanos: now, region: t.definition().Region}
	if old != nil && !r.written.after(old.written) {
		// A replica's clock was ahead, or two writes fell on one tick: here the later arrival wins.
		r.written.nanos = old.written.nanos + 1
	}
	t.send(r, old, *t.outgoing.Load(), now, nil)
	return old, true
}

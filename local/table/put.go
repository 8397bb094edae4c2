package table

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// PutItem writes an item, if its condition holds for the one that is there.
//
// Errors are as the SDK's client returns them: wrapped in an OperationError, with
// *types.ConditionalCheckFailedException, which carries the item on request, *types.ResourceNotFoundException for
// another table's name, and ValidationException as a smithy.APIError.
func (t *Table) PutItem(ctx context.Context, in *dynamodb.PutItemInput, options ...func(*dynamodb.Options)) (*dynamodb.PutItemOutput, error) {
	const operation = "PutItem"
	if in == nil {
		in = &dynamodb.PutItemInput{}
	}
	if in.TableName == nil || in.Item == nil {
		return nil, operationError(operation, missing("PutItemInput", absent("TableName", in.TableName == nil), absent("Item", in.Item == nil)))
	}
	key := func() string { return t.hashText(in.Item) }
	return serve(ctx, t, operation, in.TableName, options, key, func() (*dynamodb.PutItemOutput, error) {
		if err := unsupported(operation,
			feature{"ConditionalOperator", in.ConditionalOperator != ""},
			feature{"Expected", in.Expected != nil},
			feature{"ReturnConsumedCapacity", capacityWanted(in.ReturnConsumedCapacity)},
			feature{"ReturnItemCollectionMetrics", in.ReturnItemCollectionMetrics != "" &&
				in.ReturnItemCollectionMetrics != types.ReturnItemCollectionMetricsNone},
		); err != nil {
			return nil, err
		}
		return t.put(in)
	})
}

func (t *Table) put(in *dynamodb.PutItemInput) (*dynamodb.PutItemOutput, error) {
	switch in.ReturnValues {
	case "", types.ReturnValueNone, types.ReturnValueAllOld:
	default:
		return nil, validation("ReturnValues can only be ALL_OLD or NONE")
	}
	r, err := t.newRecord(in.Item)
	if err != nil {
		return nil, err
	}
	placeholders, err := newPlaceholders(in.ExpressionAttributeNames, in.ExpressionAttributeValues)
	if err != nil {
		return nil, err
	}
	var cond *condition
	if in.ConditionExpression != nil {
		if cond, err = t.condition("ConditionExpression", *in.ConditionExpression, placeholders); err != nil {
			return nil, err
		}
	}
	if err := placeholders.unused(cond != nil); err != nil {
		return nil, err
	}

	t.catchUp()
	old, written := t.write(r, cond)
	t.forward()
	if !written {
		failed := &types.ConditionalCheckFailedException{Message: aws.String("The conditional request failed")}
		if old != nil && in.ReturnValuesOnConditionCheckFailure == types.ReturnValuesOnConditionCheckFailureAllOld {
			failed.Item = old.item()
		}
		return nil, failed
	}
	out := &dynamodb.PutItemOutput{}
	if old != nil && in.ReturnValues == types.ReturnValueAllOld {
		out.Attributes = old.item()
	}
	return out, nil
}

// write stores a record if the condition, which may be nil, holds for the one that is there, which it returns.
func (t *Table) write(r *record, cond *condition) (old *record, written bool) {
	now := t.clock.Now().UnixNano()
	sh := t.store.shard(r.partition())
	sh.mu.Lock()
	defer sh.mu.Unlock()
	old, _ = sh.records.Get(r)
	if cond != nil {
		body := ""
		if old != nil {
			body = old.body
		}
		if !cond.holds(body) {
			return old, false
		}
	}
	r.written = stamp{nanos: now, region: t.definition().Region}
	if old != nil && !r.written.after(old.written) {
		// A replica's clock was ahead, or two writes fell on one tick: here the later one is the one that came later.
		r.written.nanos = old.written.nanos + 1
	}
	t.store.put(sh, r)
	for _, replication := range *t.outgoing.Load() {
		replication.enqueue(r, now)
	}
	return old, true
}

// condition parses and binds one expression of a request.
func (t *Table) condition(parameter, text string, p *placeholders) (*condition, error) {
	root, err := t.expressions.condition(text)
	if err != nil {
		return nil, validation("Invalid %s: %v", parameter, err)
	}
	c, err := p.bind(root)
	if err != nil {
		return nil, validation("Invalid %s: %v", parameter, err)
	}
	return c, nil
}

// hashText is the hash key of an item or key as a text, for the fault hook.
func (t *Table) hashText(item map[string]types.AttributeValue) string {
	switch value := item[t.definition().HashKey].(type) {
	case *types.AttributeValueMemberS:
		return value.Value
	case *types.AttributeValueMemberN:
		return value.Value
	case *types.AttributeValueMemberB:
		return string(value.Value)
	}
	return ""
}

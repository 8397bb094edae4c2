package table

import (
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// maxPage is how much data one page of a Query or Scan reads, in bytes of encoded items, before the filter.
const maxPage = 1 << 20

// Query reads the items of one partition of the table or of an index, in the order of the range key.
func (t *Table) Query(ctx context.Context, in *dynamodb.QueryInput, options ...func(*dynamodb.Options)) (*dynamodb.QueryOutput, error) {
	const operation = "Query"
	if in == nil {
		in = &dynamodb.QueryInput{}
	}
	if in.TableName == nil {
		return nil, operationError(operation, missing("QueryInput", "TableName"))
	}
	key := func() string { return aws.ToString(in.IndexName) }
	return serve(ctx, t, operation, in.TableName, options, key, func() (*dynamodb.QueryOutput, error) {
		if err := unsupported(operation,
			feature{"AttributesToGet", in.AttributesToGet != nil},
			feature{"ConditionalOperator", in.ConditionalOperator != ""},
			feature{"KeyConditions", in.KeyConditions != nil},
			feature{"QueryFilter", in.QueryFilter != nil},
			feature{"ReturnConsumedCapacity", capacityWanted(in.ReturnConsumedCapacity)},
		); err != nil {
			return nil, err
		}
		return t.query(in)
	})
}

func (t *Table) query(in *dynamodb.QueryInput) (*dynamodb.QueryOutput, error) {
	def := t.definition()
	if in.KeyConditionExpression == nil {
		return nil, validation("Either the KeyConditions or KeyConditionExpression parameter must be specified in the request.")
	}
	source := source{store: t.store, def: def, index: -1}
	hash, rangeKey := def.HashKey, def.RangeKey
	if in.IndexName != nil {
		source.index = slices.IndexFunc(def.Indexes, func(i Index) bool { return i.Name == *in.IndexName })
		if source.index < 0 {
			return nil, validation("The table does not have the specified index: %s", *in.IndexName)
		}
		if aws.ToBool(in.ConsistentRead) {
			return nil, validation("Consistent reads are not supported on global secondary indexes")
		}
		hash, rangeKey = def.Indexes[source.index].HashKey, def.Indexes[source.index].RangeKey
	}
	p, err := t.newPage(pageRequest{
		operation: "Query", in: source, keys: []string{hash, rangeKey},
		names: in.ExpressionAttributeNames, values: in.ExpressionAttributeValues,
		filter: in.FilterExpression, projection: in.ProjectionExpression, selected: in.Select, limit: in.Limit,
		keyCondition: in.KeyConditionExpression,
	})
	if err != nil {
		return nil, err
	}
	bounds, err := p.key.keyRange(def, hash, rangeKey)
	if err != nil {
		return nil, err
	}
	var start *record
	if in.ExclusiveStartKey != nil {
		if start, err = t.startOfPage(source, in.ExclusiveStartKey); err != nil {
			return nil, err
		}
		if !bounds.contains(source.key(start)) {
			return nil, validation("The provided starting key is outside query boundaries based on provided conditions")
		}
	}
	t.catchUp()
	source.walk(bounds, start, aws.ToBool(in.ScanIndexForward) || in.ScanIndexForward == nil, p.add)
	return &dynamodb.QueryOutput{
		Items: p.items, Count: p.count, ScannedCount: p.scanned, LastEvaluatedKey: p.lastKey(),
	}, nil
}

// startOfPage reads an ExclusiveStartKey, which for an index holds its keys too.
func (t *Table) startOfPage(s source, key map[string]types.AttributeValue) (*record, error) {
	var also []string
	if s.index >= 0 {
		also = s.def.Indexes[s.index].keys()
	}
	start, err := t.keyRecord(key, also...)
	if err != nil {
		return nil, validation("The provided starting key is invalid: %v", err)
	}
	return start, nil
}

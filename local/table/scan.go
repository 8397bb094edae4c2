package table

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
)

// Scan reads all items, one partition after the other in the order of a hash, and within a partition by the range key.
func (t *Table) Scan(ctx context.Context, in *dynamodb.ScanInput, options ...func(*dynamodb.Options)) (*dynamodb.ScanOutput, error) {
	const operation = "Scan"
	if in == nil {
		in = &dynamodb.ScanInput{}
	}
	if in.TableName == nil {
		return nil, operationError(operation, missing("ScanInput", "TableName"))
	}
	noKey := func() string { return "" }
	return serve(ctx, t, operation, in.TableName, options, noKey, func() (*dynamodb.ScanOutput, error) {
		if err := unsupported(operation,
			feature{"AttributesToGet", in.AttributesToGet != nil},
			feature{"ConditionalOperator", in.ConditionalOperator != ""},
			feature{"IndexName", in.IndexName != nil},
			feature{"ReturnConsumedCapacity", capacityWanted(in.ReturnConsumedCapacity)},
			feature{"ScanFilter", in.ScanFilter != nil},
			feature{"Segment", in.Segment != nil},
			feature{"TotalSegments", in.TotalSegments != nil},
		); err != nil {
			return nil, err
		}
		return t.scan(in)
	})
}

func (t *Table) scan(in *dynamodb.ScanInput) (*dynamodb.ScanOutput, error) {
	source := source{store: t.store, def: t.definition(), index: -1}
	p, err := t.newPage(pageRequest{
		operation: "Scan", in: source,
		names: in.ExpressionAttributeNames, values: in.ExpressionAttributeValues,
		filter: in.FilterExpression, projection: in.ProjectionExpression, selected: in.Select, limit: in.Limit,
	})
	if err != nil {
		return nil, err
	}
	first := 0
	var start *record
	if in.ExclusiveStartKey != nil {
		if start, err = t.startOfPage(source, in.ExclusiveStartKey); err != nil {
			return nil, err
		}
		first = t.store.shardNumber(start.partition())
	}
	t.catchUp()
	for i := first; i < shardCount && p.last == nil; i++ {
		t.store.walkShard(i, start, p.add)
		start = nil
	}
	return &dynamodb.ScanOutput{
		Items: p.items, Count: p.count, ScannedCount: p.scanned, LastEvaluatedKey: p.lastKey(),
	}, nil
}

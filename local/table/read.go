package table

import (
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"trade-processing/local/awsapi"
)

// maxPage is how much data one page of a Query or Scan reads, in bytes of encoded items, before the filter.
const maxPage = 1 << 20

// GetItem reads one item by its key; a missing item is not an error and has no attributes. Every read is consistent
// within the replica.
func (t *Table) GetItem(ctx context.Context, in *dynamodb.GetItemInput, options ...func(*dynamodb.Options)) (*dynamodb.GetItemOutput, error) {
	const operation = "GetItem"
	return serve(ctx, t, operation, in.TableName, options, in.Key, func() (*dynamodb.GetItemOutput, error) {
		if err := awsapi.Only(operation, in, "TableName", "Key", "ConsistentRead"); err != nil {
			return nil, err
		}
		def := t.definition()
		wanted, err := def.keyRecord(in.Key, def.keys())
		if err != nil {
			return nil, err
		}
		t.catchUp()
		found := t.store.read(wanted.keys[0])
		if found == nil {
			return &dynamodb.GetItemOutput{}, nil
		}
		return &dynamodb.GetItemOutput{Item: found.item(nil)}, nil
	})
}

// keyRecord returns the record for a key, of GetItem or of a page's start. It has exactly the given attributes.
func (d *Definition) keyRecord(key map[string]types.AttributeValue, names []string) (*record, error) {
	mismatch := awsapi.Validation("The provided key element does not match the schema")
	if len(key) != len(names) {
		return nil, mismatch
	}
	for _, name := range names {
		var e encoder
		if key[name] == nil {
			return nil, mismatch
		}
		if err := e.value(key[name], 1); err != nil {
			return nil, err
		}
		if raw(e.buf).typeName() != string(d.Attributes[name]) {
			return nil, mismatch
		}
	}
	return d.newRecord(key)
}

// Query reads the items of one partition of the table or of an index, in range key order.
func (t *Table) Query(ctx context.Context, in *dynamodb.QueryInput, options ...func(*dynamodb.Options)) (*dynamodb.QueryOutput, error) {
	const operation = "Query"
	return serve(ctx, t, operation, in.TableName, options, nil, func() (*dynamodb.QueryOutput, error) {
		if err := awsapi.Only(operation, in, "TableName", "IndexName", "ConsistentRead", "ExclusiveStartKey", "ExpressionAttributeNames",
			"ExpressionAttributeValues", "FilterExpression", "KeyConditionExpression", "Limit", "ScanIndexForward", "Select"); err != nil {
			return nil, err
		}
		if in.KeyConditionExpression == nil {
			return nil, awsapi.Validation("Either the KeyConditions or KeyConditionExpression parameter must be specified in the request.")
		}
		def := t.definition()
		p := page{def: def, keys: def.keys(), start: def.keys()}
		if in.IndexName != nil {
			place := slices.IndexFunc(def.Indexes, func(i Index) bool { return i.Name == *in.IndexName })
			if place < 0 {
				return nil, awsapi.Validation("The table does not have the specified index: %s", *in.IndexName)
			}
			if aws.ToBool(in.ConsistentRead) {
				return nil, awsapi.Validation("Consistent reads are not supported on global secondary indexes")
			}
			index := def.Indexes[place]
			p.tree, p.keys, p.visible = place+1, index.keys(), def.projected(index)
			p.start = slices.Compact(slices.Sorted(slices.Values(slices.Concat(def.keys(), index.keys()))))
		}
		reader, err := readExpressions(operation, p.start, in.ExpressionAttributeNames, in.ExpressionAttributeValues,
			"KeyConditionExpression", in.KeyConditionExpression)
		if err != nil {
			return nil, err
		}
		condition, err := reader.read("KeyConditionExpression", in.KeyConditionExpression)
		if err != nil {
			return nil, err
		}
		bounds, err := condition.keyRange(def, p.keys)
		if err != nil {
			return nil, err
		}
		if err := p.prepare(reader, in.FilterExpression, in.Select, in.Limit); err != nil {
			return nil, err
		}
		for _, filtered := range p.filter {
			if slices.Contains(p.keys, filtered.name) {
				return nil, awsapi.Validation("Filter Expression can only contain non-primary key attributes: Primary key attribute: %s", filtered.name)
			}
		}
		start, err := p.startAt(in.ExclusiveStartKey)
		if err != nil {
			return nil, err
		}
		if start != nil && !bounds.contains(start.keys[p.tree]) {
			return nil, awsapi.Validation("The provided starting key is outside query boundaries based on provided conditions")
		}
		t.catchUp()
		t.store.page(p.tree, bounds, start, in.ScanIndexForward == nil || *in.ScanIndexForward, p.add)
		return &dynamodb.QueryOutput{
			Items: p.items(), Count: int32(len(p.found)), ScannedCount: p.scanned, LastEvaluatedKey: p.lastKey(),
		}, nil
	})
}

// Scan reads all items, in key order.
func (t *Table) Scan(ctx context.Context, in *dynamodb.ScanInput, options ...func(*dynamodb.Options)) (*dynamodb.ScanOutput, error) {
	const operation = "Scan"
	return serve(ctx, t, operation, in.TableName, options, nil, func() (*dynamodb.ScanOutput, error) {
		if err := awsapi.Only(operation, in, "TableName", "ConsistentRead", "ExclusiveStartKey", "ExpressionAttributeNames",
			"ExpressionAttributeValues", "FilterExpression", "Limit", "Select"); err != nil {
			return nil, err
		}
		p := page{def: t.definition(), start: t.definition().keys()}
		reader, err := readExpressions(operation, p.start, in.ExpressionAttributeNames, in.ExpressionAttributeValues,
			"FilterExpression", in.FilterExpression)
		if err != nil {
			return nil, err
		}
		if err := p.prepare(reader, in.FilterExpression, in.Select, in.Limit); err != nil {
			return nil, err
		}
		start, err := p.startAt(in.ExclusiveStartKey)
		if err != nil {
			return nil, err
		}
		t.catchUp()
		t.store.page(0, keyRange{}, start, true, p.add)
		return &dynamodb.ScanOutput{
			Items: p.items(), Count: int32(len(p.found)), ScannedCount: p.scanned, LastEvaluatedKey: p.lastKey(),
		}, nil
	})
}

// A page collects the answer of one Query or Scan.
type page struct {
	def     *Definition
	tree    int             // of the store
	keys    []string        // of the table or index
	start   []string        // the attributes of the key at which a page starts
	visible map[string]bool // the attributes in the index; nil means all of them
	filter  expression
	counts  bool // Select COUNT: no items
	limit   int32

	read    int // bytes
	scanned int32
	found   []*record
	last    *record // where the page ended, if more may follow
}

// prepare checks what Query and Scan share.
func (p *page) prepare(reader *expressionReader, filter *string, selected types.Select, limit *int32) (err error) {
	if p.filter, err = reader.read("FilterExpression", filter); err != nil {
		return err
	}
	for _, t := range p.filter {
		if p.visible != nil && !p.visible[t.name] {
			return awsapi.Validation("One or more parameter values were invalid: the index does not project the attribute %s of the filter", t.name)
		}
	}
	if selected != "" && selected != types.SelectCount {
		return &awsapi.Unsupported{Operation: reader.operation, Feature: "Select " + string(selected)}
	}
	p.counts, p.limit = selected == types.SelectCount, aws.ToInt32(limit)
	if limit != nil && *limit < 1 {
		return awsapi.Validation("1 validation error detected: Value '%d' at 'limit' failed to satisfy constraint: "+
			"Member must have value greater than or equal to 1", *limit)
	}
	return reader.unused()
}

// startAt reads an ExclusiveStartKey, which for an index includes its keys too; nil if there is none.
func (p *page) startAt(key map[string]types.AttributeValue) (*record, error) {
	if key == nil {
		return nil, nil
	}
	start, err := p.def.keyRecord(key, p.start)
	if err != nil {
		return nil, awsapi.Validation("The provided starting key is invalid: %v", err)
	}
	return start, nil
}

// add takes the next record; false ends the page.
func (p *page) add(r *record) bool {
	p.scanned++
	p.read += len(r.body)
	if p.filter.holds(r) {
		p.found = append(p.found, r)
	}
	if p.scanned == p.limit || p.read >= maxPage {
		p.last = r
		return false
	}
	return true
}

func (p *page) items() []map[string]types.AttributeValue {
	if p.counts {
		return nil
	}
	items := make([]map[string]types.AttributeValue, len(p.found))
	for i, r := range p.found {
		items[i] = r.item(p.visible)
	}
	return items
}

// lastKey returns where the next page starts. As in DynamoDB, it is set whenever a page ended at its limit, even if
// nothing follows.
func (p *page) lastKey() map[string]types.AttributeValue {
	if p.last == nil {
		return nil
	}
	keep := map[string]bool{}
	for _, name := range p.start {
		keep[name] = true
	}
	return p.last.item(keep)
}

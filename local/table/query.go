package table

import (
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// maxPage is how much data one page of a Query or Scan reads, in bytes of
// encoded items, before the filter.
const maxPage = 1 << 20

// Query reads the items of one partition of the table or of an index, in the
// order of the range key.
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

// A source is what a page is read from: the table, or one of its indexes.
type source struct {
	store *store
	def   *Definition
	index int // -1 for the table itself
}

// key is a record's key in the source's order.
func (s source) key(r *record) string {
	if s.index < 0 {
		return r.key
	}
	return r.index[s.index]
}

// probe stands before all records with the given key.
func (s source) probe(key string) *record {
	if s.index < 0 {
		return &record{key: key}
	}
	r := &record{index: make([]string, len(s.def.Indexes))}
	r.index[s.index] = key
	return r
}

// walk passes the records of a range, without start itself, until visit
// answers false. All keys of the range are in one partition.
func (s source) walk(bounds keyRange, start *record, forward bool, visit func(*record) bool) {
	guarded := func(r *record) bool {
		if start != nil && r.key == start.key && s.key(r) == s.key(start) {
			return true
		}
		if key := s.key(r); !bounds.contains(key) {
			// Going back, the first record may lie on the upper bound, which is
			// not part of the range.
			return !forward && key >= bounds.low
		}
		return visit(r)
	}
	pivot := start
	if start == nil && forward {
		pivot = s.probe(bounds.low)
	}
	if start == nil && !forward && bounds.high != "" {
		pivot = s.probe(bounds.high)
	}
	if s.index >= 0 {
		t := s.store.indexes[s.index]
		t.mu.RLock()
		defer t.mu.RUnlock()
		walk(t.records, pivot, forward, guarded)
		return
	}
	sh := s.store.shard(bounds.partition)
	sh.mu.RLock()
	defer sh.mu.RUnlock()
	walk(sh.records, pivot, forward, guarded)
}

// A page collects what one Query or Scan answers.
type page struct {
	source  source
	key     *condition // of a Query
	filter  *condition
	kept    projection
	counts  bool // Select COUNT: no items
	limit   int32
	read    int // bytes
	items   []map[string]types.AttributeValue
	count   int32
	scanned int32
	last    *record // where the page ended, if more may follow
}

type pageRequest struct {
	operation                        string
	in                               source
	keys                             []string
	names                            map[string]string
	values                           map[string]types.AttributeValue
	keyCondition, filter, projection *string
	selected                         types.Select
	limit                            *int32
}

// newPage checks everything that Query and Scan share.
func (t *Table) newPage(r pageRequest) (*page, error) {
	p := &page{source: r.in, limit: aws.ToInt32(r.limit)}
	if r.limit != nil && *r.limit < 1 {
		return nil, validation("1 validation error detected: Value '%d' at 'limit' failed to satisfy constraint: "+
			"Member must have value greater than or equal to 1", *r.limit)
	}
	placeholders, err := newPlaceholders(r.names, r.values)
	if err != nil {
		return nil, err
	}
	if r.keyCondition != nil {
		if p.key, err = t.condition("KeyConditionExpression", *r.keyCondition, placeholders); err != nil {
			return nil, err
		}
	}
	if r.filter != nil {
		if p.filter, err = t.condition("FilterExpression", *r.filter, placeholders); err != nil {
			return nil, err
		}
		if p.key != nil {
			if name, found := p.filter.mentions(p.filter.root, r.keys); found {
				return nil, validation("Filter Expression can only contain non-primary key attributes: Primary key attribute: %s", name)
			}
		}
	}
	wanted, err := placeholders.projection(r.operation, r.projection)
	if err != nil {
		return nil, err
	}
	if err := placeholders.unused(p.key != nil || p.filter != nil || wanted != nil); err != nil {
		return nil, err
	}
	return p, p.choose(r.selected, wanted)
}

// choose settles which attributes the page answers.
func (p *page) choose(selected types.Select, wanted projection) error {
	projected := p.source.projected()
	if p.filter != nil {
		p.filter.visible = projected
	}
	switch selected {
	case "", types.SelectSpecificAttributes:
		if selected != "" && wanted == nil {
			return validation("Must specify the AttributesToGet or ProjectionExpression when choosing to get SPECIFIC_ATTRIBUTES")
		}
	default:
		if wanted != nil {
			return validation("Cannot specify the ProjectionExpression when choosing to get %s", selected)
		}
	}
	switch selected {
	case "", types.SelectSpecificAttributes:
	case types.SelectAllAttributes:
		if projected != nil {
			return validation("One or more parameter values were invalid: Select type ALL_ATTRIBUTES is not supported "+
				"for global secondary index %s because its projection type is not ALL", p.source.def.Indexes[p.source.index].Name)
		}
	case types.SelectAllProjectedAttributes:
		if p.source.index < 0 {
			return validation("ALL_PROJECTED_ATTRIBUTES can be used only when Querying using an IndexName")
		}
	case types.SelectCount:
		p.counts = true
	default:
		return validation("1 validation error detected: Value '%s' at 'select' failed to satisfy constraint: "+
			"Member must satisfy enum value set: [SPECIFIC_ATTRIBUTES, COUNT, ALL_ATTRIBUTES, ALL_PROJECTED_ATTRIBUTES]", selected)
	}
	p.kept = projected
	if wanted != nil {
		for name := range wanted {
			if projected != nil && !projected[name] {
				return validation("One or more parameter values were invalid: Global secondary index %s does not project [%s]",
					p.source.def.Indexes[p.source.index].Name, name)
			}
		}
		p.kept = wanted
	}
	return nil
}

// projected names the attributes that an index has; nil is all of them.
func (s source) projected() projection {
	if s.index < 0 || s.def.Indexes[s.index].Projection == types.ProjectionTypeAll {
		return nil
	}
	index := s.def.Indexes[s.index]
	names := projection{}
	for _, name := range slices.Concat(s.def.keys(), index.keys(), index.NonKeyAttributes) {
		names[name] = true
	}
	return names
}

// add takes the next record; false ends the page.
func (p *page) add(r *record) bool {
	p.scanned++
	p.read += len(r.body)
	if p.filter == nil || p.filter.holds(r.body) {
		p.count++
		if !p.counts {
			p.items = append(p.items, decodeItem(r.body, p.kept))
		}
	}
	if p.scanned == p.limit || p.read >= maxPage {
		p.last = r
		return false
	}
	return true
}

// lastKey is where the next page starts. Like DynamoDB it is there whenever a
// page ended at its limit, even if nothing happens to follow.
func (p *page) lastKey() map[string]types.AttributeValue {
	if p.last == nil {
		return nil
	}
	names := p.source.def.keys()
	if p.source.index >= 0 {
		names = append(names, p.source.def.Indexes[p.source.index].keys()...)
	}
	keep := projection{}
	for _, name := range names {
		keep[name] = true
	}
	return decodeItem(p.last.body, keep)
}

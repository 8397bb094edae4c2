package table

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

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

// lastKey is where the next page starts. Like DynamoDB it is there whenever a page ended at its limit, even if nothing
// happens to follow.
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

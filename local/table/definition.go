package table

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// A Definition is what a table is created from.
type Definition struct {
	Name string
	// Region names this replica: it breaks a tie between two replicas' writes and is the ReceivingRegion of their metrics.
	Region string
	// HashKey and RangeKey name the attributes of the primary key; a table without a sort key has an empty RangeKey.
	HashKey, RangeKey string
	// Attributes gives the type (S, N or B) of every attribute of a key, and of no other.
	Attributes map[string]types.ScalarAttributeType
	// Indexes are the global secondary indexes.
	Indexes []Index
	// Stream says that the table keeps a stream of new and old images, without which it can't be replicated.
	Stream bool
	// TTLAttribute names the attribute that holds the time of expiry in epoch seconds; empty for none.
	TTLAttribute string
	// DeletionProtection refuses Delete.
	DeletionProtection bool
}

// An Index is a global secondary index. It holds items that have its keys.
type Index struct {
	Name              string
	HashKey, RangeKey string
	Projection        types.ProjectionType
	// NonKeyAttributes are the attributes of an INCLUDE projection.
	NonKeyAttributes []string
}

// Limits of a definition.
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html
const (
	maxIndexes          = 20
	maxNonKeyAttributes = 100 // over all indexes
	maxKeyName          = 255 // bytes
)

var nameRule = regexp.MustCompile(`^[a-zA-Z0-9_.-]{3,255}$`)

// Validate reports everything that CreateTable would refuse.
func (d Definition) Validate() error {
	var problems []error
	report := func(format string, args ...any) {
		problems = append(problems, fmt.Errorf("table %q: "+format, append([]any{d.Name}, args...)...))
	}
	if !nameRule.MatchString(d.Name) {
		report("a name has 3 to 255 of a-z, A-Z, 0-9, underscore, hyphen and dot")
	}
	used := map[string]bool{}
	checkKeys := func(where, hash, rangeKey string) {
		if hash == "" {
			report("%s has no hash key", where)
		}
		if hash == rangeKey && hash != "" {
			report("%s uses %s as hash key and as range key", where, hash)
		}
		for _, name := range []string{hash, rangeKey} {
			if name == "" {
				continue
			}
			used[name] = true
			if len(name) > maxKeyName {
				report("%s: the name of key %.20s… is longer than %d bytes", where, name, maxKeyName)
			}
			if _, defined := d.Attributes[name]; !defined {
				report("%s: key %s has no attribute definition", where, name)
			}
		}
	}
	checkKeys("the table", d.HashKey, d.RangeKey)
	if len(d.Indexes) > maxIndexes {
		report("%d indexes are more than %d", len(d.Indexes), maxIndexes)
	}
	names := map[string]bool{}
	included := 0
	for _, index := range d.Indexes {
		where := "index " + index.Name
		if !nameRule.MatchString(index.Name) {
			report("%s: a name has 3 to 255 of a-z, A-Z, 0-9, underscore, hyphen and dot", where)
		}
		if names[index.Name] {
			report("%s is defined twice", where)
		}
		names[index.Name] = true
		checkKeys(where, index.HashKey, index.RangeKey)
		switch index.Projection {
		case types.ProjectionTypeAll, types.ProjectionTypeKeysOnly:
			if len(index.NonKeyAttributes) > 0 {
				report("%s: projection %s takes no non-key attributes", where, index.Projection)
			}
		case types.ProjectionTypeInclude:
			if len(index.NonKeyAttributes) == 0 {
				report("%s: projection INCLUDE needs non-key attributes", where)
			}
		default:
			report("%s: projection %q is none of ALL, KEYS_ONLY and INCLUDE", where, index.Projection)
		}
		included += len(index.NonKeyAttributes)
	}
	if included > maxNonKeyAttributes {
		report("the indexes include %d non-key attributes, more than %d", included, maxNonKeyAttributes)
	}
	for _, name := range slices.Sorted(maps.Keys(d.Attributes)) {
		if !slices.Contains(types.ScalarAttributeType("").Values(), d.Attributes[name]) {
			report("attribute %s: type %q is none of S, N and B", name, d.Attributes[name])
		}
		if !used[name] {
			report("attribute %s is defined but no key uses it", name)
		}
	}
	return errors.Join(problems...)
}

// keys lists the names of the table's own key attributes.
func (d Definition) keys() []string {
	if d.RangeKey == "" {
		return []string{d.HashKey}
	}
	return []string{d.HashKey, d.RangeKey}
}

// keys lists the names of the index's key attributes.
func (i Index) keys() []string {
	if i.RangeKey == "" {
		return []string{i.HashKey}
	}
	return []string{i.HashKey, i.RangeKey}
}

// sameKeys tells whether two definitions key and index items alike, so that their tables can share records.
func (d Definition) sameKeys(other Definition) bool {
	return d.HashKey == other.HashKey && d.RangeKey == other.RangeKey &&
		maps.Equal(d.Attributes, other.Attributes) &&
		slices.EqualFunc(d.Indexes, other.Indexes, func(a, b Index) bool {
			return a.Name == b.Name && a.HashKey == b.HashKey && a.RangeKey == b.RangeKey &&
				a.Projection == b.Projection && slices.Equal(a.NonKeyAttributes, b.NonKeyAttributes)
		})
}

package table

import (
	"errors"
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// A Definition is what a table is created from.
type Definition struct {
	Name string
	// Region names this replica: it breaks a tie between two replicas' writes and is the ReceivingRegion of their metrics.
	Region string
	// HashKey and RangeKey name the attributes of the primary key; RangeKey is empty for a table without a sort key.
	HashKey, RangeKey string
	// Attributes has the type (S, N or B) of every key attribute, and of no others.
	Attributes map[string]types.ScalarAttributeType
	// Indexes are the global secondary indexes.
	Indexes []Index
	// Stream says that the table has a stream of new and old images, which replication needs.
	Stream bool
	// DeletionProtection refuses Delete.
	DeletionProtection bool
}

// An Index is a global secondary index. It has the items that have its keys.
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

var nameRule = regexp.MustCompile(`^[a-zA-Z0-9_.-]*$`)

// IsName reports whether a table or an index can have this name. The rule with {3,255} would be a tenth of a millisecond's work
// at each start of a program.
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.NamingRulesDataTypes.html
func IsName(name string) bool {
	return len(name) >= 3 && len(name) <= 255 && nameRule.MatchString(name)
}

// Validate reports everything that CreateTable would refuse.
func (d Definition) Validate() error {
	var problems []error
	report := func(format string, args ...any) {
		problems = append(problems, fmt.Errorf("table %q: "+format, append([]any{d.Name}, args...)...))
	}
	used := map[string]bool{}
	check := func(where, name string, keys []string) {
		if !IsName(name) {
			report("%s: a name has 3 to 255 of a-z, A-Z, 0-9, underscore, hyphen and dot", where)
		}
		for i, key := range keys {
			used[key] = true
			switch _, defined := d.Attributes[key]; {
			case key == "":
				report("%s has no hash key", where)
			case len(key) > maxKeyName:
				report("%s: the name of key %.20s… is longer than %d bytes", where, key, maxKeyName)
			case !defined:
				report("%s: key %s has no attribute definition", where, key)
			case slices.Contains(keys[:i], key):
				report("%s uses %s as hash key and as range key", where, key)
			}
		}
	}
	check("the table", d.Name, d.keys())
	names, included := map[string]bool{}, 0
	for _, index := range d.Indexes {
		where := "index " + index.Name
		check(where, index.Name, index.keys())
		if names[index.Name] {
			report("%s is listed twice", where)
		}
		names[index.Name] = true
		included += len(index.NonKeyAttributes)
		if !slices.Contains(types.ProjectionType("").Values(), index.Projection) {
			report("%s: projection %q is not ALL, KEYS_ONLY or INCLUDE", where, index.Projection)
		}
		if (index.Projection == types.ProjectionTypeInclude) != (len(index.NonKeyAttributes) > 0) {
			report("%s: projection %s with %d non-key attributes; INCLUDE needs some, and no other takes any",
				where, index.Projection, len(index.NonKeyAttributes))
		}
	}
	if len(d.Indexes) > maxIndexes || included > maxNonKeyAttributes {
		report("%d indexes with %d non-key attributes are more than %d with %d", len(d.Indexes), included, maxIndexes, maxNonKeyAttributes)
	}
	for _, name := range slices.Sorted(maps.Keys(d.Attributes)) {
		if !slices.Contains(types.ScalarAttributeType("").Values(), d.Attributes[name]) {
			report("attribute %s: type %q is not S, N or B", name, d.Attributes[name])
		}
		if !used[name] {
			report("attribute %s is defined but no key uses it", name)
		}
	}
	return errors.Join(problems...)
}

// keys lists the names of the table's own key attributes.
func (d Definition) keys() []string { return keysOf(d.HashKey, d.RangeKey) }

// keys lists the names of the index's key attributes.
func (i Index) keys() []string { return keysOf(i.HashKey, i.RangeKey) }

func keysOf(hash, rangeKey string) []string {
	if rangeKey == "" {
		return []string{hash}
	}
	return []string{hash, rangeKey}
}

// projected names the attributes in an index; nil means all of them.
func (d Definition) projected(index Index) map[string]bool {
	if index.Projection == types.ProjectionTypeAll {
		return nil
	}
	names := map[string]bool{}
	for _, name := range slices.Concat(d.keys(), index.keys(), index.NonKeyAttributes) {
		names[name] = true
	}
	return names
}

// sameKeys reports whether two definitions have the same keys and indexes, so their tables can share records.
func (d Definition) sameKeys(other Definition) bool {
	return d.HashKey == other.HashKey && d.RangeKey == other.RangeKey &&
		maps.Equal(d.Attributes, other.Attributes) && reflect.DeepEqual(d.Indexes, other.Indexes)
}

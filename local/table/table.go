// Package table is one DynamoDB table in memory: it takes the SDK's inputs and answers with its outputs and errors,
// under the table's own definition.
//
// Items are kept as compact, immutable bytes. Global secondary indexes and replicas point to the same bytes, so that
// 100,000 trades with two indexes and a replica fit into some 200 MB.
//
// It serves PutItem, GetItem, Query and Scan with condition, key condition, filter and projection expressions. Whatever
// it does not know is refused with an UnsupportedError that names it.
package table

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"iter"
	"reflect"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"

	"trade-processing/local/clock"
	"trade-processing/local/fault"
	"trade-processing/local/metrics"
)

// Options are what a table works with.
type Options struct {
	// Clock times writes, replication and expiry.
	Clock clock.Clock
	// Faults may delay or fail each operation; nil for none. The key of a call is the item's hash key, and empty for a
	// Scan.
	Faults fault.Hook
	// Metrics receives what DynamoDB sends to CloudWatch; nil for none.
	Metrics *metrics.Store
}

// A Table is safe for use by many goroutines.
type Table struct {
	def         atomic.Pointer[Definition]
	clock       clock.Clock
	faults      fault.Hook
	store       *store
	expressions expressionCache
	encoders    encoders
	measures    measures
	deleted     atomic.Bool

	mu       sync.Mutex // guards changes of the two lists
	outgoing atomic.Pointer[[]*Replication]
	incoming atomic.Pointer[[]*Replication]
}

// New makes an empty table, or reports everything that is wrong with its definition.
func New(def Definition, options Options) (*Table, error) {
	if err := def.Validate(); err != nil {
		return nil, err
	}
	t := &Table{
		clock:    options.Clock,
		faults:   options.Faults,
		store:    newStore(len(def.Indexes)),
		measures: newMeasures(options.Metrics, def),
	}
	t.def.Store(&def)
	t.outgoing.Store(&[]*Replication{})
	t.incoming.Store(&[]*Replication{})
	return t, nil
}

func (t *Table) definition() *Definition { return t.def.Load() }

// Definition returns what the table is now.
func (t *Table) Definition() Definition { return *t.definition() }

// Update changes the attributes of a table that can change in place: the TTL attribute, the stream and deletion
// protection. Other changes are refused.
func (t *Table) Update(def Definition) error {
	if err := def.Validate(); err != nil {
		return err
	}
	old := t.definition()
	if def.Name != old.Name || def.Region != old.Region || !old.sameKeys(def) {
		return &UnsupportedError{Operation: "UpdateTable", Feature: "a change of name, region, keys or indexes of a table that exists"}
	}
	if !def.Stream && (len(*t.outgoing.Load()) > 0 || len(*t.incoming.Load()) > 0) {
		return validation("Stream can not be disabled on a table that has replicas")
	}
	t.def.Store(&def)
	return nil
}

// Delete removes the table and its items, unless deletion protection is on. Every later operation answers
// ResourceNotFoundException.
func (t *Table) Delete() error {
	def := t.definition()
	if def.DeletionProtection {
		return validation("Resource cannot be deleted as it is currently protected against deletion. Disable deletion protection first.")
	}
	t.deleted.Store(true)
	for _, r := range slices.Concat(*t.outgoing.Load(), *t.incoming.Load()) {
		r.Stop()
	}
	for i := range t.store.shards {
		sh := &t.store.shards[i]
		sh.mu.Lock()
		sh.records.Clear()
		sh.mu.Unlock()
	}
	for _, index := range t.store.indexes {
		index.mu.Lock()
		index.records.Clear()
		index.mu.Unlock()
	}
	return nil
}

// Count is the number of items.
func (t *Table) Count() int {
	t.catchUp()
	return t.store.len()
}

// Items yields all items in the order of their keys: by hash key, then by range key, strings by bytes and numbers by
// value. It yields the table as it was when the iteration began.
func (t *Table) Items() iter.Seq[map[string]types.AttributeValue] {
	return func(yield func(map[string]types.AttributeValue) bool) {
		t.catchUp()
		for _, r := range t.store.all() {
			if !yield(r.item()) {
				return
			}
		}
	}
}

// Digest is the hex SHA-256 of all items in the order of their keys, without the attributes named in except: such as
// when and by what an item was recorded. Tables that hold the same items have the same digest, in whatever order they
// were written.
func (t *Table) Digest(except ...string) string {
	t.catchUp()
	sum := sha256.New()
	for _, r := range t.store.all() {
		d := decoder{rest: r.body}
		for range d.count() {
			before := d.rest
			name := d.text()
			d.skip()
			if !slices.Contains(except, name) {
				sum.Write([]byte(before[:len(before)-len(d.rest)]))
			}
		}
		// No encoding of a name starts with this: an item ends.
		sum.Write([]byte{0})
	}
	return hex.EncodeToString(sum.Sum(nil))
}

// Expire deletes the items whose TTL attribute holds a past time in epoch seconds, and returns their number. DynamoDB
// does so within a few days of the time, and leaves an item alone whose time is more than five years past.
func (t *Table) Expire() int {
	name := t.definition().TTLAttribute
	if name == "" {
		return 0
	}
	t.catchUp()
	now := t.clock.Now()
	expired := 0
	for _, r := range t.store.all() {
		value := attribute(r.body, name)
		if value == "" || value[0] != kindNumber {
			continue
		}
		seconds, err := strconv.ParseInt(value.text(), 10, 64)
		if err != nil || seconds > now.Unix() || seconds < now.AddDate(-5, 0, 0).Unix() {
			continue
		}
		sh := t.store.shard(r.partition())
		sh.mu.Lock()
		if current, _ := sh.records.Get(r); current == r {
			t.store.remove(sh, r)
			expired++
		}
		sh.mu.Unlock()
	}
	return expired
}

// serve runs one operation: what every operation checks, the faults, and the SDK's wrapping of errors.
func serve[T any](ctx context.Context, t *Table, operation string, name *string, options []func(*dynamodb.Options), key func() string, run func() (T, error)) (T, error) {
	var none T
	if changesOptions(options) {
		return none, operationError(operation, &UnsupportedError{Operation: operation, Feature: "options of a single call"})
	}
	if err := ctx.Err(); err != nil {
		return none, operationError(operation, &smithy.CanceledError{Err: err})
	}
	call := fault.Call{Service: "dynamodb", Operation: operation, Resource: t.definition().Name}
	out, err := fault.Serve(ctx, t.clock, t.faults, call, key, func() (T, error) {
		if t.deleted.Load() || aws.ToString(name) != t.definition().Name {
			return none, notFound()
		}
		return run()
	})
	if err != nil {
		t.measures.failed(t.clock.Now(), operation, err)
		return none, operationError(operation, err)
	}
	return out, nil
}

// changesOptions finds options that would be ignored in silence, such as another region. Middleware passes: the SDK's
// own paginators add some to mark their requests, and it has no request to act on here.
func changesOptions(options []func(*dynamodb.Options)) bool {
	if len(options) == 0 {
		return false
	}
	var set dynamodb.Options
	for _, option := range options {
		option(&set)
	}
	set.APIOptions = nil
	return !reflect.ValueOf(set).IsZero()
}

// errorCode is the code of an API error, or "".
func errorCode(err error) string {
	var api smithy.APIError
	if errors.As(err, &api) {
		return api.ErrorCode()
	}
	return ""
}

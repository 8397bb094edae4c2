// Package table is one DynamoDB table in memory: it takes the SDK's inputs and answers with its outputs and errors,
// under the table's own definition.
//
// Items are kept as compact, immutable bytes. Global secondary indexes and replicas point to the same bytes, so 100,000
// trades with two indexes and a replica fit into some 200 MB.
//
// It serves PutItem, GetItem, Query and Scan, with the expressions that a pipeline's conditions and queries use.
// Anything else is refused with an awsapi.Unsupported that names it.
package table

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"iter"
	"maps"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"

	"trade-processing/local/awsapi"
	"trade-processing/local/clock"
	"trade-processing/local/disk"
	"trade-processing/local/fault"
	"trade-processing/local/metrics"
)

// Options are what a table works with.
type Options struct {
	// Clock times writes and replication.
	Clock clock.Clock
	// Faults may delay or fail each operation; nil for none. The key of a call is the item's hash key, or empty for Query
	// and Scan.
	Faults fault.Hook
	// Metrics receives what DynamoDB sends to CloudWatch; nil for none.
	Metrics *metrics.Store
	// Disk has the table's items, with those of earlier tables of its region and name; nil: they are in memory.
	Disk *disk.Store
	// Spill opens a store to which the items of a table in memory move when there are more than Most of them. If it fails
	// they stay where they are. Nil: they always do.
	Spill func() (*disk.Store, error)
	Most  int
}

// A Table is safe for concurrent use.
type Table struct {
	def     atomic.Pointer[Definition]
	clock   clock.Clock
	faults  fault.Hook
	metrics *metrics.Store
	store   *store
	disk    *disk.Store     // of Options
	puts    *metrics.Series // how long successful ones take
	deleted atomic.Bool

	condition atomic.Pointer[condition] // of the last write

	mu       sync.Mutex // guards changes of the two lists
	outgoing atomic.Pointer[[]*Replication]
	incoming atomic.Pointer[[]*Replication]
}

// New returns an empty table, or reports every problem with its definition.
func New(def Definition, options Options) (*Table, error) {
	if err := def.Validate(); err != nil {
		return nil, err
	}
	options.Metrics.Declare(namespace, "ConditionalCheckFailedRequests", "ReadThrottleEvents", "ReplicationLatency",
		"SuccessfulRequestLatency", "SystemErrors", "ThrottledRequests", "WriteThrottleEvents")
	t := &Table{clock: options.Clock, faults: options.Faults, metrics: options.Metrics, disk: options.Disk, store: &store{most: options.Most}}
	if t.store.records = newTrees(len(def.Indexes)); t.disk != nil {
		t.store.records = openFile(t.disk, def)
	} else if options.Spill != nil {
		t.store.move = func(full *trees) records { return spill(full, def, options.Spill) }
	}
	t.def.Store(&def)
	t.puts = t.series("SuccessfulRequestLatency", map[string]string{"Operation": "PutItem"})
	t.outgoing.Store(&[]*Replication{})
	t.incoming.Store(&[]*Replication{})
	return t, nil
}

func (t *Table) definition() *Definition { return t.def.Load() }

// Definition returns the table's current definition.
func (t *Table) Definition() Definition { return *t.definition() }

// Update changes the attributes of a table that can change in place: the stream and deletion protection. Other changes
// are refused.
func (t *Table) Update(def Definition) error {
	if err := def.Validate(); err != nil {
		return err
	}
	old := t.definition()
	if def.Name != old.Name || def.Region != old.Region || !old.sameKeys(def) {
		return &awsapi.Unsupported{Operation: "UpdateTable", Feature: "a change of name, region, keys or indexes of a table that exists"}
	}
	if !def.Stream && (len(*t.outgoing.Load()) > 0 || len(*t.incoming.Load()) > 0) {
		return awsapi.Validation("Stream can not be disabled on a table that has replicas")
	}
	t.def.Store(&def)
	return nil
}

// Delete removes the table and its items, unless deletion protection is on. Every later operation answers
// ResourceNotFoundException.
func (t *Table) Delete() error {
	if t.definition().DeletionProtection {
		return awsapi.Validation("Resource cannot be deleted as it is currently protected against deletion. Disable deletion protection first.")
	}
	t.deleted.Store(true)
	for _, r := range slices.Concat(*t.outgoing.Load(), *t.incoming.Load()) {
		r.Stop()
	}
	t.store.mu.Lock()
	defer t.store.mu.Unlock()
	t.store.clear()
	return nil
}

// Count returns the number of items.
func (t *Table) Count() int {
	t.catchUp()
	return t.store.count()
}

// Items yields all items in key order: by hash key, then by range key, strings by bytes and numbers by value. It yields
// the table as of the start of the iteration.
func (t *Table) Items() iter.Seq[map[string]types.AttributeValue] {
	return func(yield func(map[string]types.AttributeValue) bool) {
		t.catchUp()
		for r := range t.store.snapshot() {
			if !yield(r.item(nil)) {
				return
			}
		}
	}
}

// Digest returns the hex SHA-256 of all items in key order, without the attributes named in except, such as when and by
// what an item was recorded. Tables with the same items have the same digest, in whatever order they were written.
func (t *Table) Digest(except ...string) string {
	t.catchUp()
	sum := sha256.New()
	for r := range t.store.snapshot() {
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

// serve runs one operation: the common checks, the faults, and the SDK's wrapping of errors. about is the item or key
// that the operation is about.
func serve[T any](
	ctx context.Context, t *Table, operation string, name *string, options []func(*dynamodb.Options),
	about map[string]types.AttributeValue, run func() (T, error),
) (T, error) {
	began := t.clock.Now()
	call := fault.Call{Service: "dynamodb", Operation: operation, Resource: t.definition().Name}
	key := func() string { return textOf(about[t.definition().HashKey]) }
	answer, err := awsapi.Serve(ctx, t.clock, t.faults, call, key, func() (answer T, err error) {
		if err := awsapi.NoOptions(operation, options); err != nil {
			return answer, err
		}
		if t.deleted.Load() || aws.ToString(name) != t.definition().Name {
			return answer, &types.ResourceNotFoundException{Message: aws.String("Requested resource not found")}
		}
		return run()
	})
	switch {
	case err != nil:
		t.countError(operation, err)
	case operation == "PutItem":
		now := t.clock.Now()
		t.puts.Add(now, float64(now.Sub(began).Milliseconds()))
	}
	return answer, err
}

// Text returns an attribute of an item that is a text; empty if it isn't.
func Text(item map[string]types.AttributeValue, name string) string {
	if text, ok := item[name].(*types.AttributeValueMemberS); ok {
		return text.Value
	}
	return ""
}

// textOf returns a key's value as a string, for the fault hook.
func textOf(value types.AttributeValue) string {
	switch value := value.(type) {
	case *types.AttributeValueMemberS:
		return value.Value
	case *types.AttributeValueMemberN:
		return value.Value
	case *types.AttributeValueMemberB:
		return string(value.Value)
	}
	return ""
}

// namespace is that of DynamoDB's metrics. All have the dimension TableName; ThrottledRequests, SystemErrors and
// SuccessfulRequestLatency, which only writes have here, have Operation too, and ReplicationLatency has ReceivingRegion.
// Latencies are in milliseconds. Like DynamoDB's own, metrics have no data while nothing happens.
const namespace = "AWS/DynamoDB"

// countError counts an error under DynamoDB's metrics for it.
func (t *Table) countError(operation string, err error) {
	var api smithy.APIError
	if !errors.As(err, &api) {
		return
	}
	now, byOperation := t.clock.Now(), map[string]string{"Operation": operation}
	switch api.ErrorCode() {
	case "ConditionalCheckFailedException":
		t.series("ConditionalCheckFailedRequests", nil).Add(now, 1)
	case "ProvisionedThroughputExceededException", "ThrottlingException", "RequestLimitExceeded":
		event := "ReadThrottleEvents"
		if operation == "PutItem" {
			event = "WriteThrottleEvents"
		}
		t.series("ThrottledRequests", byOperation).Add(now, 1)
		t.series(event, nil).Add(now, 1)
	case "InternalServerError":
		t.series("SystemErrors", byOperation).Add(now, 1)
	}
}

// series finds a metric, whose dimensions are these and TableName.
func (t *Table) series(metric string, more map[string]string) *metrics.Series {
	dimensions := map[string]string{"TableName": t.definition().Name}
	maps.Copy(dimensions, more)
	return t.metrics.Series(namespace, metric, dimensions)
}

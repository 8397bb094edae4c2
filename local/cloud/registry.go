package cloud

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"iter"
	"maps"
	"slices"
	"sync"

	"trade-processing/local/function"
	"trade-processing/local/queue"
	"trade-processing/local/table"
)

// live has what a cloud's resources have become, by ARN.
type live struct {
	queues       registry[*queue.Queue]
	buses        registry[*bus]
	machines     registry[*machine]
	functions    registry[*function.Function]
	tables       registry[*table.Table]
	replications registry[[]*table.Replication]
	pushed       registry[bool]      // by repository URL
	samplings    registry[*sampling] // by region and name of the state machine
}

// registry finds living things by ARN, or by another name. The zero value is empty.
type registry[T any] struct{ items sync.Map }

func (r *registry[T]) put(arn string, item T) { r.items.Store(arn, item) }

// ensure adds an item if there is none, and returns the one that is there.
func (r *registry[T]) ensure(arn string, item T) T {
	there, _ := r.items.LoadOrStore(arn, item)
	return there.(T)
}

func (r *registry[T]) get(arn string) (T, error) {
	item, found := r.items.Load(arn)
	if !found {
		var none T
		return none, fmt.Errorf("%s does not exist", arn)
	}
	return item.(T), nil
}

func (r *registry[T]) drop(arn string) { r.items.Delete(arn) }

// all lists the items in order of their ARNs.
func (r *registry[T]) all() iter.Seq2[string, T] {
	items := map[string]T{}
	r.items.Range(func(arn, item any) bool {
		items[arn.(string)] = item.(T)
		return true
	})
	return func(yield func(string, T) bool) {
		for _, arn := range slices.Sorted(maps.Keys(items)) {
			if !yield(arn, items[arn]) {
				return
			}
		}
	}
}

// hash returns the first n hexadecimal digits of a text's SHA-256: an id that is the same in every run.
func hash(text string, n int) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])[:n]
}

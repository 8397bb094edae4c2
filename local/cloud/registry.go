package cloud

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"sync"

	"trade-processing/local/function"
	"trade-processing/local/queue"
	"trade-processing/local/table"
)

// live holds what the resources of a cloud have become, by ARN.
type live struct {
	queues       registry[*queue.Queue]
	buses        registry[*bus]
	machines     registry[*machine]
	functions    registry[*function.Function]
	tables       registry[*table.Table]
	replications registry[[]*table.Replication]
}

// registry finds living things by ARN. The zero value is empty.
type registry[T any] struct {
	mu    sync.RWMutex
	items map[string]T
}

func (r *registry[T]) put(arn string, item T) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.items == nil {
		r.items = map[string]T{}
	}
	r.items[arn] = item
}

func (r *registry[T]) get(arn string) (T, error) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	item, found := r.items[arn]
	if !found {
		return item, fmt.Errorf("%s does not exist", arn)
	}
	return item, nil
}

func (r *registry[T]) drop(arn string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.items, arn)
}

// all is a copy, for iterating without the lock.
func (r *registry[T]) all() map[string]T {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return maps.Clone(r.items)
}

// hash is the first n hexadecimal digits of a text's SHA-256: an id that is the same in every run.
func hash(text string, n int) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])[:n]
}

// Fingerprint is a short name for a text, such as a path, that is the same in every run.
func Fingerprint(text string) string { return hash(text, 12) }

package table

import (
	"strconv"
	"testing"

	"github.com/cespare/xxhash/v2"
)

// However many keys it grows to, a filter knows all of them, and hardly any other.
func TestAFilterKnowsItsKeys(t *testing.T) {
	const keys = 200_000
	hash := func(n int) uint64 { return xxhash.Sum64String(strconv.Itoa(n)) }
	var f filter
	for n := range keys {
		f.add(hash(n))
	}
	wrong := 0
	for n := range keys {
		if !f.knows(hash(n)) {
			t.Fatalf("it has forgotten key %d", n)
		}
		if f.knows(hash(keys + n)) {
			wrong++
		}
	}
	if len(f.parts) < 3 || wrong > keys/50 {
		t.Errorf("in %d parts, it takes %d of %d others for its own", len(f.parts), wrong, keys)
	}
}

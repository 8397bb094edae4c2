package cloud

import (
	"maps"
	"slices"
)

// Types are the resource types that the local cloud knows.
var Types = slices.Sorted(maps.Keys(kinds))

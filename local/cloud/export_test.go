package cloud

import (
	"maps"
	"slices"
)

// Types are the resource types that the local cloud knows.
var Types = slices.Sorted(maps.Keys(kinds))

// KeptExecutions counts the executions in the cloud's folder.
func (c *Cloud) KeptExecutions() (n int) {
	for range c.disk.Scan(executionKeys, after(executionKeys), false) {
		n++
	}
	return n
}

// Adding leaves a replica as a process does that is killed while it adds its table again.
func (c *Cloud) Adding(region, id string) {
	replica, _ := c.Read(ReplicaType, region, id)
	c.outlive(replica, &outlived{replica.outlived.Table, true})
}

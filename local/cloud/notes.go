package cloud

import (
	"encoding/json"
	"fmt"
	"sync"

	"trade-processing/local/disk"
)

// notes are what calls leave that is no resource: a key's primary region, say. They are JSON by key, and last as long as the cloud.
type notes struct {
	mu   sync.RWMutex
	kept map[string]json.RawMessage
}

const noteKeys = "note/"

// Note reads what SetNote kept under a key into a value, and reports whether there is any.
func (c *Cloud) Note(key string, into any) bool {
	c.notes.mu.RLock()
	text, there := c.notes.kept[key]
	c.notes.mu.RUnlock()
	return there && json.Unmarshal(text, into) == nil
}

// SetNote keeps plain values under a key, or forgets them if the value is nil.
func (c *Cloud) SetNote(key string, value any) {
	text, _ := json.Marshal(value) // plain values
	c.notes.mu.Lock()
	defer c.notes.mu.Unlock()
	if value == nil {
		if _, there := c.notes.kept[key]; there {
			delete(c.notes.kept, key)
			c.write(disk.Change{Key: noteKeys + key, Delete: true})
		}
		return
	}
	if c.notes.kept == nil {
		c.notes.kept = map[string]json.RawMessage{}
	}
	c.notes.kept[key] = text
	c.write(disk.Change{Key: noteKeys + key, Value: string(text)})
}

// restoreNotes brings back those that the folder has.
func (c *Cloud) restoreNotes() error {
	c.notes.kept = map[string]json.RawMessage{}
	for key, value := range c.disk.Scan(noteKeys, after(noteKeys), false) {
		if !json.Valid([]byte(value)) {
			return fmt.Errorf("reading %q: it is not JSON", key)
		}
		c.notes.kept[key[len(noteKeys):]] = json.RawMessage(value)
	}
	return nil
}

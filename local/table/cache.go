package table

import "sync"

// An expressionCache keeps parsed expressions by their text: the functions build the same few for every item.
type expressionCache struct {
	mu     sync.RWMutex
	parsed map[string]*node
}

// maxCached bounds the cache against callers that write values into the text of their expressions; it starts over when
// full.
const maxCached = 256

func (c *expressionCache) condition(text string) (*node, error) {
	c.mu.RLock()
	root, found := c.parsed[text]
	c.mu.RUnlock()
	if found {
		return root, nil
	}
	root, err := parseCondition(text)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.parsed) >= maxCached || c.parsed == nil {
		c.parsed = map[string]*node{}
	}
	c.parsed[text] = root
	return root, nil
}

package function

import (
	"fmt"
	"sync"
	"sync/atomic"
)

// Pool is the concurrency of one account in one region. Functions without a
// reservation share what is left of it.
type Pool struct {
	shared atomic.Int64 // calls of functions without a reservation

	mu       sync.Mutex
	reserved map[string]int
	left     atomic.Int64
}

// NewPool makes the pool of an account with AccountConcurrency.
func NewPool() *Pool {
	p := &Pool{reserved: map[string]int{}}
	p.left.Store(AccountConcurrency)
	return p
}

// reserve gives a function its own share; nil gives it back. 100 must stay
// unreserved, as on AWS.
func (p *Pool) reserve(name string, n *int) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	before, had := p.reserved[name]
	delete(p.reserved, name)
	left := AccountConcurrency
	for _, other := range p.reserved {
		left -= other
	}
	if n != nil {
		if left-*n < unreserved {
			if had {
				p.reserved[name] = before
			}
			return fmt.Errorf("function %s: specified ReservedConcurrentExecutions %d decreases the account's UnreservedConcurrentExecution below its minimum value of %d", name, *n, unreserved)
		}
		p.reserved[name] = *n
		left -= *n
	}
	p.left.Store(int64(left))
	return nil
}

func (p *Pool) release(name string) {
	_ = p.reserve(name, nil) // giving back never fails
}

// enter lets a call in where there is room. running counts the function's own
// calls, this one among them.
func (p *Pool) enter(reserved *int, running int64) (leave func(), allowed bool) {
	if reserved != nil {
		return func() {}, running <= int64(*reserved)
	}
	if p.shared.Add(1) > p.left.Load() {
		p.shared.Add(-1)
		return nil, false
	}
	return func() { p.shared.Add(-1) }, true
}

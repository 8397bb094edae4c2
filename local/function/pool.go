package function

import (
	"fmt"
	"sync"
)

// Pool is the concurrency of one account in one region. Functions without a reservation share what the others leave.
type Pool struct {
	mu       sync.Mutex
	reserved int // by all functions together
	shared   int // calls that run without a reservation
}

// share is one function's part of a pool; the pool's mutex guards it.
type share struct {
	reserved *int
	running  int // calls of the function
}

// NewPool returns the pool of an account with AccountConcurrency.
func NewPool() *Pool { return &Pool{} }

// reserve gives a function its own share; nil releases it. As on AWS, 100 must stay unreserved.
func (p *Pool) reserve(s *share, def Definition) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	others := p.reserved
	if s.reserved != nil {
		others -= *s.reserved
	}
	wanted := 0
	if n := def.ReservedConcurrency; n != nil {
		if wanted = *n; AccountConcurrency-others-wanted < unreserved {
			return fmt.Errorf("function %q: specified ReservedConcurrentExecutions %d decreases account's UnreservedConcurrentExecution below its minimum value of [%d]: "+
				"the other functions reserve %d of %d", def.Name, wanted, unreserved, others, AccountConcurrency)
		}
	}
	p.reserved = others + wanted
	s.reserved = def.ReservedConcurrency
	return nil
}

func (p *Pool) release(s *share) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if s.reserved != nil {
		p.reserved -= *s.reserved
		s.reserved = nil
	}
}

// admission is a call's place in the pool, or the reason why there is none.
type admission struct {
	running int // calls of the function, including this one
	shared  bool
	refusal string // CloudWatch's and the SDK's ThrottleReason
}

// enter admits a call if there is room.
func (p *Pool) enter(s *share) admission {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case s.reserved != nil && s.running >= *s.reserved:
		return admission{refusal: "ReservedFunctionConcurrentInvocationLimitExceeded"}
	case s.reserved == nil && p.shared >= AccountConcurrency-p.reserved:
		return admission{refusal: "ConcurrentInvocationLimitExceeded"}
	}
	s.running++
	if s.reserved == nil {
		p.shared++
	}
	return admission{running: s.running, shared: s.reserved == nil}
}

func (p *Pool) leave(s *share, a admission) {
	p.mu.Lock()
	defer p.mu.Unlock()
	s.running--
	if a.shared {
		p.shared--
	}
}

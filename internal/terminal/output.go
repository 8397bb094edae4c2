package terminal

import (
	"context"
	"errors"
	"io"
	"sync/atomic"
	"syscall"
	"time"
)

// patience is how long a write may still take after an interrupt.
const patience = time.Second

// output is a stream that others read: it may be closed, or read no more.
type output struct {
	ctx    context.Context
	to     io.Writer
	closed atomic.Bool
}

// Write returns soon after an interrupt, even if nobody reads what is written. What is left of it is lost then.
func (o *output) Write(p []byte) (int, error) {
	type result struct {
		n   int
		err error
	}
	written := make(chan result, 1)
	go func() {
		n, err := o.to.Write(p)
		written <- result{n, err}
	}()
	select {
	case done := <-written:
		return o.told(done.n, done.err)
	case <-o.ctx.Done():
	}
	select {
	case done := <-written:
		return o.told(done.n, done.err)
	case <-time.After(patience):
		return 0, o.ctx.Err()
	}
}

func (o *output) told(n int, err error) (int, error) {
	if errors.Is(err, syscall.EPIPE) {
		o.closed.Store(true)
	}
	return n, err
}

// Closed reports whether the reader of Out has gone before everything was written.
func (t *Terminal) Closed() bool {
	o, ok := t.Out.(*output)
	return ok && o.closed.Load()
}

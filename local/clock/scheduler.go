package clock

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// A Scheduler is a virtual clock that also decides who runs. Of the tasks that were started with Go, one runs at a
// time, until it sleeps or waits; then the scheduler chooses one of those that can go on, and if there is none, time
// moves to the next moment at which somebody can. With the same choices, a program does the same in the same order,
// whatever the machine does meanwhile.
//
// A task may wait in no other way for another task, and everything that uses the clock must be a task.
type Scheduler struct {
	virtual  *Virtual
	choose   func(n int) int
	waiting  []*task // in the order in which they began to wait
	timeouts []*timeout
	over     chan struct{}
}

var _ Clock = (*Scheduler)(nil)

type task struct {
	wake  chan struct{}
	until []<-chan struct{} // it can go on once one of them is closed, or at once if there is none
}

// NewScheduler returns a scheduler whose clock stands at now. Choose picks one of n.
func NewScheduler(now time.Time, choose func(n int) int) *Scheduler {
	return &Scheduler{virtual: NewVirtual(now), choose: choose, over: make(chan struct{})}
}

// Run runs a task, and all that it starts, to their ends. The error says that some wait for what never happens.
func (s *Scheduler) Run(main func()) error {
	s.Go(main)
	s.next()
	<-s.over
	if n := len(s.waiting); n > 0 {
		return fmt.Errorf("%d tasks wait for what never happens", n)
	}
	return nil
}

// Go starts a task; the caller goes on first.
func (s *Scheduler) Go(f func()) {
	t := s.wait(nil)
	go func() {
		<-t.wake
		f()
		s.next()
	}()
}

// Wait lets others run until one of the channels is closed, or at least once if there is none.
func (s *Scheduler) Wait(until ...<-chan struct{}) {
	t := s.wait(until)
	s.next()
	<-t.wake
}

// Now returns the scheduler's time.
func (s *Scheduler) Now() time.Time { return s.virtual.Now() }

// Sleep lets others run for d.
func (s *Scheduler) Sleep(ctx context.Context, d time.Duration) error {
	if ctx.Err() != nil || d <= 0 {
		return context.Cause(ctx)
	}
	woken := make(chan struct{})
	a := s.virtual.after(d, func() { close(woken) })
	s.Wait(woken, ctx.Done())
	if !closed(woken) {
		s.virtual.unset(a)
		return context.Cause(ctx)
	}
	return nil
}

// WithTimeout ends the context d from now. Unlike that of a Virtual, it ends with its parent without another goroutine.
func (s *Scheduler) WithTimeout(parent context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	c := &timeout{Context: parent, done: make(chan struct{})}
	a := s.virtual.after(max(d, 0), func() { c.end(context.DeadlineExceeded) })
	c.deadline = a.due
	s.timeouts = append(s.timeouts, c)
	s.follow()
	return c, func() {
		s.virtual.unset(a)
		c.end(context.Canceled)
	}
}

// follow ends the timeouts whose parents have ended, and forgets those that have ended.
func (s *Scheduler) follow() {
	s.timeouts = slices.DeleteFunc(s.timeouts, func(c *timeout) bool {
		if err := c.Context.Err(); err != nil {
			c.end(err)
		}
		return c.Err() != nil
	})
}

func (s *Scheduler) wait(until []<-chan struct{}) *task {
	t := &task{wake: make(chan struct{}, 1), until: until}
	s.waiting = append(s.waiting, t)
	return t
}

// next wakes one of the tasks that can go on.
func (s *Scheduler) next() {
	for {
		s.follow()
		var ready []int
		for i, t := range s.waiting {
			if len(t.until) == 0 || slices.ContainsFunc(t.until, closed) {
				ready = append(ready, i)
			}
		}
		if n := len(ready); n > 0 {
			i := ready[s.choose(n)]
			t := s.waiting[i]
			s.waiting = slices.Delete(s.waiting, i, i+1)
			t.wake <- struct{}{}
			return
		}
		if !s.virtual.AdvanceToNext() {
			close(s.over)
			return
		}
	}
}

func closed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// Go runs f on its own: as a task of a Scheduler, and on any other clock in a goroutine.
func Go(c Clock, f func()) {
	switch c := c.(type) {
	case *Scheduler:
		c.Go(f)
	case *real:
		c.workers.run(f)
	default:
		go f()
	}
}

// Wait waits until one of up to three channels is closed.
func Wait(c Clock, until ...<-chan struct{}) {
	if s, ok := c.(*Scheduler); ok {
		s.Wait(slices.Clone(until)...) // which keeps them: elsewhere the list needs no memory
		return
	}
	var three [3]<-chan struct{}
	if copy(three[:], until) < len(until) {
		panic(errors.New("waiting for more than three channels"))
	}
	select {
	case <-three[0]:
	case <-three[1]:
	case <-three[2]:
	}
}

package operate

import (
	"container/heap"
	"context"
	"iter"
	"sync"
)

// source reads pages of rows that are in order, and adds one after the other until there are no more, or add says that no more
// are wanted.
type source[T any] func(ctx context.Context, add func([]T) bool) error

// merged reads sources at once and yields their rows in order, holding two pages of each at most. After an error, which may be
// the context's, there is nothing more.
func merged[T any](ctx context.Context, sources []source[T], before func(a, b T) bool) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		ctx, cancel := context.WithCancel(ctx)
		var reading sync.WaitGroup
		defer reading.Wait()
		defer cancel()
		all := make([]*stream[T], len(sources))
		for i, read := range sources {
			all[i] = &stream[T]{pages: make(chan page[T]), begun: make(chan struct{})}
			reading.Go(func() { all[i].read(ctx, read) })
		}
		var none T
		streams := &merge[T]{before: before}
		for _, one := range all { // before each has its first rows, nobody knows which is the first
			more, err := one.advance(ctx)
			if err != nil {
				yield(none, err)
				return
			}
			if more {
				streams.all = append(streams.all, one)
			}
		}
		heap.Init(streams)
		for streams.Len() > 0 {
			first := streams.all[0]
			if !yield(first.rows[0], nil) {
				return
			}
			first.drop()
			switch more, err := first.advance(ctx); {
			case err != nil:
				yield(none, err)
				return
			case more:
				heap.Fix(streams, 0)
			default:
				heap.Pop(streams)
			}
		}
	}
}

// stream is what one source has read.
type stream[T any] struct {
	pages chan page[T]
	rows  []T           // that are left of the current page
	begun chan struct{} // closed when the first row is dropped
	any   bool
}

// drop removes the first row.
func (s *stream[T]) drop() {
	s.rows = s.rows[1:]
	if !s.any {
		s.any = true
		close(s.begun)
	}
}

type page[T any] struct {
	rows []T
	err  error
}

// read is always a page ahead, once a row of the first was of use: who wants the newest few needs no more of most sources.
func (s *stream[T]) read(ctx context.Context, from source[T]) {
	defer close(s.pages)
	put := func(p page[T]) bool {
		select {
		case s.pages <- p:
			return true
		case <-ctx.Done():
			return false
		}
	}
	first := true
	add := func(rows []T) bool {
		if !put(page[T]{rows: rows}) {
			return false
		}
		if first && len(rows) > 0 {
			first = false
			select {
			case <-s.begun:
			case <-ctx.Done():
			}
		}
		return ctx.Err() == nil
	}
	if err := from(ctx, add); err != nil {
		put(page[T]{err: err})
	}
}

// advance waits for a row, and reports whether there is one.
func (s *stream[T]) advance(ctx context.Context) (bool, error) {
	for len(s.rows) == 0 {
		got, more := <-s.pages
		switch {
		case !more:
			return false, ctx.Err() // an interrupt is no end
		case got.err != nil:
			return false, got.err
		}
		s.rows = got.rows
	}
	return true, nil
}

// merge is a heap of streams that have rows.
type merge[T any] struct {
	all    []*stream[T]
	before func(a, b T) bool
}

func (m *merge[T]) Len() int           { return len(m.all) }
func (m *merge[T]) Less(i, j int) bool { return m.before(m.all[i].rows[0], m.all[j].rows[0]) }
func (m *merge[T]) Swap(i, j int)      { m.all[i], m.all[j] = m.all[j], m.all[i] }
func (m *merge[T]) Push(one any)       { m.all = append(m.all, one.(*stream[T])) } //nolint:forcetypeassert // nothing else is pushed
func (m *merge[T]) Pop() any {
	last := m.all[len(m.all)-1]
	m.all = m.all[:len(m.all)-1]
	return last
}

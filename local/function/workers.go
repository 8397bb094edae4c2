package function

import (
	"sync"

	"trade-processing/local/clock"
)

// workers run handlers in reused goroutines. A new goroutine per call costs some 8 µs more CPU, because each grows its
// own stack and wakes another thread; a pool of them costs next to nothing.
type workers struct {
	mu   sync.Mutex
	free []chan *invocation // the most recently used last, with a warm stack
}

// maxFree is how many goroutines wait for work. More than some dozen handlers at a time are rare on one machine.
const maxFree = 64

// run passes an invocation to its own goroutine, so its caller can abandon a handler that ignores its deadline.
func (w *workers) run(c clock.Clock, i *invocation) {
	if scheduler, ok := c.(*clock.Scheduler); ok {
		scheduler.Go(func() { i.settle(i.call()) })
		return
	}
	w.mu.Lock()
	var worker chan *invocation
	if n := len(w.free); n > 0 {
		worker = w.free[n-1]
		w.free = w.free[:n-1]
	}
	w.mu.Unlock()
	if worker == nil {
		worker = make(chan *invocation, 1)
		go w.work(worker)
	}
	worker <- i
}

func (w *workers) work(worker chan *invocation) {
	for i := range worker {
		answer, err := i.call()
		// Free before the answer is out: its receiver may want to run the next call at once.
		stay := w.done(worker)
		i.settle(answer, err)
		if !stay {
			return
		}
	}
}

// done marks a worker as free; false if there are enough.
func (w *workers) done(worker chan *invocation) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.free) >= maxFree {
		return false
	}
	w.free = append(w.free, worker)
	return true
}

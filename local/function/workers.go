package function

import "sync"

// workers run handlers in goroutines that are used again. A goroutine for each call costs some 8 µs of CPU more, since
// every one grows its stack anew and wakes another thread; a pool of them costs next to nothing.
type workers struct {
	mu   sync.Mutex
	free []chan *invocation // the most recently used last, whose stack is warm
}

// maxFree is how many goroutines wait for work. More than some dozen handlers at a time are rare on one machine.
const maxFree = 64

// run hands an invocation to a goroutine of its own, so that its caller can leave a handler that ignores its deadline.
func (w *workers) run(i *invocation) {
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
		// Free before the answer is out: whoever waits for it may want the next call run at once.
		stay := w.done(worker)
		i.settle(answer, err)
		if !stay {
			return
		}
	}
}

// done files a worker as free; false when there are enough.
func (w *workers) done(worker chan *invocation) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.free) >= maxFree {
		return false
	}
	w.free = append(w.free, worker)
	return true
}

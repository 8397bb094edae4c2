package clock

import "sync"

// workers run functions in reused goroutines. A new goroutine for each costs some 8 µs more CPU, because it grows its
// own stack and wakes another thread; a pool of them costs next to nothing.
type workers struct {
	mu   sync.Mutex
	free []chan func() // the most recently used last, with a warm stack
}

// maxFree is how many goroutines wait for work. More than some dozen at a time are rare on one machine.
const maxFree = 64

func (w *workers) run(f func()) {
	w.mu.Lock()
	var worker chan func()
	if n := len(w.free); n > 0 {
		worker = w.free[n-1]
		w.free = w.free[:n-1]
	}
	w.mu.Unlock()
	if worker == nil {
		worker = make(chan func(), 1)
		go w.work(worker)
	}
	worker <- f
}

func (w *workers) work(worker chan func()) {
	for f := range worker {
		f()
		if !w.done(worker) {
			return
		}
	}
}

// done marks a worker as free; false if there are enough.
func (w *workers) done(worker chan func()) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.free) >= maxFree {
		return false
	}
	w.free = append(w.free, worker)
	return true
}

// Package pipe opens named pipes.
package pipe

import (
	"context"
	"os"
)

// Open is os.OpenFile for a file that may be a pipe: opening one waits for its other end, and here for no longer than the
// context lasts.
func Open(ctx context.Context, path string, flag int) (*os.File, error) {
	type result struct {
		file *os.File
		err  error
	}
	opened := make(chan result, 1)
	go func() {
		file, err := os.OpenFile(path, flag, 0)
		opened <- result{file, err}
	}()
	select {
	case r := <-opened:
		return r.file, r.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

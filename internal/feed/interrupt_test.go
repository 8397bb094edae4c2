package feed_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"trade-processing/internal/feed"
)

// zeros is a stream without an end, and without a line's end.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// Somebody who presses Ctrl-C doesn't wait: not for a writer that never comes, and not for the end of a line that has
// none.
func TestReadingEndsWithItsContext(t *testing.T) {
	folder := t.TempDir()
	pipe, packed := filepath.Join(folder, "pipe"), filepath.Join(folder, "zeros.gz")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	zip := gzip.NewWriter(&b)
	if _, err := zip.Write(make([]byte, 16<<20)); err != nil {
		t.Fatal(err)
	}
	if err := zip.Close(); err != nil {
		t.Fatal(err)
	}
	packedLine := bytes.Repeat(b.Bytes(), 256) // members of one stream
	if err := os.WriteFile(packed, packedLine, 0o600); err != nil {
		t.Fatal(err)
	}
	opened := func(name string) func() *feed.Feed {
		return func() *feed.Feed {
			f, err := feed.Open([]string{name}, nil)
			if err != nil {
				t.Fatal(err)
			}
			return f
		}
	}
	for name, open := range map[string]func() *feed.Feed{
		"a pipe that nobody writes to":    opened(pipe),
		"a device without an end":         opened("/dev/zero"),
		"a line without an end":           func() *feed.Feed { return feed.FromReader("zeros", zeros{}) },
		"a packed line of four gigabytes": opened(packed),
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			ended := make(chan int)
			go func() {
				n := 0
				for range open().Entries(ctx) {
					n++
				}
				ended <- n
			}()
			time.Sleep(100 * time.Millisecond)
			cancel()
			select {
			case n := <-ended:
				if n > 0 {
					t.Errorf("it yielded %d entries or problems", n)
				}
			case <-time.After(2 * time.Second):
				t.Error("it goes on")
			}
		})
	}
}

package local

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"trade-processing/internal/outfile"
)

// Lines of a run's log file were once lost and cut because three functions wrote at the same time.
func TestALogKeepsEveryLineWhole(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log.ndjson")
	file, err := outfile.Create(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	l := &log{file: file}
	const writers, each = 8, 500
	var writing sync.WaitGroup
	for writer := range writers {
		writing.Go(func() {
			for i := range each {
				if _, err := fmt.Fprintf(l, "{\"writer\":%d,\"line\":%d}\n", writer, i); err != nil {
					t.Error(err)
				}
			}
		})
	}
	writing.Wait()
	if err := l.commit(); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	lines := bytes.Split(bytes.TrimSpace(text), []byte("\n"))
	if len(lines) != writers*each {
		t.Errorf("%d lines, want %d", len(lines), writers*each)
	}
	for _, line := range lines {
		if !json.Valid(line) {
			t.Fatalf("a line is cut: %s", line)
		}
	}
}

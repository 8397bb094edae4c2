package local

import (
	"fmt"
	"sync"

	"trade-processing/internal/feed"
	"trade-processing/internal/outfile"
	"trade-processing/internal/sample"
	"trade-processing/internal/terminal"
)

// input is the input of a run.
type input struct {
	feed  *feed.Feed
	names []string
	total int64 // for progress: bytes of files, or trades of a sample; -1 if unknown
	done  func() int64
	close func()

	expected *sample.Expectation // of a sample
}

// openInput opens the named files, or starts a sample.
func openInput(t *terminal.Terminal, options runOptions) (input, error) {
	if len(options.files) > 0 {
		opened, err := feed.Open(options.files, t.In)
		if err != nil {
			return input{}, err
		}
		total, known := opened.Size()
		if !known {
			total = -1
		}
		return input{feed: opened, names: options.files, total: total, done: opened.Read, close: func() {}}, nil
	}
	generator, err := sample.New(options.seed, options.sample)
	if err != nil {
		return input{}, err
	}
	reader := generator.Reader()
	name := fmt.Sprintf("sample of %d (seed %d)", options.sample, options.seed)
	opened := feed.FromReader(name, reader)
	expected := generator.Expect()
	return input{
		expected: &expected,
		feed:     opened, names: []string{name}, total: int64(options.sample), done: opened.Lines,
		close: func() { reader.Close() }, //nolint:errcheck // nothing is read after it
	}, nil
}

// log receives the functions' lines. Several functions write at once.
type log struct {
	file *outfile.File // nil: nowhere

	mu sync.Mutex
}

// Write writes one complete line.
func (l *log) Write(line []byte) (int, error) {
	if l.file == nil {
		return len(line), nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.file.Write(line)
}

func (l *log) commit() error {
	if l.file == nil {
		return nil
	}
	return l.file.Commit()
}

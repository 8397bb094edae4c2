// Package sample generates trades for demos and tests: three sources with the instruments, sizes and times of real
// markets, and a known number of everything that can go wrong with a trade.
//
// One seed and count give the same bytes on every platform and with every release of Go: all arithmetic is on integers,
// because compilers for arm64 and s390x fuse floating-point operations that amd64's doesn't. What a run of the sample
// must report is known in advance, to the trade: see Expectation.
//
// Instruments and venues are real. Prices, trades, accounts and counterparties are invented; the latter's LEIs have
// valid check digits under the prefix 0000, which nobody has.
package sample

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"iter"
)

// MaxCount bounds how many entries one sample has.
const MaxCount = 100_000_000

// Everything is the number of entries from which a sample has at least one of each violation code, kind of malformed
// trade, duplicate, conflict and trade that no rule matches.
const Everything = 500

// Generator makes one sample.
type Generator struct {
	seed  uint64
	count int
}

// New returns a generator of count entries.
func New(seed uint64, count int) (*Generator, error) {
	if count < 1 || count > MaxCount {
		return nil, fmt.Errorf("a sample has 1 to %d entries, not %d", MaxCount, count)
	}
	return &Generator{seed: seed, count: count}, nil
}

// Lines yields the entries, each a line of JSON with its line end. A line is valid until the next one. Each call starts
// over.
func (g *Generator) Lines() iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		s := newStream(g.seed, g.count)
		var line []byte
		for range g.count {
			line = s.next().appendEntry(line[:0])
			if !yield(line) {
				return
			}
		}
	}
}

// WriteTo writes the whole sample.
func (g *Generator) WriteTo(w io.Writer) (int64, error) {
	written := int64(0)
	for line := range g.Lines() {
		n, err := w.Write(line)
		written += int64(n)
		if err != nil {
			return written, err
		}
	}
	return written, nil
}

var _ io.WriterTo = (*Generator)(nil)

// Reader returns the sample as a stream, generated as it is read. Close stops the generator.
func (g *Generator) Reader() io.ReadCloser {
	r, w := io.Pipe()
	go func() {
		buffered := bufio.NewWriterSize(w, 64<<10)
		_, err := g.WriteTo(buffered)
		w.CloseWithError(errors.Join(err, buffered.Flush()))
	}()
	return r
}

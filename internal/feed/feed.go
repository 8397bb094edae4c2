// Package feed reads what producers put on the event bus: PutEvents entries as JSON, one per line or several lines
// long, in arrays or in whole requests, from files, gzip files and standard input.
//
// Input is streamed: whatever its size, the feed holds one entry of it. Each entry comes out once, as an entry that the
// bus would accept, or as a problem that says where it is, what is wrong with it, and how to fix it.
package feed

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"sync/atomic"
)

const (
	// MaxLine is the longest line in bytes. A PutEvents entry has at most 1 MB since January 2026 (before, 256 KB), and
	// no entry is longer than the line that it is written in.
	// https://aws.amazon.com/blogs/compute/more-room-to-build-serverless-services-now-support-payloads-up-to-1-mb
	MaxLine = 1 << 20

	// MaxDepth is how many levels of nested JSON PutEvents accepts in a detail.
	// https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html
	MaxDepth = 1000
)

// StandardInput is the file name that means standard input.
const StandardInput = "-"

// Feed is a list of inputs, read one after the other.
type Feed struct {
	inputs []input
	read   atomic.Int64
	lines  atomic.Int64
}

// Open returns a feed over the named files; "-" is stdin. It checks each of them before reading anything, and the error
// lists all that are missing, unreadable or directories.
func Open(names []string, stdin io.Reader) (*Feed, error) {
	if len(names) == 0 {
		return nil, errors.New("no input: name files of entries, or - for standard input")
	}
	f := new(Feed)
	var problems []error
	fromStdin := false
	for _, name := range names {
		if name == StandardInput {
			if fromStdin {
				problems = append(problems, errors.New("-: standard input can be read only once; name it once"))
			}
			fromStdin = true
			f.inputs = append(f.inputs, streamInput("standard input", stdin))
			continue
		}
		in, err := fileInput(name)
		if err != nil {
			problems = append(problems, err)
			continue
		}
		f.inputs = append(f.inputs, in)
	}
	if err := errors.Join(problems...); err != nil {
		return nil, err
	}
	return f, nil
}

// FromReader returns a feed over one stream; entries and problems refer to it by name.
func FromReader(name string, from io.Reader) *Feed {
	return &Feed{inputs: []input{streamInput(name, from)}}
}

// Size returns the stored size of all inputs in bytes (compressed, if they are), and whether that is known: the size of
// a pipe isn't.
func (f *Feed) Size() (bytes int64, known bool) {
	for _, in := range f.inputs {
		if in.size < 0 {
			return 0, false
		}
		bytes += in.size
	}
	return bytes, true
}

// Read returns how many of Size's bytes have been read so far. It may be called while the feed is being read.
func (f *Feed) Read() int64 { return f.read.Load() }

// Lines returns how many non-blank lines have been read so far: entries and refused lines. It may be called while the
// feed is being read.
func (f *Feed) Lines() int64 { return f.lines.Load() }

// Entries yields every entry of every input in order or, in its place, a problem. Range over it once. It stops when the
// context ends, even while waiting for a pipe; check the context to see whether that was all.
func (f *Feed) Entries(ctx context.Context) iter.Seq2[Entry, *Problem] {
	return func(yield func(Entry, *Problem) bool) {
		for _, in := range f.inputs {
			if ctx.Err() != nil || !f.input(ctx, in, yield) {
				return
			}
		}
	}
}

// input yields the entries of one input, and reports whether the next input is wanted.
func (f *Feed) input(ctx context.Context, in input, yield func(Entry, *Problem) bool) bool {
	text, done, err := in.open(ctx, &f.read)
	if err != nil {
		if ctx.Err() != nil {
			return false
		}
		return yield(Entry{}, &Problem{Kind: Unreadable, File: in.name, Reason: unreadable(err)})
	}
	defer done()

	from := newValues(text)
	before := f.lines.Load()
	for {
		line, number, err := from.next()
		if ctx.Err() != nil {
			return false
		}
		var tooLong overlong
		var after behind
		switch {
		case errors.Is(err, io.EOF):
			if f.lines.Load() == before {
				return yield(Entry{}, &Problem{Kind: Empty, File: in.name, Reason: "empty: it has no entries"})
			}
			return true
		case errors.As(err, &tooLong):
			f.lines.Add(1)
			problem := &Problem{Kind: Refused, File: in.name, Line: number, Excerpt: excerpt(line),
				Reason: fmt.Sprintf("%d bytes long; PutEvents takes entries of at most %d bytes (1 MB)", tooLong.length, MaxLine)}
			if !yield(Entry{}, problem) {
				return false
			}
			continue
		case errors.As(err, &after):
			kind := Unreadable
			if after.padding {
				kind = Padded
			}
			return yield(Entry{}, &Problem{Kind: kind, File: in.name, Reason: after.Error()})
		case err != nil:
			// Half a line isn't tried: cut in the wrong place, it could be an entry with a different amount.
			return yield(Entry{}, &Problem{Kind: Unreadable, File: in.name, Line: number, Reason: unreadable(err), Excerpt: excerpt(line)})
		case len(line) == 0:
			continue
		}
		if !f.value(in.name, from, line, number, yield) {
			return false
		}
	}
}

// value yields the entry that a value is, or the entries that it holds, and reports whether more is wanted.
func (f *Feed) value(file string, from *values, text []byte, number int, yield func(Entry, *Problem) bool) bool {
	entry := Entry{File: file, Line: number}
	err := parse(text, &entry)
	several := []json.RawMessage{}
	before := []int{}
	switch {
	case err == nil:
		f.lines.Add(1)
		return yield(entry, nil)
	case errors.Is(err, errUnfinished) && from != nil:
		shown := excerpt(text)
		if whole, ok := from.whole(); ok {
			return f.value(file, nil, whole, number, yield)
		}
		f.lines.Add(1)
		return yield(Entry{}, &Problem{Kind: Refused, File: file, Line: number, Reason: err.Error(), Excerpt: shown})
	case errors.Is(err, errSeveral):
		several = split(text)
		before = make([]int, len(several))
	case errors.Is(err, errRequest):
		several, before = entriesOf(text)
	}
	for i, one := range several {
		if !f.value(file, nil, one, number+before[i], yield) {
			return false
		}
	}
	if len(several) > 0 {
		return true
	}
	f.lines.Add(1)
	return yield(Entry{}, &Problem{Kind: Refused, File: file, Line: number, Reason: err.Error(), Excerpt: excerpt(text)})
}

// unreadable words the error of an input that ends early.
func unreadable(err error) string {
	switch {
	case errors.As(err, new(unfit)), errors.Is(err, errCut):
		return err.Error()
	case errors.Is(err, io.ErrUnexpectedEOF):
		return "the gzip data ends early: the file is truncated; everything before that was read; fetch the file again"
	}
	return fmt.Sprintf("reading failed: %v", err)
}

// Package feed reads what producers put on the event bus: one PutEvents entry per line, as JSON, from files, gzip files
// and standard input.
//
// Input is streamed: whatever its size, the feed holds one line of it. Each line comes out once, as an entry that the
// bus would accept, or as a problem that says where it is, what is wrong with it, and how to fix it.
package feed

import (
	"context"
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
			if ctx.Err() != nil || !f.entriesOf(ctx, in, yield) {
				return
			}
		}
	}
}

// entriesOf yields the entries of one input, and reports whether the next input is wanted.
func (f *Feed) entriesOf(ctx context.Context, in input, yield func(Entry, *Problem) bool) bool {
	text, done, err := in.open(ctx, &f.read)
	if err != nil {
		if ctx.Err() != nil {
			return false
		}
		return yield(Entry{}, &Problem{Kind: Unreadable, File: in.name, Reason: unreadable(err)})
	}
	defer done()

	if mark, _ := text.Peek(2); len(mark) == 2 && (mark[0] == 0xFF && mark[1] == 0xFE || mark[0] == 0xFE && mark[1] == 0xFF) {
		return yield(Entry{}, &Problem{Kind: Unreadable, File: in.name,
			Reason: "UTF-16 text; JSON is UTF-8, convert it with iconv -f UTF-16 -t UTF-8"})
	}
	from := lines{from: text}
	before := f.lines.Load()
	for {
		line, err := from.next()
		if ctx.Err() != nil {
			return false
		}
		var tooLong overlong
		switch {
		case errors.Is(err, io.EOF):
			if f.lines.Load() == before {
				return yield(Entry{}, &Problem{Kind: Empty, File: in.name, Reason: "empty: it has no entries"})
			}
			return true
		case errors.As(err, &tooLong):
			f.lines.Add(1)
			problem := &Problem{Kind: Refused, File: in.name, Line: from.number, Excerpt: excerpt(line),
				Reason: fmt.Sprintf("%d bytes long; PutEvents takes entries of at most %d bytes (1 MB)", tooLong.length, MaxLine)}
			if !yield(Entry{}, problem) {
				return false
			}
			continue
		case err != nil:
			// Half a line isn't tried: cut in the wrong place, it could be an entry with a different amount.
			return yield(Entry{}, &Problem{Kind: Unreadable, File: in.name, Line: from.number, Reason: unreadable(err), Excerpt: excerpt(line)})
		case len(line) == 0:
			continue
		}
		f.lines.Add(1)
		entry := Entry{File: in.name, Line: from.number}
		var problem *Problem
		if err := parse(line, &entry); err != nil {
			problem = &Problem{Kind: Refused, File: in.name, Line: from.number, Reason: err.Error(), Excerpt: excerpt(line)}
			entry = Entry{}
		}
		if !yield(entry, problem) {
			return false
		}
	}
}

// unreadable words the error of an input that ends early.
func unreadable(err error) string {
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return "the gzip data ends early: the file is truncated; everything before that was read; fetch the file again"
	}
	return fmt.Sprintf("reading failed: %v", err)
}

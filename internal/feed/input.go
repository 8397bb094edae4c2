package feed

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"sync/atomic"

	"github.com/muesli/cancelreader"

	"trade-processing/internal/files"
)

// input is one thing to read from. Exactly one of path and reader is set.
type input struct {
	name   string
	path   string
	reader io.Reader
	size   int64 // stored bytes; -1 if unknown
	pipe   bool  // reading may block indefinitely
}

// fileInput checks a file before anything is read. A pipe isn't opened: opening and closing it would end the program
// writing to it.
func fileInput(path string) (input, error) {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return input{}, fmt.Errorf("%s: no such file", path)
	case err != nil:
		return input{}, fmt.Errorf("%s: %w", path, files.Reason(err))
	case info.IsDir():
		return input{}, fmt.Errorf("%s: a directory; name its files, such as %s/*.ndjson", path, path)
	case !info.Mode().IsRegular():
		return input{name: path, path: path, size: -1, pipe: true}, nil
	}
	file, err := os.Open(path)
	if err != nil {
		return input{}, fmt.Errorf("%s: %w", path, files.Reason(err))
	}
	return input{name: path, path: path, size: info.Size()}, file.Close()
}

// streamInput describes standard input or another reader. Redirected files have a size.
func streamInput(name string, from io.Reader) input {
	in := input{name: name, reader: from, size: -1, pipe: true}
	if file, ok := from.(*os.File); ok {
		if info, err := file.Stat(); err == nil && info.Mode().IsRegular() {
			in.size, in.pipe = info.Size(), false
		}
	}
	return in
}

// open returns the input's text, decompressed if its first two bytes are gzip's. The bytes taken from the input are
// added to read. When the context ends, a read from a pipe ends too.
//
// Call release at the end; closing what was only read loses nothing.
func (in input) open(ctx context.Context, read *atomic.Int64) (text *bufio.Reader, release func(), err error) {
	release = func() {}
	from := in.reader
	if from == nil {
		file, err := files.OpenPipe(ctx, in.path, os.O_RDONLY)
		if err != nil {
			return nil, nil, files.Reason(err)
		}
		release = func() { file.Close() } //nolint:errcheck // see above
		from = file
	}
	if in.pipe {
		// If the system can't wait for this kind of file (/dev/null), reading doesn't block either.
		if cancellable, err := cancelreader.NewReader(from); err == nil {
			stop, closeFile := context.AfterFunc(ctx, func() { cancellable.Cancel() }), release
			release = func() {
				stop()
				cancellable.Close() //nolint:errcheck // see above
				closeFile()
			}
			from = cancellable
		}
	}
	stored := bufio.NewReaderSize(&counted{ctx: ctx, from: from, read: read}, readAhead)
	text = stored
	if magic, _ := stored.Peek(2); bytes.Equal(magic, gzipMagic) {
		unzipped, err := newGunzip(stored)
		if err != nil {
			release()
			return nil, nil, fmt.Errorf("gzip: %w", err)
		}
		text = bufio.NewReaderSize(unzipped, readAhead)
	}
	if err := recognise(text, text != stored); err != nil {
		release()
		return nil, nil, err
	}
	return text, release, nil
}

// counted adds up what is read, until the context ends: a line may have no end, and a device no way to wait for it.
type counted struct {
	ctx  context.Context
	from io.Reader
	read *atomic.Int64
}

func (c *counted) Read(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := c.from.Read(p)
	c.read.Add(int64(n))
	return n, err
}

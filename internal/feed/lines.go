package feed

import (
	"bufio"
	"bytes"
	"errors"
	"io"
)

// readAhead is the size of each input's buffer. Nearly every line fits into it, and is parsed in place.
const readAhead = 64 << 10

// lines cuts an input into lines and holds at most one line of MaxLine.
type lines struct {
	from   *bufio.Reader
	raw    []byte // the line that next returned, with its end
	long   []byte // a line that doesn't fit into the read-ahead buffer
	number int    // of the line that next returned, from 1
}

// overlong is the error of a line above MaxLine. next has skipped it; its beginning was kept.
type overlong struct{ length int64 }

func (overlong) Error() string { return "line too long" }

// next returns the next line without its line end. The line is valid until the next call. After an overlong line it
// continues with the following one. The error is io.EOF at the end, or the reader's own if it fails; what came before
// that on the same line is returned too.
func (l *lines) next() ([]byte, error) {
	l.number++
	line, err := l.from.ReadSlice('\n')
	if errors.Is(err, bufio.ErrBufferFull) {
		return l.assemble(line)
	}
	return l.finish(line, err)
}

// assemble continues a line that filled the read-ahead buffer.
func (l *lines) assemble(start []byte) ([]byte, error) {
	l.long = append(l.long[:0], start...)
	length := int64(len(start))
	for {
		more, err := l.from.ReadSlice('\n')
		length += int64(len(bytes.TrimSuffix(more, lineEnd)))
		if length <= MaxLine {
			l.long = append(l.long, more...)
		}
		if errors.Is(err, bufio.ErrBufferFull) {
			continue
		}
		if length > MaxLine && (err == nil || errors.Is(err, io.EOF)) {
			return l.long[:readAhead], overlong{length: length}
		}
		return l.finish(l.long, err)
	}
}

// finish strips the line end. A last line without one is a line.
func (l *lines) finish(line []byte, err error) ([]byte, error) {
	if (errors.Is(err, io.EOF) || errors.As(err, new(behind))) && len(line) > 0 {
		err = nil
	}
	l.raw = line
	// Files joined by cat keep their byte order marks at the start of later lines.
	return bytes.TrimRight(bytes.TrimPrefix(line, byteOrderMark), " \t\r\n"), err
}

var (
	byteOrderMark = []byte{0xEF, 0xBB, 0xBF}
	lineEnd       = []byte{'\n'}
)

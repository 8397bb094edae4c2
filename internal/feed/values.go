package feed

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"math"
	"slices"
)

// values cuts an input into JSON values without decoding them: usually one per line, or the elements of an array, or
// values of several lines. Their text is kept as it arrived.
type values struct {
	lines
	source *rewound
	array  *elements // being read; nil outside an array

	flat   int  // up to this line, none begins a longer value: it was tried
	plain  bool // the next line begins with [, but isn't an array
	inside bool // the next lines may be the rest of a damaged value
	broken bool // an array couldn't be read as one: its elements may be lines
}

func newValues(from *bufio.Reader) *values {
	v := &values{source: &rewound{from: from}}
	v.from = bufio.NewReaderSize(v.source, readAhead)
	return v
}

// rewound is an input with text that was read too early.
type rewound struct {
	pending []byte
	from    io.Reader
}

func (r *rewound) Read(p []byte) (int, error) {
	if len(r.pending) > 0 {
		n := copy(p, r.pending)
		r.pending = r.pending[n:]
		return n, nil
	}
	return r.from.Read(p)
}

// unread puts text back in front of what is still to be read.
func (v *values) unread(text []byte) {
	buffered, _ := v.from.Peek(v.from.Buffered()) // can't fail
	v.source.pending = slices.Concat(text, buffered, v.source.pending)
	v.from.Reset(v.source)
}

// errCut is the error of an input that ends inside an array.
var errCut = errors.New("the input ends inside a JSON array: it is truncated; everything before that was read; fetch it again")

// next returns the next value, or a line that isn't one, and the number of its first line. The text is valid until the
// next call; errors are those of lines, and errCut.
func (v *values) next() ([]byte, int, error) {
	if v.array == nil && !v.plain && v.atArray() {
		v.number++
		v.array = &elements{from: v.from, first: v.number}
		v.array.decoder = json.NewDecoder(v.array)
		v.array.decoder.Token() //nolint:errcheck // the bracket, which is there
	}
	if v.array != nil {
		text, line, err := v.element()
		if text != nil || err != nil {
			return text, line, err
		}
	}
	v.plain = false
	line, err := v.lines.next()
	for v.inside && err == nil && insideValue(v.raw, line) {
		line, err = v.lines.next()
	}
	v.inside = false
	if v.broken && err == nil {
		line = element(line)
	}
	return line, v.number, err
}

// atArray reports whether the next line begins an array of objects, and moves to its bracket.
func (v *values) atArray() bool {
	bracket := -1
	for n := 1; n <= 64; n++ { // byte by byte, so as not to wait for somebody who types at a terminal
		start, err := v.from.Peek(n)
		if err != nil {
			return false
		}
		switch last := start[n-1]; {
		case last == ' ', last == '\t', last == '\r', n <= len(byteOrderMark) && bytes.HasPrefix(byteOrderMark, start):
		case bracket < 0 && last == '[':
			bracket = n - 1
		case bracket >= 0 && (last == '{' || last == ']' || last == '\n'):
			_, err := v.from.Discard(bracket)
			return err == nil
		default:
			return false // such as [2026-03-09 14:30:00] in a log
		}
	}
	return false
}

// elements is an array being read: what a decoder takes from an input.
type elements struct {
	from    *bufio.Reader
	decoder *json.Decoder
	first   int    // the line of its bracket
	taken   []byte // what the decoder took, from base on
	base    int64
	err     error // the input's
}

// errLong is the error of a value above MaxLine.
var errLong = errors.New("value too long")

// Read stops at the end of a line, so that little has to be put back.
func (e *elements) Read(p []byte) (int, error) {
	if len(e.taken) > MaxLine+2*readAhead {
		return 0, errLong
	}
	if _, e.err = e.from.Peek(1); e.err != nil {
		return 0, e.err
	}
	ready, _ := e.from.Peek(e.from.Buffered()) // can't fail
	if end := bytes.IndexByte(ready, '\n'); end >= 0 {
		ready = ready[:end+1]
	}
	n := copy(p, ready)
	e.taken = append(e.taken, ready[:n]...)
	return e.from.Discard(n)
}

// element returns the next element of the array. It returns nothing at the end of the array, and if the array can't be
// read as one: then its lines tell more.
func (v *values) element() ([]byte, int, error) {
	a := v.array
	if a.decoder.More() {
		var raw json.RawMessage
		if err := a.decoder.Decode(&raw); err != nil {
			return v.abandon(err)
		}
		end := a.decoder.InputOffset() - a.base
		line := v.number + bytes.Count(a.taken[:end-int64(len(raw))], lineEnd)
		v.number += bytes.Count(a.taken[:end], lineEnd)
		a.taken, a.base = a.taken[end:], a.base+end
		return raw, line, nil
	}
	if _, err := a.decoder.Token(); err != nil {
		return v.abandon(err)
	}
	end := a.decoder.InputOffset() - a.base
	v.number += bytes.Count(a.taken[:end], lineEnd) - 1 // the rest of this line comes next
	v.unread(a.taken[end:])
	v.array = nil
	return nil, 0, nil
}

// abandon stops reading an array as one.
func (v *values) abandon(err error) ([]byte, int, error) {
	a := v.array
	v.array = nil
	line := v.number + bytes.Count(a.taken[:len(a.taken)-len(bytes.TrimLeft(a.taken, "[, \t\r\n"))], lineEnd)
	switch {
	case a.err != nil && !errors.Is(a.err, io.EOF):
		return bytes.TrimSpace(a.taken), line, a.err
	case (errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)) && (a.base > 0 || bytes.Contains(a.taken, lineEnd)):
		return bytes.TrimSpace(a.taken), line, errCut
	}
	rest, _, _ := bytes.Cut(a.taken, lineEnd)
	v.plain = a.base == 0 && len(bytes.TrimSpace(rest)) > 1 // a line that looked like an array
	v.broken = v.broken || !v.plain
	v.number--
	v.unread(a.taken)
	return nil, 0, nil
}

// element strips a line with one element of an array of what separates the elements.
func element(line []byte) []byte {
	line = bytes.Trim(line, ", \t")
	if before, found := bytes.CutSuffix(line, []byte("]")); found && !json.Valid(line) {
		line = bytes.TrimRight(before, ", \t")
	}
	if string(line) == "[" {
		return nil
	}
	return line
}

// whole returns the value that begins in the line that next has just returned and ends in a later one, if there is one.
// Otherwise, the lines that look like the inside of a value are dropped: they belong to what is damaged.
func (v *values) whole() ([]byte, bool) {
	if v.number <= v.flat {
		return nil, false
	}
	all := &elements{from: v.from, taken: bytes.Clone(v.raw)}
	decoder := json.NewDecoder(io.MultiReader(bytes.NewReader(bytes.Clone(v.raw)), all))
	var raw json.RawMessage
	err := decoder.Decode(&raw)
	if err == nil {
		end := decoder.InputOffset()
		v.number += bytes.Count(all.taken[:end], lineEnd)
		if rest := all.taken[end:]; !bytes.HasSuffix(rest, lineEnd) || len(bytes.TrimSpace(rest)) > 0 {
			v.number-- // the rest of the line comes next
			v.unread(rest)
		}
		return raw, true
	}
	rest := all.taken[len(v.raw):]
	v.flat = math.MaxInt
	if syntax, ok := errors.AsType[*json.SyntaxError](err); ok && syntax.Offset <= int64(len(all.taken)) {
		v.flat = v.number + bytes.Count(all.taken[:syntax.Offset], lineEnd) - 1
	}
	v.inside = true
	v.unread(rest)
	return nil, false
}

// insideValue reports whether a line looks like the inside of a value: it is indented, or closes something, and isn't
// an object itself.
func insideValue(raw, line []byte) bool {
	line = bytes.TrimLeft(line, " \t")
	return len(line) > 0 && bytes.IndexByte([]byte(" \t}]"), raw[0]) >= 0 && line[0] != '{'
}

// split returns the values of a line that has several.
func split(line []byte) []json.RawMessage {
	var all []json.RawMessage
	decoder := json.NewDecoder(bytes.NewReader(line))
	for {
		var raw json.RawMessage
		if err := decoder.Decode(&raw); errors.Is(err, io.EOF) {
			return all
		} else if err != nil || raw[0] != '{' {
			return nil // none of them: a damaged line isn't read in part
		}
		all = append(all, raw)
	}
}

// entriesOf returns the entries of a whole PutEvents request, and how many of its lines come before each.
func entriesOf(request []byte) (entries []json.RawMessage, before []int) {
	decoder := json.NewDecoder(bytes.NewReader(request))
	if token, err := decoder.Token(); err != nil || token != json.Delim('{') {
		return nil, nil
	}
	if token, err := decoder.Token(); err != nil || token != "Entries" {
		return nil, nil
	}
	if token, err := decoder.Token(); err != nil || token != json.Delim('[') {
		return nil, nil
	}
	for decoder.More() {
		var raw json.RawMessage
		if err := decoder.Decode(&raw); err != nil {
			return nil, nil
		}
		entries = append(entries, raw)
		before = append(before, bytes.Count(request[:decoder.InputOffset()-int64(len(raw))], lineEnd))
	}
	for range 2 { // anything else in a request is a setting that would be lost
		if _, err := decoder.Token(); err != nil {
			return nil, nil
		}
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, nil
	}
	return entries, before
}

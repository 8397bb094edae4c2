package feed

import "fmt"

// Kind says how much of an input a Problem concerns.
type Kind int

const (
	// Refused is one line that isn't an entry. The following lines are read.
	Refused Kind = iota
	// Unreadable is an input that can't be opened, or ends early. What came before was passed on; the other inputs are
	// read.
	Unreadable
	// Empty is an input that was read to its end and has no lines. Nothing is lost.
	Empty
	// Padded is an input with zero bytes behind its last gzip stream. Nothing is lost.
	Padded
)

// Problem is something in the input that isn't an entry.
type Problem struct {
	Kind Kind
	File string // as in Entry
	Line int    // from 1; 0 for the file as a whole
	// Reason says what is wrong and, if known, how to fix it.
	Reason string
	// Excerpt is the beginning of the line, safe to print. Empty if there is no line to show.
	Excerpt string
}

// Error returns "file:line: reason", the form that editors and people jump to.
func (p *Problem) Error() string {
	if p.Line == 0 {
		return fmt.Sprintf("%s: %s", p.File, p.Reason)
	}
	return fmt.Sprintf("%s:%d: %s", p.File, p.Line, p.Reason)
}

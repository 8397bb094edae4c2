package feed

import "fmt"

// Kind tells how much of an input a Problem concerns.
type Kind int

const (
	// Refused is one line that is no entry. The lines behind it go on.
	Refused Kind = iota
	// Unreadable is an input that can't be opened, or breaks off. What stood before it was passed on; the other inputs
	// go on.
	Unreadable
	// Empty is an input that was read to its end and holds no line at all. Nothing is lost by it.
	Empty
)

// Problem is something in the input that is no entry.
type Problem struct {
	Kind Kind
	File string // as in Entry
	Line int    // from 1; 0 when the file as a whole is meant
	// Reason says what is wrong, and how to mend it where that is known.
	Reason string
	// Excerpt is the beginning of the line, safe to print. Empty when there is no line to show.
	Excerpt string
}

// Error returns "file:line: reason", the form that editors and people jump to.
func (p *Problem) Error() string {
	if p.Line == 0 {
		return fmt.Sprintf("%s: %s", p.File, p.Reason)
	}
	return fmt.Sprintf("%s:%d: %s", p.File, p.Line, p.Reason)
}

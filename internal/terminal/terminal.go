// Package terminal is a command's view of the outside: its three streams, whether people or programs are behind them,
// colour, and progress that suits either.
//
// Only results go to Out, so a pipe gets just them. Progress, notes and errors go to Err.
package terminal

import (
	"context"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/mattn/go-isatty"
	"github.com/muesli/termenv"
	"golang.org/x/term"
)

// defaultColumns is the width if it can't be determined, for example in a pipe.
const defaultColumns = 80

// Terminal is a command's streams. Commands take it as an argument and never touch os.Stdout.
type Terminal struct {
	In       io.Reader
	Out, Err io.Writer

	// Whether a person is looking at the stream: only then it gets bars and, by default, colours.
	OutIsTerminal, ErrIsTerminal bool

	// Columns is the width of the screen in characters.
	Columns int

	// Getenv reads NO_COLOR, CLICOLOR, CLICOLOR_FORCE and TERM.
	Getenv func(string) string
}

// System returns the terminal of this process, which is interrupted when ctx ends.
func System(ctx context.Context) *Terminal {
	t := &Terminal{
		In: os.Stdin, Out: &output{ctx: ctx, to: os.Stdout}, Err: &output{ctx: ctx, to: os.Stderr},
		OutIsTerminal: isTerminal(os.Stdout), ErrIsTerminal: isTerminal(os.Stderr),
		Columns: defaultColumns, Getenv: os.Getenv,
	}
	for _, file := range []*os.File{os.Stdout, os.Stderr} {
		if columns, _, err := term.GetSize(int(file.Fd())); err == nil && columns > 0 {
			t.Columns = columns
			break
		}
	}
	return t
}

// widest is the longest line of a page of text: what people read, and what a log or an e-mail shows whole.
const widest = 80

// Width returns how many characters a line of a page may have.
func (t *Terminal) Width() int {
	if t.Columns <= 0 {
		return widest
	}
	return min(t.Columns, widest)
}

func isTerminal(file *os.File) bool {
	return isatty.IsTerminal(file.Fd()) || isatty.IsCygwinTerminal(file.Fd())
}

// Style returns the colours for Out, and ErrStyle those for Err. NO_COLOR (no-color.org) turns them off and
// CLICOLOR_FORCE (bixense.com/clicolors) turns them on in a pipe.
func (t *Terminal) Style() Style { return t.style(t.Out, t.OutIsTerminal) }

// ErrStyle returns the colours for Err.
func (t *Terminal) ErrStyle() Style { return t.style(t.Err, t.ErrIsTerminal) }

func (t *Terminal) style(w io.Writer, isTerminal bool) Style {
	options := []termenv.OutputOption{termenv.WithEnvironment(environment(t.Getenv)), termenv.WithTTY(isTerminal)}
	if !isTerminal {
		w = io.Discard // otherwise termenv would inspect the file itself
	}
	return Style{colours: termenv.NewOutput(w, options...).Profile != termenv.Ascii}
}

// Note prints a line to Err that people should see but that stops nothing.
func (t *Terminal) Note(format string, args ...any) {
	fmt.Fprintf(t.Err, "%s %s\n", t.ErrStyle().Yellow("!"), Safe(fmt.Sprintf(format, args...)))
}

// Safe returns text from outside as it may be printed: names of files, fields of trades, what AWS says. Characters that
// a terminal acts on, and those that show nothing or turn a line around, are replaced; line ends and tabs stay. Style's
// methods and Note do this by themselves.
func Safe(text string) string {
	return strings.Map(func(r rune) rune {
		if r == '\n' || r == '\t' || strconv.IsPrint(r) {
			return r
		}
		return utf8.RuneError
	}, text)
}

// Style colours text with the terminal's own sixteen colours, which suit dark and light backgrounds alike. The zero
// Style leaves text as it is.
type Style struct{ colours bool }

// Bold is for headings and for the number that matters.
func (s Style) Bold(text string) string { return s.with(text, termenv.Style.Bold) }

// Faint is for what can be skipped.
func (s Style) Faint(text string) string { return s.with(text, termenv.Style.Faint) }

// Green is for what went well.
func (s Style) Green(text string) string { return s.colour(text, termenv.ANSIGreen) }

// Yellow is for what needs attention.
func (s Style) Yellow(text string) string { return s.colour(text, termenv.ANSIYellow) }

// Red is for what went wrong.
func (s Style) Red(text string) string { return s.colour(text, termenv.ANSIRed) }

// Cyan is for names that can be typed: commands, files, codes.
func (s Style) Cyan(text string) string { return s.colour(text, termenv.ANSICyan) }

func (s Style) colour(text string, colour termenv.ANSIColor) string {
	return s.with(text, func(style termenv.Style) termenv.Style { return style.Foreground(colour) })
}

func (s Style) with(text string, apply func(termenv.Style) termenv.Style) string {
	text = Safe(text)
	if !s.colours || text == "" {
		return text
	}
	return apply(termenv.ANSI.String(text)).String()
}

// environment lets termenv read from a function.
type environment func(string) string

func (e environment) Environ() []string         { return nil }
func (e environment) Getenv(name string) string { return e(name) }

var _ termenv.Environ = environment(nil)

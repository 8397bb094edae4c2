package output

import (
	"bytes"
	"io"
	"strings"

	"github.com/jedib0t/go-pretty/v6/text"

	"trade-processing/internal/terminal"
)

// Page is text for people about one thing. On a terminal it is wrapped; in a pipe each line stays one.
type Page struct {
	Style terminal.Style

	t      *terminal.Terminal
	buffer bytes.Buffer
}

// NewPage returns an empty page.
func NewPage(t *terminal.Terminal) *Page { return &Page{Style: t.Style(), t: t} }

// Heading writes a title and what goes beside it.
func (p *Page) Heading(title, rest string) {
	p.wrap("", strings.TrimRight(p.Style.Bold(oneLine(title))+"  "+oneLine(rest), " "))
}

// Blank writes an empty line.
func (p *Page) Blank() { p.buffer.WriteByte('\n') }

// Text writes words behind a mark, which may be coloured.
func (p *Page) Text(mark, words string) { p.wrap(mark, oneLine(words)) }

// factName is how wide a fact's name is.
const factName = 11

// Fact writes a value with its name, unless it is empty.
func (p *Page) Fact(name, value string) {
	if value != "" {
		p.wrap(p.Style.Faint(pad("  "+name, factName+2)), oneLine(value))
	}
}

// End prints the page.
func (p *Page) End() error {
	_, err := io.Copy(p.t.Out, &p.buffer)
	return err
}

// wrap writes text in as many lines as a terminal needs, all behind the mark's width.
func (p *Page) wrap(mark, words string) {
	lines := []string{words}
	if wide := text.StringWidthWithoutEscSequences(mark); p.t.OutIsTerminal {
		lines = strings.Split(text.WrapSoft(words, max(p.t.Columns-wide, narrowest)), "\n")
	}
	for i, line := range lines {
		if i > 0 {
			mark = strings.Repeat(" ", text.StringWidthWithoutEscSequences(mark))
		}
		p.buffer.WriteString(strings.TrimRight(mark+line, " ") + "\n")
	}
}

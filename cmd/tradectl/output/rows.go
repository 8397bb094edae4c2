package output

import (
	"bytes"
	"encoding/csv"
	"io"
	"regexp"
	"strings"
	"unicode"

	"github.com/jedib0t/go-pretty/v6/text"

	"trade-processing/internal/terminal"
)

// Cell is a row's text in a column of a table or a CSV file. JSON has each row's value as it is, with all its fields.
type Cell struct {
	Name   string // of the column in CSV, such as recordedAt; tables show it in capitals
	Text   string
	Whole  bool                                // what is copied and pasted, such as an id, is never cut
	Colour func(terminal.Style, string) string // of a table's cell; nil: it has none
}

// Rows prints rows as they come, and never holds more than the first few.
type Rows[T any] struct {
	t      *terminal.Terminal
	form   Form
	cells  func(T) []Cell
	buffer bytes.Buffer
	csv    *csv.Writer
	count  int

	waiting [][]Cell // the first rows, until their widths are known
	widths  []int    // of a table's columns; nil until they are known
	blocks  bool     // the columns don't fit beside each other: each row is a block
}

// measured is how many rows say how wide a table's columns are.
const measured = 100

// NewRows returns a printer of rows, each with the same columns: also T's zero value, which names them in a CSV file
// without rows. End must be called after the last one, unless there was an error: then a JSON document stays open, so that
// nobody takes it for all there is.
func NewRows[T any](t *terminal.Terminal, form Form, cells func(T) []Cell) *Rows[T] {
	r := &Rows[T]{t: t, form: form, cells: cells}
	r.csv = csv.NewWriter(&r.buffer)
	r.csv.UseCRLF = true // https://www.rfc-editor.org/rfc/rfc4180
	return r
}

// Count returns how many rows were added.
func (r *Rows[T]) Count() int { return r.count }

// All prints these rows, which are the last.
func (r *Rows[T]) All(rows []T, none string) error {
	for _, row := range rows {
		if err := r.Add(row); err != nil {
			return err
		}
	}
	return r.End(none)
}

// Add prints a row, now or soon.
func (r *Rows[T]) Add(row T) error {
	r.count++
	switch r.form {
	case JSON:
		before := ",\n  "
		if r.count == 1 {
			before = "[\n  "
		}
		text, err := marshal(row, "  ")
		if err != nil {
			return err
		}
		r.buffer.WriteString(before)
		r.buffer.Write(text)
	case CSV:
		cells := r.cells(row)
		if r.count == 1 {
			r.header(cells)
		}
		r.record(cells, func(c Cell) string { return defused(terminal.Safe(c.Text)) })
	default:
		cells := r.cells(row)
		for i := range cells {
			cells[i].Text = oneLine(cells[i].Text)
		}
		if r.widths == nil {
			r.waiting = append(r.waiting, cells)
			if len(r.waiting) < measured {
				return nil
			}
			return r.Flush()
		}
		r.line(cells)
	}
	if r.buffer.Len() < 1<<15 {
		return nil
	}
	return r.write()
}

// Flush prints what was added so far.
func (r *Rows[T]) Flush() error {
	if len(r.waiting) > 0 {
		r.measure()
		for _, cells := range r.waiting {
			r.line(cells)
		}
		r.waiting = nil
	}
	return r.write()
}

// End prints the rest. An empty table says what there is none of, on the side: programs get nothing.
func (r *Rows[T]) End(none string) error {
	switch {
	case r.form == JSON && r.count == 0:
		r.buffer.WriteString("[]\n")
	case r.form == JSON:
		r.buffer.WriteString("\n]\n")
	case r.form == CSV && r.count == 0:
		var zero T
		r.header(r.cells(zero))
	case r.count == 0:
		r.t.Note("%s", none)
	}
	return r.Flush()
}

func (r *Rows[T]) write() error {
	_, err := io.Copy(r.t.Out, &r.buffer)
	return err
}

func (r *Rows[T]) header(cells []Cell) { r.record(cells, func(c Cell) string { return c.Name }) }

// record writes a line of CSV.
func (r *Rows[T]) record(cells []Cell, field func(Cell) string) {
	fields := make([]string, len(cells))
	for i, cell := range cells {
		fields[i] = field(cell)
	}
	r.csv.Write(fields) //nolint:errcheck // into memory
	r.csv.Flush()
}

var number = regexp.MustCompile(`^[-+]?[0-9]+([.][0-9]+)?$`)

// defused keeps spreadsheets from taking a cell for a formula: they do if it begins with one of these, or with its
// full-width form. A plain number is left as it is. https://owasp.org/www-community/attacks/CSV_Injection
func defused(cell string) string {
	if cell == "" || number.MatchString(cell) || !strings.ContainsAny(firstOf(cell), "=+-@\t\n\r＝＋－＠") {
		return cell
	}
	return "'" + cell
}

func firstOf(text string) string {
	for _, r := range text {
		return string(r)
	}
	return ""
}

// oneLine returns a text from outside as a part of a line.
func oneLine(text string) string {
	return strings.Map(func(r rune) rune {
		if r == '\n' || r == '\t' {
			return ' '
		}
		return r
	}, terminal.Safe(text))
}

func (c Cell) title() string {
	var b strings.Builder
	for _, r := range c.Name {
		if unicode.IsUpper(r) {
			b.WriteByte(' ')
		}
		b.WriteRune(unicode.ToUpper(r))
	}
	return b.String()
}

const (
	gap       = 2  // between columns
	narrowest = 16 // what a cell is cut to at most
)

// measure makes columns as wide as their cells need and, on a terminal, as its width allows.
func (r *Rows[T]) measure() {
	columns := r.waiting[0]
	r.widths = make([]int, len(columns))
	total, least := -gap, -gap
	for i, column := range columns {
		r.widths[i] = len(column.title())
		for _, cells := range r.waiting {
			r.widths[i] = max(r.widths[i], text.StringWidthWithoutEscSequences(cells[i].Text))
		}
		total += r.widths[i] + gap
		least += column.leastWidth(r.widths[i]) + gap
	}
	switch {
	case !r.t.OutIsTerminal || total <= r.t.Columns:
	case least > r.t.Columns:
		r.blocks = true
		return
	}
	for ; r.t.OutIsTerminal && total > r.t.Columns; total-- {
		widest := -1
		for i, column := range columns {
			if r.widths[i] > column.leastWidth(r.widths[i]) && (widest < 0 || r.widths[i] >= r.widths[widest]) {
				widest = i
			}
		}
		r.widths[widest]--
	}
	titles := make([]string, len(columns))
	for i, column := range columns {
		titles[i] = pad(column.title(), r.widths[i])
	}
	r.buffer.WriteString(r.t.Style().Faint(strings.TrimRight(strings.Join(titles, "  "), " ")) + "\n")
}

// leastWidth returns the width that a column can't go below, which is so wide.
func (c Cell) leastWidth(width int) int {
	if c.Whole {
		return width
	}
	return min(width, max(narrowest, len(c.title())))
}

// coloured returns a part of the cell's text, as the terminal shows it.
func (c Cell) coloured(style terminal.Style, part string) string {
	if c.Colour == nil {
		return part
	}
	return c.Colour(style, part)
}

// line writes a row.
func (r *Rows[T]) line(cells []Cell) {
	style := r.t.Style()
	if r.blocks {
		r.block(style, cells)
		return
	}
	var b strings.Builder
	for i, cell := range cells {
		shown := cell.Text
		if r.t.OutIsTerminal && !cell.Whole {
			shown = Cut(shown, r.widths[i])
		}
		b.WriteString(cell.coloured(style, shown))
		if i < len(cells)-1 {
			b.WriteString(pad(shown, r.widths[i])[len(shown):] + strings.Repeat(" ", gap))
		}
	}
	r.buffer.WriteString(strings.TrimRight(b.String(), " ") + "\n")
}

// block writes a row whose columns don't fit beside each other: lines for each that isn't empty, and an empty one.
func (r *Rows[T]) block(style terminal.Style, cells []Cell) {
	names := 0
	for _, cell := range cells {
		names = max(names, len(cell.title()))
	}
	for _, cell := range cells {
		if cell.Text == "" {
			continue
		}
		lines := []string{cell.Text}
		if !cell.Whole {
			lines = strings.Split(text.WrapSoft(cell.Text, max(r.t.Columns-names-gap, narrowest)), "\n")
		}
		if cell.Whole && names+gap+text.StringWidthWithoutEscSequences(cell.Text) > r.t.Columns { // below its title, it may fit
			r.buffer.WriteString(style.Faint(cell.title()) + "\n" + cell.Text + "\n")
			continue
		}
		for i, line := range lines {
			title := cell.title()
			if i > 0 {
				title = ""
			}
			shown := cell.coloured(style, strings.TrimRight(line, " "))
			r.buffer.WriteString(style.Faint(pad(title, names)) + strings.Repeat(" ", gap) + shown + "\n")
		}
	}
	r.buffer.WriteString("\n")
}

func pad(cell string, width int) string { return text.Pad(cell, width, ' ') }

// Cut shortens a line to a number of columns of a terminal.
func Cut(line string, width int) string { return text.Snip(line, width, "…") }

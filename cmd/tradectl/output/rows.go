package output

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"io"
	"regexp"
	"strings"
	"unicode"

	"github.com/jedib0t/go-pretty/v6/text"

	"trade-processing/internal/terminal"
)

// Column is a column of a table or a CSV file. JSON has each row's value as it is, with all its fields.
type Column[T any] struct {
	Name  string // of the column in CSV, such as recordedAt; tables show it in capitals
	Text  func(T) string
	Whole bool // what is copied and pasted, such as an id, is never cut
	// Style colours a cell that is as wide as it must be.
	Style func(style terminal.Style, row T, cell string) string
}

// Rows prints rows as they come, and never holds more than the first few.
type Rows[T any] struct {
	t       *terminal.Terminal
	form    Form
	columns []Column[T]
	buffer  bytes.Buffer
	csv     *csv.Writer
	count   int

	waiting []T   // the first rows, until their widths are known
	widths  []int // of a table's columns; nil until they are known
	blocks  bool  // the columns don't fit beside each other: each row is a block
}

// measured is how many rows say how wide a table's columns are.
const measured = 100

// NewRows returns a printer of rows. End must be called after the last one, unless there was an error: then a JSON
// document stays open, so that nobody takes it for all there is.
func NewRows[T any](t *terminal.Terminal, form Form, columns ...Column[T]) *Rows[T] {
	r := &Rows[T]{t: t, form: form, columns: columns}
	r.csv = csv.NewWriter(&r.buffer)
	r.csv.UseCRLF = true // https://www.rfc-editor.org/rfc/rfc4180
	return r
}

// Count returns how many rows were added.
func (r *Rows[T]) Count() int { return r.count }

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
		if r.count == 1 {
			r.header()
		}
		cells := make([]string, len(r.columns))
		for i, column := range r.columns {
			cells[i] = defused(terminal.Safe(column.Text(row)))
		}
		if err := r.csv.Write(cells); err != nil {
			return fmt.Errorf("writing CSV: %w", err)
		}
		r.csv.Flush()
	default:
		if r.widths == nil {
			r.waiting = append(r.waiting, row)
			if len(r.waiting) < measured {
				return nil
			}
			return r.Flush()
		}
		r.line(row)
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
		for _, row := range r.waiting {
			r.line(row)
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
		r.header()
	case r.count == 0:
		r.t.Note("%s", none)
	}
	return r.Flush()
}

func (r *Rows[T]) write() error {
	_, err := io.Copy(r.t.Out, &r.buffer)
	return err
}

func (r *Rows[T]) header() {
	names := make([]string, len(r.columns))
	for i, column := range r.columns {
		names[i] = column.Name
	}
	r.csv.Write(names) //nolint:errcheck // into memory
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

// cell returns a row's text in a table's column.
func (c Column[T]) cell(row T) string { return oneLine(c.Text(row)) }

// oneLine returns a text from outside as a part of a line.
func oneLine(text string) string {
	return strings.Map(func(r rune) rune {
		if r == '\n' || r == '\t' {
			return ' '
		}
		return r
	}, terminal.Safe(text))
}

func (c Column[T]) title() string {
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
	r.widths = make([]int, len(r.columns))
	total, least := -gap, -gap
	for i, column := range r.columns {
		r.widths[i] = len(column.title())
		for _, row := range r.waiting {
			r.widths[i] = max(r.widths[i], text.StringWidthWithoutEscSequences(column.cell(row)))
		}
		total += r.widths[i] + gap
		least += r.leastWidth(i) + gap
	}
	switch {
	case !r.t.OutIsTerminal || total <= r.t.Columns:
	case least > r.t.Columns:
		r.blocks = true
		return
	}
	for ; r.t.OutIsTerminal && total > r.t.Columns; total-- {
		widest := -1
		for i := range r.columns {
			if r.widths[i] > r.leastWidth(i) && (widest < 0 || r.widths[i] >= r.widths[widest]) {
				widest = i
			}
		}
		r.widths[widest]--
	}
	titles := make([]string, len(r.columns))
	for i, column := range r.columns {
		titles[i] = pad(column.title(), r.widths[i])
	}
	r.buffer.WriteString(r.t.Style().Faint(strings.TrimRight(strings.Join(titles, "  "), " ")) + "\n")
}

func (r *Rows[T]) leastWidth(column int) int {
	if r.columns[column].Whole {
		return r.widths[column]
	}
	return min(r.widths[column], max(narrowest, len(r.columns[column].title())))
}

// line writes a row.
func (r *Rows[T]) line(row T) {
	style := r.t.Style()
	if r.blocks {
		r.block(style, row)
		return
	}
	var b strings.Builder
	for i, column := range r.columns {
		cell := column.cell(row)
		if r.t.OutIsTerminal && !column.Whole {
			cell = Cut(cell, r.widths[i])
		}
		padded := pad(cell, r.widths[i])
		if i == len(r.columns)-1 {
			padded = cell
		}
		if column.Style != nil && cell != "" {
			padded = column.Style(style, row, cell) + padded[len(cell):]
		}
		b.WriteString(padded)
		if i < len(r.columns)-1 {
			b.WriteString(strings.Repeat(" ", gap))
		}
	}
	r.buffer.WriteString(strings.TrimRight(b.String(), " ") + "\n")
}

// block writes a row whose columns don't fit beside each other: lines for each that isn't empty, and an empty one.
func (r *Rows[T]) block(style terminal.Style, row T) {
	names := 0
	for _, column := range r.columns {
		names = max(names, len(column.title()))
	}
	for _, column := range r.columns {
		cell := column.cell(row)
		if cell == "" {
			continue
		}
		lines := []string{cell}
		if !column.Whole {
			lines = strings.Split(text.WrapSoft(cell, max(r.t.Columns-names-gap, narrowest)), "\n")
		}
		if column.Whole && names+gap+text.StringWidthWithoutEscSequences(cell) > r.t.Columns { // below its title, it may fit
			r.buffer.WriteString(style.Faint(column.title()) + "\n" + cell + "\n")
			continue
		}
		for i, line := range lines {
			title, shown := column.title(), strings.TrimRight(line, " ")
			if i > 0 {
				title = ""
			}
			if column.Style != nil {
				shown = column.Style(style, row, shown)
			}
			r.buffer.WriteString(style.Faint(pad(title, names)) + strings.Repeat(" ", gap) + shown + "\n")
		}
	}
	r.buffer.WriteString("\n")
}

func pad(cell string, width int) string { return text.Pad(cell, width, ' ') }

// Cut shortens a line to a number of columns of a terminal.
func Cut(line string, width int) string { return text.Snip(line, width, "…") }

package main

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// table is how something grows: by the first column.
type table struct {
	name    string
	columns []string // units
	rows    [][]string
}

// value returns a cell.
func (t *table) value(row, column int) float64 {
	value, _ := strconv.ParseFloat(t.rows[row][column], 64) // what isn't a number shows as 0
	return value
}

// exponent returns the e of n^e, as which a column grows between two rows.
func (t *table) exponent(column, from, to int) float64 {
	return math.Log(t.value(to, column)/t.value(from, column)) / math.Log(t.value(to, 0)/t.value(from, 0))
}

// String returns the table in Markdown, with its plot and the exponents: from the first row to the last, and at the end.
func (t *table) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "### %s\n\n![%s, by %s](images/growth-%s.svg)\n\n| %s |\n|%s\n", t.name, t.name, t.columns[0], strings.ToLower(t.name),
		strings.Join(t.columns, " | "), strings.Repeat("---|", len(t.columns)))
	for _, row := range t.rows {
		fmt.Fprintf(&b, "| %s |\n", strings.Join(row, " | "))
	}
	last := len(t.rows) - 1
	for _, between := range []struct {
		what     string
		from, to int
	}{{"exponent", 0, last}, {"at the end", last - 1, last}} {
		b.WriteString("| *" + between.what + "*")
		for column := range t.columns[1:] {
			fmt.Fprintf(&b, " | *%.2f*", t.exponent(column+1, between.from, between.to))
		}
		b.WriteString(" |\n")
	}
	return b.String()
}

// parse reads a table that String wrote, without its exponents.
func parse(text string) *table {
	t := &table{}
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		cells := strings.Split(strings.Trim(line, "| "), " | ")
		switch {
		case strings.HasPrefix(line, "### "):
			t.name = line[4:]
		case !strings.HasPrefix(line, "| ") || strings.HasPrefix(line, "| *"):
		case t.columns == nil:
			t.columns = cells
		default:
			t.rows = append(t.rows, cells)
		}
	}
	return t
}

// The colours are in the middle, to be read on white and on black.
var colours = []string{"#2f81f7", "#d1730f", "#1a9e55", "#d2458b"}

const (
	width, height                 = 700, 300
	left, right, top, bottom      = 56, 250, 16, 40
	grey                          = "#7a828c"
	plotHead                      = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d" role="img" font-family="system-ui, sans-serif" font-size="12" fill="%s">` + "\n<title>%s</title>\n"
	label, gridLine, curve, point = `<text x="%.0f" y="%.0f" text-anchor="%s" fill="%s">%s</text>` + "\n", `<path d="M%d %.1fH%d" stroke="%s" stroke-opacity=".25"/>` + "\n",
		`<path d="%s" fill="none" stroke="%s" stroke-width="%s"%s/>` + "\n", `<circle cx="%.1f" cy="%.1f" r="3" fill="%s"/>` + "\n"
)

// plot draws every column as a multiple of its first value, on logarithmic scales: what grows linearly is as steep as the dashed
// line. Rates, such as trades/s, aren't drawn.
func (t *table) plot() string {
	last := len(t.rows) - 1
	times := func(row, column int) float64 { return t.value(row, column) / t.value(0, column) }
	least, most, drawn := 1.0, times(last, 0), []int{}
	for column, unit := range t.columns {
		if column > 0 && !strings.Contains(unit, "/") {
			drawn = append(drawn, column)
			for row := range t.rows {
				least, most = min(least, times(row, column)), max(most, times(row, column))
			}
		}
	}
	least *= 0.8
	x := func(n float64) float64 {
		return left + (width-left-right)*math.Log(n/t.value(0, 0))/math.Log(times(last, 0))
	}
	y := func(times float64) float64 {
		return height - bottom - (height-top-bottom)*math.Log(times/least)/math.Log(most/least)
	}

	var b strings.Builder
	fmt.Fprintf(&b, plotHead, width, height, width, height, grey, t.name+", by "+t.columns[0])
	for power := 1.0; power <= most; power *= 10 {
		for _, step := range []float64{1, 2, 5} {
			if at := power * step; at <= most && (step == 1 || most < 100) {
				fmt.Fprintf(&b, gridLine, left, y(at), width-right, grey)
				fmt.Fprintf(&b, label, float64(left-6), y(at)+4, "end", grey, "×"+short(at))
			}
		}
	}
	for row := range t.rows {
		fmt.Fprintf(&b, label, x(t.value(row, 0)), float64(height-bottom+18), "middle", grey, short(t.value(row, 0)))
	}
	fmt.Fprintf(&b, label, (left+width-right)/2.0, float64(height-6), "middle", grey, t.columns[0])
	var taken []float64 // heights of labels, which keep their distance
	line := func(column int, name, colour, thick, more string) {
		var d strings.Builder
		for row := range t.rows {
			fmt.Fprintf(&d, "%c%.1f %.1f", "ML"[min(row, 1)], x(t.value(row, 0)), y(times(row, column)))
			if more == "" {
				fmt.Fprintf(&b, point, x(t.value(row, 0)), y(times(row, column)), colour)
			}
		}
		fmt.Fprintf(&b, curve, d.String(), colour, thick, more)
		at := y(times(last, column))
		for i := 0; i < len(taken); i++ {
			if math.Abs(taken[i]-at) < 14 {
				at, i = taken[i]+14, -1
			}
		}
		taken = append(taken, at)
		fmt.Fprintf(&b, label, float64(width-right+8), at+4, "start", colour, name)
	}
	line(0, "linear", grey, "1.5", ` stroke-dasharray="5 4"`)
	for i, column := range drawn {
		name := fmt.Sprintf("%s: %s to %s", t.columns[column], short(t.value(0, column)), short(t.value(last, column)))
		line(column, name, colours[i%len(colours)], "2", "")
	}
	return b.String() + "</svg>\n"
}

// short writes thousands and millions as k and M.
func short(value float64) string {
	switch {
	case value >= 1e6:
		return number(value/1e6) + "M"
	case value >= 1e4:
		return number(value/1e3) + "k"
	}
	return number(value)
}

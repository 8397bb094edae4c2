package report

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"

	"trade-processing/internal/terminal"
)

// WriteText writes the report for people to the terminal's Out: first whether all trades are accounted for, and what is
// wrong if they aren't, then what became of them.
func (r *Report) WriteText(t *terminal.Terminal) error {
	p := page{style: t.Style(), width: t.Width()}
	r.writeVerdict(&p)
	r.writeChecks(&p)
	p.line("")
	r.writeOutcomes(&p)
	r.writeInput(&p)
	r.writeSpeed(&p)
	r.writeAlarms(&p)
	r.writeReplicas(&p)
	r.writeExample(&p)
	if _, err := t.Out.Write(bytes.TrimRight(p.Bytes(), "\n")); err != nil {
		return fmt.Errorf("writing the report: %w", err)
	}
	if _, err := t.Out.Write([]byte("\n")); err != nil {
		return fmt.Errorf("writing the report: %w", err)
	}
	return nil
}

// page is text being assembled.
type page struct {
	bytes.Buffer
	style terminal.Style
	width int // of a line, in characters
}

func (p *page) line(format string, args ...any) { fmt.Fprintf(p, format+"\n", args...) }

// cut writes a line, without what doesn't fit.
func (p *page) cut(line string) { p.line("%s", text.Snip(line, p.width, "…")) }

// wrap writes text after a mark, in as many lines as it takes. Further lines are indented by the mark's width.
func (p *page) wrap(mark, words string) {
	wide := text.StringWidthWithoutEscSequences(mark)
	lines := strings.Split(text.WrapSoft(words, max(p.width-wide, 20)), "\n")
	for i, line := range lines {
		if i > 0 {
			mark = strings.Repeat(" ", wide)
		}
		p.line("%s%s", mark, strings.TrimRight(line, " "))
	}
}

func (p *page) heading(title, rest string) {
	p.line("%s", strings.TrimRight(p.style.Bold(title)+"  "+rest, " "))
}

// table writes rows in columns, without borders: it reads the same in a terminal, a log and a file. All columns but the
// first are numbers.
func (p *page) table(header table.Row, rows []table.Row) {
	w := table.NewWriter()
	style := table.StyleDefault
	style.Options = table.OptionsNoBordersAndSeparators
	style.Box.PaddingLeft, style.Box.PaddingRight = "  ", ""
	style.Format.Header = text.FormatDefault
	w.SetStyle(style)
	w.SuppressTrailingSpaces()
	columns := make([]table.ColumnConfig, len(header))
	for i := range header {
		columns[i] = table.ColumnConfig{Number: i + 1, Align: text.AlignRight, AlignHeader: text.AlignRight}
		header[i] = p.style.Faint(fmt.Sprint(header[i]))
	}
	columns[0].Align, columns[0].AlignHeader = text.AlignLeft, text.AlignLeft
	w.SetColumnConfigs(columns)
	w.AppendHeader(header)
	w.AppendRows(rows)
	p.line("%s\n", w.Render())
}

func (r *Report) writeInput(p *page) {
	in := r.Input
	summary := []string{terminal.Plural(len(in.Names), "input"), terminal.Plural(in.Lines, "line")}
	if in.Refused > 0 {
		summary = append(summary, p.style.Yellow(terminal.Count(in.Refused)+" refused"))
	}
	if in.Unreadable > 0 {
		summary = append(summary, p.style.Red(terminal.Count(in.Unreadable)+" unreadable"))
	}
	if in.Empty > 0 {
		summary = append(summary, terminal.Count(in.Empty)+" empty")
	}
	if in.Padded > 0 {
		summary = append(summary, terminal.Count(in.Padded)+" padded")
	}
	p.heading("Input", strings.Join(summary, ", "))
	for _, problem := range in.Problems {
		where := problem.File
		if problem.Line > 0 {
			where = fmt.Sprintf("%s:%d", problem.File, problem.Line)
		}
		p.wrap("  ", p.style.Cyan(where)+": "+terminal.Safe(problem.Reason))
		if problem.Excerpt != "" {
			p.cut("    " + p.style.Faint(problem.Excerpt))
		}
	}
	if more := in.Refused + in.Unreadable + in.Empty + in.Padded - int64(len(in.Problems)); more > 0 {
		p.line("  … and %s more", terminal.Count(more))
	}
	p.line("")
}

func (r *Report) writeOutcomes(p *page) {
	p.heading("Trades", "")
	row := func(name string, n int64, colour func(string) string) table.Row {
		if n > 0 && colour != nil {
			name = colour(name)
		}
		return table.Row{name, terminal.Count(n), terminal.Percent(n, r.Received)}
	}
	rows := []table.Row{
		row("received", r.Received, nil),
		row("recorded", r.Recorded, p.style.Green),
	}
	for _, version := range []struct {
		name string
		n    int64
	}{{"corrections", r.Corrections}, {"cancels", r.Cancels}} {
		if version.n > 0 {
			rows = append(rows, table.Row{"  " + version.name, terminal.Count(version.n), ""})
		}
	}
	rows = append(rows, row("rejected", r.Rejected, p.style.Yellow))
	codes := slices.SortedFunc(maps.Keys(r.RejectedByCode), func(a, b string) int {
		return cmp.Or(cmp.Compare(r.RejectedByCode[b], r.RejectedByCode[a]), cmp.Compare(a, b))
	})
	violations := int64(0)
	for _, code := range codes {
		rows = append(rows, table.Row{"  " + terminal.Safe(code), terminal.Count(r.RejectedByCode[code]), ""})
		violations += r.RejectedByCode[code]
	}
	rows = append(rows, row("duplicates", r.Duplicates, nil))
	if r.DuplicateRejections > 0 {
		rows = append(rows, row("duplicates of rejected", r.DuplicateRejections, p.style.Yellow))
	}
	rows = append(rows, row("dead-lettered", r.DeadLettered, p.style.Red))
	for _, letters := range r.DeadLetters {
		rows = append(rows, table.Row{"  " + terminal.Safe(letters.Error), terminal.Count(letters.Trades), ""}, table.Row{"    in " + terminal.Safe(letters.Queue), "", ""})
	}
	rows = append(rows, row("not matched by any rule", r.NotMatched, p.style.Yellow))
	if r.Unfinished > 0 {
		rows = append(rows, row("unfinished", r.Unfinished, p.style.Yellow))
	}
	p.table(table.Row{"OUTCOME", "TRADES", "SHARE"}, rows)
	if violations > r.Rejected {
		p.Truncate(p.Len() - 1) // the note belongs to the table
		p.line("  %s\n", p.style.Faint(fmt.Sprintf("%s broke %s: one trade can break several",
			terminal.Plural(r.Rejected, "trade"), terminal.Plural(violations, "rule"))))
	}
}

func (r *Report) writeSpeed(p *page) {
	if r.Received == 0 {
		return
	}
	elapsed := time.Duration(r.ElapsedSeconds * float64(time.Second))
	speed := fmt.Sprintf("%s trades per second for %s", p.style.Bold(terminal.Count(int64(r.TradesPerSecond))), terminal.Duration(elapsed))
	if r.PeakMemoryBytes > 0 {
		speed += fmt.Sprintf(", peak memory %s MiB", terminal.Count(r.PeakMemoryBytes>>20))
	}
	p.heading("Speed", speed)
	rows := make([]table.Row, 0, len(r.Stages))
	for _, s := range r.Stages {
		row := table.Row{terminal.Safe(s.Name), terminal.Count(s.Calls)}
		for _, value := range []Milliseconds{s.P50, s.P95, s.P99, s.Max} {
			if s.Calls == 0 {
				row = append(row, "-")
				continue
			}
			row = append(row, terminal.Duration(time.Duration(value)))
		}
		rows = append(rows, row)
	}
	p.table(table.Row{"STAGE", "CALLS", "P50", "P95", "P99", "MAX"}, rows)
}

func (r *Report) writeAlarms(p *page) {
	if len(r.Alarms) == 0 {
		p.heading("Alarms", "none went off")
	} else {
		p.heading("Alarms", p.style.Yellow(terminal.Count(int64(len(r.Alarms)))+" went off"))
	}
	for _, alarm := range r.Alarms { // their reasons are sentences: the JSON has them
		p.cut("  " + p.style.Faint(alarm.At.Format("15:04:05.000")) + "  " + terminal.Safe(alarm.Name))
	}
	p.line("")
}

func (r *Report) writeReplicas(p *page) {
	if len(r.Replicas) == 0 {
		return
	}
	p.heading("Replicas", "")
	for _, replica := range r.Replicas {
		state := p.style.Green("in step")
		if replica.Behind > 0 {
			state = p.style.Yellow(terminal.Plural(replica.Behind, "change") + " behind")
		}
		p.line("  %s  %s, %s", terminal.Safe(replica.Region), terminal.Plural(replica.Items, "item"), state)
	}
	p.line("")
}

func (r *Report) writeExample(p *page) {
	if len(r.Example) == 0 {
		return
	}
	p.heading("One recorded trade", "")
	var indented bytes.Buffer
	if err := json.Indent(&indented, r.Example, "", "  "); err != nil {
		indented.Reset()
		indented.Write(r.Example)
	}
	for line := range strings.Lines(indented.String()) {
		p.cut(terminal.Safe(strings.TrimRight(line, "\n")))
	}
	p.line("")
}

// shown is how many lines of a kind are printed. The JSON has them all.
const shown = 10

func (r *Report) writeChecks(p *page) {
	bad, good := p.style.Red("✗")+" ", p.style.Green("✓")+" "
	failed := func(lines []string) {
		for _, line := range lines[:min(shown, len(lines))] {
			p.wrap(bad, terminal.Safe(line))
		}
		if more := len(lines) - shown; more > 0 {
			p.line("  … and %s more", terminal.Count(int64(more)))
		}
	}
	var unexpected, denied []string
	for _, difference := range r.Unexpected {
		unexpected = append(unexpected, "in this sample, "+difference)
	}
	for _, denial := range r.Denied {
		denied = append(denied, fmt.Sprintf("denied %s: %s", terminal.Plural(denial.Times, "time"), denial.Says))
	}
	failed(unexpected)
	for _, check := range r.Checks {
		if check.Holds() {
			p.wrap(good, fmt.Sprintf("%s (%s)", terminal.Safe(check.Claim), terminal.Count(check.Got)))
			continue
		}
		p.wrap(bad, fmt.Sprintf("%s: want %s, got %s", terminal.Safe(check.Claim), terminal.Count(check.Want), terminal.Count(check.Got)))
	}
	failed(denied)
}

// writeVerdict adds everything up, and says if something is wrong.
func (r *Report) writeVerdict(p *page) {
	good, doubtful, bad := p.style.Green("✓"), p.style.Yellow("!"), p.style.Red("✗")
	mark, equals, says := good, "=", ""
	difference := r.Received - r.accounted()
	switch {
	case difference > 0:
		mark, equals, says = bad, "≠", terminal.Plural(difference, "trade")+" lost"
	case difference < 0:
		mark, equals, says = bad, "≠", terminal.Plural(-difference, "trade")+" counted twice"
	case r.Interrupted:
		mark, says = doubtful, "interrupted"
	case !r.Reconciles:
		mark, says = bad, "but the contents differ:"
	case len(r.Denied) > 0:
		mark, says = bad, "but calls were denied:"
	case len(r.Unexpected) > 0:
		mark, says = bad, "but not what the sample holds:"
	case r.Input.Refused+r.Input.Unreadable > 0:
		mark, says = doubtful, "but input was refused, see below"
	}
	terms := []string{
		terminal.Count(r.Recorded) + " recorded", terminal.Count(r.Rejected) + " rejected", terminal.Count(r.Duplicates) + " duplicates",
		terminal.Count(r.DeadLettered) + " dead-lettered", terminal.Count(r.NotMatched) + " not matched",
	}
	if r.DuplicateRejections > 0 {
		terms = slices.Insert(terms, 3, terminal.Count(r.DuplicateRejections)+" duplicates of rejected")
	}
	if r.Unfinished > 0 {
		terms = append(terms, terminal.Count(r.Unfinished)+" unfinished")
	}
	received := terminal.Count(r.Received) + " received"
	line := fmt.Sprintf("%s %s %s %s", mark, p.style.Bold(received), equals, terms[0])
	for _, term := range terms[1:] {
		if text.StringWidthWithoutEscSequences(line+" + "+term) > p.width {
			p.line("%s", line)
			line = strings.Repeat(" ", 2+len(received)) // the + stands below the =
		}
		line += " + " + term
	}
	switch {
	case says == "":
	case text.StringWidthWithoutEscSequences(line+", "+says) > p.width:
		line += ",\n  " + says
	default:
		line += ", " + says
	}
	p.line("%s", line)
}

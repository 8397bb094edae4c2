package market

import (
	"embed"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strconv"
	"time"
)

//go:embed data/*.csv data/calendars/*.txt
var builtIn embed.FS

// noHours is the calendar of venues known to have no hours: trading off exchange, and systematic internalisers.
const noHours = "NONE"

// loader reads the data files and collects their problems.
type loader struct {
	files     fs.FS
	calendars map[string]*Calendar
	rules     map[string]cycles
	problems  []error
}

func newLoader(files fs.FS) *loader {
	return &loader{files: files, calendars: map[string]*Calendar{}, rules: map[string]cycles{}}
}

func (l *loader) problem(format string, args ...any) {
	l.problems = append(l.problems, fmt.Errorf(format, args...))
}

// checkZones tells a process without time zones at its start, although calendars load theirs when first used.
func (l *loader) checkZones() {
	if _, err := time.LoadLocation("America/New_York"); err != nil {
		l.problem("time zones: %w", err)
	}
}

// eachRow passes on the rows of a file, which must have these columns.
func (l *loader) eachRow(file string, columns []string, do func([]string)) {
	opened, err := l.files.Open("data/" + file)
	if err != nil {
		l.problem("%w", err)
		return
	}
	defer func() { _ = opened.Close() }() // a file that was only read
	lines := csv.NewReader(opened)
	lines.Comment = '#'
	lines.ReuseRecord = true
	header, err := lines.Read()
	if err == nil && !slices.Equal(header, columns) {
		l.problem("%s has the columns %v, not %v", file, header, columns)
		return
	}
	for err == nil {
		var row []string
		if row, err = lines.Read(); err == nil {
			do(row)
		}
	}
	if !errors.Is(err, io.EOF) {
		l.problem("%s: %w", file, err)
	}
}

func (l *loader) loadSettlement() {
	l.eachRow("settlement.csv", []string{"rule", "from", "currency", "days", "calendar"}, func(f []string) {
		where := "settlement.csv, " + f[0]
		days, err := strconv.ParseUint(f[3], 10, 8)
		if err != nil {
			l.problem("%s: %q is not a number of days", where, f[3])
		}
		r := settlementRule{from: l.from(f[1], where), currency: f[2], cycle: Cycle(days)}
		if f[4] != "" {
			r.calendar = l.calendar(f[4])
		}
		rules := l.rules[f[0]]
		earlier := slices.IndexFunc(rules, func(e settlementRule) bool { return e.currency == r.currency })
		if earlier >= 0 && rules[earlier].from >= r.from {
			l.problem("%s: rows for the same currency must be in date order", where)
		}
		l.rules[f[0]] = slices.Insert(rules, 0, r)
	})
}

// calendar returns the calendar with that name, which must have a file.
func (l *loader) calendar(name string) *Calendar {
	if c := l.calendars[name]; c != nil {
		return c
	}
	if _, err := fs.Stat(l.files, calendarFile(name)); err != nil {
		l.problem("calendar %q has no file: %w", name, err)
	}
	c := newCalendar(l.files, name)
	l.calendars[name] = c
	return c
}

// settlement returns the rules of that name. Those that name no calendar count days in the venue's own.
func (l *loader) settlement(rule string, own *Calendar) cycles {
	rules := slices.Clone(l.rules[rule])
	if len(rules) == 0 {
		l.problem("settlement.csv has no rule %q", rule)
	}
	for i := range rules {
		if rules[i].calendar == nil {
			rules[i].calendar = own
		}
	}
	return rules
}

// noBeginning is before any date that a calendar covers.
const noBeginning Date = -1 << 31

// from returns the date from which a row applies.
func (l *loader) from(text, where string) Date {
	if text == "" {
		return noBeginning
	}
	d, err := ParseDate(text)
	if err != nil {
		l.problem("%s: %w", where, err)
	}
	return d
}

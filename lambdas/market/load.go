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
	"strings"
	"time"
)

//go:embed data/*.csv
var builtIn embed.FS

// loader reads the data files and collects their problems.
type loader struct {
	files     fs.FS
	calendars map[string]*Calendar
	profiles  map[string]*profile
	rules     map[string][]settlementRule
	zones     map[string]*time.Location
	problems  []error
}

// settlementRule is a row of settlement.csv. The calendar is nil if days are counted in the venue's own.
type settlementRule struct {
	from     Date
	cycle    Cycle
	calendar *Calendar
}

func newLoader(files fs.FS) *loader {
	return &loader{
		files:     files,
		calendars: map[string]*Calendar{},
		profiles:  map[string]*profile{},
		rules:     map[string][]settlementRule{},
		zones:     map[string]*time.Location{},
	}
}

func (l *loader) problem(format string, args ...any) {
	l.problems = append(l.problems, fmt.Errorf(format, args...))
}

// row is a line of a data file, by the names in the file's header.
type row map[string]string

func (l *loader) eachRow(file string, do func(row)) {
	opened, err := l.files.Open("data/" + file)
	if err != nil {
		l.problem("%w", err)
		return
	}
	defer func() { _ = opened.Close() }() // a file that was only read
	lines := csv.NewReader(opened)
	lines.Comment = '#'
	header, err := lines.Read()
	for err == nil {
		var values []string
		if values, err = lines.Read(); err == nil {
			r := make(row, len(values))
			for i, name := range header {
				r[name] = values[i]
			}
			do(r)
		}
	}
	if !errors.Is(err, io.EOF) {
		l.problem("%s: %w", file, err)
	}
}

func (l *loader) loadCalendars() {
	for name, rules := range ruleCalendars() {
		l.calendars[name] = &Calendar{
			Name: name, rules: rules, From: DateOf(firstYear, time.January, 1), Until: DateOf(lastYear, time.December, 31),
		}
	}
	l.eachRow("closures.csv", func(r row) {
		year, err := strconv.Atoi(r["year"])
		if err != nil {
			l.problem("closures.csv: %q is not a year", r["year"])
			return
		}
		c := l.calendars[r["calendar"]]
		if c == nil {
			c = &Calendar{Name: r["calendar"], From: DateOf(year, time.January, 1), Until: DateOf(year, time.January, 0)}
			l.calendars[c.Name] = c
		}
		switch until, isEarly := strings.CutPrefix(r["what"], "until "); {
		case isEarly:
			ends := l.clock(until, "closures.csv, "+c.Name)
			for _, d := range l.datesOf(r) {
				c.rules.earlyDates = append(c.rules.earlyDates, earlyDate{d, ends})
			}
		case r["what"] == "closed":
			if DateOf(year, time.January, 1) != c.Until+1 {
				l.problem("closures.csv: %s has a gap before %d", c.Name, year)
			}
			c.Until = DateOf(year, time.December, 31)
			c.rules.closures = append(c.rules.closures, l.datesOf(r)...)
		case r["what"] == "open":
			c.rules.openings = append(c.rules.openings, l.datesOf(r)...)
		case r["what"] == "weekend":
			names := strings.Fields(r["days"])
			c.rules.restDays = func(d Date) bool { return slices.Contains(names, d.Weekday().String()) }
		default:
			l.problem("closures.csv: %s, %d: %q is not closed, open, until HH:MM or weekend", c.Name, year, r["what"])
		}
	})
}

func (l *loader) datesOf(r row) []Date {
	var list []Date
	for monthDay := range strings.FieldsSeq(r["days"]) {
		list = append(list, l.date(r["year"]+"-"+monthDay, "closures.csv, "+r["calendar"]))
	}
	return list
}

func (l *loader) loadProfiles() {
	l.eachRow("hours.csv", func(r row) {
		where := "hours.csv, " + r["profile"]
		h := hours{
			begins: l.clock(r["begins"], where),
			pre:    l.clock(r["pre"], where),
			open:   l.clock(r["open"], where),
			close:  l.clock(r["close"], where),
			end:    l.clock(r["end"], where),
			post:   l.clock(r["post"], where),
		}
		if r["pause"] != "" {
			h.pause, h.resume = l.clock(r["pause"], where), l.clock(r["resume"], where)
		}
		p := l.profiles[r["profile"]]
		if p == nil {
			p = &profile{}
			l.profiles[r["profile"]] = p
		}
		w := week{from: l.from(r, where)}
		if len(p.weeks) > 0 && p.weeks[0].from >= w.from && r["days"] == "" {
			l.problem("%s: rows must be in date order", where)
		}
		if r["days"] == "" {
			for weekday := range w.days {
				w.days[weekday] = h
			}
			p.weeks = slices.Insert(p.weeks, 0, w)
			return
		}
		if len(p.weeks) == 0 || p.weeks[0].from != w.from {
			l.problem("%s: the row for %s must follow the row for the other days of the same date", where, r["days"])
			return
		}
		for weekday := time.Sunday; weekday <= time.Saturday; weekday++ {
			if slices.Contains(strings.Fields(r["days"]), weekday.String()) {
				p.weeks[0].days[weekday] = h
			}
		}
	})
}

func (l *loader) loadSettlement() {
	l.eachRow("settlement.csv", func(r row) {
		where := "settlement.csv, " + r["rule"]
		days, err := strconv.ParseUint(r["days"], 10, 8)
		if err != nil {
			l.problem("%s: %q is not a number of days", where, r["days"])
		}
		s := settlementRule{from: l.from(r, where), cycle: Cycle(days)}
		if r["calendar"] != "" {
			s.calendar = l.calendar(r["calendar"])
		}
		earlier := l.rules[r["rule"]]
		if len(earlier) == 0 && s.from != noBeginning || len(earlier) > 0 && earlier[0].from >= s.from {
			l.problem("%s: the first row must have no date, and the others must be in date order", where)
		}
		l.rules[r["rule"]] = slices.Insert(earlier, 0, s)
	})
}

func (l *loader) calendar(name string) *Calendar {
	c := l.calendars[name]
	if c == nil {
		l.problem("calendar %q is neither in closures.csv nor a rule calendar", name)
	}
	return c
}

func (l *loader) profile(name string) *profile {
	p := l.profiles[name]
	if p == nil {
		l.problem("hours.csv has no profile %q", name)
	}
	return p
}

func (l *loader) settlement(rule string, own *Calendar) cycles {
	if len(l.rules[rule]) == 0 {
		l.problem("settlement.csv has no rule %q", rule)
	}
	cs := slices.Clone(l.rules[rule])
	for i := range cs {
		if cs[i].calendar == nil {
			cs[i].calendar = own
		}
	}
	return cs
}

func (l *loader) zone(name string) *time.Location {
	if zone := l.zones[name]; zone != nil {
		return zone
	}
	zone, err := time.LoadLocation(name)
	if err != nil {
		l.problem("time zone: %w", err)
	}
	l.zones[name] = zone
	return zone
}

func (l *loader) clock(text, where string) clock {
	c, err := parseClock(text)
	if err != nil {
		l.problem("%s: %w", where, err)
	}
	return c
}

func (l *loader) date(text, where string) Date {
	d, err := ParseDate(text)
	if err != nil {
		l.problem("%s: %w", where, err)
	}
	return d
}

// noBeginning is before any date that a calendar covers.
const noBeginning Date = -1 << 31

// from returns the date from which a row applies.
func (l *loader) from(r row, where string) Date {
	if r["from"] == "" {
		return noBeginning
	}
	return l.date(r["from"], where)
}

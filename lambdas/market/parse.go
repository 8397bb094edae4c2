package market

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"time"
)

// A calendar's file has one fact per line; # begins a comment.
//
//	zone America/New_York
//	covers 2010-01-01 2027-12-31    the first and the last date whose days are known
//	begins -06:00                   when every day begins, on the evening before; without the line, at midnight
//	hours 2013-09-01 2026-12-31     the same of their hours; several lines, or none if they never are
//	week 2010-01-01 Mon-Fri 04:00 PRE 09:30 REGULAR 16:00 POST 20:00
//	day 2024-07-03,2024-11-29 04:00 PRE 09:30 REGULAR 13:00 POST 17:00
//	day 2024-12-25 closed
//	day 2024-07-04 carried -06:00 REGULAR 13:00
//
// A week holds from its date until the next one's; lines with the same date complement each other, and days of the week
// without a line are closed. A day replaces what the week says.
//
// What happens on a day is closed; continuous; open, a trading or settlement day whose hours nobody knows; or its phases:
// a time, the phase that begins then, and so on, ending with the time when trading ends. A break is a phase CLOSED.
// carried comes before what happens on a day whose trades count for the next trading day. Times below zero are on the
// evening before, those above 24:00 on the morning after.

// calendarParser reads the file of a calendar.
type calendarParser struct {
	table
	index map[string]uint16 // of schedules, by their text
	weeks []week            // in date order
	named map[Date]uint16   // schedules of single dates
}

// week has the schedules of the days of the week from a date on.
type week struct {
	from  Date
	days  [7]uint16
	given [7]bool
}

func readCalendar(files fs.FS, name string) (*table, error) {
	text, err := fs.ReadFile(files, calendarFile(name))
	if err != nil {
		return nil, fmt.Errorf("reading calendar %s: %w", name, err)
	}
	p := &calendarParser{index: map[string]uint16{"closed": 0}, named: map[Date]uint16{}}
	p.schedules = []schedule{{kind: closed}}
	p.zone = time.UTC
	var problems []error
	number := 0
	for line := range strings.Lines(string(text)) {
		number++
		if err := p.line(line); err != nil {
			problems = append(problems, fmt.Errorf("calendar %s, line %d: %w", name, number, err))
		}
	}
	if len(problems) == 0 {
		if err := p.fill(); err != nil {
			problems = append(problems, fmt.Errorf("calendar %s: %w", name, err))
		}
	}
	return &p.table, errors.Join(problems...)
}

func (p *calendarParser) line(line string) error {
	line, _, _ = strings.Cut(line, "#")
	word, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
	switch word {
	case "":
		return nil
	case "zone":
		zone, err := time.LoadLocation(rest)
		p.zone = zone
		return err
	case "covers":
		covers, err := parseSpan(rest)
		p.covers = covers
		return err
	case "begins":
		begins, err := parseClock(rest)
		if err == nil && begins >= 0 {
			err = fmt.Errorf("%s is not on the evening before", rest)
		}
		p.begins = begins
		return err
	case "hours":
		hours, err := parseSpan(rest)
		if n := len(p.hours); err == nil && n > 0 && hours.from <= p.hours[n-1].until {
			err = errors.New("hours must be in date order")
		}
		p.hours = append(p.hours, hours)
		return err
	case "week":
		return p.week(rest)
	case "day":
		return p.day(rest)
	}
	return fmt.Errorf("%q is not zone, covers, begins, hours, week or day", word)
}

func parseSpan(text string) (span, error) {
	first, last, _ := strings.Cut(text, " ")
	from, err := ParseDate(first)
	if err != nil {
		return span{}, err
	}
	until, err := ParseDate(last)
	if err == nil && until < from {
		err = fmt.Errorf("%s is before %s", until, from)
	}
	return span{from, until}, err
}

func (p *calendarParser) week(text string) error {
	first, rest, _ := strings.Cut(text, " ")
	days, what, _ := strings.Cut(rest, " ")
	from, err := ParseDate(first)
	if err != nil {
		return err
	}
	weekdays, err := parseWeekdays(days)
	if err != nil {
		return err
	}
	s, err := p.schedule(what)
	if err != nil {
		return err
	}
	last := len(p.weeks) - 1
	if last < 0 || p.weeks[last].from < from {
		p.weeks = append(p.weeks, week{from: from})
		last++
	} else if p.weeks[last].from > from {
		return errors.New("weeks must be in date order")
	}
	w := &p.weeks[last]
	for _, weekday := range weekdays {
		if w.given[weekday] {
			return fmt.Errorf("%s is listed twice", weekday)
		}
		w.given[weekday], w.days[weekday] = true, s
	}
	return nil
}

// weekdayNames are indexed by time.Weekday.
var weekdayNames = [...]string{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"}

// parseWeekdays reads Mon, Mon-Fri or Mon,Wed,Fri.
func parseWeekdays(text string) ([]time.Weekday, error) {
	var list []time.Weekday
	for part := range strings.SplitSeq(text, ",") {
		first, last, isRange := strings.Cut(part, "-")
		if !isRange {
			last = first
		}
		from, until := slices.Index(weekdayNames[:], first), slices.Index(weekdayNames[:], last)
		if from < 0 || until < 0 {
			return nil, fmt.Errorf("%q is not a day like Mon, or days like Mon-Fri", part)
		}
		for d := from; ; d = (d + 1) % len(weekdayNames) {
			list = append(list, time.Weekday(d))
			if d == until {
				break
			}
		}
	}
	return list, nil
}

func (p *calendarParser) day(text string) error {
	dates, what, _ := strings.Cut(text, " ")
	s, err := p.schedule(what)
	if err != nil {
		return err
	}
	for date := range strings.SplitSeq(dates, ",") {
		d, err := ParseDate(date)
		if err != nil {
			return err
		}
		if _, twice := p.named[d]; twice {
			return fmt.Errorf("%s is listed twice", d)
		}
		p.named[d] = s
	}
	return nil
}

// schedule returns the index of the schedule with that text. Few differ, so each is read once.
func (p *calendarParser) schedule(text string) (uint16, error) {
	text = strings.TrimSpace(text)
	if i, known := p.index[text]; known {
		return i, nil
	}
	s, err := parseSchedule(text)
	if err != nil {
		return 0, err
	}
	i := uint16(len(p.schedules)) //nolint:gosec // a calendar has some hundred
	p.schedules, p.index[text] = append(p.schedules, s), i
	return i, nil
}

func parseSchedule(text string) (schedule, error) {
	s := schedule{kind: open}
	words := strings.Fields(text)
	if len(words) > 0 && words[0] == "carried" {
		s.kind, words = carried, words[1:]
	}
	switch {
	case slices.Equal(words, []string{"open"}):
		return s, nil
	case slices.Equal(words, []string{"continuous"}):
		s.phases = []phase{{0, Continuous}, {dayLength, Closed}}
		return s, nil
	}
	if len(words) < 3 || len(words)%2 == 0 {
		return s, fmt.Errorf("%q is not closed, open, continuous, or times with phases between them", text)
	}
	for i := 0; i < len(words); i += 2 {
		from, err := parseClock(words[i])
		if err != nil {
			return s, err
		}
		next := phase{from: from, session: Closed}
		if i+1 < len(words) {
			next.session = Session(words[i+1])
		}
		switch next.session {
		case Pre, Regular, Post, Closed:
		default:
			return s, fmt.Errorf("%q is not PRE, REGULAR, POST or CLOSED", next.session)
		}
		if last := len(s.phases) - 1; last >= 0 && from <= s.phases[last].from {
			return s, fmt.Errorf("%s is not after the time before it", words[i])
		}
		s.phases = append(s.phases, next)
	}
	return s, nil
}

// fill gives each day that the calendar covers its schedule.
func (p *calendarParser) fill() error {
	if len(p.weeks) == 0 || p.weeks[0].from > p.covers.from {
		return errors.New("the first week must not begin after the calendar")
	}
	for i := range p.schedules {
		phases := p.schedules[i].phases
		if n := len(phases); n > 0 && (phases[0].from < p.begins || p.begins < 0 && phases[n-1].from > dayLength+p.begins) {
			return fmt.Errorf("a day begins at %d s or ends at %d s, outside the day that begins at %d s", phases[0].from, phases[n-1].from, p.begins)
		}
	}
	p.days = make([]uint16, p.covers.until-p.covers.from+1)
	current := 0
	for i := range p.days {
		d := p.covers.from + Date(i)
		for current+1 < len(p.weeks) && p.weeks[current+1].from <= d {
			current++
		}
		p.days[i] = p.weeks[current].days[d.Weekday()]
	}
	for d, s := range p.named {
		if !p.covers.contains(d) {
			return fmt.Errorf("it doesn't cover %s", d)
		}
		p.days[d-p.covers.from] = s
	}
	return nil
}

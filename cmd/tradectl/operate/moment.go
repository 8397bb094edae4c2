package operate

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// moment is a time as somebody types it: a point in time, or how long ago.
type moment struct{ time.Time }

const momentHelp = "a time such as 2026-11-20T09:00Z or 2026-11-20, in UTC, or how long ago, such as 90m or 7d"

var momentLayouts = []string{time.RFC3339, "2006-01-02T15:04Z07:00", "2006-01-02"}

func (m *moment) String() string {
	if m.IsZero() {
		return ""
	}
	return m.Format(time.RFC3339)
}

// Type is what help calls the flag's value.
func (*moment) Type() string { return "TIME" }

// Set takes what somebody has typed. Nothing of AWS's is older than its first time, and its calls take none before.
func (m *moment) Set(text string) error {
	err := m.read(text)
	if first := time.Unix(0, 0).UTC(); err == nil && m.Before(first) {
		m.Time = first
	}
	return err
}

func (m *moment) read(text string) error {
	for _, layout := range momentLayouts {
		if at, err := time.Parse(layout, text); err == nil {
			m.Time = at.UTC()
			return nil
		}
	}
	ago, err := time.ParseDuration(text)
	if days, found := strings.CutSuffix(text, "d"); found {
		var n int64
		n, err = strconv.ParseInt(days, 10, 32)
		ago = time.Duration(min(n, 100_000)) * 24 * time.Hour
	}
	if err != nil || ago < 0 {
		return fmt.Errorf("it is %s", momentHelp)
	}
	m.Time = time.Now().UTC().Add(-ago)
	return nil
}

// window checks that a span of time isn't empty.
func window(since, until moment) error {
	if !until.IsZero() && since.After(until.Time) {
		return fmt.Errorf("--since is %s, after --until, which is %s", since.String(), until.String())
	}
	return nil
}

// or sets a time that nobody has given.
func (m *moment) or(ago time.Duration) {
	if m.IsZero() {
		m.Time = time.Now().UTC().Add(-ago)
	}
}

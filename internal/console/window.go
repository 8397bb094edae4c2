package console

import (
	"net/http"
	"time"

	"trade-processing/internal/operate"
)

// A span is a choice of how far back the charts look. Its periods make at most 300 points a line.
type span struct {
	Name   string // in the address
	Label  string
	length time.Duration
	period time.Duration
}

var spans = []span{
	{"1h", "1 hour", time.Hour, time.Minute},
	{"3h", "3 hours", 3 * time.Hour, time.Minute},
	{"12h", "12 hours", 12 * time.Hour, 5 * time.Minute},
	{"1d", "1 day", 24 * time.Hour, 5 * time.Minute},
	{"3d", "3 days", 72 * time.Hour, 15 * time.Minute},
}

// spanOf returns the span that a request asks for, by default the shortest.
func spanOf(r *http.Request) span {
	for _, s := range spans {
		if s.Name == r.FormValue("span") {
			return s
		}
	}
	return spans[0]
}

// until returns the window that ends with the period in progress.
func (s span) until(now time.Time) operate.Window {
	to := now.Truncate(s.period).Add(s.period)
	return operate.Window{From: to.Add(-s.length), To: to, Period: s.period}
}

// whole returns the same window as one period, for statistics over all of it.
func whole(w operate.Window) operate.Window {
	w.Period = w.To.Sub(w.From)
	return w
}

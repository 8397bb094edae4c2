package market

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"time"
)

// Reference is the reference data, loaded once per process. It is immutable and safe for concurrent use.
type Reference struct {
	venues    map[string]*Venue
	calendars map[string]*Calendar
	crypto    *Venue
}

// Load reads the built-in data. An error means a mistake in that data, or a process without time zones: an image
// without them needs the package time/tzdata.
func Load() (*Reference, error) { return load(builtIn) }

func load(files fs.FS) (*Reference, error) {
	l := newLoader(files)
	l.loadCalendars()
	l.loadProfiles()
	l.loadSettlement()
	r := &Reference{venues: map[string]*Venue{}, calendars: l.calendars}
	l.eachRow("venues.csv", func(f row) {
		v := &Venue{
			MIC: f["mic"], Operating: f["operating"], Name: f["name"], Country: f["country"],
			Zone: l.zone(f["zone"]), calendar: l.calendar(f["calendar"]), hours: l.profile(f["hours"]),
		}
		v.settlement = l.settlement(f["settlement"], v.calendar)
		if _, twice := r.venues[v.MIC]; twice {
			l.problem("venue %s is listed twice", v.MIC)
		}
		r.venues[v.MIC] = v
	})
	r.crypto = &Venue{Zone: time.UTC, calendar: l.calendar("24x7"), hours: &profile{continuous: true}}
	r.crypto.settlement = l.settlement("CRYPTO", r.crypto.calendar)
	if err := errors.Join(l.problems...); err != nil {
		return nil, fmt.Errorf("loading market reference data: %w", err)
	}
	return r, nil
}

// Venue finds a venue by its MIC, upper case as the standard writes it.
func (r *Reference) Venue(mic string) (*Venue, bool) {
	v, found := r.venues[mic]
	return v, found
}

// Venues lists the MICs of all venues in alphabetical order.
func (r *Reference) Venues() []string {
	mics := make([]string, 0, len(r.venues))
	for mic := range r.venues {
		mics = append(mics, mic)
	}
	slices.Sort(mics)
	return mics
}

// Crypto returns where crypto pairs trade: not an ISO 10383 venue, so no MIC; around the clock, on UTC days, settled the
// same day.
func (r *Reference) Crypto() *Venue { return r.crypto }

// Calendar finds a calendar by its name in data/venues.csv.
func (r *Reference) Calendar(name string) (*Calendar, bool) {
	c, found := r.calendars[name]
	return c, found
}

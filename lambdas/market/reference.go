package market

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
)

// Reference is the reference data, loaded once per process. It is immutable and safe for concurrent use.
type Reference struct {
	venues    map[string]*Venue
	segments  map[string]*Venue // by segment MIC, the venue that operates it
	calendars map[string]*Calendar
	crypto    *Venue
}

// Load reads the built-in data, except for the calendars, which are read when first used. An error means a mistake in
// that data, or a process without time zones: an image without them needs the package time/tzdata.
func Load() (*Reference, error) { return load(builtIn) }

func load(files fs.FS) (*Reference, error) {
	l := newLoader(files)
	l.checkZones()
	l.loadSettlement()
	r := &Reference{venues: map[string]*Venue{}, segments: map[string]*Venue{}, calendars: l.calendars}
	l.eachRow("venues.csv", []string{"mic", "operating", "name", "country", "calendar", "settlement", "zone"}, func(f []string) {
		v := &Venue{MIC: f[0], Operating: f[1], Name: f[2], Country: f[3], zone: f[6]}
		if f[4] != noHours {
			v.calendar = l.calendar(f[4])
			if f[5] != "" {
				v.settlement = l.settlement(f[5], v.calendar)
			}
		}
		if _, twice := r.venues[v.MIC]; twice {
			l.problem("venue %s is listed twice", v.MIC)
		}
		r.venues[v.MIC] = v
	})
	l.eachRow("segments.csv", []string{"mic", "operating"}, func(f []string) {
		operator := r.venues[f[1]]
		if operator == nil || r.venues[f[0]] != nil {
			l.problem("segments.csv: %s must not be a venue, and %s must be one", f[0], f[1])
		}
		r.segments[f[0]] = operator
	})
	r.crypto = &Venue{calendar: l.calendar("24X7")}
	r.crypto.settlement = l.settlement("CRYPTO", r.crypto.calendar)
	if err := errors.Join(l.problems...); err != nil {
		return nil, fmt.Errorf("loading market reference data: %w", err)
	}
	return r, nil
}

// Venue finds a venue by its MIC, upper case as the standard writes it. For the MIC of a segment that isn't known by
// itself, it is the venue that operates the segment: its MIC is then not the one asked for.
func (r *Reference) Venue(mic string) (*Venue, bool) {
	if v, found := r.venues[mic]; found {
		return v, true
	}
	v, found := r.segments[mic]
	return v, found
}

// Venues lists the MICs of all venues in alphabetical order, without segments that aren't known by themselves.
func (r *Reference) Venues() []string { return slices.Sorted(maps.Keys(r.venues)) }

// Crypto returns where crypto pairs trade: not an ISO 10383 venue, so no MIC; around the clock, on UTC days, settled the
// same day.
func (r *Reference) Crypto() *Venue { return r.crypto }

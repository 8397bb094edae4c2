package cloud

import (
	"encoding/binary"
	"fmt"
	"iter"
	"slices"

	"github.com/tidwall/gjson"

	"trade-processing/local/disk"
	"trade-processing/local/pattern"
)

// archiveKind is an archive, which keeps the events of a bus that match its pattern. Nothing in it expires here.
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-archive.html
var archiveKind = kind{
	uses: "eventPattern eventSourceArn name", records: "description retentionDays",
	requires: "eventSourceArn name", replaces: "eventSourceArn name", computes: "arn",
	check: func(inputs Properties) error {
		text := inputs.text("eventPattern")
		if text == "" {
			return nil // all events, or unknown in a preview
		}
		_, err := pattern.Compile([]byte(text))
		return err
	},
	identify: named("events", "archive/"),
	start: func(c *Cloud, r *Resource) error {
		on, err := c.bus(r.Region, r.Inputs.text("eventSourceArn"))
		if err != nil {
			return err
		}
		made := archive{arn: r.itsARN()}
		if text := r.Inputs.text("eventPattern"); text != "" {
			made.looksInside = gjson.Get(text, "detail").Exists()
			if made.pattern, err = pattern.Compile([]byte(text)); err != nil {
				return err
			}
		}
		on.setArchive(made.arn, made)
		return nil
	},
	stop: func(c *Cloud, r *Resource) error {
		if on, err := c.bus(r.Region, r.Inputs.text("eventSourceArn")); err == nil {
			on.setArchive(r.itsARN())
		}
		if c.archived != nil {
			low, high := archivedFrom(r.itsARN())
			c.archived.Clear(low, high)
		}
		return nil
	},
}

// archive is an archive of a bus.
type archive struct {
	arn         string
	pattern     *pattern.Pattern // nil: of all events
	looksInside bool             // as a rule does
}

// setArchive replaces the archive that has an ARN, or drops it.
func (b *bus) setArchive(arn string, instead ...archive) {
	b.mu.Lock()
	defer b.mu.Unlock()
	others := slices.DeleteFunc(slices.Clone(b.archives), func(a archive) bool { return a.arn == arn })
	b.archives = append(others, instead...) // a new list, because deliveries in progress use the old one
}

const archiveKeys = "archive/"

// timeBytes is the length of an event's time, which has whole seconds and four digits for the year.
const timeBytes = len("2006-01-02T15:04:05Z")

// archivedFrom returns the keys between which an archive has its events: by the time in them, then in the order of their
// acceptance, which begins anew with each process, and then by their id.
func archivedFrom(arn string) (low, high string) {
	low = archiveKeys + arn + "\x00"
	return low, after(low)
}

// file returns what keeps an event in the archives of its bus, once, however often it is delivered. A replayed event isn't archived
// again, as the rule says that EventBridge makes for an archive.
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-archive.html
func (c *Cloud) file(on *bus, a *Accepted) (changes []disk.Change) {
	if c.archived == nil || a.replay != "" {
		return nil
	}
	on.mu.RLock()
	archives := on.archives
	on.mu.RUnlock()
	for _, to := range archives {
		if to.pattern != nil && !to.pattern.Match(a.event.data(to.looksInside)) {
			continue
		}
		low, _ := archivedFrom(to.arn)
		at, _ := a.event.envelope["time"].(string)
		changes = append(changes, disk.Change{
			Key:   low + at + string(binary.BigEndian.AppendUint64(nil, a.number)) + a.ID,
			Value: string(a.event.document.JSON()),
		})
	}
	return changes
}

// Archived says how many events an archive has, and their bytes. It reads them all.
func (c *Cloud) Archived(arn string) (events, size int) {
	for _, document := range c.inArchive(arn, "", "") {
		events, size = events+1, size+len(document)
	}
	return events, size
}

// inArchive yields an archive's events whose time is from one time to another, excluding it, in the order of their
// times, with those. No time is the first or the last one.
func (c *Cloud) inArchive(arn, from, to string) iter.Seq2[string, string] {
	return func(yield func(at, document string) bool) {
		if c.archived == nil {
			return
		}
		low, high := archivedFrom(arn)
		if to != "" {
			high = low + to
		}
		for key, document := range c.archived.Scan(low+from, high, false) {
			if !yield(key[len(low):len(low)+timeBytes], document) {
				return
			}
		}
	}
}

// archive finds an archive by its ARN.
func (c *Cloud) archive(region, arn string) (*Resource, error) {
	found, there := c.Read(ArchiveType, region, afterLast(arn, "/"))
	if !there || found.itsARN() != arn {
		return nil, fmt.Errorf("%s does not exist", arn)
	}
	return found, nil
}

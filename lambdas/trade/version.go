package trade

import (
	"strings"
	"time"
)

// versionTime is RFC 3339 in UTC with milliseconds: such times sort as text.
const versionTime = "2006-01-02T15:04:05.000Z"

// VersionTime returns what tells the versions of a trade apart: executedAt of a New one, actionTime of another, and the
// event's time if that can't be read.
func (t *Trade) VersionTime(eventTime time.Time) time.Time {
	field := "executedAt"
	if t.Action() != New {
		field = "actionTime"
	}
	if at, readable := t.time(field); readable {
		return at
	}
	return eventTime
}

// VersionKey returns the key of a version among all records with the trade's id: the source that sent it, not the one
// that the trade claims, and the version's time. Fractions of a millisecond are cut off, towards the past even before
// 1970.
func VersionKey(eventSource string, at time.Time) string {
	return strings.TrimPrefix(eventSource, SourcePrefix) + "#" + at.UTC().Format(versionTime)
}

// RejectedKey returns the key of a version that was rejected. Its content is part of it: a record that breaks the rules
// never has the key that a valid one needs, nor that of another rejection.
func RejectedKey(version, digest string) string {
	return version + "#REJECTED#" + digest[:16]
}

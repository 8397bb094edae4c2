package queue

import (
	"errors"
	"fmt"
	"regexp"
	"time"
)

// A Definition is what a standard queue is created from.
type Definition struct {
	Name, URL, ARN string
	// Visibility is how long a received message stays hidden: up to 12 hours.
	Visibility time.Duration
	// Retention is how long a message is kept, counted from when it was sent: a minute to 14 days.
	Retention time.Duration
}

// Default returns a queue with CreateQueue's defaults.
func Default(name string) Definition {
	return Definition{Name: name, Visibility: 30 * time.Second, Retention: 4 * 24 * time.Hour}
}

// Limits of a queue.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-queues.html
const (
	maxVisibility = 12 * time.Hour
	minRetention  = time.Minute
	maxRetention  = 14 * 24 * time.Hour
	maxSize       = 256 << 10 // bytes of a message, as CreateQueue sets it
	maxInFlight   = 120_000
	maxBatch      = 10
)

var nameRule = regexp.MustCompile(`^[a-zA-Z0-9_-]{1,80}$`)

// Validate reports everything that CreateQueue would refuse.
func (d Definition) Validate() error {
	var problems []error
	report := func(format string, args ...any) {
		problems = append(problems, fmt.Errorf("queue %q: "+format, append([]any{d.Name}, args...)...))
	}
	if !nameRule.MatchString(d.Name) {
		report("a name has 1 to 80 of a-z, A-Z, 0-9, hyphen and underscore; a FIFO queue is not supported")
	}
	between := func(what string, value, least, most time.Duration) {
		if value < least || value > most || value%time.Second != 0 {
			report("%s of %v is not between %v and %v in whole seconds", what, value, least, most)
		}
	}
	between("a visibility timeout", d.Visibility, 0, maxVisibility)
	between("a retention", d.Retention, minRetention, maxRetention)
	return errors.Join(problems...)
}

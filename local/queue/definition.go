package queue

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"time"
)

// A Definition is what a standard queue is created from. Start from Default, since zero means something in most of its
// fields.
type Definition struct {
	Name, URL, ARN string
	// Delay hides each new message for a while, unless the message says so itself: up to 15 minutes.
	Delay time.Duration
	// Visibility is how long a received message stays hidden: up to 12 hours.
	Visibility time.Duration
	// Retention is how long a message is kept, counted from when it was first sent: a minute to 14 days.
	Retention time.Duration
	// MaxMessageSize is the most bytes that body and attributes of a message may have together: 1 KiB to 1 MiB.
	MaxMessageSize int
}

// Default is a queue as CreateQueue makes it when nothing is said: no delay, 30 seconds of visibility timeout, four
// days of retention, 256 KiB.
func Default(name string) Definition {
	return Definition{
		Name: name, Visibility: 30 * time.Second, Retention: 4 * 24 * time.Hour, MaxMessageSize: 256 << 10,
	}
}

// Limits of a queue.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-queues.html
const (
	maxDelay      = 15 * time.Minute
	maxVisibility = 12 * time.Hour
	minRetention  = time.Minute
	maxRetention  = 14 * 24 * time.Hour
	minSize       = 1 << 10
	maxSize       = 1 << 20
	maxInFlight   = 120_000
	maxBatch      = 10
	maxAttributes = 10
	maxSources    = 10
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
	between("a delay", d.Delay, 0, maxDelay)
	between("a visibility timeout", d.Visibility, 0, maxVisibility)
	between("a retention", d.Retention, minRetention, maxRetention)
	if d.MaxMessageSize < minSize || d.MaxMessageSize > maxSize {
		report("a maximum message size of %d is not between %d and %d", d.MaxMessageSize, minSize, maxSize)
	}
	return errors.Join(problems...)
}

// A Redrive sends a message that was received too often to another queue.
type Redrive struct {
	DeadLetter *Queue
	// MaxReceives is how often a message is received before it is moved: 1 to 1,000.
	MaxReceives int
}

// A RedriveAllow says which queues may name this one as their dead-letter queue.
type RedriveAllow struct {
	// Permission is allowAll, denyAll or byQueue.
	Permission string
	// Sources are the ARNs of the queues of byQueue, at most ten.
	Sources []string
}

// Validate reports a policy that SQS would refuse.
func (r RedriveAllow) Validate() error {
	switch {
	case r.Permission == "byQueue" && (len(r.Sources) == 0 || len(r.Sources) > maxSources):
		return fmt.Errorf("redrive-allow policy: byQueue needs 1 to %d source queue ARNs, not %d", maxSources, len(r.Sources))
	case r.Permission == "byQueue":
		return nil
	case r.Permission != "allowAll" && r.Permission != "denyAll":
		return fmt.Errorf("redrive-allow policy: permission %q is none of allowAll, denyAll and byQueue", r.Permission)
	case len(r.Sources) > 0:
		return fmt.Errorf("redrive-allow policy: %s takes no source queues", r.Permission)
	}
	return nil
}

func (r RedriveAllow) allows(arn string) bool {
	return r.Permission == "allowAll" || r.Permission == "byQueue" && slices.Contains(r.Sources, arn)
}

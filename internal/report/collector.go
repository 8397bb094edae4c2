package report

import (
	"cmp"
	"encoding/json"
	"maps"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"trade-processing/internal/feed"
)

// EndToEnd is the name of the time from the bus to the outcome, waiting included.
const EndToEnd = "end-to-end"

const (
	// maxProblems is how many problems with the input a report lists. All are counted.
	maxProblems = 20

	// Times are kept in nanoseconds up to an hour with three digits: about 200 KiB per stage and shard.
	longest         = time.Hour
	timeResolution  = int64(time.Microsecond)
	significantTime = 3
)

// Collector counts what happens to the trades of a run. All its methods are safe for concurrent use. Counts for every
// trade go to a random shard, so goroutines rarely wait for each other: one call costs some tens of nanoseconds.
type Collector struct {
	stages []string // that are timed; EndToEnd is the last
	shards []shard

	mu     sync.Mutex // guards rare events
	input  Input
	alarms []Alarm
}

// shard is a share of the counts. Its lock is rarely contended.
type shard struct {
	mu          sync.Mutex
	counts      counts
	codes       map[string]int64
	deadLetters map[deadLetter]int64
	times       []*hdrhistogram.Histogram // of the stages
	_           [64]byte                  // keeps neighbours off the same cache line
}

type counts struct {
	received, recorded, corrections, cancels, rejected, duplicates, duplicateRejections, deadLettered, notMatched int64

	borneOut int64  // answers
	written  uint64 // the sum of the items that these name as written
}

type deadLetter struct{ queue, error string }

// NewCollector returns a collector with everything at zero, which times these states of the workflow.
func NewCollector(states ...string) *Collector {
	c := &Collector{stages: append(slices.Clone(states), EndToEnd), shards: make([]shard, min(4*runtime.GOMAXPROCS(0), 32))}
	for i := range c.shards {
		s := &c.shards[i]
		s.codes = make(map[string]int64)
		s.deadLetters = make(map[deadLetter]int64)
		s.times = c.newTimes()
	}
	return c
}

func (c *Collector) newTimes() []*hdrhistogram.Histogram {
	times := make([]*hdrhistogram.Histogram, len(c.stages))
	for i := range times {
		times[i] = hdrhistogram.New(timeResolution, int64(longest), significantTime)
	}
	return times
}

// locked calls do with exclusive access to one of the shards.
func (c *Collector) locked(do func(*shard)) {
	s := &c.shards[rand.IntN(len(c.shards))]
	s.mu.Lock()
	defer s.mu.Unlock()
	do(s)
}

// Received counts a trade that the bus accepted.
func (c *Collector) Received() { c.locked(func(s *shard) { s.counts.received++ }) }

// Recorded counts a valid trade that was written.
func (c *Collector) Recorded() { c.locked(func(s *shard) { s.counts.recorded++ }) }

// Correction counts a correction that was written.
func (c *Collector) Correction() {
	c.locked(func(s *shard) { s.counts.recorded, s.counts.corrections = s.counts.recorded+1, s.counts.corrections+1 })
}

// Cancel counts a cancel that was written.
func (c *Collector) Cancel() {
	c.locked(func(s *shard) { s.counts.recorded, s.counts.cancels = s.counts.recorded+1, s.counts.cancels+1 })
}

// Rejected counts a trade that was written with violations. Each code counts once for the trade, however many fields
// broke the rule.
func (c *Collector) Rejected(codes []string) {
	c.locked(func(s *shard) {
		s.counts.rejected++
		for i, code := range codes {
			if !slices.Contains(codes[:i], code) {
				s.codes[code]++
			}
		}
	})
}

// Duplicate counts a trade that was already in the table.
func (c *Collector) Duplicate() { c.locked(func(s *shard) { s.counts.duplicates++ }) }

// DuplicateRejection counts a trade that broke the rules again, and whose rejection was already in the table.
func (c *Collector) DuplicateRejection() { c.locked(func(s *shard) { s.counts.duplicateRejections++ }) }

// BorneOut counts an answer that the table bears out, and adds the item's sum if it says that it was written now.
func (c *Collector) BorneOut(sum uint64) {
	c.locked(func(s *shard) { s.counts.borneOut, s.counts.written = s.counts.borneOut+1, s.counts.written+sum })
}

// Contents returns how many answers were borne out, and the sum of the items that were written.
func (c *Collector) Contents() (borneOut int64, written uint64) {
	n := c.counts()
	return n.borneOut, n.written
}

// DeadLettered counts a trade that went to a dead-letter queue because of an error.
func (c *Collector) DeadLettered(queue, error string) {
	c.locked(func(s *shard) {
		s.counts.deadLettered++
		s.deadLetters[deadLetter{queue, error}]++
	})
}

// NotMatched counts a trade that no rule matched.
func (c *Collector) NotMatched() { c.locked(func(s *shard) { s.counts.notMatched++ }) }

// Stage counts one call of a stage and how long it took, if the stage is timed.
func (c *Collector) Stage(name string, took time.Duration) {
	stage := slices.Index(c.stages, name)
	if stage < 0 {
		return
	}
	took = min(max(took, 0), longest)
	c.locked(func(s *shard) {
		s.times[stage].RecordValue(int64(took)) //nolint:errcheck // it fails above longest only
	})
}

// Problem counts something in the input that isn't an entry.
func (c *Collector) Problem(p *feed.Problem) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch p.Kind {
	case feed.Refused:
		c.input.Refused++
	case feed.Unreadable:
		c.input.Unreadable++
	case feed.Empty:
		c.input.Empty++
	case feed.Padded:
		c.input.Padded++
	}
	if len(c.input.Problems) < maxProblems {
		c.input.Problems = append(c.input.Problems, Problem{File: p.File, Line: p.Line, Reason: p.Reason, Excerpt: p.Excerpt})
	}
}

// Alarm records an alarm that went off.
func (c *Collector) Alarm(name string, at time.Time, reason string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.alarms = append(c.alarms, Alarm{Name: name, At: at, Reason: reason})
}

// Finished returns how many trades have an outcome so far, for progress.
func (c *Collector) Finished() int64 {
	n := c.counts()
	return n.recorded + n.rejected + n.duplicates + n.duplicateRejections + n.deadLettered + n.notMatched
}

func (c *Collector) counts() counts {
	var sum counts
	for i := range c.shards {
		s := &c.shards[i]
		s.mu.Lock()
		n := s.counts
		s.mu.Unlock()
		sum.received += n.received
		sum.recorded += n.recorded
		sum.corrections += n.corrections
		sum.cancels += n.cancels
		sum.rejected += n.rejected
		sum.duplicates += n.duplicates
		sum.duplicateRejections += n.duplicateRejections
		sum.deadLettered += n.deadLettered
		sum.notMatched += n.notMatched
		sum.borneOut += n.borneOut
		sum.written += n.written
	}
	return sum
}

// Run is what the run knows at its end but the collector doesn't.
type Run struct {
	Names       []string // of the inputs
	Lines       int64    // that aren't blank: feed.Feed.Lines
	Elapsed     time.Duration
	Interrupted bool
	Checks      []Check
	Denied      []Denial
	Replicas    []Replica
	PeakMemory  int64           // bytes
	Example     json.RawMessage // one recorded item; nil if there is none
}

// Report sums up. Call it when counting has ended; a received trade without an outcome counts as unfinished if the run
// was interrupted, and as lost if it wasn't.
func (c *Collector) Report(run Run) *Report {
	n := c.counts()
	r := &Report{
		Input:    c.input,
		Received: n.received, Recorded: n.recorded, Corrections: n.corrections, Cancels: n.cancels, Rejected: n.rejected, Duplicates: n.duplicates,
		DuplicateRejections: n.duplicateRejections, DeadLettered: n.deadLettered, NotMatched: n.notMatched,
		RejectedByCode: make(map[string]int64), DeadLetters: []DeadLetters{},
		Denied: orEmpty(run.Denied), Unexpected: []string{}, Checks: orEmpty(run.Checks), Interrupted: run.Interrupted,
		ElapsedSeconds: run.Elapsed.Round(time.Millisecond).Seconds(), PeakMemoryBytes: run.PeakMemory,
		Alarms: orEmpty(c.alarms), Replicas: orEmpty(run.Replicas), Example: run.Example,
	}
	r.Input.Names, r.Input.Lines, r.Input.Problems = orEmpty(run.Names), run.Lines, orEmpty(c.input.Problems)
	if run.Interrupted {
		r.Unfinished = max(0, r.Received-r.accounted())
	}
	if run.Elapsed > 0 {
		r.TradesPerSecond = float64(int64(float64(r.accounted()-r.Unfinished) / run.Elapsed.Seconds()))
	}
	slices.SortFunc(r.Denied, func(a, b Denial) int { return cmp.Or(cmp.Compare(b.Times, a.Times), cmp.Compare(a.Says, b.Says)) })
	slices.SortStableFunc(r.Alarms, func(a, b Alarm) int { return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Name, b.Name)) })
	c.merge(r)
	r.Reconciles = r.reconciles()
	return r
}

// merge adds up the shards' codes, dead letters and times.
func (c *Collector) merge(r *Report) {
	letters := make(map[deadLetter]int64)
	times := c.newTimes()
	for i := range c.shards {
		s := &c.shards[i]
		for code, count := range s.codes {
			r.RejectedByCode[code] += count
		}
		for letter, count := range s.deadLetters {
			letters[letter] += count
		}
		for stage := range times {
			times[stage].Merge(s.times[stage])
		}
	}
	for letter := range maps.Keys(letters) {
		r.DeadLetters = append(r.DeadLetters, DeadLetters{Queue: letter.queue, Error: letter.error, Trades: letters[letter]})
	}
	slices.SortFunc(r.DeadLetters, func(a, b DeadLetters) int {
		return cmp.Or(cmp.Compare(b.Trades, a.Trades), cmp.Compare(a.Queue, b.Queue), cmp.Compare(a.Error, b.Error))
	})
	for i, name := range c.stages {
		h := times[i]
		at := func(percentile float64) Milliseconds { return Milliseconds(h.ValueAtPercentile(percentile)) }
		r.Stages = append(r.Stages, Stage{
			Name: name, Calls: h.TotalCount(),
			P50: at(50), P95: at(95), P99: at(99), Max: Milliseconds(h.Max()),
		})
	}
}

// orEmpty turns a nil list into an empty one, whose JSON is [].
func orEmpty[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

// Package report says what became of the trades of a run: how many went in, how many came out and where, how fast, and
// whether the two agree.
//
// A Collector counts during the run; its Report can be written as text for people and as JSON for programs.
package report

import (
	"encoding/json"
	"fmt"
	"time"

	"trade-processing/internal/exitcode"
)

// Report is what a run did. Its JSON is a contract: fields are added, never renamed or redefined. Lists and maps may be
// empty, but never null.
type Report struct {
	Input Input `json:"input"`

	// Every trade that the bus accepted had exactly one of the outcomes below.
	Received int64 `json:"received"`
	Recorded int64 `json:"recorded"` // written to the table, valid
	// Corrections and Cancels are among the recorded.
	Corrections int64 `json:"corrections"`
	Cancels     int64 `json:"cancels"`
	Rejected    int64 `json:"rejected"`   // written to the table, with violations
	Duplicates  int64 `json:"duplicates"` // already in the table, with the same digest
	// DuplicateRejections broke the rules again, and their rejections were already in the table, with the same digest.
	DuplicateRejections int64 `json:"duplicateRejections"`
	// DeadLettered trades are in a dead-letter queue, whole.
	DeadLettered int64 `json:"deadLettered"`
	NotMatched   int64 `json:"notMatched"` // no rule of the bus matched them
	// Unfinished trades were in flight when the run was interrupted. It is safe to send them again.
	Unfinished int64 `json:"unfinished"`

	// RejectedByCode counts violations. A trade can break several rules, so their sum may exceed Rejected.
	RejectedByCode map[string]int64 `json:"rejectedByCode"`
	DeadLetters    []DeadLetters    `json:"deadLetters"`

	// Denied are the calls that the deployed policies don't allow, the most frequent first.
	Denied []Denial `json:"denied"`
	// Unexpected says, a line for each number, how the outcomes of a sample differ from what it holds.
	Unexpected []string `json:"unexpected"`

	// Checks compare the outcomes with what tables and queues actually hold.
	Checks []Check `json:"checks"`
	// Reconciles says whether the outcomes add up to what was received and every check holds.
	Reconciles  bool `json:"reconciles"`
	Interrupted bool `json:"interrupted"`

	ElapsedSeconds  float64   `json:"elapsedSeconds"` // processing only; deployment isn't counted
	TradesPerSecond float64   `json:"tradesPerSecond"`
	Stages          []Stage   `json:"stages"`
	PeakMemoryBytes int64     `json:"peakMemoryBytes"` // of this process; 0 if the system doesn't say
	Alarms          []Alarm   `json:"alarms"`          // those that went off, in chronological order
	Replicas        []Replica `json:"replicas"`

	// Example is one complete recorded item, as in the table.
	Example json.RawMessage `json:"example,omitempty"`
}

// Input is what was read, and how much of it wasn't an entry.
type Input struct {
	Names      []string  `json:"names"`
	Lines      int64     `json:"lines"`      // that aren't blank
	Refused    int64     `json:"refused"`    // lines that the bus wouldn't accept
	Unreadable int64     `json:"unreadable"` // inputs that couldn't be opened, or ended early
	Empty      int64     `json:"empty"`      // inputs without a line; nothing is lost by them
	Padded     int64     `json:"padded"`     // inputs with zero bytes behind their gzip data; nothing is lost by them
	Problems   []Problem `json:"problems"`   // the first of all these
}

// Problem is one thing in the input that isn't an entry.
type Problem struct {
	File    string `json:"file"`
	Line    int    `json:"line,omitempty"` // from 1; absent for the file as a whole
	Reason  string `json:"reason"`
	Excerpt string `json:"excerpt,omitempty"`
}

// DeadLetters is how many trades a queue got for one error.
type DeadLetters struct {
	Queue  string `json:"queue"`
	Error  string `json:"error"` // the error's name in the state machine, such as TradeConflict
	Trades int64  `json:"trades"`
}

// Denial is a call that a deployed policy doesn't allow.
type Denial struct {
	Says  string `json:"says"` // caller, action, resource and reason
	Times int64  `json:"times"`
}

// Check is a claim about what a resource holds after the run.
type Check struct {
	Claim string `json:"claim"` // such as "table trades holds every trade that was recorded or rejected"
	Want  int64  `json:"want"`
	Got   int64  `json:"got"`
}

// Holds reports whether the claim is true.
func (c Check) Holds() bool { return c.Want == c.Got }

// Stage is how long one step of the workflow took.
type Stage struct {
	Name  string       `json:"name"`
	Calls int64        `json:"calls"`
	P50   Milliseconds `json:"p50Milliseconds"`
	P95   Milliseconds `json:"p95Milliseconds"`
	P99   Milliseconds `json:"p99Milliseconds"`
	Max   Milliseconds `json:"maxMilliseconds"`
}

// Milliseconds is a duration whose JSON is a number of milliseconds, with microsecond precision.
type Milliseconds time.Duration

// MarshalJSON writes 1.5 for 1.5 ms.
func (m Milliseconds) MarshalJSON() ([]byte, error) {
	return json.Marshal(float64(time.Duration(m).Microseconds()) / 1000)
}

// UnmarshalJSON reads what MarshalJSON writes.
func (m *Milliseconds) UnmarshalJSON(text []byte) error {
	var value float64
	if err := json.Unmarshal(text, &value); err != nil {
		return err
	}
	*m = Milliseconds(time.Duration(value*1000+0.5) * time.Microsecond)
	return nil
}

// Alarm is an alarm that went off during the run.
type Alarm struct {
	Name   string    `json:"name"`
	At     time.Time `json:"at"`
	Reason string    `json:"reason"`
}

// Replica is a copy of the table in another region at the end of the run.
type Replica struct {
	Region string `json:"region"`
	Items  int64  `json:"items"`
	Behind int64  `json:"behind"` // changes to the table that hadn't arrived yet
	// Differs is how many items it lacks, has besides or has with other contents.
	Differs int64 `json:"differs"`
}

// accounted returns the sum of all outcomes.
func (r *Report) accounted() int64 {
	return r.Recorded + r.Rejected + r.Duplicates + r.DuplicateRejections + r.DeadLettered + r.NotMatched + r.Unfinished
}

// reconciles is the promise that nothing is lost: every trade that went in has one outcome, and tables and queues hold
// what the outcomes say.
func (r *Report) reconciles() bool {
	for _, check := range r.Checks {
		if !check.Holds() {
			return false
		}
	}
	return r.accounted() == r.Received
}

// ExitCode returns the process's exit code after this run.
func (r *Report) ExitCode() exitcode.Code {
	switch {
	case r.Interrupted:
		return exitcode.Interrupted
	case !r.Reconciles, len(r.Denied) > 0, len(r.Unexpected) > 0:
		return exitcode.Unreconciled
	case r.Input.Refused+r.Input.Unreadable > 0:
		return exitcode.RefusedInput
	}
	return exitcode.OK
}

// JSON returns the report indented, with a line end.
func (r *Report) JSON() ([]byte, error) {
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("writing the report as JSON: %w", err)
	}
	return append(text, '\n'), nil
}

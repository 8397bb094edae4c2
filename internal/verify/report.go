package verify

import (
	"encoding/json"
	"fmt"
	"time"

	"trade-processing/internal/exitcode"
)

// Outcome is the outcome of a step.
type Outcome string

const (
	Passed  Outcome = "passed"
	Failed  Outcome = "failed"
	Skipped Outcome = "skipped"
)

// Milliseconds is a duration whose JSON is a whole number of milliseconds.
type Milliseconds time.Duration

// MarshalJSON writes whole milliseconds.
func (m Milliseconds) MarshalJSON() ([]byte, error) {
	return json.Marshal(time.Duration(m).Milliseconds())
}

// Result is the result of one step.
type Result struct {
	Step     string       `json:"step"`
	Outcome  Outcome      `json:"outcome"`
	Elapsed  Milliseconds `json:"milliseconds"`
	Found    []string     `json:"found,omitempty"`    // what the step saw, for people
	Problems []string     `json:"problems,omitempty"` // the problems

	code exitcode.Code
}

func (r *Result) found(format string, args ...any) {
	r.Found = append(r.Found, fmt.Sprintf(format, args...))
}

func (r *Result) problem(format string, args ...any) {
	r.Outcome = Failed
	r.Problems = append(r.Problems, fmt.Sprintf(format, args...))
}

// Latency is how long something took as seen by this program, including the network and the polling interval.
type Latency struct {
	What    string       `json:"what"`
	Elapsed Milliseconds `json:"milliseconds"`
}

// Report is what a verification found.
type Report struct {
	Run         string       `json:"run"` // marks its trades: their ids begin with verify-, the run and another -
	Environment string       `json:"environment"`
	Region      string       `json:"region"`
	Started     time.Time    `json:"started"`
	Elapsed     Milliseconds `json:"milliseconds"`
	Interrupted bool         `json:"interrupted,omitempty"`
	Steps       []Result     `json:"steps"`
	Latencies   []Latency    `json:"latencies,omitempty"`
}

// ExitCode returns the exit code of the first failed step; of an interrupted verification, only that of the clean-up.
func (r *Report) ExitCode() exitcode.Code {
	for _, step := range r.Steps {
		if step.Outcome == Failed && (!r.Interrupted || step.code == exitcode.LeftBehind) {
			return step.code
		}
	}
	if r.Interrupted {
		return exitcode.Interrupted
	}
	return exitcode.OK
}

// count returns how many steps had an outcome.
func (r *Report) count(outcome Outcome) int {
	n := 0
	for _, step := range r.Steps {
		if step.Outcome == outcome {
			n++
		}
	}
	return n
}

// JSON returns the report for programs.
func (r *Report) JSON() ([]byte, error) {
	text, err := json.MarshalIndent(struct {
		*Report
		Passed   bool          `json:"passed"`
		ExitCode exitcode.Code `json:"exitCode"`
	}{r, r.ExitCode() == exitcode.OK, r.ExitCode()}, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("writing the report: %w", err)
	}
	return append(text, '\n'), nil
}

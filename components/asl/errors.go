package asl

import (
	"fmt"
	"math"
	"slices"
)

// AnyError matches every error except States.DataLimitExceeded and States.Runtime, which it can't catch.
const AnyError = "States.ALL"

// DataLimitExceeded is data of more than 256 KiB. It can only be caught by this name.
const DataLimitExceeded = "States.DataLimitExceeded"

// Retrier repeats a state that ended in one of its errors.
type Retrier struct {
	ErrorEquals     []string `json:"ErrorEquals"`
	IntervalSeconds int      `json:"IntervalSeconds"` // the pause before the first retry
	BackoffRate     float64  `json:"BackoffRate"`     // the factor by which each further pause grows
	MaxDelaySeconds int      `json:"MaxDelaySeconds"` // the longest pause
	MaxAttempts     int      `json:"MaxAttempts"`     // retries, not calls; 0 is never
	JitterStrategy  Jitter   `json:"JitterStrategy,omitempty"`
}

// Jitter says how a pause is randomised.
type Jitter string

// FullJitter waits any time between zero and the pause, so that many executions' retries don't come in waves.
const FullJitter Jitter = "FULL"

// Catcher continues from a state that ended in one of its errors, after all retries.
type Catcher struct {
	ErrorEquals []string   `json:"ErrorEquals"`
	ResultPath  ResultPath `json:"ResultPath,omitempty"`
	Next        string     `json:"Next"`
}

// pause returns the longest pause before retry n, counted from 0.
func (r Retrier) pause(n int) int {
	grown := float64(r.IntervalSeconds) * math.Pow(r.BackoffRate, float64(n))
	return int(math.Ceil(math.Min(grown, float64(r.MaxDelaySeconds))))
}

// problems follows the language's own rules and AWS's limits.
func (r Retrier) problems() []string {
	var found []string
	if len(r.ErrorEquals) == 0 {
		found = append(found, "a retrier names no error")
	}
	if slices.Contains(r.ErrorEquals, AnyError) && len(r.ErrorEquals) > 1 {
		found = append(found, AnyError+" must be alone in a retrier")
	}
	if r.IntervalSeconds < 1 {
		found = append(found, fmt.Sprintf("IntervalSeconds is %d, but must be at least 1", r.IntervalSeconds))
	}
	if r.BackoffRate < 1 {
		found = append(found, fmt.Sprintf("BackoffRate is %v, but must be at least 1", r.BackoffRate))
	}
	if r.MaxDelaySeconds <= r.IntervalSeconds || r.MaxDelaySeconds >= 31622400 {
		found = append(found, fmt.Sprintf("MaxDelaySeconds is %d, but must be above IntervalSeconds and below 31622400", r.MaxDelaySeconds))
	}
	if r.MaxAttempts < 0 {
		found = append(found, fmt.Sprintf("MaxAttempts is %d, but must not be negative", r.MaxAttempts))
	}
	return found
}

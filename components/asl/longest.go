package asl

import (
	"fmt"
	"math"
)

// Longest returns the most seconds that an execution can take if every call uses its whole timeout, every retry happens
// and every pause is the longest. A machine whose TimeoutSeconds is at least this never cuts a path off before its
// Catch, whose dead-letter queue keeps the event.
func (m Machine) Longest() (int, error) {
	took, err := longest(m.StartAt, m.States, map[string]bool{})
	return max(took.done, took.failed), err
}

// span is the most seconds that something takes until it is done, and until it has failed the execution, which goes on
// with no further state.
type span struct{ done, failed int }

// never is the span of what doesn't happen. It stays far below zero whatever is added to it.
const never = math.MinInt32

// longest returns the span from the start of state name to the end; above has the states on the way to it.
func longest(name string, states States, above map[string]bool) (span, error) {
	if above[name] {
		return span{}, fmt.Errorf("%s leads back to itself, so there is no longest path", name)
	}
	above[name] = true
	defer delete(above, name)

	own, err := states[name].span()
	if err != nil || len(states[name].leadsTo()) == 0 {
		return own, err
	}
	after := span{never, never}
	if task, ok := states[name].(Task); ok && task.End {
		after.done = 0 // if there is nothing to catch
	}
	for _, next := range states[name].leadsTo() {
		rest, err := longest(next, states, above)
		if err != nil {
			return span{}, err
		}
		after = span{max(after.done, rest.done), max(after.failed, rest.failed)}
	}
	return span{own.done + after.done, max(own.failed, own.done+after.failed)}, nil
}

// span adds up all retriers, because AWS counts attempts per retrier.
func (t Task) span() (span, error) {
	total := t.TimeoutSeconds
	for _, retrier := range t.Retry {
		for n := range retrier.MaxAttempts {
			pause := retrier.pause(n)
			if pause == retrier.MaxDelaySeconds || retrier.BackoffRate == 1 { // it grows no more
				total += (retrier.MaxAttempts - n) * (pause + t.TimeoutSeconds)
				break
			}
			total += pause + t.TimeoutSeconds
		}
	}
	return span{total, never}, nil
}

func (p Parallel) span() (span, error) {
	slowest := span{never, never}
	for _, branch := range p.Branches {
		took, err := longest(branch.StartAt, branch.States, map[string]bool{})
		if err != nil {
			return span{}, err
		}
		slowest = span{max(slowest.done, took.done), max(slowest.failed, took.failed)}
	}
	return slowest, nil
}

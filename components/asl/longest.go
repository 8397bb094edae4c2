package asl

import "fmt"

// Longest returns the most seconds that an execution can take if every call uses its whole timeout, every retry happens
// and every pause is the longest. A machine whose TimeoutSeconds is at least this never cuts a path off before its
// Catch, whose dead-letter queue keeps the event.
func (m Machine) Longest() (int, error) { return longest(m.StartAt, m.States, map[string]bool{}) }

// longest returns the most seconds from the start of state name to the end; above has the states on the way to it.
func longest(name string, states States, above map[string]bool) (int, error) {
	if above[name] {
		return 0, fmt.Errorf("%s leads back to itself, so there is no longest path", name)
	}
	above[name] = true
	defer delete(above, name)

	own, err := states[name].seconds()
	if err != nil {
		return 0, err
	}
	after := 0
	for _, next := range states[name].leadsTo() {
		rest, err := longest(next, states, above)
		if err != nil {
			return 0, err
		}
		after = max(after, rest)
	}
	return own + after, nil
}

// seconds counts the retrier that allows the most: AWS counts attempts per retrier, so several of them add up.
func (t Task) seconds() (int, error) {
	total := t.TimeoutSeconds
	for _, retrier := range t.Retry {
		for n := range retrier.MaxAttempts {
			total += retrier.pause(n) + t.TimeoutSeconds
		}
	}
	return total, nil
}

func (p Parallel) seconds() (int, error) {
	slowest := 0
	for _, branch := range p.Branches {
		seconds, err := longest(branch.StartAt, branch.States, map[string]bool{})
		if err != nil {
			return 0, err
		}
		slowest = max(slowest, seconds)
	}
	return slowest, nil
}

package states

import "slices"

// passage is how an earlier attempt passed a state.
type passage struct {
	output Data
	next   string   // the state that it entered then; empty if it entered none
	failed *Failure // what a Catch took over, if that is known
}

// redrive prepares to go on after an earlier attempt: the states that it left aren't run again, in a Parallel state either.
// All others are, with the same input and all their retries, and the machine's timeout begins anew. A state that runs again
// is entered again in the history.
// https://docs.aws.amazon.com/step-functions/latest/dg/redrive-executions.html
func (r *run) redrive(history []Event) *strand {
	last := history[len(history)-1]
	r.started, r.noted, r.passed = history[0].At, last.ID, map[string][]passage{}
	for _, e := range history {
		if e.State == "" || e.Type != "TaskStateExited" && e.Type != "ParallelStateExited" {
			continue
		}
		p := passage{output: e.Data}
		for _, other := range history {
			switch {
			case other.Previous == e.ID && other.State != "":
				p.next = other.State
			case other.ID == e.Previous:
				p.failed = other.Failure
			}
		}
		r.passed[e.State] = append(r.passed[e.State], p)
	}
	s := &strand{last.ID}
	r.note(s, Event{Type: "ExecutionRedriven"})
	return s
}

// pass passes a state as the earlier attempt did, which may have come to it several times.
func (r *run) pass(s *state) (output Data, next string, passed bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	before := r.passed[s.name]
	if len(before) == 0 {
		return nil, "", false
	}
	p := before[0]
	r.passed[s.name] = before[1:]
	if p.next != "" || p.failed == nil {
		if p.next == "" {
			p.next = s.next
		}
		return p.output, p.next, true
	}
	caught := slices.IndexFunc(s.catchers, func(c catcher) bool { return matches(c.errors, p.failed) })
	if caught < 0 {
		return nil, "", false
	}
	return p.output, s.catchers[caught].next, true
}

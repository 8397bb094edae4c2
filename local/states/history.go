package states

import (
	"context"
	"errors"
	"time"
)

// Event is an event in an execution's history, as GetExecutionHistory lists them. The types are AWS's.
// https://docs.aws.amazon.com/step-functions/latest/apireference/API_HistoryEvent.html
type Event struct {
	ID, Previous int64 // from 1; 0 for the first one's previous
	At           time.Time
	Type         string
	State        string // its name, if a state is entered or left
	Resource     string // of a task's events, such as arn:aws:states:::lambda:invoke
	Data         Data   // an input, an output, or a task's parameters
	Failure      *Failure
}

// strand is a sequence of events, each of which follows from the one before: an execution's, or a branch's.
type strand struct{ last int64 }

// note adds an event to a strand.
func (r *run) note(s *strand, e Event) {
	if r.env.History == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.noted++
	e.ID, e.Previous, e.At = r.noted, s.last, r.env.Clock.Now()
	s.last = e.ID
	r.env.History(e)
}

// noteEnd adds an execution's last event.
func (r *run) noteEnd(ctx context.Context, s *strand, output Data, err error) {
	failure, failed := errors.AsType[*Failure](err)
	if !failed {
		failure, _ = errors.AsType[*Failure](context.Cause(ctx)) // somebody stopped it
	}
	end := Event{Type: "ExecutionSucceeded", Data: output, Failure: failure}
	switch {
	case err == nil:
	case failed && failure.Stopped && failure.Name == TimedOut:
		end.Type = "ExecutionTimedOut"
	case failed && !failure.Stopped:
		end.Type = "ExecutionFailed"
	default:
		end.Type = "ExecutionAborted"
	}
	r.note(s, end)
}

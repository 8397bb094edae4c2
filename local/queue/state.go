package queue

import (
	"iter"
	"time"
)

// State is how much is in a queue.
type State struct {
	Visible  int // can be received
	InFlight int // were received and are hidden
	Delayed  int // are hidden since they were sent
	// Oldest is the age of the oldest message, counted from when it came into this queue; zero when there is none.
	Oldest time.Duration
	// Expired is how many messages were lost to the retention since the queue was made.
	Expired int
}

// Depth is the number of all messages.
func (s State) Depth() int { return s.Visible + s.InFlight + s.Delayed }

// State tells how much is in the queue now.
func (q *Queue) State() State { return q.state(q.clock.Now()) }

func (q *Queue) state(now time.Time) State {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.advance(now)
	s := State{Visible: q.ready.Len(), InFlight: q.flying, Delayed: q.hidden.Len() - q.flying, Expired: q.expired}
	if m, found := q.all.Min(); found {
		s.Oldest = now.Sub(time.Unix(0, m.arrived))
	}
	return s
}

// Messages yields all messages in the order of their arrival, without receiving them, as the queue was when the
// iteration began.
func (q *Queue) Messages() iter.Seq[Message] {
	return func(yield func(Message) bool) {
		for _, m := range q.snapshot() {
			if !yield(m.message("")) {
				return
			}
		}
	}
}

// snapshot copies all messages but their bodies, in the order of arrival.
func (q *Queue) snapshot() []stored {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.advance(q.clock.Now())
	messages := make([]stored, 0, q.all.Len())
	q.all.Scan(func(m *stored) bool {
		messages = append(messages, *m)
		return true
	})
	return messages
}

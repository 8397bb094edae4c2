package queue

import (
	"context"
	"time"
)

// Receive takes up to limit messages, 1 to 10, and hides them for the visibility timeout, or for the queue's own when
// it is nil. It does not wait for a message. A message that was received too often is moved to the dead-letter queue
// instead.
func (q *Queue) Receive(ctx context.Context, limit int, visibility *time.Duration) ([]Message, error) {
	var dead []*stored
	var redrive *Redrive
	messages, err := serve(ctx, q, "ReceiveMessage", "", func(now time.Time) ([]Message, error) {
		if limit < 1 || limit > maxBatch {
			return nil, apiError("InvalidParameterValue", "Value %d for parameter MaxNumberOfMessages is invalid. Reason: Must be between 1 and 10, if provided.", limit)
		}
		hide := q.def.Visibility
		if visibility != nil {
			hide = *visibility
		}
		if err := checkVisibility(hide); err != nil {
			return nil, err
		}
		// A dead-letter queue that was deleted takes nothing: messages stay here.
		if redrive = q.redrive; redrive != nil && redrive.DeadLetter.deleted.Load() {
			redrive = nil
		}
		var messages []Message
		for len(messages) < limit {
			m, found := q.ready.Min()
			if !found {
				break
			}
			if redrive != nil && m.receives >= redrive.MaxReceives {
				q.remove(m)
				dead = append(dead, m)
				continue
			}
			if q.flying >= maxInFlight {
				if len(messages) == 0 {
					return nil, apiError("OverLimit", "Too many messages in flight: %d.", q.flying)
				}
				break
			}
			q.unfile(m)
			m.receives++
			if m.receives == 1 {
				m.received = now.UnixNano()
			}
			messages = append(messages, m.message(m.receipt()))
			q.hide(m, now, hide)
		}
		q.measures.received.Add(now, float64(len(messages)))
		return messages, nil
	})
	// The other queue has a lock of its own, and a redrive back to this one.
	for _, m := range dead {
		redrive.DeadLetter.accept(m, q.Definition().ARN)
	}
	return messages, err
}

// hide files a received message for a time. None is fine: it can be received again at once, but not by the same call,
// which goes on behind it.
func (q *Queue) hide(m *stored, now time.Time, d time.Duration) {
	m.visible = now.Add(d).UnixNano()
	q.hidden.Set(m)
	q.flying++
}

// accept takes a message over from a queue that redrives it. It keeps its id, its age and its receives.
func (q *Queue) accept(m *stored, source string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	now := q.clock.Now()
	moved := *m
	moved.source = source
	moved.arrived, moved.visible = now.UnixNano(), now.UnixNano()
	q.add(&moved, now)
}

func checkVisibility(d time.Duration) error {
	if d < 0 || d > maxVisibility {
		return apiError("InvalidParameterValue", "Value %d for parameter VisibilityTimeout is invalid. Reason: Must be between 0 and 43200.", int(d.Seconds()))
	}
	return nil
}

// Acknowledge deletes a received message, as DeleteMessage. A message that is gone, or was received again since, is no
// error and stays as it is.
func (q *Queue) Acknowledge(ctx context.Context, handle string) error {
	_, err := serve(ctx, q, "DeleteMessage", "", func(now time.Time) (struct{}, error) {
		m, err := q.find(handle)
		if m != nil {
			q.remove(m)
			q.measures.deleted.Add(now, 1)
		}
		return struct{}{}, err
	})
	return err
}

// ChangeVisibility hides a received message for a time that starts now.
func (q *Queue) ChangeVisibility(ctx context.Context, handle string, d time.Duration) error {
	_, err := serve(ctx, q, "ChangeMessageVisibility", "", func(now time.Time) (struct{}, error) {
		if err := checkVisibility(d); err != nil {
			return struct{}{}, err
		}
		m, err := q.find(handle)
		if err != nil {
			return struct{}{}, err
		}
		if m == nil {
			return struct{}{}, apiError("InvalidParameterValue", "Value %s for parameter ReceiptHandle is invalid. Reason: Message does not exist or is not available for visibility timeout change.", handle)
		}
		if _, hidden := q.hidden.Get(m); !hidden {
			return struct{}{}, apiError("MessageNotInflight", "The message referred to isn't in flight.")
		}
		q.unfile(m)
		q.hide(m, now, d)
		return struct{}{}, nil
	})
	return err
}

// find looks up the message of a receipt handle; nil when it is gone or was received again since.
func (q *Queue) find(handle string) (*stored, error) {
	r, err := parseReceipt(handle)
	if err != nil {
		return nil, err
	}
	m, found := q.all.Get(&stored{serial: r.serial})
	if !found || m.id != r.id || m.receives != r.receives {
		return nil, nil
	}
	return m, nil
}

package queue

import "time"

// add files a new message.
func (q *Queue) add(m *stored, now time.Time) {
	q.serial++
	m.serial = q.serial
	q.all.Set(m)
	q.bySent.Set(m)
	if m.visible > now.UnixNano() {
		q.hidden.Set(m)
	} else {
		q.ready.Set(m)
	}
}

// remove takes a message out for good.
func (q *Queue) remove(m *stored) {
	q.all.Delete(m)
	q.bySent.Delete(m)
	q.unfile(m)
}

// unfile takes a message out of ready or hidden.
func (q *Queue) unfile(m *stored) {
	if _, was := q.hidden.Delete(m); was {
		if m.receives > 0 {
			q.flying--
		}
		return
	}
	q.ready.Delete(m)
}

// advance brings about what has happened by now: messages beyond their retention are gone, those whose time of hiding
// is over can be received.
func (q *Queue) advance(now time.Time) {
	oldest := now.Add(-q.def.Retention).UnixNano()
	for {
		m, found := q.bySent.Min()
		if !found || m.sent > oldest {
			break
		}
		q.remove(m)
		q.expired++
	}
	for {
		m, found := q.hidden.Min()
		if !found || m.visible > now.UnixNano() {
			break
		}
		q.unfile(m)
		q.ready.Set(m)
	}
}

package queue

import (
	"encoding/binary"
	"encoding/json"
	"fmt"

	"trade-processing/local/disk"
)

// On disk a message has two values, under its queue's ARN and its number in the order of arrival: its body, which is not
// in memory then, and the rest, which changes with each receive.
const (
	bodyKey = "body"
	restKey = "rest"
)

func (q *Queue) prefix() string { return "queue/" + q.def.ARN + "/" }

func (q *Queue) key(m *stored, part string) string {
	return q.prefix() + string(binary.BigEndian.AppendUint64(nil, m.serial)) + part
}

// restore reads the messages that the store has.
func (q *Queue) restore() error {
	if q.disk == nil {
		return nil
	}
	for key, value := range q.disk.Scan(q.prefix(), q.prefix()+"\xff", false) {
		number, part := key[len(q.prefix()):][:8], key[len(q.prefix())+8:]
		if part != restKey {
			continue
		}
		m := &stored{serial: binary.BigEndian.Uint64([]byte(number))}
		if err := json.Unmarshal([]byte(value), m); err != nil {
			return fmt.Errorf("reading message %d of queue %s: %w", m.serial, q.def.Name, err)
		}
		q.serial = m.serial
		q.all.Set(m)
		q.hidden.Set(m) // until advance
	}
	return nil
}

// file writes a message that is new to the store; if there is none and memory is full, only its body.
func (q *Queue) file(m *stored) {
	if q.disk != nil {
		body := disk.Change{Key: q.key(m, bodyKey), Value: m.Body}
		m.Body = ""
		q.disk.Write(body, q.rest(m))
		return
	}
	if q.spill == nil || q.all.Len() < q.most {
		return
	}
	if on, err := q.spill(); err == nil {
		on.Write(disk.Change{Key: q.key(m, bodyKey), Value: m.Body})
		m.Body = ""
	}
}

// bodies returns the store that has the bodies that aren't in memory.
func (q *Queue) bodies() *disk.Store {
	if q.disk != nil {
		return q.disk
	}
	on, _ := q.spill() // which it has opened before
	return on
}

// refile writes what a receive has changed.
func (q *Queue) refile(m *stored) {
	if q.disk != nil {
		q.disk.Write(q.rest(m))
	}
}

func (q *Queue) rest(m *stored) disk.Change {
	text, _ := json.Marshal(m) // numbers and strings
	return disk.Change{Key: q.key(m, restKey), Value: string(text)}
}

func (q *Queue) unfile(m *stored) {
	if m.Body == "" { // no message is empty
		q.bodies().Write(disk.Change{Key: q.key(m, bodyKey), Delete: true}, disk.Change{Key: q.key(m, restKey), Delete: true})
	}
}

func (q *Queue) clearFiles() {
	if q.disk != nil || q.spill != nil && q.serial > uint64(q.most) {
		q.bodies().Clear(q.prefix(), q.prefix()+"\xff")
	}
}

// whole returns a message with its body, or false if it is gone.
func (q *Queue) whole(m stored) (stored, bool) {
	if m.Body != "" {
		return m, true
	}
	body, there := q.bodies().Get(q.key(&m, bodyKey))
	m.Body = body
	return m, there
}

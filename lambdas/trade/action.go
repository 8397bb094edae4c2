package trade

import (
	"errors"
	"time"
)

// Action is what a message does to a trade, after FIX's ExecType (tag 150): F Trade, G Trade Correct, H Trade Cancel.
// https://www.inforeachinc.com/fix-dictionary/FIX.5.0SP2_EP240/fields/ExecType.html
type Action string

// The actions. Each is a version of the trade, and changes no other.
const (
	New     Action = "NEW"
	Correct Action = "CORRECT"
	Cancel  Action = "CANCEL"
)

// Action returns the trade's action: New, unless it names another one.
func (t *Trade) Action() Action {
	text, _ := t.Text("action")
	return actionOf(text)
}

func actionOf(text string) Action {
	if action := Action(text); action == Correct || action == Cancel {
		return action
	}
	return New
}

// Replaces returns the time of the version that a correction or a cancel takes the place of: its replacesTime, or its
// executedAt, which is the time of the trade as first sent. There is none if neither can be read, or the trade is New.
func (t *Trade) Replaces() (at time.Time, any bool) {
	if t.Action() == New {
		return time.Time{}, false
	}
	if at, readable := t.time("replacesTime"); readable {
		return at, true
	}
	return t.ExecutedAt()
}

// moment checks a time, and returns it if nothing is wrong with it.
func (c *checker) moment(i int, v *value) (time.Time, bool) {
	literal, present := c.text(i, v)
	if !present {
		return time.Time{}, false
	}
	at, err := ParseTime(literal)
	if c.unreadable(i, literal, err) {
		return time.Time{}, false
	}
	return at, !c.inFuture(i, literal, at)
}

// unreadable reports the error of ParseTime, if there is one.
func (c *checker) unreadable(i int, literal string, err error) bool {
	switch {
	case errors.Is(err, errTimeFormat):
		c.add(i, "INVALID", "%s %v", quote(literal), err)
	case errors.Is(err, errTimeTooFine):
		c.add(i, "TOO_FINE", "%s %v", quote(literal), err)
	}
	return err != nil
}

// inFuture compares a time with the earlier of the event's time and now, and reports a later one. By now alone, a trade
// sent too early would become valid by waiting, for instance in the dead-letter queue; by the event's time alone, which
// producers may set themselves, a source with a wrong clock would vouch for itself.
func (c *checker) inFuture(i int, literal string, at time.Time) bool {
	reference, name := c.arrival.Time, "the event's time"
	if c.arrival.Now.Before(reference) {
		reference, name = c.arrival.Now, "now,"
	}
	if !at.After(reference.Add(c.rules.MaxClockSkew)) {
		return false
	}
	c.add(i, "IN_FUTURE", "%s is more than %s after %s %s", quote(literal), c.rules.MaxClockSkew, name, reference.UTC().Format(time.RFC3339))
	return true
}

// describeMoment describes what a time may break.
func describeMoment(f *field) []Description {
	return []Description{
		f.describe("WRONG_TYPE", "is not a string", "1716903000"),
		f.describe("INVALID", "is not an RFC 3339 time with a zone", `"2024-05-28 09:30:00"`),
		f.describe("TOO_FINE", "has more than 9 digits after the second", `"2024-05-28T09:30:00.1234567890Z"`),
		f.describe("IN_FUTURE", "is later than both clocks allow: more than the allowed skew after the event's time, or after now", `"2999-12-31T00:00:00Z"`),
	}
}

// actionTimeRule takes the time of a correction or cancel. Of a new trade it means nothing.
type actionTimeRule struct{}

func (actionTimeRule) check(c *checker, i int, v *value) {
	if c.action != New && !c.present(i) {
		c.add(i, "MISSING", "is missing, but a correction or cancel needs it")
	}
	at, good := c.moment(i, v)
	if good && c.action != New && c.executedAtGood && at.Before(c.executedAt) {
		c.add(i, "TOO_EARLY", "%s is before executedAt, %s", quote(v.text), quote(c.textOf(executedAtField)))
	}
}

func (actionTimeRule) describe(f *field) []Description {
	missing := f.sentence("MISSING", "A CORRECT or CANCEL has no time of its own, or it is null.", "null")
	missing.Example = `{"action":"CORRECT","actionTime":null,"executedAt":"2024-05-28T13:30:00Z"}`
	early := f.sentence("TOO_EARLY", "A CORRECT or CANCEL is from before the execution.", "null")
	early.Example = `{"action":"CORRECT","actionTime":"2024-05-28T13:29:59Z","executedAt":"2024-05-28T13:30:00Z"}`
	return append(append([]Description{missing}, describeMoment(f)...), early)
}

// replacesTimeRule takes the time of the version that a correction or cancel replaces. It may be from before the
// execution, as it is where a correction is about the time of execution itself.
type replacesTimeRule struct{}

func (replacesTimeRule) check(c *checker, i int, v *value) {
	at, good := c.moment(i, v)
	acted, err := ParseTime(c.textOf(actionTimeField))
	if good && c.action != New && err == nil && !at.Before(acted) {
		c.add(i, "TOO_LATE", "%s is not before actionTime, %s", quote(v.text), quote(c.textOf(actionTimeField)))
	}
}

func (replacesTimeRule) describe(f *field) []Description {
	late := f.sentence("TOO_LATE", "A CORRECT or CANCEL replaces a version that isn't earlier than itself.", "null")
	late.Example = `{"action":"CORRECT","actionTime":"2024-05-28T13:31:00Z","executedAt":"2024-05-28T13:30:00Z","replacesTime":"2024-05-28T13:31:00Z"}`
	return append(describeMoment(f), late)
}

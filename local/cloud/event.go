package cloud

import (
	"encoding/json"
	"fmt"
	"strconv"
	"time"
)

// Entry is one entry of a PutEvents request.
type Entry struct {
	Source     string
	DetailType string
	Detail     json.RawMessage // a JSON object
	Time       time.Time       // the zero time: now
	Resources  []string
	// TraceHeader is the X-Ray header that the event carries; empty: the bus
	// begins a trace of its own.
	TraceHeader string
}

// Refusal is PutEvents' answer for an entry that it does not take.
type Refusal struct{ Code, Message string }

func (r *Refusal) Error() string { return r.Code + ": " + r.Message }

// maxEntry is the size in bytes to which EventBridge takes an entry.
const maxEntry = 1 << 20

// event is an entry on its way through the bus: the envelope that AWS
// documents, with the detail's bytes exactly as they came.
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-events-structure.html
type event struct {
	id   string
	json []byte
}

func (c *Cloud) newEvent(region string, entry Entry) (event, error) {
	switch {
	case entry.Source == "":
		return event{}, &Refusal{"InvalidArgument", "Source is empty"}
	case entry.DetailType == "":
		return event{}, &Refusal{"InvalidArgument", "DetailType is empty"}
	case len(entry.Source)+len(entry.DetailType)+len(entry.Detail) > maxEntry:
		return event{}, &Refusal{"EntrySizeExceeded", fmt.Sprintf("the entry is larger than %d bytes", maxEntry)}
	}
	when := entry.Time
	if when.IsZero() {
		when = c.clock.Now()
	}
	e := event{id: c.uuid()}
	b := make([]byte, 0, len(entry.Detail)+320)
	b = append(b, `{"version":"0","id":"`...)
	b = append(b, e.id...)
	b = append(b, `","detail-type":`...)
	b = appendText(b, entry.DetailType)
	b = append(b, `,"source":`...)
	b = appendText(b, entry.Source)
	b = append(b, `,"account":"`+Account+`","time":"`...)
	b = when.UTC().AppendFormat(b, "2006-01-02T15:04:05Z") // whole seconds, as EventBridge gives
	b = append(b, `","region":"`...)
	b = append(b, region...)
	b = append(b, `","resources":[`...)
	for i, resource := range entry.Resources {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendText(b, resource)
	}
	b = append(b, `],"detail":`...)
	b = append(b, entry.Detail...)
	e.json = append(b, '}')
	return e, nil
}

// appendText appends a string as JSON.
func appendText(b []byte, s string) []byte {
	for i := range len(s) {
		if s[i] < ' ' || s[i] == '"' || s[i] == '\\' || s[i] >= 0x7f {
			text, _ := json.Marshal(s) // a string always has a JSON form
			return append(b, text...)
		}
	}
	return append(append(append(b, '"'), s...), '"')
}

// uuid makes up a version 4 UUID.
func (c *Cloud) uuid() string {
	high, low := c.random(), c.random()
	high = high&^0xf000 | 0x4000
	low = low&^(3<<62) | 2<<62
	var b [36]byte
	put := func(at, digits int, v uint64) {
		const hexadecimal = "0123456789abcdef"
		for i := digits - 1; i >= 0; i-- {
			b[at+i] = hexadecimal[v&15]
			v >>= 4
		}
	}
	put(0, 8, high>>32)
	put(9, 4, high>>16)
	put(14, 4, high)
	put(19, 4, low>>48)
	put(24, 12, low)
	b[8], b[13], b[18], b[23] = '-', '-', '-', '-'
	return string(b[:])
}

// traceHeader begins an X-Ray trace.
// https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html#xray-concepts-tracingheader
func (c *Cloud) traceHeader() string {
	now := strconv.FormatInt(c.clock.Now().Unix(), 16)
	return "Root=1-" + now + "-" + c.hex(24) + ";Sampled=1"
}

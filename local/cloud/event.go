package cloud

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"trade-processing/lambdas/jsontext"
	"trade-processing/local/states"
)

// Entry is one entry of a PutEvents request.
type Entry struct {
	Source     string
	DetailType string
	Detail     json.RawMessage // a JSON object
	Time       time.Time       // the zero time: now
	Resources  []string
	// TraceHeader is the event's X-Ray header; if empty, the bus begins its own trace.
	TraceHeader string
}

// Refusal is PutEvents' answer for an entry it doesn't accept.
type Refusal struct{ Code, Message string }

func (r *Refusal) Error() string { return r.Code + ": " + r.Message }

// maxEntry is the largest entry, in bytes, that EventBridge accepts.
const maxEntry = 1 << 20

// event is an entry on its way through the bus: the envelope that AWS documents, with the detail's bytes exactly as
// they came.
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-events-structure.html
type event struct {
	id       string
	document *states.Document
	envelope map[string]any // without the detail, until a pattern needs it
}

// data returns the event as patterns see it.
func (e *event) data(withDetail bool) map[string]any {
	if _, read := e.envelope["detail"]; withDetail && !read {
		whole, _ := e.document.Data().(map[string]any) // an envelope always is an object
		e.envelope = whole
	}
	return e.envelope
}

func (c *Cloud) newEvent(region string, entry Entry) (event, error) {
	switch {
	case entry.Source == "":
		return event{}, &Refusal{"InvalidArgument", "Source is empty"}
	case entry.DetailType == "":
		return event{}, &Refusal{"InvalidArgument", "DetailType is empty"}
	case len(entry.Source)+len(entry.DetailType)+len(entry.Detail) > maxEntry:
		return event{}, &Refusal{"EntrySizeExceeded", fmt.Sprintf("the entry is larger than %d bytes", maxEntry)}
	case !isObject(entry.Detail):
		return event{}, &Refusal{"MalformedDetail", "Detail is not a JSON object"}
	}
	when := entry.Time
	if when.IsZero() {
		when = c.clock.Now()
	}
	e := event{id: c.uuid()}
	sent := when.UTC().Format("2006-01-02T15:04:05Z") // whole seconds, as EventBridge gives
	resources := make([]any, len(entry.Resources))
	for i, resource := range entry.Resources {
		resources[i] = resource
	}
	e.envelope = map[string]any{
		"version": "0", "id": e.id, "detail-type": entry.DetailType, "source": entry.Source, "account": Account,
		"time": sent, "region": region, "resources": resources,
	}
	b := make([]byte, 0, len(entry.Detail)+320)
	b = append(b, `{"version":"0","id":"`...)
	b = append(b, e.id...)
	b = append(b, `","detail-type":`...)
	b = jsontext.AppendString(b, entry.DetailType)
	b = append(b, `,"source":`...)
	b = jsontext.AppendString(b, entry.Source)
	b = append(b, `,"account":"`+Account+`","time":"`...)
	b = append(b, sent...)
	b = append(b, `","region":"`...)
	b = append(b, region...)
	b = append(b, `","resources":`...)
	b = states.AppendJSON(b, resources)
	b = append(b, `,"detail":`...)
	b = append(b, entry.Detail...)
	e.document = states.Written(append(b, '}'))
	return e, nil
}

// isObject reports whether text is one JSON object.
func isObject(text []byte) bool {
	trimmed := bytes.TrimLeft(text, " \t\r\n")
	return len(trimmed) > 0 && trimmed[0] == '{' && json.Valid(text)
}

// traceHeader begins an X-Ray trace.
// https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html#xray-concepts-tracingheader
func (c *Cloud) traceHeader() string {
	now := strconv.FormatInt(c.clock.Now().Unix(), 16)
	return "Root=1-" + now + "-" + c.hex(24) + ";Sampled=1"
}

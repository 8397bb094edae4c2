package cloud

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"
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

// MaxEntries is the most bytes that the entries of one PutEvents request may have together.
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-putevents.html
const MaxEntries = 1 << 20

// Size is what an entry counts towards MaxEntries.
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-putevents.html#eb-putevent-size
func (e Entry) Size() int {
	size := len(e.Source) + len(e.DetailType) + len(e.Detail)
	for _, resource := range e.Resources {
		size += len(resource)
	}
	if !e.Time.IsZero() {
		size += 14
	}
	return size
}

// Refusal is PutEvents' answer for an entry it doesn't accept.
// https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEventsResultEntry.html
type Refusal struct{ Code, Message string }

func (r *Refusal) Error() string { return r.Code + ": " + r.Message }

// TooLarge is how PutEvents refuses a request over MaxEntries: as a whole.
var TooLarge = &Refusal{"ValidationException", "Total size of the entries in the request is over the limit."}

// maxDepth is how deep a detail may be nested.
// https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html
const maxDepth = 1100

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
	if entry.Size() > MaxEntries {
		return event{}, TooLarge
	}
	for _, required := range []struct {
		name  string
		given bool
	}{{"Source", entry.Source != ""}, {"DetailType", entry.DetailType != ""}, {"Detail", len(entry.Detail) > 0}} {
		if !required.given {
			return event{}, &Refusal{"InvalidArgument", "Parameter " + required.name + " is not valid. Reason: " + required.name + " is a required argument."}
		}
	}
	switch {
	case strings.HasPrefix(entry.Source, "aws."): // AWS's own services
		return event{}, &Refusal{"NotAuthorizedForSourceException", "Not authorized for the source."}
	case !isObject(entry.Detail):
		return event{}, &Refusal{"MalformedDetail", "Detail is malformed."}
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

// isObject reports whether text is one JSON object, nested no deeper than maxDepth.
func isObject(text []byte) bool {
	trimmed := bytes.TrimLeft(text, " \t\r\n")
	return len(trimmed) > 0 && trimmed[0] == '{' && json.Valid(text) && (len(text) < 2*maxDepth || depth(text) <= maxDepth)
}

// depth returns how deep the brackets of a JSON text are nested.
func depth(text []byte) int {
	open, deepest, quoted := 0, 0, false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{' || c == '[':
			open++
			deepest = max(deepest, open)
		case c == '}' || c == ']':
			open--
		}
	}
	return deepest
}

// traceHeader begins an X-Ray trace; decided says whether it is recorded.
// https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html#xray-concepts-tracingheader
func (c *Cloud) traceHeader() string {
	now := strconv.FormatInt(c.clock.Now().Unix(), 16)
	return "Root=1-" + now + "-" + c.hex(24)
}

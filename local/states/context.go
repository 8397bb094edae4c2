package states

import (
	"encoding/json"
	"regexp"
	"strconv"
	"time"
)

// scope is what a template or a path can reach.
type scope struct {
	input Data
	run   *run
	visit *Visit
}

// timeLayout is how the context object writes times, in UTC.
const timeLayout = "2006-01-02T15:04:05.000Z"

// contextObject is all of the context object as a state sees it.
func (s scope) contextObject() Data {
	whole := make(map[string]any, len(contextFields))
	for name := range contextFields {
		whole[name] = s.contextPart(name)
	}
	return whole
}

// contextPart is one member of the context object.
func (s scope) contextPart(name string) Data {
	e := s.run.execution
	switch name {
	case "Execution":
		s.run.described.Do(func() {
			s.run.description = map[string]any{
				"Id": e.ID, "Name": e.Name, "Input": e.Input, "RoleArn": e.RoleARN,
				"StartTime": s.run.started.UTC().Format(timeLayout),
			}
		})
		return s.run.description
	case "State":
		return map[string]any{
			"Name": s.visit.State, "EnteredTime": s.visit.Entered.UTC().Format(timeLayout),
			"RetryCount": json.Number(strconv.Itoa(s.visit.Retries)),
		}
	default: // StateMachine
		return map[string]any{"Id": e.MachineID, "Name": e.MachineName}
	}
}

// timestampForm is the one form of times that Step Functions takes: RFC 3339
// with T and Z as capitals. time.Parse would also take a comma for the point,
// and an hour of one digit.
var timestampForm = regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$`)

// timestamp reads a text as a time.
func timestamp(data Data) (time.Time, bool) {
	text, isText := data.(string)
	if !isText || !timestampForm.MatchString(text) {
		return time.Time{}, false
	}
	at, err := time.Parse(time.RFC3339, text)
	return at, err == nil
}

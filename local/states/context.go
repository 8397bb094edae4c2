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

// contextFields are the parts of the context object that executions have.
// https://docs.aws.amazon.com/step-functions/latest/dg/input-output-contextobject.html
var contextFields = map[string][]string{
	"Execution":    {"Id", "Input", "Name", "RoleArn", "StartTime"},
	"State":        {"EnteredTime", "Name", "RetryCount"},
	"StateMachine": {"Id", "Name"},
}

// timeLayout is how the context object writes times, in UTC.
const timeLayout = "2006-01-02T15:04:05.000Z"

// contextObject is all of the context object as a state sees it.
func (s scope) contextObject() Data {
	whole := make(map[string]any, len(contextFields))
	for part := range contextFields {
		whole[part] = s.contextPart(part)
	}
	return whole
}

// contextPart is one member of the context object.
func (s scope) contextPart(part string) Data {
	fields := make(map[string]any, len(contextFields[part]))
	for _, field := range contextFields[part] {
		fields[field] = s.contextField(part, field)
	}
	return fields
}

// contextField is one field of a member, found without making the others.
func (s scope) contextField(part, field string) Data {
	e := s.run.execution
	switch part + "." + field {
	case "Execution.Id":
		return e.ID
	case "Execution.Input":
		return e.Input
	case "Execution.Name":
		return e.Name
	case "Execution.RoleArn":
		return e.RoleARN
	case "Execution.StartTime":
		return s.run.started.UTC().Format(timeLayout)
	case "State.EnteredTime":
		return s.visit.Entered.UTC().Format(timeLayout)
	case "State.Name":
		return s.visit.State
	case "State.RetryCount":
		return json.Number(strconv.Itoa(s.visit.Retries))
	case "StateMachine.Id":
		return e.MachineID
	default: // StateMachine.Name
		return e.MachineName
	}
}

// timestampForm is the one form of times that Step Functions takes: RFC 3339 with T and Z as capitals. time.Parse would
// also take a comma for the point, and an hour of one digit.
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

package operate

import "strings"

// executionARN completes what the table keeps of an execution's ARN: what follows the state machine's, which for EXPRESS is a
// name and an id. A whole ARN stays one.
func (s *Stack) executionARN(name string) string {
	kind := ":execution:"
	switch {
	case name == "" || strings.HasPrefix(name, "arn:"):
		return name
	case strings.Contains(name, ":"):
		kind = ":express:"
	}
	return strings.Replace(s.Outputs.StateMachineARN, ":stateMachine:", kind, 1) + ":" + name
}

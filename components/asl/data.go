package asl

import (
	"encoding/json"
	"fmt"
)

// Path is a reference path ("$.valid"), a path into the context object ("$$.Execution.Id") or an intrinsic function.
type Path string

// Paths into the context object (https://docs.aws.amazon.com/step-functions/latest/dg/input-output-contextobject.html).
const (
	ExecutionID    Path = "$$.Execution.Id"      // the execution's ARN
	ExecutionInput Path = "$$.Execution.Input"   // the input of the execution, whatever earlier states have done with theirs
	MachineName    Path = "$$.StateMachine.Name" // the state machine's name
)

// ResultPath says where a state's result goes in its output. Empty means that the result is the output.
type ResultPath string

// Discard drops a state's result: its output is its input.
const Discard ResultPath = "null"

// MarshalJSON writes Discard as JSON's null.
func (p ResultPath) MarshalJSON() ([]byte, error) {
	if p == Discard {
		return []byte("null"), nil
	}
	return json.Marshal(string(p))
}

// Object is a payload template. A value may be a literal, a Path, an Object or a list of literals and Objects; a Path's
// name gets the suffix ".$" that the language requires, so no template can forget it.
type Object map[string]any

// MarshalJSON writes the names of dynamic values with their suffix.
func (o Object) MarshalJSON() ([]byte, error) {
	rendered := make(map[string]any, len(o))
	for name, value := range o {
		if _, dynamic := value.(Path); dynamic {
			name += ".$"
		}
		if _, twice := rendered[name]; twice {
			return nil, fmt.Errorf("payload template lists %q twice", name)
		}
		rendered[name] = value
	}
	return json.Marshal(rendered)
}

package function

import (
	"encoding/json"
	"fmt"
	"reflect"

	"github.com/aws/aws-lambda-go/lambda/messages"
)

// Error is how a call failed. Type is the error type that Step Functions matches on: the function's own, or Lambda's,
// such as Lambda.TooManyRequestsException.
type Error struct{ Type, Message string }

func (e *Error) Error() string { return e.Type + ": " + e.Message }

// Cause is the error as JSON, as Lambda answers it and Step Functions hands it on: errorMessage and errorType.
func (e *Error) Cause() string {
	// Texts always marshal.
	cause, _ := json.Marshal(messages.InvokeResponse_Error{Message: e.Message, Type: e.Type})
	return string(cause)
}

// failed names a handler's error, or the value of a panic that left the handler, as aws-lambda-go does: by what it says
// itself where it is the runtime's own error, else by the name of its Go type. Neither looks into what the error wraps.
func failed(value any) *Error {
	if own, ok := value.(messages.InvokeResponse_Error); ok {
		return &Error{Type: own.Type, Message: own.Message}
	}
	return &Error{Type: typeName(value), Message: fmt.Sprint(value)}
}

func typeName(value any) string {
	kind := reflect.TypeOf(value)
	if kind.Kind() == reflect.Pointer {
		kind = kind.Elem()
	}
	return kind.Name()
}

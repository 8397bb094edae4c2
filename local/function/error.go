package function

import (
	"encoding/json"
	"fmt"
	"reflect"

	"github.com/aws/aws-lambda-go/lambda/messages"
)

// Error is how a call failed. Type is the error type that Step Functions matches: the function's own, or Lambda's, such
// as Lambda.TooManyRequestsException.
type Error struct{ Type, Message string }

func (e *Error) Error() string { return e.Type + ": " + e.Message }

// Cause returns the error as JSON, as Lambda answers it and Step Functions passes it on: errorMessage and errorType.
func (e *Error) Cause() string {
	// Strings always marshal.
	cause, _ := json.Marshal(messages.InvokeResponse_Error{Message: e.Message, Type: e.Type})
	return string(cause)
}

// failed names a handler's error, or the value of a panic, as aws-lambda-go does: by its own name if it is the
// runtime's error type, else by the name of its Go type. Neither looks at what the error wraps.
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

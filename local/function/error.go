package function

import (
	"encoding/json"
	"fmt"
	"path"
	"reflect"
	"runtime"
	"strings"

	"github.com/aws/aws-lambda-go/lambda/messages"
)

// Error is how a call failed. Type is the error type that Step Functions matches on: the function's own, or Lambda's,
// such as Lambda.TooManyRequestsException.
type Error struct {
	Type, Message string
	// Stack is where a handler panicked, or what a handler put into a messages.InvokeResponse_Error.
	Stack []*messages.InvokeResponse_Error_StackFrame
}

func (e *Error) Error() string { return e.Type + ": " + e.Message }

// Cause is the error as JSON, as Lambda answers it and Step Functions hands it on: errorMessage, errorType and, where
// there is one, stackTrace.
func (e *Error) Cause() string {
	// Texts and numbers always marshal.
	cause, _ := json.Marshal(messages.InvokeResponse_Error{Message: e.Message, Type: e.Type, StackTrace: e.Stack})
	return string(cause)
}

// failed names a handler's error as aws-lambda-go does: by what it says itself where it is the runtime's own error,
// else by the name of its Go type. Neither looks into what the error wraps.
func failed(err error) *Error {
	if own, ok := err.(messages.InvokeResponse_Error); ok { //nolint:errorlint // as aws-lambda-go
		return &Error{Type: own.Type, Message: own.Message, Stack: own.StackTrace}
	}
	return &Error{Type: typeName(err), Message: err.Error()}
}

// panicked names a panic that left the handler. Lambda would start a new process for the next call.
func panicked(value any) *Error {
	if own, ok := value.(messages.InvokeResponse_Error); ok {
		return &Error{Type: own.Type, Message: own.Message, Stack: own.StackTrace}
	}
	return &Error{Type: typeName(value), Message: fmt.Sprintf("%v", value), Stack: stack()}
}

func typeName(value any) string {
	kind := reflect.TypeOf(value)
	if kind.Kind() == reflect.Pointer {
		kind = kind.Elem()
	}
	return kind.Name()
}

// stack is the handler's own, from where it panicked.
func stack() []*messages.InvokeResponse_Error_StackFrame {
	const depth, hidden = 32, 4 // runtime.Callers, stack, panicked, the deferred function
	callers := make([]uintptr, depth)
	frames := runtime.CallersFrames(callers[:runtime.Callers(hidden, callers)])
	var trace []*messages.InvokeResponse_Error_StackFrame
	for {
		frame, more := frames.Next()
		// What the Go runtime does to panic comes first, and says nothing.
		if frame.Function != "" && (len(trace) > 0 || !strings.HasPrefix(frame.Function, "runtime.")) {
			pkg, label, _ := strings.Cut(path.Base(frame.Function), ".")
			trace = append(trace, &messages.InvokeResponse_Error_StackFrame{
				Path:  path.Join(path.Dir(frame.Function), pkg, path.Base(frame.File)),
				Line:  int32(frame.Line),
				Label: label,
			})
		}
		if !more {
			return trace
		}
	}
}

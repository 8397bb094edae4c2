package function

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-lambda-go/lambda/messages"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// The error types that no error names for itself.
const (
	// InternalError is any error that isn't known better.
	InternalError = "InternalError"

	// InvalidEnvironment is a function whose environment variables are wrong, so that it never starts.
	InvalidEnvironment = "InvalidEnvironment"

	// Panic is a recovered panic.
	Panic = "Runtime.Panic"

	// ServiceUnreachable is a call to a service that got no answer: no connection, or none in the time that was left.
	// It can pass.
	ServiceUnreachable = "ServiceUnreachable"
)

// Typed is an error with a name for the state machine, whose Retry and Catch fields match on it.
type Typed interface {
	error
	ErrorType() string
}

// ErrorType is the name under which Step Functions sees an error: that of the Typed error in its chain, else the code
// of the AWS API error, else ServiceUnreachable or InternalError. aws-lambda-go would take the name of the outermost Go
// type, which is wrapError for everything that fmt.Errorf wraps.
func ErrorType(err error) string {
	if typed, ok := errors.AsType[Typed](err); ok {
		return typed.ErrorType()
	}
	if api, ok := errors.AsType[smithy.APIError](err); ok {
		return api.ErrorCode()
	}
	_, unsent := errors.AsType[*smithyhttp.RequestSendError](err)
	if unsent || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		return ServiceUnreachable
	}
	return InternalError
}

// response is what the Lambda runtime interface understands: the only error whose type it doesn't invent. It must be
// returned as a value and unwrapped.
func response(err error) messages.InvokeResponse_Error {
	return messages.InvokeResponse_Error{Type: ErrorType(err), Message: err.Error()}
}

// panicError is a panic of a handler.
type panicError struct {
	value any
	stack []byte
}

func (e *panicError) Error() string     { return fmt.Sprintf("panic: %v", e.value) }
func (e *panicError) ErrorType() string { return Panic }

// payloadError is a payload that isn't the JSON it should be. The state machine writes every payload from the event, so
// one that can't be read comes from an event that can't be.
type payloadError struct {
	err error
}

func (e *payloadError) Error() string {
	return "malformed trade: reading the payload: " + e.err.Error()
}
func (e *payloadError) Unwrap() error     { return e.err }
func (e *payloadError) ErrorType() string { return "MalformedTrade" }

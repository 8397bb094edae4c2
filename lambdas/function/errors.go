package function

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-lambda-go/lambda/messages"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// The error types for errors that don't name their own.
const (
	// InternalError is any other error.
	InternalError = "InternalError"

	// InvalidEnvironment means that a function's environment variables are wrong, so it never starts.
	InvalidEnvironment = "InvalidEnvironment"

	// Panic is a recovered panic.
	Panic = "Runtime.Panic"

	// ServiceUnreachable means that a call to a service got no answer: no connection, or no answer in time. It is
	// transient.
	ServiceUnreachable = "ServiceUnreachable"
)

// Typed is an error with a name, which the state machine's Retry and Catch fields match.
type Typed interface {
	error
	ErrorType() string
}

// ErrorType returns an error's name as Step Functions sees it: that of the Typed error in its chain, else the code of
// the AWS API error, else ServiceUnreachable or InternalError. aws-lambda-go would use the name of the outermost Go
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

// response returns the only error whose type the Lambda runtime interface doesn't make up. It must be returned as a
// value and unwrapped.
func response(err error) messages.InvokeResponse_Error {
	return messages.InvokeResponse_Error{Type: ErrorType(err), Message: err.Error()}
}

// panicError is a panic in a handler.
type panicError struct {
	value any
	stack []byte
}

func (e *panicError) Error() string     { return fmt.Sprintf("panic: %v", e.value) }
func (e *panicError) ErrorType() string { return Panic }

// payloadError is a payload that isn't the JSON it should be. The state machine writes every payload from the event, so
// an unreadable payload comes from an unreadable event.
type payloadError struct {
	err error
}

func (e *payloadError) Error() string {
	return "malformed trade: reading the payload: " + e.err.Error()
}
func (e *payloadError) Unwrap() error     { return e.err }
func (e *payloadError) ErrorType() string { return "MalformedTrade" }

package function_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"testing"

	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"trade-processing/lambdas/function"
	"trade-processing/lambdas/trade"
)

func TestErrorType(t *testing.T) {
	throttled := &smithy.GenericAPIError{Code: "ThrottlingException", Message: "slow down"}
	for name, test := range map[string]struct {
		err  error
		want string
	}{
		"an error of the domain":                       {&trade.MalformedError{Reason: "x"}, "MalformedTrade"},
		"an error of the domain, wrapped twice":        {fmt.Errorf("a: %w", fmt.Errorf("b: %w", &trade.MalformedError{})), "MalformedTrade"},
		"an API error, as the SDK wraps it":            {&smithy.OperationError{ServiceID: "DynamoDB", OperationName: "PutItem", Err: throttled}, "ThrottlingException"},
		"an API error behind our own words":            {fmt.Errorf("writing trade t-1: %w", throttled), "ThrottlingException"},
		"an error of the domain over an API error":     {&typed{err: throttled}, "Typed"},
		"a request that couldn't be sent":              {&smithy.OperationError{Err: &smithyhttp.RequestSendError{Err: &net.OpError{Op: "dial", Err: errors.New("refused")}}}, function.ServiceUnreachable},
		"a call that ran out of time":                  {fmt.Errorf("writing: %w", context.DeadlineExceeded), function.ServiceUnreachable},
		"a call that ran out of time, in the SDK":      {&smithy.OperationError{Err: &smithy.CanceledError{Err: context.DeadlineExceeded}}, function.ServiceUnreachable},
		"a call that was cancelled":                    {context.Canceled, function.ServiceUnreachable},
		"any other error":                              {errors.New("x"), function.InternalError},
		"any other error, wrapped, is not a wrapError": {fmt.Errorf("x: %w", errors.New("y")), function.InternalError},
		"several errors, one of which is known":        {errors.Join(errors.New("x"), &trade.MalformedError{}), "MalformedTrade"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := function.ErrorType(test.err); got != test.want {
				t.Errorf("%s, want %s", got, test.want)
			}
		})
	}
}

type typed struct{ err error }

func (e *typed) Error() string     { return e.err.Error() }
func (e *typed) Unwrap() error     { return e.err }
func (e *typed) ErrorType() string { return "Typed" }

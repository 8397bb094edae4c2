// Package awsapi is what the local cloud's services share of AWS's APIs: how an operation is served, how errors look to
// users of the SDK's types, and how unsupported requests are refused.
package awsapi

import (
	"context"
	"fmt"
	"reflect"
	"slices"

	"github.com/aws/smithy-go"

	"trade-processing/local/clock"
	"trade-processing/local/fault"
)

// Error is a service's error that is the caller's fault.
func Error(code, format string, args ...any) error {
	return &smithy.GenericAPIError{Code: code, Message: fmt.Sprintf(format, args...), Fault: smithy.FaultClient}
}

// Validation is the error of a request that a service won't serve.
func Validation(format string, args ...any) error {
	return Error("ValidationException", format, args...)
}

// Unsupported names a feature of AWS that is not supported here. It is deliberately not an API error: AWS would serve
// the request, so nothing may mistake it for AWS's answer, and no retry helps.
type Unsupported struct {
	Operation string // such as "PutItem"
	Feature   string // the field, operator or function, as the SDK names it
}

func (u *Unsupported) Error() string {
	return fmt.Sprintf("%s: the local cloud does not support %s; teach it in local, or leave it out", u.Operation, u.Feature)
}

// Only refuses the first field of an input (a pointer to an SDK struct) that is set but not supported: ignoring an
// input field would give a request a different meaning from AWS's.
func Only(operation string, input any, served ...string) error {
	fields := reflect.ValueOf(input).Elem()
	for i := range fields.NumField() {
		if fields.Field(i).IsZero() {
			continue
		}
		if name := fields.Type().Field(i).Name; !slices.Contains(served, name) {
			return &Unsupported{Operation: operation, Feature: name}
		}
	}
	return nil
}

// NoOptions refuses options of a single call, such as another region, which would be silently ignored. Middleware is
// allowed: the SDK's own paginators add some to mark their requests, and here it has no request to act on.
func NoOptions[Options any](operation string, options []func(*Options)) error {
	if len(options) == 0 {
		return nil
	}
	var set Options
	for _, option := range options {
		option(&set)
	}
	value := reflect.ValueOf(&set).Elem()
	value.FieldByName("APIOptions").SetZero()
	if value.IsZero() {
		return nil
	}
	return &Unsupported{Operation: operation, Feature: "options of a single call"}
}

// services are the SDK's names of services, by their endpoint prefixes.
var services = map[string]string{"dynamodb": "DynamoDB", "sqs": "SQS", "ssm": "SSM"}

// Serve runs one call under a hook and wraps its error as the SDK's client does, so code that compares types instead of
// using errors.As fails here as it would on AWS. The key is built only if there is a hook.
func Serve[T any](ctx context.Context, c clock.Clock, hook fault.Hook, call fault.Call, key func() string, serve func() (T, error)) (T, error) {
	var answer T
	err := ctx.Err()
	if err != nil {
		err = &smithy.CanceledError{Err: err}
	} else {
		answer, err = fault.Serve(ctx, c, hook, call, key, serve)
	}
	if err != nil {
		err = &smithy.OperationError{ServiceID: services[call.Service], OperationName: call.Operation, Err: err}
	}
	return answer, err
}

package table

import (
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"
)

// UnsupportedError names a feature of DynamoDB that this table does not have. It is no API error on purpose: AWS would
// serve the request, so nothing may take it for AWS's answer, and no retry helps.
type UnsupportedError struct {
	Operation string // such as "PutItem"
	Feature   string // the field, operator or function, as the SDK names it
}

func (e *UnsupportedError) Error() string {
	return fmt.Sprintf("%s: the local table does not support %s; teach it in local/table, or leave it out", e.Operation, e.Feature)
}

// errNotNumeric marks a text that is no number until its caller can quote it.
var errNotNumeric = errors.New("not numeric")

// validation is the error that DynamoDB answers to a request it won't serve.
func validation(format string, args ...any) error {
	return &smithy.GenericAPIError{
		Code:    "ValidationException",
		Message: fmt.Sprintf(format, args...),
		Fault:   smithy.FaultClient,
	}
}

// A complaint is what the service says of an expression, before the parameter that held it is named.
type complaint string

func (c complaint) Error() string { return string(c) }

func complain(format string, args ...any) error {
	return complaint(fmt.Sprintf(format, args...))
}

func notNumeric(text string) error {
	return validation("The parameter cannot be converted to a numeric value: %s", text)
}

func notFound() error {
	return &types.ResourceNotFoundException{Message: aws.String("Requested resource not found")}
}

// operationError wraps an error as the SDK's client does, so that code which compares types instead of using errors.As
// fails here as it would on AWS.
func operationError(operation string, err error) error {
	return &smithy.OperationError{ServiceID: "DynamoDB", OperationName: operation, Err: err}
}

// missing is what the SDK's client answers, before any call, when required members of an input are nil. Empty names are
// passed over.
func missing(input string, members ...string) error {
	err := smithy.InvalidParamsError{Context: input}
	for _, member := range members {
		if member != "" {
			err.Add(smithy.NewErrParamRequired(member))
		}
	}
	return err
}

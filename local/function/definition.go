// Package function runs a Lambda function's handler under the function's own definition: timeout, reserved concurrency,
// published versions and aliases, payload limits, and the metrics that Lambda keeps.
package function

import (
	"errors"
	"fmt"
	"regexp"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
)

// Limits of functions.
// https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
const (
	// maxResponse is how many bytes an answer may have. Requests may have less than Step Functions sends.
	maxResponse = 6<<20 + 100

	defaultTimeout = 3 * time.Second
	maxTimeout     = 15 * time.Minute

	// AccountConcurrency is how many calls an account may run at once in a region, and unreserved how much of it no
	// function may reserve.
	AccountConcurrency = 1000
	unreserved         = 100
)

// Latest is the unpublished version.
const Latest = "$LATEST"

// Definition is what a function is created from.
type Definition struct {
	Name    string
	ARN     string        // without a version
	Timeout time.Duration // whole seconds; default: 3 s, as Lambda's
	// ReservedConcurrency is how many calls may run at once: 0 refuses all, nil takes from the account's unreserved
	// concurrency. It applies to all versions together.
	ReservedConcurrency *int
	Handler             lambda.Handler
}

var (
	nameRule    = regexp.MustCompile(`^[a-zA-Z0-9_-]{1,64}$`)
	versionRule = regexp.MustCompile(`^(\$LATEST|[0-9]{1,10})$`)
	aliasRule   = regexp.MustCompile(`^[a-zA-Z0-9_-]{1,128}$`)
)

// Validate reports everything that CreateFunction would refuse.
func (d Definition) Validate() error {
	var problems []error
	report := func(format string, args ...any) {
		problems = append(problems, fmt.Errorf("function %q: "+format, append([]any{d.Name}, args...)...))
	}
	if !nameRule.MatchString(d.Name) {
		report("a name has 1 to 64 of a-z, A-Z, 0-9, hyphen and underscore")
	}
	if d.ARN == "" {
		report("it has no ARN")
	}
	if d.Timeout != 0 && (d.Timeout < time.Second || d.Timeout > maxTimeout || d.Timeout%time.Second != 0) {
		report("a timeout of %v is not between 1s and %v in whole seconds", d.Timeout, maxTimeout)
	}
	if n := d.ReservedConcurrency; n != nil && *n < 0 {
		report("a reserved concurrency of %d is negative", *n)
	}
	if d.Handler == nil {
		report("it has no handler")
	}
	return errors.Join(problems...)
}

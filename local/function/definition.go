// Package function runs Lambda functions in this process: the real handlers,
// called as Lambda calls them, under the timeout, the concurrency, the versions
// and the aliases of their definition.
package function

import (
	"errors"
	"fmt"
	"regexp"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
)

// A Definition is what a function is created from. Its published versions keep
// the definition and handler of their time.
type Definition struct {
	Name string
	// ARN is that of the function without a qualifier.
	ARN     string
	Timeout time.Duration // a second to 15 minutes
	// Revision changes with whatever else a new version is published for: image,
	// memory, environment.
	Revision string
	Handler  lambda.Handler
}

// Limits of a function.
// https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
const (
	maxTimeout = 15 * time.Minute
	// maxRequest is the most bytes of a payload.
	maxRequest = 6 << 20
	// maxResponse is a little more, for what Lambda wraps around an answer.
	maxResponse = maxRequest + 100
	// minUnreserved is what reservations must leave to all other functions.
	minUnreserved = 100
	// DefaultConcurrency is how many invocations an account has at a time in a
	// region.
	DefaultConcurrency = 1000
)

var (
	nameRule  = regexp.MustCompile(`^[a-zA-Z0-9_-]{1,64}$`)
	aliasRule = regexp.MustCompile(`^[a-zA-Z0-9_-]{1,128}$`)
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
	if d.Timeout < time.Second || d.Timeout > maxTimeout || d.Timeout%time.Second != 0 {
		report("a timeout of %v is not between 1s and %v in whole seconds", d.Timeout, maxTimeout)
	}
	if d.Handler == nil {
		report("it has no handler")
	}
	return errors.Join(problems...)
}

// same tells whether publishing would make nothing new.
func (d Definition) same(other Definition) bool {
	return d.Timeout == other.Timeout && d.Revision == other.Revision
}

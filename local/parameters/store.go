// Package parameters is one account and region of SSM's Parameter Store in memory, behind the SDK's own types.
package parameters

import (
	"context"
	"encoding/base64"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"
	"github.com/aws/smithy-go"

	"trade-processing/local/clock"
	"trade-processing/local/fault"
)

// maxResults is how many parameters one page has at most.
const maxResults = 10

// UnsupportedError names a feature of SSM that this store does not have. It is no API error on purpose: AWS would serve
// the request.
type UnsupportedError struct {
	Operation, Feature string
}

func (e *UnsupportedError) Error() string {
	return fmt.Sprintf("%s: the local parameter store does not support %s; teach it in local/parameters, or leave it out", e.Operation, e.Feature)
}

// Store is safe for use by many goroutines.
type Store struct {
	clock  clock.Clock
	faults fault.Hook

	mu         sync.RWMutex
	parameters map[string]stored
}

// New makes an empty store. The resource of a call to the fault hook is the path, and its key is empty.
func New(c clock.Clock, faults fault.Hook) *Store {
	return &Store{clock: c, faults: faults, parameters: map[string]stored{}}
}

// Put creates or replaces a parameter and returns its version, from 1 up.
func (s *Store) Put(p Parameter) (int64, error) {
	if err := p.Validate(); err != nil {
		return 0, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	version := s.parameters[p.Name].version + 1
	s.parameters[p.Name] = stored{Parameter: p, version: version, modified: s.clock.Now()}
	return version, nil
}

// Restore puts a parameter with the version that it had, from which later ones count on.
func (s *Store) Restore(p Parameter, version int64) error {
	if err := p.Validate(); err != nil {
		return err
	}
	if version < 1 {
		return fmt.Errorf("parameter %q: %d is no version; they count from 1", p.Name, version)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.parameters[p.Name] = stored{Parameter: p, version: version, modified: s.clock.Now()}
	return nil
}

// Delete removes a parameter; one that isn't there is no error.
func (s *Store) Delete(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.parameters, name)
}

// GetParametersByPath lists the parameters below a path in order of name, ten a page at most. Without decryption, a
// SecureString's value is not told.
func (s *Store) GetParametersByPath(ctx context.Context, in *ssm.GetParametersByPathInput, options ...func(*ssm.Options)) (*ssm.GetParametersByPathOutput, error) {
	const operation = "GetParametersByPath"
	if in == nil || in.Path == nil {
		err := smithy.InvalidParamsError{Context: "GetParametersByPathInput"}
		err.Add(smithy.NewErrParamRequired("Path"))
		return nil, wrap(operation, err)
	}
	if err := ctx.Err(); err != nil {
		return nil, wrap(operation, &smithy.CanceledError{Err: err})
	}
	call := fault.Call{Service: "ssm", Operation: operation, Resource: *in.Path}
	out, err := fault.Serve(ctx, s.clock, s.faults, call, func() string { return "" }, func() (*ssm.GetParametersByPathOutput, error) {
		if changesOptions(options) {
			return nil, &UnsupportedError{Operation: operation, Feature: "options of a single call"}
		}
		if len(in.ParameterFilters) > 0 {
			return nil, &UnsupportedError{Operation: operation, Feature: "ParameterFilters"}
		}
		return s.page(in)
	})
	if err != nil {
		return nil, wrap(operation, err)
	}
	return out, nil
}

// changesOptions finds options that would be ignored in silence, such as another region. Middleware passes: the SDK's
// own paginator adds some to mark its requests, and it has no request to act on here.
func changesOptions(options []func(*ssm.Options)) bool {
	var set ssm.Options
	for _, option := range options {
		option(&set)
	}
	set.APIOptions = nil
	return !reflect.ValueOf(set).IsZero()
}

func (s *Store) page(in *ssm.GetParametersByPathInput) (*ssm.GetParametersByPathOutput, error) {
	path := *in.Path
	if !pathPattern.MatchString(path) {
		return nil, invalid("The parameter doesn't meet the parameter name requirements. The parameter name must begin with a forward slash \"/\". "+
			"It must use only letters, numbers, or the following symbols: . (period), - (hyphen), _ (underscore): %q", path)
	}
	below := strings.TrimSuffix(path, "/") + "/"
	limit := maxResults
	if in.MaxResults != nil {
		if limit = int(*in.MaxResults); limit < 1 || limit > maxResults {
			return nil, invalid("1 validation error detected: Value '%d' at 'maxResults' failed to satisfy constraint: Member must be between 1 and %d", limit, maxResults)
		}
	}
	// A token is the last name of the page before, so that parameters which come and go between pages move no others.
	after, err := base64.RawURLEncoding.DecodeString(aws.ToString(in.NextToken))
	if err != nil || in.NextToken != nil && !strings.HasPrefix(string(after), below) {
		return nil, &types.InvalidNextToken{Message: aws.String("The specified token isn't valid.")}
	}

	s.mu.RLock()
	defer s.mu.RUnlock()
	out := &ssm.GetParametersByPathOutput{Parameters: []types.Parameter{}}
	for _, name := range slices.Sorted(maps.Keys(s.parameters)) {
		rest, under := strings.CutPrefix(name, below)
		if !under || !aws.ToBool(in.Recursive) && strings.Contains(rest, "/") || name <= string(after) {
			continue
		}
		if n := len(out.Parameters); n == limit {
			last := aws.ToString(out.Parameters[n-1].Name)
			out.NextToken = aws.String(base64.RawURLEncoding.EncodeToString([]byte(last)))
			break
		}
		out.Parameters = append(out.Parameters, s.parameters[name].sdk(aws.ToBool(in.WithDecryption)))
	}
	return out, nil
}

// wrap wraps an error as the SDK's client does.
func wrap(operation string, err error) error {
	return &smithy.OperationError{ServiceID: ssm.ServiceID, OperationName: operation, Err: err}
}

// Package parameters is one account and region of SSM's Parameter Store in
// memory, behind the SDK's own types.
package parameters

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"
	"github.com/aws/smithy-go"

	"trade-processing/local/clock"
	"trade-processing/local/fault"
)

// Parameter is what a parameter is created from.
type Parameter struct {
	Name           string
	Type           types.ParameterType
	Value          string
	DataType       string // default: text
	AllowedPattern string // what the value must match; empty: anything
}

// Limits of a standard parameter.
// https://docs.aws.amazon.com/general/latest/gr/ssm.html
const (
	maxValue   = 4 << 10
	maxResults = 10 // of one page
)

// Store is safe for use by many goroutines.
type Store struct {
	clock  clock.Clock
	faults fault.Hook

	mu         sync.RWMutex
	parameters map[string]stored
}

type stored struct {
	Parameter
	version  int64
	modified time.Time
}

// New makes an empty store. The key of a call to the fault hook is empty.
func New(c clock.Clock, faults fault.Hook) *Store {
	return &Store{clock: c, faults: faults, parameters: map[string]stored{}}
}

var namePattern = regexp.MustCompile(`^/?[a-zA-Z0-9_.-]+(/[a-zA-Z0-9_.-]+){0,14}$`)

// Put creates or replaces a parameter and returns its version, from 1 up.
func (s *Store) Put(p Parameter) (int64, error) {
	if err := p.validate(); err != nil {
		return 0, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	version := s.parameters[p.Name].version + 1
	s.parameters[p.Name] = stored{Parameter: p, version: version, modified: s.clock.Now()}
	return version, nil
}

func (p Parameter) validate() error {
	switch {
	case !namePattern.MatchString(p.Name):
		return invalid("Parameter name %q: only a-z, A-Z, 0-9, . - _ and up to 15 levels parted by / are allowed", p.Name)
	case p.Value == "":
		return invalid("Parameter %s: the value can't be empty", p.Name)
	case len(p.Value) > maxValue:
		return invalid("Parameter %s: the value has %d bytes; a standard parameter has at most %d", p.Name, len(p.Value), maxValue)
	case !slices.Contains(types.ParameterType("").Values(), p.Type):
		return invalid("Parameter %s: %q is no type of parameter", p.Name, p.Type)
	case p.AllowedPattern == "":
		return nil
	}
	allowed, err := regexp.Compile(`^(?:` + p.AllowedPattern + `)$`)
	if err != nil {
		return invalid("Parameter %s: allowedPattern: %v", p.Name, err)
	}
	if !allowed.MatchString(p.Value) {
		return &types.ParameterPatternMismatchException{Message: aws.String(
			fmt.Sprintf("Parameter %s: the value does not match %s", p.Name, p.AllowedPattern))}
	}
	return nil
}

// Delete removes a parameter; one that isn't there is no error.
func (s *Store) Delete(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.parameters, name)
}

// GetParametersByPath lists the parameters below a path in order of name, ten
// a page at most. Without decryption, a SecureString's value is not told.
func (s *Store) GetParametersByPath(ctx context.Context, in *ssm.GetParametersByPathInput, options ...func(*ssm.Options)) (*ssm.GetParametersByPathOutput, error) {
	const operation = "GetParametersByPath"
	if err := ctx.Err(); err != nil {
		return nil, wrap(operation, &aws.RequestCanceledError{Err: err})
	}
	if err := checkOptions(options); err != nil {
		return nil, wrap(operation, err)
	}
	if len(in.ParameterFilters) > 0 {
		return nil, wrap(operation, errors.New("ParameterFilters are not known here"))
	}
	call := fault.Call{Service: "ssm", Operation: operation, Resource: aws.ToString(in.Path)}
	out, err := fault.Serve(ctx, s.clock, s.faults, call, func() string { return "" }, func() (*ssm.GetParametersByPathOutput, error) {
		return s.page(in)
	})
	if err != nil {
		return nil, wrap(operation, err)
	}
	return out, nil
}

// checkOptions lets middleware pass, which the SDK's own paginator adds to mark
// its requests and which has no request to act on here. Anything else, such as
// another region, would be ignored in silence and is refused.
func checkOptions(options []func(*ssm.Options)) error {
	var set ssm.Options
	for _, option := range options {
		option(&set)
	}
	set.APIOptions = nil
	if !reflect.ValueOf(set).IsZero() {
		return errors.New("options of a single call are not known here")
	}
	return nil
}

func (s *Store) page(in *ssm.GetParametersByPathInput) (*ssm.GetParametersByPathOutput, error) {
	path := aws.ToString(in.Path)
	if !strings.HasPrefix(path, "/") {
		return nil, invalid("The path %q does not begin with /", path)
	}
	path = strings.TrimSuffix(path, "/") + "/"
	limit := maxResults
	if in.MaxResults != nil {
		if limit = int(*in.MaxResults); limit < 1 || limit > maxResults {
			return nil, invalid("MaxResults is %d; it is 1 to %d", limit, maxResults)
		}
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	var names []string
	for _, name := range slices.Sorted(maps.Keys(s.parameters)) {
		below, found := strings.CutPrefix(name, path)
		if found && (aws.ToBool(in.Recursive) || !strings.Contains(below, "/")) {
			names = append(names, name)
		}
	}
	start := 0
	if in.NextToken != nil {
		var err error
		if start, err = strconv.Atoi(*in.NextToken); err != nil || start < 0 || start > len(names) {
			return nil, &types.InvalidNextToken{Message: aws.String("The specified token isn't valid.")}
		}
	}
	end := min(start+limit, len(names))
	out := &ssm.GetParametersByPathOutput{Parameters: []types.Parameter{}}
	for _, name := range names[start:end] {
		out.Parameters = append(out.Parameters, s.parameters[name].sdk(aws.ToBool(in.WithDecryption)))
	}
	if end < len(names) {
		out.NextToken = aws.String(strconv.Itoa(end))
	}
	return out, nil
}

func (p stored) sdk(decrypt bool) types.Parameter {
	value := p.Value
	if p.Type == types.ParameterTypeSecureString && !decrypt {
		value = "(encrypted)" // AWS answers the ciphertext here
	}
	dataType := p.DataType
	if dataType == "" {
		dataType = "text"
	}
	return types.Parameter{
		Name: aws.String(p.Name), Type: p.Type, Value: aws.String(value), Version: p.version,
		DataType: aws.String(dataType), LastModifiedDate: aws.Time(p.modified),
	}
}

func invalid(format string, args ...any) error {
	return &smithy.GenericAPIError{Code: "ValidationException", Message: fmt.Sprintf(format, args...), Fault: smithy.FaultClient}
}

func wrap(operation string, err error) error {
	return &smithy.OperationError{ServiceID: ssm.ServiceID, OperationName: operation, Err: err}
}

// Package parameters is SSM's Parameter Store for one account and region, in memory, behind the SDK's own types.
package parameters

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"trade-processing/local/awsapi"
	"trade-processing/local/clock"
	"trade-processing/local/disk"
	"trade-processing/local/fault"
)

// Parameter is a version of a standard parameter.
type Parameter struct {
	Name           string
	Type           types.ParameterType // String or SecureString
	Value          string
	AllowedPattern string // what the value must match; empty: anything
	Version        int64
	Modified       time.Time // set by Put
}

// Limits of a standard parameter, and of a page.
// https://docs.aws.amazon.com/general/latest/gr/ssm.html
const (
	maxValue   = 4 << 10
	maxName    = 1011
	maxLevels  = 15
	maxResults = 10
	maxHistory = 100
)

var (
	namePattern     = regexp.MustCompile(`^(/[a-zA-Z0-9_.-]+)+$|^[a-zA-Z0-9_.-]+$`)
	reservedPattern = regexp.MustCompile(`(?i)^/?(ssm|aws)`)
	pathPattern     = regexp.MustCompile(`^/$|^(/[a-zA-Z0-9_.-]+)+/?$`)
)

// Validate refuses a parameter that PutParameter would refuse.
func (p Parameter) Validate() error {
	allowed, err := regexp.Compile(`^(?:` + p.AllowedPattern + `)$`) // SSM matches the whole value
	switch {
	case !namePattern.MatchString(p.Name) || reservedPattern.MatchString(p.Name):
		return awsapi.Validation("Parameter name %q: it is a name, or a path that begins with /, of letters, numbers and .-_, "+
			`and doesn't begin with "aws" or "ssm"`, p.Name)
	case len(p.Name) > maxName || strings.Count(p.Name, "/") > maxLevels:
		return awsapi.Validation("Parameter name %.40q…: it has %d characters, and a name at most %d, in at most %d levels",
			p.Name, len(p.Name), maxName, maxLevels)
	case p.Value == "" || len(p.Value) > maxValue:
		return awsapi.Validation("Parameter %s: the value has %d bytes; a standard parameter has 1 to %d", p.Name, len(p.Value), maxValue)
	case strings.Contains(p.Value, "{{"):
		return awsapi.Validation(`Parameter %s: can't nest another parameter. Do not use "{{}}" in the value.`, p.Name)
	case p.Type != types.ParameterTypeString && p.Type != types.ParameterTypeSecureString:
		return awsapi.Validation("Parameter %s: the type %q is not supported here; String and SecureString are", p.Name, p.Type)
	case err != nil:
		return awsapi.Error("InvalidAllowedPatternException", "Parameter %s: allowedPattern: %v", p.Name, err)
	case p.AllowedPattern != "" && !allowed.MatchString(p.Value):
		return awsapi.Error("ParameterPatternMismatchException", "Parameter %s: the value does not match %s", p.Name, p.AllowedPattern)
	}
	return nil
}

// Store is safe for concurrent use.
type Store struct {
	clock  clock.Clock
	faults fault.Hook

	mu         sync.RWMutex
	parameters map[string]Parameter
	history    map[string][]Parameter // all versions, the last one last
	disk       *disk.Store
	prefix     string
}

// New returns an empty store. For the fault hook, a call's resource is the path, and its key is empty.
func New(c clock.Clock, faults fault.Hook) *Store {
	return &Store{clock: c, faults: faults, parameters: map[string]Parameter{}, history: map[string][]Parameter{}}
}

// Keep brings back the parameters that a store on disk has under a prefix, and keeps them there from now on.
func (s *Store) Keep(on *disk.Store, prefix string) {
	s.disk, s.prefix = on, prefix
	for key, value := range on.Scan(prefix, prefix+"\xff", false) {
		var versions []Parameter
		if err := json.Unmarshal([]byte(value), &versions); err != nil {
			on.Damaged(fmt.Errorf("reading %s: %w", key, err))
		}
		name := key[len(prefix):]
		s.parameters[name], s.history[name] = versions[len(versions)-1], versions
	}
}

// Put creates or replaces a parameter.
func (s *Store) Put(p Parameter) error {
	if err := p.Validate(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	p.Modified = s.clock.Now()
	s.parameters[p.Name] = p
	versions := append(s.history[p.Name], p)
	s.history[p.Name] = versions[max(0, len(versions)-maxHistory):]
	if s.disk != nil {
		text, _ := json.Marshal(s.history[p.Name]) // plain values
		s.disk.Write(disk.Change{Key: s.prefix + p.Name, Value: string(text)})
	}
	return nil
}

// Delete removes a parameter; it is not an error if it doesn't exist.
func (s *Store) Delete(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.parameters, name)
	delete(s.history, name)
	if s.disk != nil {
		s.disk.Write(disk.Change{Key: s.prefix + name, Delete: true})
	}
}

// Versions returns the versions of a parameter that are kept, the last one last; none if it doesn't exist.
func (s *Store) Versions(name string) []Parameter {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return slices.Clone(s.history[name])
}

// Names returns the names of all parameters, in order.
func (s *Store) Names() []string {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return slices.Sorted(maps.Keys(s.parameters))
}

// GetParametersByPath lists the parameters below a path in name order, at most ten per page. Without decryption, a
// SecureString's value isn't revealed.
func (s *Store) GetParametersByPath(ctx context.Context, in *ssm.GetParametersByPathInput, options ...func(*ssm.Options)) (*ssm.GetParametersByPathOutput, error) {
	const operation = "GetParametersByPath"
	call := fault.Call{Service: "ssm", Operation: operation, Resource: aws.ToString(in.Path)}
	return awsapi.Serve(ctx, s.clock, s.faults, call, func() string { return "" }, func() (*ssm.GetParametersByPathOutput, error) {
		if err := awsapi.NoOptions(operation, options); err != nil {
			return nil, err
		}
		if err := awsapi.Only(operation, in, "Path", "Recursive", "WithDecryption", "MaxResults", "NextToken"); err != nil {
			return nil, err
		}
		return s.page(in)
	})
}

func (s *Store) page(in *ssm.GetParametersByPathInput) (*ssm.GetParametersByPathOutput, error) {
	path := aws.ToString(in.Path)
	if !pathPattern.MatchString(path) {
		return nil, awsapi.Validation("The parameter doesn't meet the parameter name requirements. The parameter name must begin with a forward slash \"/\". "+
			"It must use only letters, numbers, or the following symbols: . (period), - (hyphen), _ (underscore): %q", path)
	}
	below := strings.TrimSuffix(path, "/") + "/"
	limit := maxResults
	if in.MaxResults != nil {
		if limit = int(*in.MaxResults); limit < 1 || limit > maxResults {
			return nil, awsapi.Validation("1 validation error detected: Value '%d' at 'maxResults' failed to satisfy constraint: Member must be between 1 and %d", limit, maxResults)
		}
	}
	// A token is the last name of the previous page, so parameters that come and go between pages don't shift others.
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
		p := s.parameters[name]
		if p.Type == types.ParameterTypeSecureString && !aws.ToBool(in.WithDecryption) {
			p.Value = "(encrypted)" // AWS answers the ciphertext here
		}
		out.Parameters = append(out.Parameters, types.Parameter{
			Name: aws.String(p.Name), Type: p.Type, Value: aws.String(p.Value), Version: p.Version, DataType: aws.String("text"),
		})
	}
	return out, nil
}

package operate

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"trade-processing/internal/exitcode"
	"trade-processing/lambdas/parameters"
)

// ParameterKeys are the config keys that parameters come from, by the parameters' names.
var ParameterKeys = map[string]string{
	parameters.ThresholdName: "processingThreshold", parameters.EndpointName: "apiEndpoint", parameters.MaxRetriesName: "maxRetries",
}

// Parameter is what an operator may change at run time.
type Parameter struct {
	Name      string    `json:"name"`
	Value     string    `json:"value,omitempty"` // empty if it is secret
	Secret    bool      `json:"secret"`
	Version   int64     `json:"version"`
	Changed   time.Time `json:"changed"`
	ConfigKey string    `json:"configKey"` // that the program takes it from
}

// Parameters lists the stack's parameters.
func (s *Stack) Parameters(ctx context.Context) ([]Parameter, error) {
	prefix, err := s.parameterPrefix()
	if err != nil {
		return nil, err
	}
	pages := ssm.NewGetParametersByPathPaginator(s.SSM(), &ssm.GetParametersByPathInput{Path: &prefix})
	var all []Parameter
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("reading the parameters below %s: %w", prefix, err)
		}
		for _, one := range page.Parameters {
			all = append(all, s.parameter(one))
		}
	}
	slices.SortFunc(all, func(a, b Parameter) int { return strings.Compare(a.Name, b.Name) })
	return all, nil
}

func (s *Stack) parameter(p types.Parameter) Parameter {
	one := Parameter{
		Name: strings.TrimPrefix(aws.ToString(p.Name), s.Outputs.ParameterPrefix), Value: aws.ToString(p.Value), Secret: p.Type == types.ParameterTypeSecureString,
		Version: p.Version, Changed: aws.ToTime(p.LastModifiedDate).UTC(),
	}
	one.ConfigKey = ParameterKeys[one.Name]
	if one.Secret {
		one.Value = ""
	}
	return one
}

// SetParameter changes a parameter to a value that the functions take, and returns what it was and is. One that is secret stays so,
// under the stack's key: functions can't use the account's default one.
func (s *Stack) SetParameter(ctx context.Context, name, value string) (before, after Parameter, err error) {
	prefix, err := s.parameterPrefix()
	if err != nil {
		return before, after, err
	}
	if _, known := ParameterKeys[name]; !known {
		return before, after, exitcode.Usagef("there is no parameter %s; there are %s", name, strings.Join(ParameterNames(), ", "))
	}
	if err := parameters.Check(name, value); err != nil {
		return before, after, exitcode.Usagef("%s: %w", name, err)
	}
	client, path := s.SSM(), prefix+name
	was, err := client.GetParameter(ctx, &ssm.GetParameterInput{Name: &path})
	var missing *types.ParameterNotFound
	switch {
	case errors.As(err, &missing):
		return before, after, exitcode.With(exitcode.NotFound, fmt.Errorf("there is no parameter %s: does `pulumi up` still have to create it?", path))
	case err != nil:
		return before, after, fmt.Errorf("reading the parameter %s: %w", path, err)
	}
	before = s.parameter(*was.Parameter)
	change := &ssm.PutParameterInput{Name: &path, Value: &value, Overwrite: aws.Bool(true)}
	if before.Secret {
		if s.Outputs.KeyARN == "" {
			return before, after, exitcode.Usagef("%s is secret, and the stack's outputs lack keyArn", name)
		}
		change.Type, change.KeyId = types.ParameterTypeSecureString, &s.Outputs.KeyARN
	}
	put, err := client.PutParameter(ctx, change)
	if err != nil {
		return before, after, fmt.Errorf("changing the parameter %s: %w", path, err)
	}
	after = before
	after.Version, after.Changed = put.Version, time.Now().UTC()
	if !after.Secret {
		after.Value = value
	}
	return before, after, nil
}

// ParameterNames returns the names of a stack's parameters.
func ParameterNames() []string {
	var names []string
	for name := range ParameterKeys {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

func (s *Stack) parameterPrefix() (string, error) {
	if s.Outputs.ParameterPrefix == "" {
		return "", exitcode.Usagef("the stack's outputs lack parameterPrefix: `pulumi up` adds what a newer version of the program exports")
	}
	return s.Outputs.ParameterPrefix, nil
}

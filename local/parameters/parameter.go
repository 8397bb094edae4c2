package parameters

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"
	"github.com/aws/smithy-go"
)

// Parameter is what a parameter is created from.
type Parameter struct {
	Name           string
	ARN            string
	Type           types.ParameterType
	Value          string
	DataType       string // text, which is the default; others are refused
	AllowedPattern string // what the value must match; empty: anything
}

// Limits of a standard parameter.
// https://docs.aws.amazon.com/general/latest/gr/ssm.html
const (
	maxValue  = 4 << 10
	maxName   = 1011
	maxLevels = 15
	textType  = "text"
)

var (
	namePattern = regexp.MustCompile(`^/?[a-zA-Z0-9_.-]+(/[a-zA-Z0-9_.-]+)*$`)
	pathPattern = regexp.MustCompile(`^/$|^(/[a-zA-Z0-9_.-]+)+/?$`)
)

// nameRule is what SSM says of a name that it refuses.
const nameRule = `can't be prefixed with "ssm" (case-insensitive). If formed as a path, it can consist of sub-paths divided by ` +
	`slash symbol; each sub-path can be formed as a mix of letters, numbers and the following 3 symbols .-_`

// Validate refuses a parameter as PutParameter would: with a ValidationException, or one of SSM's own errors where it
// has one.
func (p Parameter) Validate() error {
	if err := validateName(p.Name); err != nil {
		return err
	}
	switch {
	case p.Value == "":
		return invalid("Parameter %s: the value can't be empty", p.Name)
	case len(p.Value) > maxValue:
		return invalid("Parameter %s: the value has %d bytes; a standard parameter has at most %d", p.Name, len(p.Value), maxValue)
	case strings.Contains(p.Value, "{{"):
		return invalid(`Parameter %s: can't nest another parameter. Do not use "{{}}" in the value.`, p.Name)
	case !slices.Contains(types.ParameterType("").Values(), p.Type):
		return &types.UnsupportedParameterType{Message: aws.String(fmt.Sprintf("Parameter %s: the type %q isn't supported.", p.Name, p.Type))}
	case p.DataType != "" && p.DataType != textType:
		return invalid("Parameter %s: the local store does not support the data type %q, only %s", p.Name, p.DataType, textType)
	case p.AllowedPattern == "":
		return nil
	}
	// SSM matches the whole value.
	allowed, err := regexp.Compile(`^(?:` + p.AllowedPattern + `)$`)
	if err != nil {
		return &types.InvalidAllowedPatternException{Message: aws.String(fmt.Sprintf("Parameter %s: allowedPattern: %v", p.Name, err))}
	}
	if !allowed.MatchString(p.Value) {
		return &types.ParameterPatternMismatchException{Message: aws.String(
			fmt.Sprintf("Parameter %s: the value does not match %s", p.Name, p.AllowedPattern))}
	}
	return nil
}

func validateName(name string) error {
	first, rest, hierarchical := strings.Cut(strings.TrimPrefix(name, "/"), "/")
	reserved := func(word string) bool { return strings.HasPrefix(strings.ToLower(first), word) }
	switch {
	case !namePattern.MatchString(name) || reserved("ssm"):
		return invalid("Parameter name %q: %s", name, nameRule)
	case reserved("aws"):
		return &smithy.GenericAPIError{
			Code: "AccessDeniedException", Message: fmt.Sprintf("No access to reserved parameter name: %s.", name), Fault: smithy.FaultClient,
		}
	case hierarchical && !strings.HasPrefix(name, "/"):
		return invalid("Parameter name %q: must be a fully qualified name, which begins with /", name)
	case len(name) > maxName:
		return invalid("Parameter name %.40q…: it has %d characters, more than %d", name, len(name), maxName)
	case hierarchical && strings.Count(rest, "/")+2 > maxLevels:
		return &types.HierarchyLevelLimitExceededException{Message: aws.String(
			fmt.Sprintf("Parameter name %q: a hierarchy can have a maximum of %d levels.", name, maxLevels))}
	}
	return nil
}

// A stored parameter has its latest version only: SSM's history is not kept.
type stored struct {
	Parameter
	version  int64
	modified time.Time
}

func (p stored) sdk(decrypt bool) types.Parameter {
	value := p.Value
	if p.Type == types.ParameterTypeSecureString && !decrypt {
		value = "(encrypted)" // AWS answers the ciphertext here
	}
	out := types.Parameter{
		Name: aws.String(p.Name), Type: p.Type, Value: aws.String(value), Version: p.version,
		DataType: aws.String(textType), LastModifiedDate: aws.Time(p.modified),
	}
	if p.ARN != "" {
		out.ARN = aws.String(p.ARN)
	}
	return out
}

func invalid(format string, args ...any) error {
	return &smithy.GenericAPIError{Code: "ValidationException", Message: fmt.Sprintf(format, args...), Fault: smithy.FaultClient}
}

package endpoint

import (
	"context"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"trade-processing/local/awsapi"
	"trade-processing/local/cloud"
	"trade-processing/local/parameters"
)

var parameterOperations = map[string]operation{
	"GetParametersByPath": serve((*Endpoint).getParametersByPath), "GetParameter": serve((*Endpoint).getParameter),
	"GetParameters": serve((*Endpoint).getParameters), "GetParameterHistory": serve((*Endpoint).getParameterHistory),
	"DescribeParameters": serve((*Endpoint).describeParameters), "PutParameter": serve((*Endpoint).putParameter),
}

func (e *Endpoint) getParametersByPath(ctx context.Context, region string, in ssm.GetParametersByPathInput) (any, error) {
	got, err := e.cloud.Services(region).SSM.GetParametersByPath(ctx, &in)
	if err != nil {
		return nil, err
	}
	var listed []any
	for _, one := range got.Parameters {
		versions := e.cloud.Parameters(region).Versions(*one.Name)
		if len(versions) > 0 { // otherwise it has just gone
			listed = append(listed, parameter(region, versions[len(versions)-1], aws.ToBool(in.WithDecryption)))
		}
	}
	return paged("Parameters", listed, "NextToken", aws.ToString(got.NextToken)), nil
}

// parameter is a version as SSM answers.
// https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_Parameter.html
func parameter(region string, p parameters.Parameter, decrypted bool) object {
	if p.Type == types.ParameterTypeSecureString && !decrypted {
		p.Value = "(encrypted)" // AWS answers the ciphertext here
	}
	return object{
		"Name": p.Name, "Type": p.Type, "Value": p.Value, "Version": p.Version, "LastModifiedDate": moment(p.Modified), "DataType": "text",
		"ARN": "arn:aws:ssm:" + region + ":" + cloud.Account + ":parameter/" + strings.TrimPrefix(p.Name, "/"),
	}
}

// version finds a parameter by its name or ARN, which may end in a version.
func (e *Endpoint) version(region, name string) (parameters.Parameter, error) {
	if _, path, isARN := strings.Cut(name, ":parameter"); isARN {
		name = path
	}
	name, wanted, chosen := strings.Cut(name, ":")
	versions := e.cloud.Parameters(region).Versions(name)
	if len(versions) == 0 {
		return parameters.Parameter{}, awsapi.Error("ParameterNotFound", "Parameter %s not found.", name)
	}
	if !chosen {
		return versions[len(versions)-1], nil
	}
	number, err := strconv.ParseInt(wanted, 10, 64)
	at := slices.IndexFunc(versions, func(p parameters.Parameter) bool { return p.Version == number })
	if err != nil || at < 0 {
		return parameters.Parameter{}, awsapi.Error("ParameterVersionNotFound", "Systems Manager could not find version %s of %s.", wanted, name)
	}
	return versions[at], nil
}

func (e *Endpoint) getParameter(_ context.Context, region string, in struct {
	Name           string
	WithDecryption bool
}) (any, error) {
	found, err := e.version(region, in.Name)
	if err != nil {
		return nil, err
	}
	return object{"Parameter": parameter(region, found, in.WithDecryption)}, nil
}

func (e *Endpoint) getParameters(_ context.Context, region string, in struct {
	Names          []string
	WithDecryption bool
}) (any, error) {
	if len(in.Names) < 1 || len(in.Names) > 10 {
		return nil, awsapi.Validation("1 validation error detected: Value at 'names' failed to satisfy constraint: Member must have length from 1 to 10, not %d", len(in.Names))
	}
	found, invalid := []any{}, []string{}
	for _, name := range in.Names {
		if one, err := e.version(region, name); err == nil {
			found = append(found, parameter(region, one, in.WithDecryption))
		} else {
			invalid = append(invalid, name)
		}
	}
	return object{"Parameters": found, "InvalidParameters": invalid}, nil
}

// getParameterHistory lists the versions since the local cloud began, the oldest first.
func (e *Endpoint) getParameterHistory(_ context.Context, region string, in struct {
	Name           string
	WithDecryption bool
	MaxResults     int
	NextToken      string
}) (any, error) {
	if _, err := e.version(region, in.Name); err != nil {
		return nil, err
	}
	number := func(p parameters.Parameter) string { return strconv.FormatInt(p.Version, 10) }
	found, next, err := page(e.cloud.Parameters(region).Versions(in.Name), number, in.NextToken, in.MaxResults, parametersPerPage, parametersPerPage)
	if err != nil {
		return nil, err
	}
	var listed []any
	for _, one := range found {
		told := parameter(region, one, in.WithDecryption)
		delete(told, "ARN")
		told["LastModifiedUser"], told["AllowedPattern"], told["Tier"] = administrator, one.AllowedPattern, "Standard"
		listed = append(listed, told)
	}
	return paged("Parameters", listed, "NextToken", next), nil
}

// https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_DescribeParameters.html
const parametersPerPage = 50

type parameterFilter struct {
	Key, Option string
	Values      []string
}

// matches knows the filters by name and by path.
func (f parameterFilter) matches(name string) (bool, error) {
	tests := map[string]func(value string) bool{
		"Name Equals": func(value string) bool { return name == value }, "Name BeginsWith": func(value string) bool { return strings.HasPrefix(name, value) },
		"Name Contains":  func(value string) bool { return strings.Contains(name, value) },
		"Path Recursive": func(value string) bool { return strings.HasPrefix(name, strings.TrimSuffix(value, "/")+"/") },
		"Path OneLevel": func(value string) bool {
			rest, below := strings.CutPrefix(name, strings.TrimSuffix(value, "/")+"/")
			return below && !strings.Contains(rest, "/")
		},
	}
	option := f.Option
	if option == "" {
		option = map[string]string{"Name": "Equals", "Path": "OneLevel"}[f.Key]
	}
	test, known := tests[f.Key+" "+option]
	if !known {
		return false, &awsapi.Unsupported{Operation: "DescribeParameters", Feature: "the filter " + f.Key + " " + f.Option + "; it does " + strings.Join(slices.Sorted(maps.Keys(tests)), ", ")}
	}
	return slices.ContainsFunc(f.Values, test), nil
}

func (e *Endpoint) describeParameters(_ context.Context, region string, in struct {
	ParameterFilters []parameterFilter
	MaxResults       int
	NextToken        string
}) (any, error) {
	var names []string
	for _, name := range e.cloud.Parameters(region).Names() {
		wanted := true
		for _, filter := range in.ParameterFilters {
			matches, err := filter.matches(name)
			if err != nil {
				return nil, err
			}
			wanted = wanted && matches
		}
		if wanted {
			names = append(names, name)
		}
	}
	found, next, err := page(names, func(name string) string { return name }, in.NextToken, in.MaxResults, parametersPerPage, parametersPerPage)
	if err != nil {
		return nil, err
	}
	var listed []any
	for _, name := range found {
		latest, err := e.version(region, name)
		if err != nil {
			continue // it has just gone
		}
		told := parameter(region, latest, false)
		delete(told, "Value")
		told["LastModifiedUser"], told["AllowedPattern"], told["Tier"], told["Policies"] = administrator, latest.AllowedPattern, "Standard", []any{}
		if declared, found := e.cloud.Read(cloud.ParameterType, region, name); found {
			told["Description"], told["KeyId"] = declared.Inputs["description"], declared.Inputs["keyId"]
		}
		listed = append(listed, told)
	}
	return paged("Parameters", listed, "NextToken", next), nil
}

// putParameter changes the resource, so that the new value outlives the process as the rest of the deployment does.
// https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_PutParameter.html
func (e *Endpoint) putParameter(_ context.Context, region string, in struct {
	Name, Value, Type string
	Overwrite         bool
	Description       *string
	AllowedPattern    *string
	KeyID             *string `json:"KeyId"`
}) (any, error) {
	e.changing.Lock()
	defer e.changing.Unlock()
	declared, exists := e.cloud.Read(cloud.ParameterType, region, in.Name)
	switch {
	case exists && !in.Overwrite:
		return nil, awsapi.Error("ParameterAlreadyExists", "The parameter already exists. To overwrite this value, set the overwrite option in the request to true.")
	case !exists && in.Type == "":
		return nil, awsapi.Validation("A parameter type is required when you create a parameter.")
	}
	properties := cloud.Properties{"name": in.Name}
	if exists {
		properties = maps.Clone(declared.Inputs)
	}
	properties["value"] = in.Value
	if in.Type != "" {
		properties["type"] = in.Type
	}
	for name, value := range map[string]*string{"description": in.Description, "allowedPattern": in.AllowedPattern, "keyId": in.KeyID} {
		if value != nil {
			properties[name] = *value
		}
	}
	asked := parameters.Parameter{Name: in.Name, Value: in.Value}
	asked.Type, asked.AllowedPattern = types.ParameterType(text(properties, "type")), text(properties, "allowedPattern")
	if err := asked.Validate(); err != nil {
		return nil, err
	}
	var made *cloud.Resource
	var err error
	if exists {
		made, err = e.cloud.Update(cloud.ParameterType, region, declared.ID, properties)
	} else {
		made, err = e.cloud.Create(cloud.ParameterType, in.Name, region, properties)
	}
	if err != nil {
		return nil, err
	}
	return object{"Version": made.Outputs["version"], "Tier": "Standard"}, nil
}

func text(properties cloud.Properties, name string) string {
	value, _ := properties[name].(string)
	return value
}

package endpoint

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	"trade-processing/local/awsapi"
	"trade-processing/local/cloud"
	"trade-processing/local/states"
)

const (
	functionType      = "aws:lambda/function:Function"
	functionAliasType = "aws:lambda/alias:Alias"
)

var functionOperations = map[string]operation{
	"GetFunction": serve((*Endpoint).getFunction), "GetFunctionConfiguration": serve((*Endpoint).getFunctionConfiguration),
	"GetFunctionConcurrency": serve((*Endpoint).getFunctionConcurrency), "ListFunctions": serve((*Endpoint).listFunctions),
	"ListVersionsByFunction": serve((*Endpoint).listVersionsByFunction), "GetAlias": serve((*Endpoint).getAlias), "ListAliases": serve((*Endpoint).listAliases),
	"GetAccountSettings": serve((*Endpoint).getAccountSettings), "Invoke": serve((*Endpoint).invoke),
}

// https://docs.aws.amazon.com/lambda/latest/api/API_Operations.html
var functionRoutes = []route{
	on(http.MethodGet, "/2015-03-31/functions", "ListFunctions"),
	on(http.MethodGet, "/2015-03-31/functions/(?P<FunctionName>[^/]+)", "GetFunction"),
	on(http.MethodGet, "/2015-03-31/functions/(?P<FunctionName>[^/]+)/configuration", "GetFunctionConfiguration"),
	on(http.MethodGet, "/2015-03-31/functions/(?P<FunctionName>[^/]+)/versions", "ListVersionsByFunction"),
	on(http.MethodGet, "/2015-03-31/functions/(?P<FunctionName>[^/]+)/aliases", "ListAliases"),
	on(http.MethodGet, "/2015-03-31/functions/(?P<FunctionName>[^/]+)/aliases/(?P<Name>[^/]+)", "GetAlias"),
	on(http.MethodGet, "/2019-09-30/functions/(?P<FunctionName>[^/]+)/concurrency", "GetFunctionConcurrency"),
	on(http.MethodGet, "/2016-08-19/account-settings", "GetAccountSettings"),
	{http.MethodPost, on("", "/2015-03-31/functions/(?P<FunctionName>[^/]+)/invocations", "").path, "Invoke", true},
}

// onFunction names a function in a request: by name or ARN, with a qualifier behind it or beside it.
type onFunction struct{ FunctionName, Qualifier string }

// function finds a function, and the version that the qualifier leads to.
func (e *Endpoint) function(region string, on onFunction) (found *cloud.Resource, version string, err error) {
	name := on.FunctionName
	if _, after, isARN := strings.Cut(name, ":function:"); isARN {
		name = after
	}
	name, qualifier, _ := strings.Cut(name, ":")
	if on.Qualifier != "" {
		qualifier = on.Qualifier
	}
	missing := awsapi.Error("ResourceNotFoundException", "Function not found: arn:aws:lambda:%s:%s:function:%s", region, cloud.Account, strings.TrimSuffix(name+":"+qualifier, ":"))
	found, there := e.cloud.Read(functionType, region, name)
	if !there {
		return nil, "", missing
	}
	published, _ := found.Outputs["version"].(string)
	if qualifier == "" || qualifier == "$LATEST" || qualifier == published {
		return found, qualifier, nil
	}
	if alias, there := e.cloud.Read(functionAliasType, region, text(found.Outputs, "arn")+":"+qualifier); there {
		return found, text(alias.Inputs, "functionVersion"), nil
	}
	return nil, "", missing
}

// configuration is what was declared about a function.
// https://docs.aws.amazon.com/lambda/latest/api/API_FunctionConfiguration.html
func (e *Endpoint) configuration(r *cloud.Resource, version string) object {
	_, digest, _ := strings.Cut(text(r.Inputs, "imageUri"), "@sha256:")
	told := object{
		"FunctionName": r.Inputs["name"], "FunctionArn": r.Outputs["arn"], "Role": r.Inputs["role"], "PackageType": "Image", "Timeout": r.Inputs["timeout"],
		"MemorySize": r.Inputs["memorySize"], "Architectures": r.Inputs["architectures"], "Description": r.Inputs["description"], "CodeSha256": digest,
		"LastModified": e.began.UTC().Format("2006-01-02T15:04:05.000+0000"), "State": "Active", "LastUpdateStatus": "Successful", "Version": "$LATEST",
	}
	if version != "" && version != "$LATEST" {
		told["Version"], told["FunctionArn"] = version, text(r.Outputs, "arn")+":"+version
	}
	if environment, ok := r.Inputs["environment"].(map[string]any); ok {
		told["Environment"] = object{"Variables": environment["variables"]}
	}
	return told
}

func (e *Endpoint) getFunctionConfiguration(_ context.Context, region string, in onFunction) (any, error) {
	found, version, err := e.function(region, in)
	if err != nil {
		return nil, err
	}
	return e.configuration(found, version), nil
}

func (e *Endpoint) getFunction(_ context.Context, region string, in onFunction) (any, error) {
	found, version, err := e.function(region, in)
	if err != nil {
		return nil, err
	}
	answer := object{
		"Configuration": e.configuration(found, version),
		"Code":          object{"RepositoryType": "ECR", "ImageUri": found.Inputs["imageUri"], "ResolvedImageUri": found.Inputs["imageUri"]},
	}
	if reserved := found.Inputs["reservedConcurrentExecutions"]; reserved != nil {
		answer["Concurrency"] = object{"ReservedConcurrentExecutions": reserved}
	}
	return answer, nil
}

func (e *Endpoint) getFunctionConcurrency(_ context.Context, region string, in onFunction) (any, error) {
	found, _, err := e.function(region, in)
	if err != nil {
		return nil, err
	}
	if reserved := found.Inputs["reservedConcurrentExecutions"]; reserved != nil {
		return object{"ReservedConcurrentExecutions": reserved}, nil
	}
	return object{}, nil
}

// listFunctions lists all on one page; a region has 50 or fewer here.
func (e *Endpoint) listFunctions(_ context.Context, region string, _ struct{ MaxItems, Marker string }) (any, error) {
	listed := []any{}
	for _, r := range e.declared(functionType, region) {
		listed = append(listed, e.configuration(r, ""))
	}
	return object{"Functions": listed}, nil
}

// listVersionsByFunction lists the latest version beside $LATEST: earlier ones aren't kept here.
func (e *Endpoint) listVersionsByFunction(_ context.Context, region string, in struct{ FunctionName, MaxItems, Marker string }) (any, error) {
	found, _, err := e.function(region, onFunction{FunctionName: in.FunctionName})
	if err != nil {
		return nil, err
	}
	listed := []any{e.configuration(found, "$LATEST")}
	if version := text(found.Outputs, "version"); version != "$LATEST" {
		listed = append(listed, e.configuration(found, version))
	}
	return object{"Versions": listed}, nil
}

func aliasOf(r *cloud.Resource) object {
	return object{
		"AliasArn": r.ID, "Name": r.Inputs["name"], "FunctionVersion": r.Inputs["functionVersion"], "Description": r.Inputs["description"],
	}
}

func (e *Endpoint) getAlias(_ context.Context, region string, in struct{ FunctionName, Name string }) (any, error) {
	found, _, err := e.function(region, onFunction{FunctionName: in.FunctionName})
	if err != nil {
		return nil, err
	}
	alias, there := e.cloud.Read(functionAliasType, region, text(found.Outputs, "arn")+":"+in.Name)
	if !there {
		return nil, awsapi.Error("ResourceNotFoundException", "Cannot find alias arn: %s:%s", text(found.Outputs, "arn"), in.Name)
	}
	return aliasOf(alias), nil
}

func (e *Endpoint) listAliases(_ context.Context, region string, in struct{ FunctionName, MaxItems, Marker string }) (any, error) {
	found, _, err := e.function(region, onFunction{FunctionName: in.FunctionName})
	if err != nil {
		return nil, err
	}
	listed := []any{}
	for _, alias := range e.declared(functionAliasType, region) {
		if strings.HasPrefix(alias.ID, text(found.Outputs, "arn")+":") {
			listed = append(listed, aliasOf(alias))
		}
	}
	return object{"Aliases": listed}, nil
}

// accountConcurrency is what an account has at first, beyond the smallest.
// https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
const accountConcurrency = 1000

func (e *Endpoint) getAccountSettings(_ context.Context, region string, _ struct{}) (any, error) {
	left := float64(accountConcurrency)
	for _, r := range e.declared(functionType, region) {
		if reserved, given := r.Inputs["reservedConcurrentExecutions"].(float64); given && reserved > 0 {
			left -= reserved
		}
	}
	return object{
		"AccountLimit": object{"ConcurrentExecutions": accountConcurrency, "UnreservedConcurrentExecutions": left},
		"AccountUsage": object{"FunctionCount": len(e.declared(functionType, region))},
	}, nil
}

// invoke calls a function synchronously, as an administrator. A function's own failure is an answer.
// https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html
func (e *Endpoint) invoke(ctx context.Context, region string, in struct {
	onFunction
	Payload []byte
}) (any, error) {
	found, version, err := e.function(region, in.onFunction)
	if err != nil {
		return nil, err
	}
	if len(in.Payload) == 0 {
		in.Payload = []byte("{}")
	}
	if !json.Valid(in.Payload) {
		return nil, awsapi.Error("InvalidRequestContentException", "Could not parse request body into json")
	}
	arn := text(found.Outputs, "arn")
	if version != "" && version != "$LATEST" {
		arn += ":" + version
	}
	answer, err := e.cloud.InvokeFunction(ctx, arn, in.Payload)
	failure, failed := errors.AsType[*states.Failure](err)
	switch {
	case failed:
		told, _ := json.Marshal(object{"errorType": failure.Name, "errorMessage": failure.Cause}) // strings
		if json.Valid([]byte(failure.Cause)) {
			told = []byte(failure.Cause) // which is a function's error as it wrote it
		}
		return payload{map[string]string{"X-Amz-Function-Error": "Unhandled"}, told}, nil
	case err != nil:
		return nil, err
	}
	return payload{map[string]string{"X-Amz-Executed-Version": answer.Version}, answer.Payload}, nil
}
